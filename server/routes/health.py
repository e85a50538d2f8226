"""Whether the server is up."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from server.encoding import Json

router = APIRouter(prefix="/health", tags=["reference"])


@router.get("")
def health() -> Response:
    """Answers as soon as everything, the opening trace included, is ready."""
    return Json({"status": "ok"})
