"""The trace that the first visit plays."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.routes.trace_response import send_trace
from server.schemas.network import NetworkProgram
from server.services import Use

router = APIRouter(prefix="/opening", tags=["traces"])


def opening_program() -> dict[str, Any]:
    """The program that scripts/choose_opening.py chose."""
    text = resources.files("server").joinpath("opening.json").read_text(encoding="utf-8")
    return NetworkProgram.model_validate(json.loads(text)).model_dump()


@router.get("")
def opening(request: Request, services: Use) -> Response:
    """The opening trace; Content-Location names it."""
    services.traces.put(services.opening, pinned=True)  # where it was deleted; the page will ask about its numbers
    location = request.url_for("read_trace", trace_id=services.opening.id).path
    return send_trace(request, services.opening, 200, {"Content-Location": location, "Cache-Control": "no-cache"})
