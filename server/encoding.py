"""JSON out: non-finite numbers are the strings that docs/api.md names, never null."""

from __future__ import annotations

import math
from typing import Any

import orjson
from starlette.responses import Response


def plain(value: Any) -> Any:
    """The value with every NaN and infinity as a string, in mappings and sequences of any depth."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def dumps(value: Any) -> bytes:
    """JSON in UTF-8."""
    return orjson.dumps(plain(value))


class Json(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dumps(content)
