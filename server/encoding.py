"""JSON out: non-finite numbers are the strings that docs/api.md names, never null."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from engine.trace.serial import plain


def dumps(value: Any) -> bytes:
    """JSON in UTF-8."""
    return orjson.dumps(plain(value))


class Json(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dumps(content)
