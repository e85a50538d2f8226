"""Back-propagation through time, itemised."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.trace.bptt import NotItemisedError, TooMuchError
from server import limits
from server.jobs.trace_work import itemise_trace
from server.problems import ProblemError
from server.programs.errors import LimitError
from server.routes.disconnect import while_connected
from server.routes.found import found, node_of
from server.services import Use

router = APIRouter()
Row = Annotated[int | None, Query(ge=0, le=2**31, description="one example of the batch, by its place; all of them unless given")]
Parameter = Annotated[str | None, Query(max_length=200, description="one parameter, by id or path: its uses with their arrays")]

Cell = Annotated[str | None, Query(max_length=200, description="one recurrence, of `cells`; the highest that reads forward unless given")]


@router.get("/{trace_id}/bptt")
async def itemised(
    request: Request, trace_id: str, services: Use, row: Row = None, parameter: Parameter = None, cell: Cell = None
) -> Response:
    """What the loss of each step sends to each state, and each parameter's gradient as the sum of its uses by time step."""
    trace = found(await run_in_threadpool(services.traces.get, trace_id), "trace")
    node = None
    if parameter is not None:
        about = node_of(await run_in_threadpool(services.documents.of, trace), parameter, "parameter")
        if about["role"] != "parameter" or about["gradient"] is None:
            raise ProblemError(422, "this node is no parameter with a gradient; without ?parameter the answer lists those there are")
        node = about["id"]
    work = services.quick.run(itemise_trace, trace, row, node, cell, services.settings.compute_seconds, seconds=limits.QUICK_SECONDS)
    try:
        return Response(await while_connected(request, work), media_type="application/json")
    except TooMuchError as error:
        raise LimitError(error.detail, error.most, error.actual) from None
    except NotItemisedError as error:
        raise ProblemError(422, str(error)) from None
