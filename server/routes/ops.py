"""The operations that traces hold."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from engine.ops import catalogue
from server.encoding import Json

router = APIRouter(prefix="/ops", tags=["reference"])


@router.get("")
def index() -> Response:
    """Every operation with its formula and local derivatives."""
    return Json({"items": catalogue()})
