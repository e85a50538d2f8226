"""The loss about a run's network as a map, with the ways of runs upon it."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server import limits
from server.encoding import Json
from server.figures.words import Language
from server.jobs.landscape_work import Network
from server.jobs.landscapes import Landscape
from server.problems import ProblemError
from server.programs.errors import ProgramError
from server.routes.run_steps import computable, network_after
from server.schemas.landscapes import LandscapeRequest
from server.services import Services, Use
from server.store.runs import with_edits

router = APIRouter(prefix="/landscapes", tags=["runs"])
_SHAPE = ("task", "data", "length", "dataset", "cell", "hidden_size", "layers", "bidirectional")


@router.post("")
async def create(request: Request, body: LandscapeRequest, services: Use) -> Response:
    """Compute a landscape. 200 when that was quick; else 202: GET it until it is `done`; DELETE ends it. The latest are kept."""
    runs = [await run_in_threadpool(computable, services, run_id) for run_id in body.runs]
    first = runs[0]
    for other in runs[1:]:
        differing = [name for name in _SHAPE if other["program"].get(name) != first["program"].get(name)]
        if differing:
            raise ProblemError(422, f"the runs differ in {', '.join(differing)}; a map has room for networks of one task and one shape")
    center = await network_after(services, first, first["step"])
    share = limits.LANDSCAPE_BYTES // len(runs)
    networks = [(run["id"], with_edits(run, run["step"]), await run_in_threadpool(_networks, services, run, share)) for run in runs]
    if first["step"]:
        networks[0][2][-1] = (first["step"], center)
    made = services.landscapes.start(body.model_dump(), with_edits(first, first["step"]), center, networks)
    assert made.task is not None
    await asyncio.wait({made.task}, timeout=services.settings.quick_seconds)
    if made.status == "failed":
        services.landscapes.cancel(made.id)
        if made.pointer is not None:
            raise ProgramError(str(made.error), made.pointer)
        raise ProblemError(422, str(made.error))
    headers = {"Location": request.url_for("read_landscape", landscape_id=made.id).path}
    return Json(made.described(), 202 if made.status == "computing" else 200, headers)


@router.get("/{landscape_id}")
def read_landscape(landscape_id: str, services: Use) -> Response:
    """A landscape, and how far it has come."""
    return Json(_found(services, landscape_id).described())


@router.get("/{landscape_id}/figure")
def figure(landscape_id: str, services: Use, lang: Language = "en") -> Response:
    """The map for Plotly: contours of the loss, and the ways of the runs. 409 until it is done."""
    from server.figures.landscape import landscape_figure  # Plotly takes a while to be read

    made = _found(services, landscape_id)
    if made.status != "done":
        raise ProblemError(409, "the landscape is not done; read it until its status is `done`")
    return Response(landscape_figure(made.described(), lang), media_type="application/json")


@router.delete("/{landscape_id}", status_code=204)
async def remove(landscape_id: str, services: Use) -> Response:
    """End the computation of a landscape and forget it."""
    if not services.landscapes.cancel(landscape_id):
        raise _missing()
    return Response(status_code=204)


def _networks(services: Services, run: dict[str, Any], most_bytes: int) -> list[Network]:
    """The networks of a run's way: the initial one, and those that the run keeps, evenly chosen, the first and the last among them."""
    steps = [step for step in services.runs.checkpoint_steps(run["id"]) if step <= run["step"]]
    last = services.runs.checkpoint(run["id"], run["step"])
    most = limits.LANDSCAPE_NETWORKS if last is None else max(2, min(limits.LANDSCAPE_NETWORKS, most_bytes // len(last)))
    chosen = steps if len(steps) <= most else [steps[round(k * (len(steps) - 1) / (most - 1))] for k in range(most)]
    return [(0, None), *((step, services.runs.checkpoint(run["id"], step)) for step in chosen)]


def _found(services: Services, landscape_id: str) -> Landscape:
    made = services.landscapes.get(landscape_id)
    if made is None:
        raise _missing()
    return made


def _missing() -> ProblemError:
    return ProblemError(404, "there is no such landscape, or it is no longer kept; POST /api/v1/landscapes makes one")
