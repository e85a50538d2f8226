"""Runs in training: one task of the event loop each, which hands slices to the workers and stores what they did."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server import limits
from server.jobs.pool import WorkerPool
from server.jobs.replay import checkpoint_before
from server.jobs.run_work import advance
from server.jobs.stopping import is_due, reason_to_stop, steps_to_validation
from server.jobs.turns import Turns
from server.jobs.work import validate
from server.programs.errors import ProgramError
from server.store.runs import RunStore, with_edits

T = TypeVar("T")
log = logging.getLogger("retrograd")
_LOOK_SECONDS = 0.5  # after which a server looks whether what it computes is still wanted
_GRACE_SECONDS = 0.4  # in which work that nobody wants any more may end by itself, which is cheaper than another process
_SEARCH_SECONDS = 2.0  # after which it looks for runs that no server trains
_PACE_MEMORY = 0.7  # of the pace before, at each slice


class Trainer:
    """Trains runs up to their requested step. The database holds all that matters: after a restart, `resume` goes on.

    Servers that share a database train each run once: one claims it for some seconds, and says so again while it is at it. A run whose
    server was killed is another's after that. changed: is told of a run whenever something of it was stored.
    """

    def __init__(self, pool: WorkerPool, store: RunStore, slice_seconds: float, changed: Callable[[str], None] = lambda run: None) -> None:
        self.pool, self.store, self.slice_seconds, self.changed = pool, store, slice_seconds, changed
        self.owner = secrets.token_hex(8)
        # However many runs train, no more of them ask for a worker than there are workers, each visitor in turn.
        self._turns = Turns(pool.workers)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unwanted: dict[str, asyncio.Event] = {}  # of each of these tasks: set when the run was paused, cancelled or deleted
        self._again: set[str] = set()  # runs that were asked for more steps while their task may have been ending
        self._search: asyncio.Task[None] | None = None

    def resume(self, runs: Iterable[str]) -> None:
        """Starts the runs that were training when the server stopped, and from now on those that other servers left."""
        for run in runs:
            self.start(run)
        self._search = asyncio.create_task(self._look_for_runs(), name="look for runs")

    def start(self, run: str) -> asyncio.Task[None]:
        """The task that trains the run; it ends when the training has."""
        task = self._tasks.get(run)
        self._again.add(run)
        if task is None or task.done():
            self._unwanted[run] = asyncio.Event()
            task = self._tasks[run] = asyncio.create_task(self._train(run), name=f"train {run}")
            task.add_done_callback(lambda done: self._forget(run, done))
        self._unwanted[run].clear()
        return task

    def stop(self, run: str) -> None:
        """Says that the run was paused, cancelled or deleted: what is computed of it ends, within a second. Call it in the event loop."""
        if run in self._unwanted:
            self._unwanted[run].set()
        self.changed(run)

    async def close(self) -> None:
        """Stops all training where it is; the runs stay `training` in the database."""
        tasks = [*self._tasks.values(), *(() if self._search is None else (self._search,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, run: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(run) is task:
            del self._tasks[run], self._unwanted[run]

    async def _look_for_runs(self) -> None:
        while True:
            await asyncio.sleep(_SEARCH_SECONDS)
            try:
                for run in await run_in_threadpool(self.store.training, self.owner, time.time()):
                    if run not in self._tasks:
                        self.start(run)
            except SQLAlchemyError as error:  # it may be there again the next time
                log.error("the database does not answer: %s", error)

    async def _train(self, run: str) -> None:
        while run in self._again:
            self._again.discard(run)
            try:
                await _Training(self, run).go_on()
            except ProgramError as error:  # such as data that have changed since
                await run_in_threadpool(self.store.fail, run, error.detail)
            except Exception as error:  # whatever it was, the run must not stay `training` with nobody at work
                log.exception("run %s failed", run)
                detail = f"the training ended with an error ({type(error).__name__}); the server's log says more"
                await run_in_threadpool(self.store.fail, run, detail)
            finally:
                await run_in_threadpool(self.store.release, run, self.owner)
            self.changed(run)

    async def wanted(self, run: str, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of work on a run; None where it ended because the run was paused, cancelled or deleted."""
        task, unwanted = asyncio.create_task(work), self._unwanted[run]
        try:
            while not task.done():
                told = asyncio.create_task(unwanted.wait())
                await asyncio.wait({task, told}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                told.cancel()
                if task.done():
                    break
                ended = not unwanted.is_set() and await run_in_threadpool(self.store.claim, run, self.owner, time.time()) is None
                if ended or unwanted.is_set():
                    await asyncio.wait({task}, timeout=_GRACE_SECONDS)
                    if not task.done() and (ended or unwanted.is_set()):  # it may have been resumed meanwhile
                        return None
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class _Training:
    """One run, from where it is to where its training ends."""

    def __init__(self, trainer: Trainer, run: str) -> None:
        self.trainer, self.run = trainer, run
        self.reached: tuple[int, bytes] | None = None  # the last slice's end, which need not be read again
        self.pace: float | None = None
        self.stored = time.monotonic()  # when a slice was last stored

    async def go_on(self) -> None:
        """Until there is nothing left to do, or another server does it."""
        store, owner = self.trainer.store, self.trainer.owner
        first = await run_in_threadpool(store.claim, self.run, owner, time.time())
        visitor = None if first is None else first["visitor"]
        while first is not None:
            async with self.trainer._turns.of(visitor):
                state = await run_in_threadpool(store.claim, self.run, owner, time.time())
                if state is None or not await self._advance(state):
                    return
            self.trainer.changed(self.run)

    async def _advance(self, state: dict[str, Any]) -> bool:
        """One slice, or one validation. False when the training has ended."""
        store, step = self.trainer.store, state["step"]
        program = with_edits(state, limits.RUN_STEPS)
        due = is_due(state)
        reason = None if due else reason_to_stop(state)
        if reason is not None:
            return not await run_in_threadpool(store.finish, self.run, step, state["requested_step"], reason)
        checkpoint = await self._checkpoint(program, step)
        if due:
            work = self.trainer.pool.run(validate, program, checkpoint, seconds=limits.SLICE_SECONDS, patient=True)
            figures = await self.trainer.wanted(self.run, work)
            return figures is not None and await run_in_threadpool(store.validated, self.run, step, figures)
        arguments = (program, checkpoint, steps_to_validation(state), self.trainer.slice_seconds)
        done = await self.trainer.wanted(self.run, self.trainer.pool.run(advance, *arguments, seconds=limits.SLICE_SECONDS, patient=True))
        if done is None:
            return False
        now = time.monotonic()
        pace = len(done.slice.losses) / max(1e-9, now - self.stored)
        self.pace = pace if self.pace is None else _PACE_MEMORY * self.pace + (1 - _PACE_MEMORY) * pace
        self.stored = now
        about: dict[str, Any] = {"seconds": done.seconds, "pace": self.pace, "entering": done.entering}
        if await run_in_threadpool(lambda: store.append(self.run, done.slice, state["edits"], **about)):
            self.reached = done.slice.step, done.slice.checkpoint
        return True  # what was not stored is computed again, where it is still wanted

    async def _checkpoint(self, program: dict[str, Any], step: int) -> bytes | None:
        """The state after `step`; where the latest checkpoint was damaged, from an earlier one."""
        if self.reached is not None and self.reached[0] == step:
            return self.reached[1]
        trainer = self.trainer
        checkpoint = await run_in_threadpool(trainer.store.checkpoint, self.run, step)
        return await checkpoint_before(trainer.pool, program, step + 1, checkpoint, trainer.slice_seconds, patient=True)
