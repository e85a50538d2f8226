"""Links that are too long to be sent: what the page shows, kept under a short name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.told import Told
from server import limits
from server.encoding import Json
from server.problems import ProblemError
from server.programs.errors import LimitError
from server.schemas.requests import LinkRequest
from server.services import Use
from server.store.links import ID_CHARACTERS, canonical

router = APIRouter(prefix="/links", tags=["links"])


@router.post("", status_code=201)
async def create(request: Request, body: LinkRequest, services: Use) -> Response:
    """Keep a state of the page. 200 when the very same is kept already; links belong to nobody."""
    size = len(canonical(body.state))
    if size > limits.LINK_BYTES:
        words = f"the state has {size:,} bytes of JSON; a link keeps at most {limits.LINK_BYTES:,}"
        raise LimitError(Told(words, "link-large", given=size, most=limits.LINK_BYTES), limits.LINK_BYTES, size, "/state")
    link_id, new = await run_in_threadpool(services.links.put, body.state)
    location = request.url_for("read_link", link_id=link_id).path
    return Json({"id": link_id, "state": body.state}, 201 if new else 200, {"Location": location})


@router.get("/{link_id}")
def read_link(link_id: Annotated[str, Path(max_length=40)], services: Use) -> Response:
    """What a link keeps. 404 for one that there never was, or that was not opened for so long that it made room."""
    state = services.links.get(link_id)
    if state is None:
        detail = f"there is no such link; ids have {ID_CHARACTERS} letters and digits, and links that nobody opens make room for others"
        raise ProblemError(404, Told(detail, "no-link"))
    return Json({"id": link_id, "state": state}, headers={"Cache-Control": "no-cache"})
