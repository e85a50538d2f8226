"""The loss about a run's network as a map, with the ways of runs upon it."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.told import Told
from engine.training.checkpoint import step_of
from server import limits
from server.encoding import Json
from server.figures.words import Language
from server.jobs.landscapes import Landscape, Way
from server.problems import ProblemError
from server.programs.errors import ProgramError
from server.routes.run_steps import computable
from server.schemas.landscapes import LandscapeRequest
from server.services import Services, Use
from server.store.landscapes import Asked
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
            words = f"the runs differ in {', '.join(differing)}; a map has room for networks of one task and one shape"
            raise ProblemError(422, Told(words, "landscape-runs", differing=", ".join(differing)))
    services.landscapes.admit()
    asked = Asked(body.model_dump(), [run["step"] for run in runs])
    landscape_id = await run_in_threadpool(services.landscapes.store.create, asked)
    try:
        await services.landscapes.claim(landscape_id)  # before anybody can ask another server for it
        made = await _begin(services, landscape_id, asked)
    except Exception:  # nobody is told its id
        await run_in_threadpool(services.landscapes.store.delete, landscape_id)
        raise
    assert made.task is not None
    await asyncio.wait({made.task}, timeout=services.settings.quick_seconds)
    if made.status == "failed":
        await run_in_threadpool(services.landscapes.store.delete, made.id)
        if made.pointer is not None:
            raise ProgramError(str(made.error), made.pointer)
        raise ProblemError(422, str(made.error))
    headers = {"Location": request.url_for("read_landscape", landscape_id=made.id).path}
    return Json(made.described(), 202 if made.status == "computing" else 200, headers)


@router.get("/{landscape_id}")
async def read_landscape(landscape_id: str, services: Use) -> Response:
    """A landscape, and how far it has come. One that its server could not finish is begun again."""
    return Json(await _described(services, landscape_id))


@router.get("/{landscape_id}/figure")
async def figure(landscape_id: str, services: Use, lang: Language = "en") -> Response:
    """The map for Plotly: contours of the loss, and the ways of the runs. 409 until it is done."""
    described = await _described(services, landscape_id)
    if described["status"] != "done":
        raise ProblemError(409, "the landscape is not done; read it until its status is `done`")
    return Response(await run_in_threadpool(_drawn, described, lang), media_type="application/json")


@router.delete("/{landscape_id}", status_code=204)
async def remove(landscape_id: str, services: Use) -> Response:
    """End the computation of a landscape and forget it."""
    there = await run_in_threadpool(services.landscapes.store.delete, landscape_id)  # first, so that nobody who reads it begins it again
    services.landscapes.cancel(landscape_id)
    if not there:
        raise _missing()
    return Response(status_code=204)


def _drawn(described: dict[str, Any], lang: Language) -> str:
    from server.figures.landscape import landscape_figure  # Plotly takes a while to be read

    return landscape_figure(described, lang)


async def _described(services: Services, landscape_id: str) -> dict[str, Any]:
    """As docs/api.md has it, computed again where that was asked for and nothing is known. Raises ProblemError where there is none."""
    made = services.landscapes.get(landscape_id)
    if made is None:
        kept = await run_in_threadpool(services.landscapes.store.get, landscape_id)
        if kept is None:
            raise _missing()
        if kept.document is not None:
            return {"seconds_left": None, **kept.document}  # those of long ago did not say
        if not await services.landscapes.claim(landscape_id):  # another server computes it
            return {**Landscape(landscape_id, points=kept.asked.wanted["resolution"] ** 2).described(), **kept.progress}
        try:
            made = await _begin(services, landscape_id, kept.asked)
        except Exception:
            await services.landscapes.release(landscape_id)
            raise
    return made.described()


async def _begin(services: Services, landscape_id: str, asked: Asked) -> Landscape:
    """Begins one with its runs as they were when it was asked for. Raises ProblemError where one of them is gone, and OverloadedError."""
    most = limits.LANDSCAPE_BYTES // len(asked.steps)
    ways = [await run_in_threadpool(_way, services, run, step, most) for run, step in zip(asked.wanted["runs"], asked.steps, strict=True)]
    return services.landscapes.start(landscape_id, asked.wanted, ways)


def _way(services: Services, run_id: str, step: int, most_bytes: int) -> Way:
    """A run's way with those of its networks that are kept, evenly chosen, the first and the last among them."""
    run = computable(services, run_id)
    steps = [kept for kept in services.runs.checkpoint_steps(run_id) if kept <= step]
    last = services.runs.checkpoint(run_id, step)
    most = limits.LANDSCAPE_NETWORKS if last is None else max(2, min(limits.LANDSCAPE_NETWORKS, most_bytes // len(last)))
    chosen = steps if len(steps) <= most else [steps[round(k * (len(steps) - 1) / (most - 1))] for k in range(most)]
    found = [services.runs.checkpoint(run_id, kept) for kept in chosen]  # an earlier one where that is damaged, or has gone since
    kept = sorted({step_of(checkpoint): checkpoint for checkpoint in found if checkpoint is not None}.items())
    return Way(run_id, with_edits(run, step), step, kept, most, quick=run["seconds"] <= limits.LANDSCAPE_REPEAT_SECONDS)


def _missing() -> ProblemError:
    words = "there is no such landscape, or it is no longer kept; POST /api/v1/landscapes makes one"
    return ProblemError(404, Told(words, "no-landscape"))
