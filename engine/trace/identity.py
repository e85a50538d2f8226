"""What a trace is called: the SHA-256 of a canonical manifest."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

_PARTS = ("schema", "program", "loss", "events", "batch", "after", "notes")


def content_id(document: Mapping[str, Any]) -> str:
    """``sha256:`` and 64 hexadecimal digits; the same for equal records, whatever the order of keys or the writer of the JSON."""
    tensors = document["tensors"]
    manifest = {part: document[part] for part in _PARTS}
    manifest["nodes"] = [{key: value for key, value in node.items() if key != "source"} for node in document["nodes"]]
    manifest["references"] = {key: tensors[key] for key in ("dtypes", "dtype", "offset", "shape")}
    manifest["blobs"] = {code: hashlib.sha256(base64.b64decode(arena["bdata"])).hexdigest() for code, arena in tensors["arenas"].items()}
    text = json.dumps(_canonical(manifest), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(value: Any) -> Any:
    """Floats as hexadecimal strings, so that no writer's rounding matters; whole ones as integers, since JSON does not tell them apart."""
    if isinstance(value, float):
        if math.isfinite(value) and value == int(value) and abs(value) < 2**53:
            return int(value)
        return value.hex()
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_canonical(item) for item in value]
    return value
