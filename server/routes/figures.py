"""Figures of runs, for Plotly."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server.figures.confusion import confusion_figure
from server.figures.loss import loss_figure
from server.figures.words import Language
from server.problems import ProblemError
from server.routes.disconnect import while_connected
from server.routes.run_metrics import Evaluated, evaluated
from server.routes.run_steps import AtStep, computable, step_of
from server.routes.runs import described
from server.services import Use

router = APIRouter(prefix="/runs/{run_id}/figures", tags=["runs"])


@router.get("/loss")
def loss(run_id: str, services: Use, lang: Language = "en") -> Response:
    """The loss of every step, smoothed, and on the validation part."""
    run = described(services, run_id)
    return Response(loss_figure(run["history"]["loss"], run["validation"], lang), media_type="application/json")


@router.get("/confusion")
async def confusion(
    request: Request, run_id: str, services: Use, part: Evaluated = "validation", step: AtStep = "best", lang: Language = "en"
) -> Response:
    """Which class the run's network takes for which. 422 for a regression, which has none."""
    run = await run_in_threadpool(computable, services, run_id)
    evaluation = await while_connected(request, evaluated(services, run, part, step_of(run, step)))
    scores = evaluation.metrics["classification"]
    if scores is None:
        raise ProblemError(422, "this run learns numbers and no classes; GET …/metrics has its errors")
    return Response(await run_in_threadpool(confusion_figure, scores, lang), media_type="application/json")
