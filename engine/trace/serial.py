"""A trace as bytes of JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SCHEMA = "retrograd.trace/1"


def to_bytes(document: Mapping[str, Any]) -> bytes:
    """The document in UTF-8. Numbers outside tensors must be finite already (see `plain`)."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def from_bytes(data: bytes | str) -> dict[str, Any]:
    """The document. Raises ValueError for anything but a trace of version 1; unknown fields are kept."""
    document = json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise ValueError(f"not a trace: schema is {found!r}; expected {SCHEMA!r}")
    return document


def plain(value: Any) -> Any:
    """JSON's own types: numpy scalars and arrays unpacked, tuples as lists, NaN and infinities as strings."""
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool or (kind is float and math.isfinite(value)):
        return value
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if kind is dict or isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if kind is list or kind is tuple or (isinstance(value, Sequence) and not isinstance(value, str)):
        return [plain(item) for item in value]
    return value
