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
_PARTS = ("schema", "program", "loss", "events", "batch", "after", "notes")


def content_id(document: Mapping[str, Any]) -> str:
    """``sha256:`` and 64 hexadecimal digits; the same for equal records, whatever the order of keys or the writer of the JSON."""
    tensors = document["tensors"]
    manifest = {part: document[part] for part in _PARTS}
    manifest["nodes"] = [{key: value for key, value in node.items() if key != "source"} for node in document["nodes"]]
    manifest["references"] = {key: tensors[key] for key in ("dtypes", "dtype", "offset", "shape")}
    manifest["blobs"] = {code: hashlib.sha256(base64.b64decode(arena["bdata"])).hexdigest() for code, arena in tensors["arenas"].items()}
    text = json.dumps(_canonical(manifest), separators=(",", ":"), ensure_ascii=False)
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
        kinds = set(map(type, value))
        numbers = list(chain.from_iterable(value)) if kinds == {list} else value  # shapes, or a column of numbers: most are that
        if set(map(type, numbers)) == {int} and _exact(numbers):
            return value
        return [_canonical(item) for item in value]
    return value


def _exact(numbers: Sequence[int]) -> bool:
    return min(numbers) > -_EXACT and max(numbers) < _EXACT


@lru_cache(maxsize=1024)
def _in_order(keys: tuple[str, ...]) -> list[str]:
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
