"""Runs: created, trained, changed, looked at, deleted."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.told import Told
from engine.training import Part
from server import limits
from server.datasets.choice import with_data
from server.encoding import Json
from server.idempotency import marking
from server.jobs.programs import completed, found_of
from server.problems import ProblemError
from server.programs.errors import LimitError, ProgramError
from server.programs.network import admit
from server.routes.disconnect import while_connected
from server.routes.found import found, missing
from server.routes.making import keep_trace, network_trace, send_made
from server.routes.paging import After, Limit, page_of
from server.routes.parts import Tensors
from server.routes.run_steps import computable, not_done
from server.routes.trace_response import asked_anew
from server.schemas.requests import RateRequest, RunChangeRequest, RunRequest, StepsRequest
from server.services import Services, Use
from server.store.runs import FIGURES, with_edits

router = APIRouter(prefix="/runs", tags=["runs"])
Column = Literal["loss", "gradient_norm", "clipped_norm", "lr"]


@router.post("", status_code=201)
async def create(request: Request, body: RunRequest, services: Use) -> Response:
    """Create a run. Nothing is trained yet. Of one visitor the newest runs are kept: GET /limits says how many."""
    visitor, most = services.visitors.of(request), services.settings.visitor_runs
    done = marking(request, 201, "read_run", "run_id")
    given = with_data(body.program.model_dump(), lambda one: services.datasets.data_for(visitor, one))
    program, usual = await found_of(services.quick, completed, given)
    stop, every = body.stop.model_dump(), body.validate_every or usual
    run_id = await run_in_threadpool(
        services.runs.create, program, visitor, most, name=body.name, stop=stop, validate_every=every, done=done
    )
    if body.program.dataset is not None:
        await run_in_threadpool(services.datasets.use, body.program.dataset.id)
    run = await run_in_threadpool(described, services, run_id)
    return Json(run, 201, {"Location": request.url_for("read_run", run_id=run_id).path})


@router.get("")
def index(
    request: Request, services: Use, limit: Limit = 50, after: After = None,
    sweep: Annotated[str | None, Query(max_length=40, pattern="^[!-~]*$", description="the trials of this sweep")] = None,
) -> Response:  # fmt: skip
    """The visitor's own runs, newest first, without their histories. Whoever knows the id of a run may read it."""
    items, following = services.runs.page(services.visitors.of(request), limit, after, sweep)
    return page_of(request, items, following)


@router.get("/{run_id}")
def read_run(
    run_id: str, services: Use,
    history: Annotated[bool, Query(description="false: its `history` is empty, for who only asks how far it is")] = True,
) -> Response:  # fmt: skip
    """A run with the loss of every step."""
    return Json(described(services, run_id) if history else {**state_of(services, run_id), "history": {"loss": [], "gradient_norm": []}})


@router.patch("/{run_id}")
async def change(run_id: str, body: RunChangeRequest, services: Use) -> Response:
    """Give a run another name, other conditions that end it, or another interval of validations. `"name": null` takes its name away."""
    given = body.model_dump(exclude_unset=True)
    changed = {key: value for key, value in given.items() if value is not None or key == "name"}
    if not await run_in_threadpool(services.runs.amend, run_id, changed):
        raise missing("run")
    services.trainer.changed(run_id)
    return Json(await run_in_threadpool(state_of, services, run_id))


@router.post("/{run_id}/steps")
async def train(request: Request, run_id: str, body: StepsRequest, services: Use) -> Response:
    """Train further. 200 when that was quick; else 202, and the run says when it is `idle` again. A run that was paused goes on."""
    run = await run_in_threadpool(computable, services, run_id)
    _check_trainable(run)
    done = marking(request, 202, "read_run", "run_id")
    if await run_in_threadpool(services.runs.request, run_id, body.count, limits.RUN_STEPS, done) is None:
        found(await run_in_threadpool(services.runs.get, run_id), "run")  # it may have been deleted meanwhile
        words = f"a run has at most {limits.RUN_STEPS:,} steps; ask for fewer, or create another run"
        raise ProblemError(422, Told(words, "run-long", most=limits.RUN_STEPS))
    return await _trained(services, run_id)


@router.post("/{run_id}/pause")
async def pause(run_id: str, services: Use) -> Response:
    """Hold a training; its run says `paused`, and nothing of it moves any more. A run that is not training stays as it is."""
    await run_in_threadpool(services.runs.pause, run_id)
    services.trainer.stop(run_id)
    return Json(await run_in_threadpool(state_of, services, run_id))


@router.post("/{run_id}/resume")
async def resume(run_id: str, services: Use) -> Response:
    """Go on with a training that was paused; its numbers are those that it would have had without. Others stay as they are."""
    if await run_in_threadpool(services.runs.resume, run_id):
        services.trainer.start(run_id)
    services.trainer.changed(run_id)
    return Json(await run_in_threadpool(state_of, services, run_id))


@router.post("/{run_id}/cancel")
async def cancel(run_id: str, services: Use) -> Response:
    """End a training where it is and keep what was trained. A run that is not training or paused stays as it is."""
    await run_in_threadpool(services.runs.cancel, run_id)
    services.trainer.stop(run_id)
    return Json(await run_in_threadpool(state_of, services, run_id))


@router.post("/{run_id}/edits")
async def edit(run_id: str, body: RateRequest, services: Use) -> Response:
    """Change the learning rate from the next step on, `step` in the answer; nothing is reset, and every replay knows of it.

    The base rate is meant: where the run has a schedule, its shape goes on from there.
    """
    edited = await run_in_threadpool(services.runs.edit, run_id, body.lr, limits.RUN_EDITS)
    if edited is None:
        run = found(await run_in_threadpool(services.runs.get, run_id), "run")
        detail = f"a run's learning rate is changed at most {limits.RUN_EDITS} times; create another run with the rate that works"
        raise LimitError(Told(detail, "run-edits", most=limits.RUN_EDITS), limits.RUN_EDITS, len(run["edits"]) + 1)
    services.trainer.changed(run_id)
    return Json(edited)


