"""One reader for all JSON that comes in."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.strict_json import StrictJsonError, TooDeepError, read

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(VALUES)
def test_what_is_json_is_read_as_it_is(value: Any) -> None:
    assert read(json.dumps(value).encode(), 64) == value


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'{"a": 1', b"[1, 2", b'"abc', b'"\\', b"NaN", b"[NaN]", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 5000,
     b"-" + b"9" * 400, b'"\\ud800"', b'"\\udfff x"', b"\xff", b'"\xed\xa0\x80"', b'"\xc0\xaf"', b"\xef\xbb\xbf{}", b"{'a': 1}", b"[1,]",
     b"01", b"1 2", b"\x00", b'"\x00"', b"{}{}", b'{"a": 1, "a": 1}', b'{"a": {"b": 1, "\\u0062": 2}}', "{}".encode("utf-16"), b"tru",
     b"// no\n{}"],
)  # fmt: skip
def test_what_is_not_is_refused_without_being_repeated(text: bytes) -> None:
    with pytest.raises(StrictJsonError) as error:
        read(text, 64)
    assert len(str(error.value)) < 200
    assert "999" not in str(error.value)


def test_depth_is_counted_outside_of_strings() -> None:
    assert read(b"[" * 64 + b"]" * 64, 64) is not None
    assert read(json.dumps(["[" * 1000, '\\"' + "{" * 1000, {"[[": "]]"}]).encode(), 2)[0] == "[" * 1000
    assert read(b"[[], [], {}]", 2) == [[], [], {}]
    for text in (b"[" * 65 + b"]" * 65, b"[" * 20_000, b'{"a":' * 20_000, b"[{" * 10_000):
        with pytest.raises(TooDeepError) as error:
            read(text, 64)
        assert (error.value.depth, error.value.most) == (65, 64)


def _nested(draw: random.Random, depth: int) -> Any:
    """Lists and objects nested at most so deep, their texts full of brackets, quotes and backslashes."""
    text = "".join(draw.choice('[]{}"\\\n/aé') for _ in range(draw.randrange(6)))
    match draw.randrange(3) if depth else 2:
        case 0:
            return [_nested(draw, depth - 1) for _ in range(draw.randrange(4))]
        case 1:
            return {f"{text}{i}": _nested(draw, depth - 1) for i in range(draw.randrange(4))}
    return text


def _levels(value: Any) -> int:
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else None
    return 0 if parts is None else 1 + max(map(_levels, parts), default=0)


def test_depth_of_any_json_is_that_of_its_value() -> None:
    draw = random.Random(0)
    for _ in range(500):
        value = _nested(draw, 6)
        deep = _levels(value)
        text = json.dumps(value, ensure_ascii=draw.random() < 0.5).encode()
        assert read(text, deep) == value
        if deep:
            with pytest.raises(TooDeepError) as error:
                read(text, deep - 1)
            assert error.value.depth == deep


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 300_000, b'"' * 600_001, b"\\" * 600_000, b"[]," * 200_000, b'"\\' * 300_000])
def test_hostile_quotes_and_brackets_are_refused_in_one_pass(text: bytes) -> None:
    """A reader that goes back over them takes minutes here."""
    with pytest.raises(StrictJsonError):
        read(text, 64)
