"""Landscapes in the making: one task of the event loop each, which hands slices to the workers. They are kept in memory, the latest."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server import limits
from server.jobs.landscape_work import Network, grid_slice, lay_out
from server.jobs.pool import OverloadedError, WorkerPool
from server.programs.errors import ProgramError

log = logging.getLogger("retrograd")
Runs = Sequence[tuple[str, Mapping[str, Any], Sequence[Network]]]


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

    def described(self) -> dict[str, Any]:
        """As docs/api.md has it. `loss` is null until it is whole."""
        whole: list[list[float]] | None = None
        if self.laid_out is not None and self.status == "done":
            width = len(self.laid_out["x"])
            whole = [self.losses[k : k + width] for k in range(0, len(self.losses), width)]
        empty = dict.fromkeys(("directions", "part", "examples", "x", "y", "paths"))
        progress = {"done": len(self.losses), "points": self.points}
        return {"id": self.id, "status": self.status, "error": self.error, **progress, **(self.laid_out or empty), "loss": whole}


class Landscapes:
    """The latest landscapes. At most `limits.LANDSCAPES_AT_ONCE` are computed at a time; one worker of several is left to others."""

    def __init__(self, pool: WorkerPool, slice_seconds: float, most: int = limits.LANDSCAPES) -> None:
        self.pool, self.slice_seconds, self.most = pool, slice_seconds, most
        self._kept: OrderedDict[str, Landscape] = OrderedDict()
        self._turns = asyncio.Semaphore(max(1, pool.workers - 1))

    def get(self, landscape_id: str) -> Landscape | None:
        return self._kept.get(landscape_id)

    def start(self, wanted: Mapping[str, Any], program: Mapping[str, Any], center: bytes | None, runs: Runs) -> Landscape:
        """Begins one. Raises OverloadedError where so many are computed that it would wait long."""
        computing = [one for one in self._kept.values() if one.status == "computing"]
        if len(computing) >= limits.LANDSCAPES_AT_ONCE:
            raise OverloadedError(f"{len(computing)} landscapes are being computed already")
        made = Landscape(f"l_{secrets.token_hex(8)}", points=wanted["resolution"] ** 2)
        self._kept[made.id] = made
        while len(self._kept) > self.most:
            gone = next(key for key, one in self._kept.items() if one.status != "computing")
            del self._kept[gone]
        made.task = asyncio.create_task(self._compute(made, wanted, program, center, runs), name=f"landscape {made.id}")
        return made

    def cancel(self, landscape_id: str) -> bool:
        """Ends and forgets one; False when there was none. A slice under way is ended with its worker's process."""
        gone = self._kept.pop(landscape_id, None)
        if gone is not None and gone.task is not None:
            gone.task.cancel()
        return gone is not None

    async def close(self) -> None:
        """Ends all computation."""
        tasks = [one.task for one in self._kept.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _compute(
        self, made: Landscape, wanted: Mapping[str, Any], program: Mapping[str, Any], center: bytes | None, runs: Runs
    ) -> None:
        try:
            async with self._turns:
                made.laid_out = await self.pool.run(lay_out, program, center, runs, wanted, seconds=limits.SLICE_SECONDS, patient=True)
            del runs  # their networks are large, and the grid takes a while
            while len(made.losses) < made.points:
                async with self._turns:
                    arguments = (program, center, wanted, made.laid_out, len(made.losses), self.slice_seconds)
                    made.losses += await self.pool.run(grid_slice, *arguments, seconds=limits.SLICE_SECONDS, patient=True)
            made.status = "done"
        except ProgramError as error:
            made.status, made.error, made.pointer = "failed", error.detail, error.pointer
        except Exception as error:  # whatever it was, nobody must wait for ever
            log.exception("landscape %s failed", made.id)
            made.status, made.error = "failed", f"the computation ended with an error ({type(error).__name__}); the server's log says more"
