"""JSON in: the one place that reads what others wrote.

Python's reader takes NaN, infinities, lone surrogates and names that stand twice, of which the last silently wins; two readers of one
text then need not agree on what it says. Here all of these are refused, with the place where that is known.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from engine.told import Told


class StrictJsonError(ValueError):
    """A text that is not JSON as RFC 8259 and I-JSON (RFC 7493) have it. Its words never repeat the text."""


class TooDeepError(StrictJsonError):
    """Lists and objects are nested further than is read. depth: as far as that was looked into; most: what is read."""

    def __init__(self, depth: int, most: int) -> None:
        words = f"lists and objects are nested {depth} deep or deeper; at most {most} levels are read"
        super().__init__(Told(words, "json-deep", most=most))
        self.depth, self.most = depth, most


def read(text: bytes, depth: int) -> Any:
    """The value of a JSON text, nested at most `depth` deep. Raises StrictJsonError."""
    found = _depth(text, depth)
    if found > depth:
        raise TooDeepError(found, depth)
    try:
        orjson.loads(text)  # UTF-8, syntax, surrogates, numbers that a double holds
    except orjson.JSONDecodeError as error:
        raise StrictJsonError(f"the text is not JSON (NaN and infinities are not part of it): {error}") from None
    return json.loads(text, object_pairs_hook=_unique)  # whole numbers stay whole, and no name stands twice


_SQUARE = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
# A string, to its end or the text's, or one bracket. Nothing in it is read twice.
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def _depth(text: bytes, most: int) -> int:
    """How deep brackets nest outside of strings, found before anything is built; no further than one past `most`.

    Of text that is no JSON it may be less, as far as JSON's reader goes, which refuses it.
    """
    marks = text.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_SQUARE, _OTHERS)
    marks = b"".join(marks.split(b'"')[::2])  # the brackets outside of strings
    for depth in range(most + 1):
        if not marks:
            return depth
        marks = marks.replace(b"[]", b"")  # the innermost pairs
    return _depth_by_marks(text, most)


def _depth_by_marks(text: bytes, most: int) -> int:
    """The same, mark by mark, which takes longer: for what nests too deep or has brackets without a partner."""
    depth = deepest = 0
    for match in _MARKS.finditer(text):
        mark = match[0]
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > most:
                break
        elif mark in b"]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these members."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("an object has two members of one name; give each name once")
    return members
