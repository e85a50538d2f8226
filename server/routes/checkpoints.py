"""The trained networks that come with the server."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from server import checkpoints
from server.encoding import Json

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])


@router.get("")
def index() -> Response:
    """Every checkpoint that a network program can start from."""
    return Json({"items": [_described(name, about) for name, about in checkpoints.index().items()]})


def _described(name: str, about: dict[str, Any]) -> dict[str, Any]:
    validation = {"step": about["step"], **about["validation"]}
    return {"name": name, **{key: about[key] for key in ("version", "program", "step", "loss")}, "validation": validation}
