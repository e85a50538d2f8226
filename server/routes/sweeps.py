"""Searches for the settings that do best on the validation part."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server import limits
from server.datasets.choice import with_data
from server.encoding import Json, dumps
from server.figures.sweep import importance_figure
from server.figures.words import Language
from server.idempotency import marking
from server.jobs.programs import found_of, searched
from server.problems import ProblemError
from server.routes.found import found, missing
from server.routes.paging import After, Limit, page_of
from server.routes.run_events import EventStream
from server.schemas.sweeps import SweepRequest
from server.services import Services, Use
from server.sweeps.importance import importances
from server.sweeps.space import size
from server.sweeps.studies import best_of, described

router = APIRouter(prefix="/sweeps", tags=["sweeps"])
INTERNAL = ("grid", "ends", "visitor")
HEARTBEAT = b": \n\n"


@router.post("", status_code=201)
async def create(request: Request, body: SweepRequest, services: Use) -> Response:
    """Begin a search. Its trials are runs, one after the other; each opens like any other while it trains."""
    visitor = services.visitors.of(request)
    given = body.program.model_dump()
    space: dict[str, Any] = {name: dimension.model_dump() for name, dimension in body.space.items()}
    known = with_data(given, lambda chosen: services.datasets.data_for(visitor, chosen))
    metric, usual = await found_of(services.quick, searched, known, space)
    grid = body.grid() if body.sampler == "grid" else None
    trials = body.trials if grid is None else min(body.trials, size(grid))
    about = {
        "name": body.name, "program": given, "space": space, "steps": body.steps, "stop": body.stop.model_dump(),
        "validate_every": body.validate_every or usual, "budget": {"trials": trials, "seconds": body.seconds},
        "sampler": body.sampler, "pruner": body.pruner, "seed": body.seed, "metric": metric,
        "direction": "maximize" if metric == "accuracy" else "minimize", "grid": grid,
    }  # fmt: skip
    ends = None if body.seconds is None else time.time() + body.seconds
    done, bounds = marking(request, 201, "read_sweep", "sweep_id"), (limits.VISITOR_SWEEPS, limits.SWEEPS_AT_ONCE)
    sweep_id, beyond = await run_in_threadpool(services.sweeps.create, visitor, about, ends, *bounds, done)
    for old in beyond:
        await _delete(services, old)
    state = await _answer(services, sweep_id)
    services.sweeper.start(sweep_id)
    return Json(state, 201, {"Location": request.url_for("read_sweep", sweep_id=sweep_id).path})


@router.get("")
def index(request: Request, services: Use, limit: Limit = 50, after: After = None) -> Response:
    """The visitor's own sweeps, newest first, without their trials. Whoever knows the id of a sweep may read it."""
    items, following = services.sweeps.page(services.visitors.of(request), limit, after)
    return page_of(request, [_public(item) for item in items], following)


@router.get("/{sweep_id}")
async def read_sweep(sweep_id: str, services: Use) -> Response:
    """A sweep with its trials, the best of them, and how much each setting mattered."""
    return Json(await _answer(services, sweep_id))


@router.get("/{sweep_id}/events")
async def follow(request: Request, sweep_id: str, services: Use) -> Response:
    """The sweep as it is now, as an event `sweep`, and again at every change of it; `deleted` at the end of one that is deleted."""
    await _answer(services, sweep_id)
    visitor = services.visitors.of(request)
    services.streams.admit(visitor)
    return EventStream(services.streams, visitor, _events(services, sweep_id))


async def _events(services: Services, sweep_id: str) -> AsyncGenerator[bytes]:
    yield b"retry: 2000\n\n"
    last, quiet = b"", 0.0
    while not services.streams.closed:
        try:
            data = await _reading(services, sweep_id)
        except ProblemError:
            yield b"event: deleted\ndata: {}\n\n"
            return
        if data != last:
            last, quiet = data, 0.0
            yield b"event: sweep\ndata: %b\n\n" % data
        elif quiet >= limits.HEARTBEAT_SECONDS:
            quiet = 0.0
            yield HEARTBEAT
        quiet += limits.SWEEP_LOOK_SECONDS
        await services.sweeper.news(sweep_id, limits.SWEEP_LOOK_SECONDS)


async def _reading(services: Services, sweep_id: str) -> bytes:
    """The sweep as it is now, read once for all who listen. Raises ProblemError where there is none."""
    known = services.sweeper.readings.get(sweep_id)
    if known is None:
        known = asyncio.create_task(_read(services, sweep_id), name=f"read sweep {sweep_id}")
        services.sweeper.reading(sweep_id, known, limits.SWEEP_LOOK_SECONDS / 2)  # a part: nobody finds his own last one again
    return await asyncio.shield(known)


async def _read(services: Services, sweep_id: str) -> bytes:
    return dumps(await _answer(services, sweep_id))


@router.post("/{sweep_id}/cancel")
async def cancel(sweep_id: str, services: Use) -> Response:
    """End a search; what it found is kept. One that has ended stays as it is."""
    await run_in_threadpool(services.sweeps.end, sweep_id, "cancelled", "cancelled")
    services.sweeper.changed(sweep_id)
    return Json(await _answer(services, sweep_id))


@router.delete("/{sweep_id}", status_code=204)
async def remove(sweep_id: str, services: Use) -> Response:
    """Delete a sweep with all of its runs; a search that goes on ends."""
    if not await _delete(services, sweep_id):
        raise missing("sweep")
    return Response(status_code=204)


@router.get("/{sweep_id}/figures/importance")
async def importance(sweep_id: str, services: Use, lang: Language = "en") -> Response:
    """How much of the difference between trials each setting explains, as a figure for Plotly."""
    state = await _answer(services, sweep_id)
    return Response(importance_figure(state["importances"], lang), media_type="application/json")


async def _delete(services: Services, sweep_id: str) -> bool:
    runs, _ = await run_in_threadpool(services.runs.page, None, limits.SWEEP_TRIALS, None, sweep_id)
    there = await run_in_threadpool(services.sweeps.delete, sweep_id)
    for run in runs:
        services.trainer.stop(run["id"])
    await run_in_threadpool(services.studies.delete, sweep_id)
    await run_in_threadpool(services.datasets.tidy)
    services.sweeper.forget(sweep_id)
    return there


async def _answer(services: Services, sweep_id: str) -> dict[str, Any]:
    """The sweep as docs/api.md has it. Raises ProblemError where there is none."""
    about = found(await run_in_threadpool(services.sweeps.get, sweep_id), "sweep")
    trials = await run_in_threadpool(lambda: described(services.studies.open(about)))
    ended = [{"params": trial["params"], "value": trial["value"]} for trial in trials if trial["state"] == "complete"]
    known = services.sweeper.importances.get(sweep_id)
    if known is None or known[0] != len(ended):
        found_now = await services.quick.run(importances, about["space"], ended, about["direction"], seconds=limits.QUICK_SECONDS)
        known = services.sweeper.importances[sweep_id] = (len(ended), found_now)
    return {**_public(about), "trials": trials, "best": best_of(trials, about["direction"]), "importances": known[1]}


def _public(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in INTERNAL}
