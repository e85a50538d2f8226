"""Figures of traces, for Plotly."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.trace.bptt import NotItemisedError, TooMuchError
from server import limits
from server.figures.gradients import NoFigureError, Of
from server.figures.words import Language
from server.jobs.figure_work import Figure, draw
from server.problems import ProblemError
from server.programs.errors import LimitError
from server.routes.bptt import Cell, Parameter, Row
from server.routes.disconnect import while_connected
from server.routes.found import found, node_of
from server.routes.trace_response import send_derived
from server.services import Use

router = APIRouter()
Compared = Annotated[
    Of, Query(description="of `bptt`: what the loss of each step sends to each state, or what each state does to later ones")
]


@router.get("/{trace_id}/figures/{figure}")
async def trace_figure(
    request: Request, trace_id: str, figure: Figure, services: Use, lang: Language = "en", row: Row = None, parameter: Parameter = None,
    of: Compared = "loss", cell: Cell = None,
) -> Response:  # fmt: skip
    """A figure of a trace: gradients through time, itemised by pairs of steps or (of a parameter) by uses, by magnitude; the update."""
    trace = found(await run_in_threadpool(services.traces.get, trace_id), "trace")
    node = None
    if parameter is not None:
        node = node_of(await run_in_threadpool(services.documents.of, trace), parameter, "parameter")["id"]
    work = services.quick.run(
        draw, trace, figure, lang, row, node, of, cell, services.settings.compute_seconds, seconds=limits.QUICK_SECONDS
    )  # fmt: skip
    try:
        content = await while_connected(request, work)
    except TooMuchError as error:
        raise LimitError(error.detail, error.most, error.actual) from None
    except (NoFigureError, NotItemisedError) as error:
        raise ProblemError(422, str(error)) from None
    return send_derived(request, content, "application/json", {"Cache-Control": "no-cache"})
