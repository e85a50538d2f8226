"""MessagePack: the same documents as JSON, but that arrays are bytes where JSON has base64."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import ormsgpack

MEDIA_TYPE = "application/msgpack"


def pack(document: Mapping[str, Any]) -> bytes:
    """A document as MessagePack; every `bdata` of an array is its bytes."""
    return ormsgpack.packb(_arrays(document, base64.b64decode))


def unpack(content: bytes) -> dict[str, Any]:
    """The inverse of `pack`. Raises ValueError for what is not MessagePack, or no map."""
    document = ormsgpack.unpackb(content)
    if not isinstance(document, dict):
        raise ValueError(f"not a document: MessagePack of {type(document).__name__}; expected a map")
    return dict(_arrays(document, lambda data: base64.b64encode(data).decode("ascii")))


def _arrays(value: Any, convert: Callable[[Any], Any]) -> Any:
    """A copy with the `bdata` of every array converted. Arrays are members of objects, never of lists, so lists stay as they are."""
    if not isinstance(value, Mapping):
        return value
    if value.keys() >= {"dtype", "shape", "bdata"}:
        return {**value, "bdata": convert(value["bdata"])}
    return {key: _arrays(item, convert) for key, item in value.items()}
