"""Which step of a run a request means, and the network after it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from engine.told import Told
from server import limits
from server.datasets.choice import chooses_data, data_of
from server.jobs.replay import checkpoint_before
from server.problems import ProblemError
from server.programs.errors import ProgramError
from server.programs.network import settings_of
from server.routes.found import found
from server.services import Services
from server.store.runs import with_edits

Step = Literal["best", "last"] | Annotated[int, Field(ge=0, le=limits.RUN_STEPS)]
AtStep = Annotated[Step, Query(description="after which step: of the best validation (else the last), the last, or a number")]


def computable(services: Services, run_id: str) -> dict[str, Any]:
    """The run, whose steps can be computed with today's data. Raises ProblemError where there is none, or where they have changed."""
    run = found(services.runs.get(run_id), "run")
    try:
        if chooses_data(run["program"]):
            data_of(run["program"]["dataset"])  # a file never changes, and only a worker reads it whole
        else:
            settings_of(run["program"])
    except ProgramError as error:  # it points into a body that has no program
        raise ProblemError(422, error.detail) from None
    return run


def step_of(run: dict[str, Any], wanted: Step) -> int:
    """The number of the step. Raises ProblemError for one that the run has not done."""
    if wanted == "best":
        return int((run["best"] or run)["step"])
    if wanted == "last":
        return int(run["step"])
    if wanted > run["step"]:
        raise not_done(run)
    return wanted


def not_done(run: dict[str, Any]) -> ProblemError:
    """What is said of a step that the run has not come to."""
    words = f"the run has done {run['step']} steps; POST /api/v1/runs/{{id}}/steps trains further"
    return ProblemError(404, Told(words, "run-step", steps=run["step"]))


async def network_after(services: Services, run: dict[str, Any], step: int) -> bytes | None:
    """The checkpoint of a step of a run, replayed from the nearest; None: the initial network."""
    checkpoint = await run_in_threadpool(services.runs.checkpoint, run["id"], step)
    return await checkpoint_before(services.pool, with_edits(run, step), step + 1, checkpoint, services.settings.slice_seconds)
