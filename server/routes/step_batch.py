"""The batch of a run's step: its examples, and which of them can be shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server import limits
from server.encoding import Json
from server.jobs.programs import found_of
from server.problems import ProblemError
from server.programs.cost import TraceCost
from server.programs.errors import ProgramError
from server.programs.step_batch import batch_of_step
from server.routes.run_steps import computable, step_of
from server.services import Use

router = APIRouter(prefix="/runs/{run_id}/steps/{k}", tags=["runs"])


@router.get("")
async def read_step(run_id: str, k: Annotated[int, Path(ge=1, le=limits.RUN_STEPS)], services: Use) -> Response:
    """The examples of a past step, and whether the trace of them all, or of one alone, is sent whole; nothing is computed for that."""
    run = await run_in_threadpool(computable, services, run_id)
    step = step_of(run, k)
    settings = services.settings
    most = TraceCost(settings.graph_nodes, settings.trace_elements, settings.response_bytes)
    try:
        batch = await found_of(services.quick, batch_of_step, run["program"], step, most)
    except ProgramError as error:  # it points into a body, which this request has not
        raise ProblemError(422, error.detail) from None
    return Json({"run": run_id, "step": step, **batch})