@router.get("/{run_id}/history")
def history(
    run_id: str, services: Use,
    after: Annotated[int, Query(ge=0, le=limits.RUN_STEPS, description="of the steps that follow this one")] = 0,
    columns: Annotated[list[Column] | None, Query(description="those that are asked for; loss and gradient_norm unless given")] = None,
) -> Response:  # fmt: skip
    """What every step did, by columns: loss, the gradient's norm before and after clipping, and the learning rate."""
    run = found(services.runs.get(run_id), "run")
    figures = dict(zip(FIGURES, services.runs.figures(run_id, after), strict=True))
    rates = figures["lr"]
    figures["lr"] = np.where(np.isnan(rates), run["program"]["optimizer"]["lr"], rates)  # steps of long ago, when it never changed
    most = run["program"]["clip_norm"]
    figures["clipped_norm"] = figures["gradient_norm"] if most is None else np.minimum(figures["gradient_norm"], most)
    return Json({"first": after + 1, **{name: figures[name] for name in columns or ("loss", "gradient_norm")}})


@router.get("/{run_id}/observations")
def observed(
    run_id: str, services: Use,
    after: Annotated[int, Query(ge=0, le=limits.RUN_STEPS, description="of the steps that follow this one")] = 0,
    limit: Annotated[int, Query(ge=1, le=limits.OBSERVATIONS, description="at most so many")] = 20,
) -> Response:  # fmt: skip
    """What was seen of some of the steps, more of the first: update ratios, gradients through time, states, predictions."""
    found(services.runs.get(run_id), "run")
    items = services.runs.observations(run_id, after, limit)
    return Json({"items": items, "next": items[-1]["step"] if len(items) == limit else None})


@router.get("/{run_id}/steps/{k}/trace")
async def step_trace(
    request: Request, run_id: str, k: Annotated[int, Path(ge=1, le=limits.RUN_STEPS)], services: Use,
    example: Annotated[int | None, Query(ge=0, le=2**53, description="this example alone, in place of the step's batch")] = None,
    part: Annotated[Part, Query(description="that the example is of")] = "train", tensors: Tensors = "inline",
) -> Response:  # fmt: skip
    """The trace of a past step, replayed from the nearest checkpoint; of one example also of the step that would come next.

    GET …/steps/{k} tells before whether it is too large to be sent.
    """
    checkpoint = await run_in_threadpool(services.runs.checkpoint, run_id, k - 1)
    run = await run_in_threadpool(computable, services, run_id)  # after its checkpoint: without one, step k would be far away
    if k > run["step"] + (example is not None):  # one example alone is no step that the run does: the network of its end answers, too
        raise not_done(run)
    if part != "train" and example is None:
        words = f"the {part} part is seen one example at a time; give an example, or leave part out"
        raise ProblemError(422, Told(words, "part-whole"))
    program = {"kind": "network", **with_edits(run, k), "step": k, "example": example, "part": part}
    settings = services.settings
    most = settings.graph_nodes, settings.trace_elements, settings.response_bytes if tensors == "inline" else None
    try:
        await found_of(services.quick, admit, program, *most)
        made = await while_connected(request, network_trace(services, program, checkpoint))
    except ProgramError as error:  # it points into a body, which this request has not
        raise ProblemError(422, error.detail) from None
    except LimitError as error:
        raise LimitError(error.detail, error.limit, error.actual) from None
    trace, _ = await run_in_threadpool(keep_trace, services, made)
    location = request.url_for("read_trace", trace_id=trace.id).path
    headers = {"Content-Location": location, "Cache-Control": asked_anew(program)}
    return await send_made(request, services, trace, 200, headers, tensors)


@router.delete("/{run_id}", status_code=204)
async def remove(run_id: str, services: Use) -> Response:
    """Delete a run with its checkpoints; a training in progress ends with its slice."""
    if not await run_in_threadpool(services.runs.delete, run_id):
        raise missing("run")
    services.trainer.stop(run_id)
    await run_in_threadpool(services.datasets.tidy)
    return Response(status_code=204)


def described(services: Services, run_id: str) -> dict[str, Any]:
    """The run as docs/api.md has it. Raises ProblemError when there is none."""
    run = state_of(services, run_id)
    history = services.runs.history(run_id)
    # another slice may have been stored between the two readings
    return {**run, "history": {name: values[: run["step"]] for name, values in history.items()}}


def state_of(services: Services, run_id: str) -> dict[str, Any]:
    """The run without its history. Raises ProblemError when there is none."""
    return found(services.runs.get(run_id), "run")


async def _trained(services: Services, run_id: str) -> Response:
    await asyncio.wait({services.trainer.start(run_id)}, timeout=services.settings.quick_seconds)
    run = await run_in_threadpool(described, services, run_id)
    return Json(run, 202 if run["status"] == "training" else 200)


def _check_trainable(run: dict[str, Any]) -> None:
    """Raises ProblemError for a run that has come to an end of its own."""
    if run["reason"] == "diverged":
        detail = f"the run diverged at step {run['step']}: its loss is no number any more; create another with a lower learning rate"
        raise ProblemError(422, Told(detail, "run-diverged", step=run["step"]))
    most = run["stop"]["steps"]
    if most is not None and run["step"] >= most:
        words = f"this run stops at {most:,} steps; PATCH it with another `stop` first, or create another run"
        raise ProblemError(422, Told(words, "run-stop", most=most))
