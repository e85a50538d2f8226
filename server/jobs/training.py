"""Runs in training: one task of the event loop each, which hands slices to the workers and stores what they did."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from server import limits
from server.jobs.pool import WorkerPool
from server.jobs.replay import checkpoint_before
from server.jobs.work import train_slice, validate
from server.programs.errors import ProgramError
from server.store.runs import RunStore

log = logging.getLogger("retrograd")


class Trainer:
    """Trains runs up to their requested step. The database holds all that matters: after a restart, `resume` goes on."""

    def __init__(self, pool: WorkerPool, store: RunStore, slice_seconds: float) -> None:
        self.pool, self.store, self.slice_seconds = pool, store, slice_seconds
        # However many runs train, no more of them ask for a worker than there are workers, each in its turn: what a visitor waits for waits
        # for one slice, not for one of every run.
        self._turns = asyncio.Semaphore(pool.workers)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()  # runs that were asked for more steps while their task may have been ending

    def resume(self, runs: Sequence[str]) -> None:
        """Starts the runs that were training when the server stopped."""
        for run in runs:
            self.start(run)

    def start(self, run: str) -> asyncio.Task[None]:
        """The task that trains the run; it ends when the requested step is reached."""
        task = self._tasks.get(run)
        self._again.add(run)
        if task is None or task.done():
            task = self._tasks[run] = asyncio.create_task(self._train(run), name=f"train {run}")
            task.add_done_callback(lambda done: self._forget(run, done))
        return task

    async def close(self) -> None:
        """Stops all training where it is; the runs stay `training` in the database."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, run: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(run) is task:
            del self._tasks[run]

    async def _train(self, run: str) -> None:
        while run in self._again:
            self._again.discard(run)
            try:
                while await self._in_turn(run):
                    pass
            except ProgramError as error:  # such as data that have changed since
                await run_in_threadpool(self.store.fail, run, error.detail)
            except Exception as error:  # whatever it was, the run must not stay `training` with nobody at work
                log.exception("run %s failed", run)
                detail = f"the training ended with an error ({type(error).__name__}); the server's log says more"
                await run_in_threadpool(self.store.fail, run, detail)

    async def _in_turn(self, run: str) -> bool:
        async with self._turns:
            return await self._advance(run)

    async def _advance(self, run: str) -> bool:
        """One slice, or the validation at the end. False when there is nothing left to do."""
        state = await run_in_threadpool(self.store.get, run)
        if state is None or state["status"] != "training":
            return False
        step, left = state["step"], state["requested_step"] - state["step"]
        checkpoint = await run_in_threadpool(self.store.checkpoint, run, step)
        # where the latest was damaged, from an earlier one to this step
        checkpoint = await checkpoint_before(self.pool, state["program"], step + 1, checkpoint, self.slice_seconds, patient=True)
        if left > 0:
            arguments = (state["program"], checkpoint, left, self.slice_seconds)
            done = await self.pool.run(train_slice, *arguments, seconds=limits.SLICE_SECONDS, patient=True)
            return await run_in_threadpool(self.store.append, run, done)
        figures = await self.pool.run(validate, state["program"], checkpoint, seconds=limits.SLICE_SECONDS, patient=True)
        return not await run_in_threadpool(self.store.finish, run, step, figures)
