"""JSON out: non-finite numbers are the strings that docs/api.md names, never null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from engine.trace.serial import plain

SCHEMA_VERSION = 1


def dumps(value: Any) -> bytes:
    """JSON in UTF-8."""
    try:
        written = orjson.dumps(value, default=plain)
    except orjson.JSONEncodeError:  # such as keys that are numbers
        return orjson.dumps(plain(value))
    # What is not finite is null there, as None is. Where nothing is, `plain` has nothing to do, which takes ten times as long as writing.
    return written if b"null" not in written else orjson.dumps(plain(value))


def answer(value: Mapping[str, Any]) -> bytes:
    """An object as it is answered: it says its schema's version, a reader of which passes over what it does not know."""
    return dumps({"schema_version": SCHEMA_VERSION, **value})


class Json(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return answer(content) if isinstance(content, Mapping) else dumps(content)
