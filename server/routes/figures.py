"""Figures of runs, for Plotly."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from server.figures.loss import loss_figure
from server.figures.words import Language
from server.routes.runs import described
from server.services import Use

router = APIRouter(prefix="/runs/{run_id}/figures", tags=["runs"])


@router.get("/loss")
def loss(run_id: str, services: Use, lang: Language = "en") -> Response:
    """The loss of every step, smoothed, and on the validation part."""
    run = described(services, run_id)
    return Response(loss_figure(run["history"]["loss"], run["validation"], lang), media_type="application/json")
