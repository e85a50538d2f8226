"""The parameters of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from server import limits
from server.encoding import Json

Limit = Annotated[int, Query(ge=1, le=limits.PAGE, description="at most so many items")]
After = Annotated[int | None, Query(ge=0, le=2**53, description="`next` of the page before")]


def page_of(request: Request, items: Sequence[Any], following: int | None, about: Mapping[str, Any] | None = None) -> Response:
    """One page of a list. Where another follows, `next` is its cursor, and `Link` (RFC 8288) its address, with all else as it was asked.

    about: what the answer says beside the list.
    """
    headers = {}
    if following is not None:
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        headers["Link"] = f'<{request.url.path}?{urlencode([*query, ("after", str(following))])}>; rel="next"'
    return Json({**(about or {}), "items": items, "next": following}, headers=headers)
