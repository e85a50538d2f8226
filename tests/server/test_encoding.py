"""JSON as the server writes it."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson
import pytest

from engine.trace.serial import plain
from server.encoding import dumps


class Word(enum.StrEnum):
    NULL = "null"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"loss": [1.5, math.nan], "none": None}, b'{"loss":[1.5,"NaN"],"none":null}'),
        ([math.inf, -math.inf, 1e-300, True, "null", "é"], '["Infinity","-Infinity",1e-300,true,"null","é"]'.encode()),
        ({"a": (1, [2.0, np.float64(0.1)]), "b": np.array([[1, 2]])}, b'{"a":[1,[2.0,0.1]],"b":[[1,2]]}'),
        ([np.float32(0.1), np.array([0.5, np.nan]), np.int64(3), np.bool_(True)], b'[0.10000000149011612,[0.5,"NaN"],3,true]'),
        ({1: {Word.NULL: Word.NULL}}, b'{"1":{"null":"null"}}'),
        (MappingProxyType({"a": OrderedDict(b=MappingProxyType({2: math.nan}))}), b'{"a":{"b":{"2":"NaN"}}}'),
        (1.0, b"1.0"), (math.nan, b'"NaN"'), (None, b"null"), ([], b"[]"),
    ],
)  # fmt: skip
def test_what_is_not_finite_is_a_word_and_never_null(value: Any, written: bytes) -> None:
    assert dumps(value) == written == orjson.dumps(plain(value))


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, {"a": 2**70}])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)
