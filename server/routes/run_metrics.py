"""How well a run's network does: figures, the examples that it gets wrong, and the test, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.told import Told
from engine.training import Part
from server import limits
from server.encoding import Json
from server.jobs.evaluation_work import evaluate_run
from server.problems import ProblemError
from server.routes.disconnect import while_connected
from server.routes.found import found
from server.routes.paging import After, Limit, page_of
from server.routes.run_steps import AtStep, computable, network_after, step_of
from server.schemas.requests import FinalTestRequest
from server.schemas.run_answers import EvaluatedPart
from server.services import Services, Use
from server.store.runs import with_edits

if TYPE_CHECKING:
    from server.evaluation.part import Evaluation

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])
Evaluated = Annotated[EvaluatedPart, Query(description="of the task; the test part is for POST …/test")]


@router.get("/metrics")
async def metrics(request: Request, run_id: str, services: Use, part: Evaluated = "validation", step: AtStep = "best") -> Response:
    """Figures of the run's network on a part: accuracy, precision, recall, F1 and confusion, or errors beside the naive forecast's."""
    run = await run_in_threadpool(computable, services, run_id)
    chosen = step_of(run, step)
    evaluation = await while_connected(request, evaluated(services, run, part, chosen))
    return Json({"run": run_id, "part": part, "step": chosen, "metrics": evaluation.metrics})


@router.get("/mistakes")
async def mistakes(
    request: Request, run_id: str, services: Use, part: Evaluated = "validation", step: AtStep = "best", limit: Limit = 50,
    after: After = None,
) -> Response:  # fmt: skip
    """The examples that the run's network gets wrong, the worst first; of a regression all, by their error.

    Each opens as a film: GET …/steps/{k}/trace?part=&example=.
    """
    run = await run_in_threadpool(computable, services, run_id)
    chosen = step_of(run, step)
    evaluation = await while_connected(request, evaluated(services, run, part, chosen))
    first = 0 if after is None else after
    items, beyond = evaluation.mistakes[first : first + limit], first + limit
    about = {"run": run_id, "part": part, "step": chosen, "examples": evaluation.metrics["examples"], "wrong": evaluation.wrong}
    following = beyond if beyond < len(evaluation.mistakes) else None
    return page_of(request, items, following, {**about, "classes": evaluation.classes})


@router.post("/test", status_code=201)
async def test(request: Request, run_id: str, services: Use, body: FinalTestRequest) -> Response:
    """Compute the run's figures on the test part, once. 200 when that was done before, and then as it was: no step is tested twice over.

    Choose by the validation part first. 409 while the run trains, or before it has done a step.
    """
    result = await run_in_threadpool(services.results.get, run_id)
    if result is not None:
        return Json(_told(found(await run_in_threadpool(services.runs.get, run_id), "run"), result))
    run = await run_in_threadpool(computable, services, run_id)
    if run["status"] == "training":
        words = "the run is training; its test is taken once, so wait until it is idle, or end the training"
        raise ProblemError(409, Told(words, "test-training"))
    if run["step"] == 0:
        words = "the run has done no step; its test is taken once, so train it first: POST /api/v1/runs/{id}/steps"
        raise ProblemError(409, Told(words, "test-untrained"))
    step = step_of(run, body.step)
    evaluation = await while_connected(request, _computed(services, run, "test", step))
    result = await run_in_threadpool(services.results.put, run_id, step, run["step"], evaluation.metrics)
    return Json(_told(run, found(result, "run")), 201)


@router.get("/test")
def read_test(run_id: str, services: Use) -> Response:
    """The figures on the test part, as they were computed. 404 before that."""
    run = found(services.runs.get(run_id), "run")
    result = services.results.get(run_id)
    if result is None:
        raise ProblemError(404, "this run was not tested yet; POST /api/v1/runs/{id}/test does, once")
    return Json(_told(run, result))


async def evaluated(services: Services, run: dict[str, Any], part: Part, step: int) -> Evaluation:
    """The evaluation of a step's network, kept or computed."""
    kept = services.evaluations.get(run["id"], part, step)
    if kept is None:
        kept = await _computed(services, run, part, step)
        services.evaluations.put(run["id"], part, step, kept)
    return kept


async def _computed(services: Services, run: dict[str, Any], part: Part, step: int) -> Evaluation:
    checkpoint = await network_after(services, run, step)
    return await services.pool.run(evaluate_run, with_edits(run, step), checkpoint, part, seconds=limits.SLICE_SECONDS)


def _told(run: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    return {"run": run["id"], "part": "test", **result, "steps_since": run["step"] - result["reached"]}
