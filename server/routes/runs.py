"""Runs: created, trained, looked at, deleted."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server import limits
from server.encoding import Json
from server.problems import ProblemError
from server.programs.errors import LimitError, ProgramError
from server.programs.network import admit, normalised, settings_of
from server.routes.disconnect import while_connected
from server.routes.found import found, missing
from server.routes.making import keep_trace, network_trace, send_made
from server.routes.paging import After, Limit, page_of
from server.routes.parts import Tensors
from server.schemas.requests import RunRequest, StepsRequest
from server.services import Services, Use

router = APIRouter(prefix="/runs", tags=["runs"])


@router.post("", status_code=201)
async def create(request: Request, body: RunRequest, services: Use) -> Response:
    """Create a run. Nothing is trained yet. Of one visitor the newest runs are kept: GET /limits says how many."""
    program, visitor = body.program.model_dump(), services.visitors.of(request)
    run_id = await run_in_threadpool(lambda: services.runs.create(normalised(program), visitor, services.settings.visitor_runs))
    run = await run_in_threadpool(described, services, run_id)
    return Json(run, 201, {"Location": request.url_for("read_run", run_id=run_id).path})


@router.get("")
def index(request: Request, services: Use, limit: Limit = 50, after: After = None) -> Response:
    """The visitor's own runs, newest first, without their histories. Whoever knows the id of a run may read it."""
    items, following = services.runs.page(services.visitors.of(request), limit, after)
    return page_of(request, items, following)


@router.get("/{run_id}")
def read_run(run_id: str, services: Use) -> Response:
    """A run with the loss of every step."""
    return Json(described(services, run_id))


@router.post("/{run_id}/steps")
async def train(run_id: str, body: StepsRequest, services: Use) -> Response:
    """Train further. 200 when that was quick; else 202, and the run says when it is `idle` again."""
    await run_in_threadpool(_repeatable, services, run_id)
    if await run_in_threadpool(services.runs.request, run_id, body.count, limits.RUN_STEPS) is None:
        found(await run_in_threadpool(services.runs.get, run_id), "run")  # it may have been deleted meanwhile
        raise ProblemError(422, f"a run has at most {limits.RUN_STEPS:,} steps; ask for fewer, or create another run")
    await asyncio.wait({services.trainer.start(run_id)}, timeout=services.settings.quick_seconds)
    run = await run_in_threadpool(described, services, run_id)
    return Json(run, 202 if run["status"] == "training" else 200)


@router.get("/{run_id}/steps/{k}/trace")
async def step_trace(
    request: Request, run_id: str, k: Annotated[int, Path(ge=1, le=limits.RUN_STEPS)], services: Use,
    example: Annotated[int | None, Query(ge=0, le=2**53, description="this example of the training part alone")] = None,
    tensors: Tensors = "inline",
) -> Response:  # fmt: skip
    """The trace of a past step, replayed from the nearest checkpoint."""
    checkpoint = await run_in_threadpool(services.runs.checkpoint, run_id, k - 1)
    run = await run_in_threadpool(_repeatable, services, run_id)  # after its checkpoint: without one, step k would be far away
    if k > run["step"]:
        raise ProblemError(404, f"the run has done {run['step']} steps; POST /api/v1/runs/{{id}}/steps trains further")
    program = {"kind": "network", **run["program"], "step": k, "example": example}
    try:
        await run_in_threadpool(admit, program, services.settings.graph_nodes, services.settings.trace_elements)
        made = await while_connected(request, network_trace(services, program, checkpoint))
    except ProgramError as error:  # it points into a body, which this request has not
        raise ProblemError(422, error.detail) from None
    except LimitError as error:
        raise LimitError(error.detail, error.limit, error.actual) from None
    trace, _ = await run_in_threadpool(keep_trace, services, made)
    location = request.url_for("read_trace", trace_id=trace.id).path
    headers = {"Content-Location": location, "Cache-Control": "no-cache"}
    return await send_made(request, services, trace, 200, headers, tensors)


@router.delete("/{run_id}", status_code=204)
def remove(run_id: str, services: Use) -> Response:
    """Delete a run with its checkpoints; a training in progress ends with its slice."""
    if not services.runs.delete(run_id):
        raise missing("run")
    return Response(status_code=204)


def described(services: Services, run_id: str) -> dict[str, Any]:
    """The run as docs/api.md has it. Raises ProblemError when there is none."""
    run = found(services.runs.get(run_id), "run")
    history = services.runs.history(run_id)
    # another slice may have been stored between the two readings
    return {**run, "history": {name: values[: run["step"]] for name, values in history.items()}}


def _repeatable(services: Services, run_id: str) -> dict[str, Any]:
    """The run, whose steps can be computed with today's data. Raises ProblemError where there is none, or where they have changed."""
    run = found(services.runs.get(run_id), "run")
    try:
        settings_of(run["program"])
    except ProgramError as error:  # it points into a body that has no program
        raise ProblemError(422, error.detail) from None
    return run
