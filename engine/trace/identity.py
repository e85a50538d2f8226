"""What a trace is called: the SHA-256 of a canonical manifest."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

_EXACT = 2**53
_AS_THEY_ARE = frozenset({str, bool, type(None)})
_INTEGERS = frozenset({int, type(None)})
_PARTS = ("schema", "program", "loss", "events", "batch", "after", "notes")


def content_id(document: Mapping[str, Any], digests: Mapping[str, str] | None = None) -> str:
    """``sha256:`` and 64 hexadecimal digits; the same for equal records, whatever the order of keys or the writer of the JSON.

    digests: the SHA-256 of each arena's bytes, by its dtype, where the caller has them; else they are made here.
    """
    tensors = document["tensors"]
    if digests is None:
        digests = {code: hashlib.sha256(base64.b64decode(arena["bdata"])).hexdigest() for code, arena in tensors["arenas"].items()}
    manifest = {part: document[part] for part in _PARTS}
    manifest["nodes"] = document["nodes"]
    manifest["references"] = {key: tensors[key] for key in ("dtypes", "dtype", "offset", "shape")}
    manifest["blobs"] = digests
    canonical = _canonical(manifest)
    for node in canonical["nodes"]:
        node.pop("source", None)
    text = json.dumps(canonical, separators=(",", ":"), ensure_ascii=False, check_circular=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(value: Any) -> Any:
    """Keys in RFC 8785's order, numbers as hexadecimal strings, so that no writer's rounding matters.

    Whole numbers below 2**53 are integers, however they are written: JSON does not tell 2 from 2.0.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str or (kind is int and -_EXACT < value < _EXACT):
        return value
    if kind is float or isinstance(value, int | float):
        whole = math.isfinite(value) and abs(value) < _EXACT and value == int(value)
        return int(value) if whole else float(value).hex()
    if kind is dict or isinstance(value, Mapping):
        return {key: item if type(item := value[key]) in _AS_THEY_ARE else _canonical(item) for key in _in_order(tuple(value))}
    if kind is list or isinstance(value, Sequence):
        return _column(value)
    return value


def _column(items: Sequence[Any]) -> Sequence[Any]:
    """A list in canonical form. What is alike in it is looked at in one go: most of a trace are columns of numbers, shapes and nodes."""
    kinds = set(map(type, items))
    if kinds <= _AS_THEY_ARE or (kinds <= _INTEGERS and _exact(items)):
        return items
    if kinds == {list}:
        numbers = list(chain.from_iterable(items))
        if set(map(type, numbers)) <= {int} and _exact(numbers):
            return items
    if (
        kinds == {dict}
        and len(items) > 1
        and (keys := _in_order(tuple(items[0])))
        and all(map(items[0].keys().__eq__, map(dict.keys, items)))
    ):
        columns = [_column([item[key] for item in items]) for key in keys]
        return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    return [_canonical(item) for item in items]


def _exact(numbers: Sequence[int | None]) -> bool:
    known = [number for number in numbers if number is not None]
    return not known or (min(known) > -_EXACT and max(known) < _EXACT)


@lru_cache(maxsize=1024)
def _in_order(keys: tuple[str, ...]) -> list[str]:
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
