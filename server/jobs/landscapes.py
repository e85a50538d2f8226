"""Landscapes in the making: one task of the event loop each, which hands slices to the workers."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server import limits
from server.jobs.landscape_work import Network, grid_slice, lay_out
from server.jobs.pool import OverloadedError, WorkerPool
from server.jobs.replay import checkpoint_before
from server.programs.errors import ProgramError
from server.store.landscapes import LandscapeStore

log = logging.getLogger("retrograd")
_HOLD_SECONDS = 1.0  # after which a server says again that it computes one, and how far it is


class Way(NamedTuple):
    """A run's training up to a step.

    kept: of those networks upon it that are stored, by rising step. most: how many there is room for. quick: whether it may be repeated.
    """

    run: str
    program: Mapping[str, Any]
    step: int
    kept: Sequence[Network]
    most: int
    quick: bool


@dataclass
class Landscape:
    """One, and how far it has come."""

    id: str
    task: asyncio.Task[None] | None = None
    status: str = "computing"
    error: str | None = None
    pointer: str | None = None  # to what is wrong in the request, where it was that
    points: int = 0
    laid_out: dict[str, Any] | None = None
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0  # by the clock, that these took

    def described(self) -> dict[str, Any]:
        """As docs/api.md has it. `loss` is null until it is whole."""
        whole: list[list[float]] | None = None
        if self.laid_out is not None and self.status == "done":
            width = len(self.laid_out["x"])
            whole = [self.losses[k : k + width] for k in range(0, len(self.losses), width)]
        empty = dict.fromkeys(("directions", "part", "examples", "x", "y", "paths"))
        about = {"id": self.id, "status": self.status, "error": self.error, "points": self.points, **self.progress()}
        return {**about, **(self.laid_out or empty), "loss": whole}

    def progress(self) -> dict[str, Any]:
        """How far it has come, and how long it takes yet."""
        return {"done": len(self.losses), "seconds_left": self._seconds_left()}

    def _seconds_left(self) -> float | None:
        """As the points so far took; None before there are some, and when none is missing."""
        done = len(self.losses)
        return self.seconds / done * (self.points - done) if self.status == "computing" and done else None


class Landscapes:
    """Those that are being computed, at most `limits.LANDSCAPES_AT_ONCE`; one worker of several is left to others.

    What came of them is stored. One that was under way when its server stopped is computed anew when it is asked for. Of several servers on
    one database one computes a landscape, and says for some seconds at a time that it does.
    """

    def __init__(self, pool: WorkerPool, store: LandscapeStore, slice_seconds: float) -> None:
        self.pool, self.store, self.slice_seconds = pool, store, slice_seconds
        self.owner = secrets.token_hex(8)
        self._computing: dict[str, Landscape] = {}
        self._turns = asyncio.Semaphore(max(1, pool.workers - 1))

    def get(self, landscape_id: str) -> Landscape | None:
        """One that is being computed here."""
        return self._computing.get(landscape_id)

    def admit(self) -> None:
        """Raises OverloadedError where so many are computed that another would wait long."""
        if len(self._computing) >= limits.LANDSCAPES_AT_ONCE:
            raise OverloadedError(f"{len(self._computing)} landscapes are being computed already")

    async def claim(self, landscape_id: str) -> bool:
        """Whether it is this server's to compute (LandscapeStore.claim)."""
        return await run_in_threadpool(self.store.claim, landscape_id, self.owner, time.time())

    async def release(self, landscape_id: str) -> None:
        """Leaves it to any server."""
        await run_in_threadpool(self.store.release, landscape_id, self.owner)

    def start(self, landscape_id: str, wanted: Mapping[str, Any], ways: Sequence[Way]) -> Landscape:
        """Begins one that is stored without a result, unless that is under way. ways: of its runs. Raises OverloadedError."""
        known = self._computing.get(landscape_id)
        if known is not None:
            return known
        self.admit()
        made = self._computing[landscape_id] = Landscape(landscape_id, points=wanted["resolution"] ** 2)
        made.task = asyncio.create_task(self._compute(made, wanted, ways), name=f"landscape {landscape_id}")
        made.task.add_done_callback(lambda _: self._forget(made))
        return made

    def cancel(self, landscape_id: str) -> None:
        """Ends the computation of one, where it goes on. A slice under way is ended with its worker's process."""
        made = self._computing.pop(landscape_id, None)
        if made is not None and made.task is not None:
            made.task.cancel()

    def _forget(self, made: Landscape) -> None:
        if self._computing.get(made.id) is made:
            del self._computing[made.id]

    async def close(self) -> None:
        """Ends all computation."""
        tasks = [one.task for one in self._computing.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hold(self, made: Landscape) -> None:
        """Says that this server computes it, and how far it has come; ends that where it is deleted, or another server's."""
        while True:
            try:
                if not await run_in_threadpool(self.store.claim, made.id, self.owner, time.time(), made.progress()):
                    return self.cancel(made.id)
            except SQLAlchemyError as error:
                log.error("nobody is told how far landscape %s is: %s", made.id, error)
            await asyncio.sleep(_HOLD_SECONDS)

    async def _compute(self, made: Landscape, wanted: Mapping[str, Any], ways: Sequence[Way]) -> None:
        holding = asyncio.create_task(self._hold(made), name=f"hold {made.id}")
        try:
            await self._carry_out(made, wanted, ways)
            await run_in_threadpool(self.store.end, made.id, made.described())
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            await self.release(made.id)

    async def _carry_out(self, made: Landscape, wanted: Mapping[str, Any], ways: Sequence[Way]) -> None:
        try:
            networks = [(way.run, way.program, await self._networks(way)) for way in ways]
            _, program, first = networks[0]
            async with self._turns:
                arguments = (program, first[-1][1], networks, wanted)
                laid_out, ground = await self.pool.run(lay_out, *arguments, seconds=limits.SLICE_SECONDS, patient=True)
            made.laid_out = laid_out
            del networks, first, arguments, ways  # they are large, and the grid takes a while
            began = time.monotonic()
            while len(made.losses) < made.points:
                async with self._turns:
                    place = (program, wanted, laid_out, ground, len(made.losses), self.slice_seconds)
                    made.losses += await self.pool.run(grid_slice, *place, seconds=limits.SLICE_SECONDS, patient=True)
                made.seconds = time.monotonic() - began
            made.status = "done"
        except ProgramError as error:
            made.status, made.error, made.pointer = "failed", error.detail, error.pointer
        except Exception as error:  # whatever it was, nobody must wait for ever
            log.exception("landscape %s failed", made.id)
            made.status, made.error = "failed", f"the computation ended with an error ({type(error).__name__}); the server's log says more"

    async def _networks(self, way: Way) -> list[Network]:
        """The networks that a way is drawn by: the initial one, the kept ones, and the last.

        Where few are kept of a quick training it is repeated, so that the way has its shape.
        """
        known = dict(way.kept)
        fewest = min(limits.LANDSCAPE_FEWEST, way.most)
        steps = set(known) | {way.step}
        if way.quick and len(steps) < fewest:
            steps |= {round(k * way.step / fewest) for k in range(1, fewest)}
        found: list[Network] = [(0, None)]
        for step in sorted(steps - {0}):
            if step not in known:
                async with self._turns:
                    known[step] = await checkpoint_before(self.pool, way.program, step + 1, found[-1][1], self.slice_seconds, patient=True)
            found.append((step, known[step]))
        return found
