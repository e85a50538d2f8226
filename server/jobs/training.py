"""Runs in training: one task of the event loop each, which hands slices to the workers and stores what they did."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server import limits
from server.jobs.pool import Place, WorkerPool
from server.jobs.replay import checkpoint_before
from server.jobs.run_work import Stretch, advance, go_on, goes_on, known
from server.jobs.stopping import goal, is_due, reason_to_stop
from server.jobs.turns import Turns
from server.programs.errors import ProgramError
from server.store.runs import RunStore, with_edits

log = logging.getLogger("retrograd")
_LOOK_SECONDS = 0.5  # after which a server looks whether what it computes is still wanted
_GRACE_SECONDS = 0.4  # in which work that nobody wants any more may end by itself, which is cheaper than another process
_SEARCH_SECONDS = 2.0  # after which it looks for runs that no server trains
_PACE_MEMORY = 0.7  # of the pace before, at each slice
_REST = 1.5  # slices that may be the last one; what is told of a smaller one would wait for the end of the stream's interval
_EARLY_SECONDS = 0.05  # before the end of a slice, when its worker is given the next one
_FIRST_SECONDS = 0.1  # of the first slice, so that something is soon to be seen


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

    def is_wanted(self, run: str) -> bool:
        """False where the run was paused, cancelled or deleted a moment ago."""
        return not self._unwanted[run].is_set()

    async def wanted(self, run: str, ahead: _Ahead) -> bool:
        """Waits for what is computed of a run; False where it is not wanted any more, since the run was paused, cancelled or deleted."""
        task, unwanted = ahead.task, self._unwanted[run]
        while not task.done():
            told = asyncio.create_task(unwanted.wait())
            await asyncio.wait({task, told}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            if task.done():
                break
            ended = ahead.begun and not unwanted.is_set() and await self.claim(run) is None
            if ended or unwanted.is_set():
                await ahead.grace()
                if not task.done() and (ended or unwanted.is_set()):  # it may have been resumed meanwhile
                    return False
        return True

    async def claim(self, run: str) -> dict[str, Any] | None:
        """The run, where it is this server's to train (RunStore.claim)."""
        return await run_in_threadpool(self.store.claim, run, self.owner, time.time())


class _Ahead:
    """What is computed of a run from a state that may not be stored yet; nobody is told of it before it is. state: the run then.

    Its worker is given what comes after it shortly before it has done it (`following`), where nobody waits for a turn, and goes on at once.
    """

    def __init__(self, training: _Training, state: Mapping[str, Any], seconds: float) -> None:
        self.training, self.state, self.seconds, self.begun = training, state, seconds, False
        self.mark, self.place = secrets.token_hex(8), Place()
        self.following: _Ahead | None = None
        self.task: asyncio.Task[Stretch | None]
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, checkpoint: bytes | None) -> _Ahead:
        self.task = asyncio.create_task(self._compute(checkpoint), name=f"compute {self.training.run}")
        return self

    async def _compute(self, checkpoint: bytes | None) -> Stretch | None:
        """None where the run was changed while it waited for its turn."""
        trainer, state, asked = self.training.trainer, self.state, time.monotonic()
        async with trainer._turns.of(state["visitor"]):
            if time.monotonic() - asked > _LOOK_SECONDS:
                today = await trainer.claim(self.training.run)
                if today is None or not self.holds(today):
                    return None
            self.begun = True
            self.follow_up()
            arguments = (with_edits(state, limits.RUN_STEPS), checkpoint, known(state), self.seconds, self.mark)
            return await trainer.pool.run(advance, *arguments, seconds=limits.SLICE_SECONDS, patient=True, place=self.place)

    def follow_up(self) -> None:
        """Has the worker given more when it is about to have done this. Call it when it begins."""
        self._timer = asyncio.get_running_loop().call_later(self.seconds - _EARLY_SECONDS, self._follow_up)

    def _follow_up(self) -> None:
        trainer, seconds = self.training.trainer, self.training.seconds(self.state, self.seconds)
        if seconds > 0 and trainer._turns.free and not self.task.done() and trainer.is_wanted(self.training.run):
            self.following = _Ahead(self.training, self.state, seconds)
            self.following.task = asyncio.create_task(self.following._go_on(self), name=f"compute {self.training.run}")

    def be_last(self) -> None:
        """Has the worker given nothing more, since it is of no use."""
        if self._timer is not None:
            self._timer.cancel()

    async def _go_on(self, before: _Ahead) -> Stretch | None:
        """None where the worker did not do what was before, or had something else to do."""
        trainer, state = self.training.trainer, self.state
        async with trainer._turns.of(state["visitor"]):
            self.begun = True
            arguments = (with_edits(state, limits.RUN_STEPS), before.mark, self.seconds, self.mark)
            return await trainer.pool.run_after(before.place, go_on, *arguments, seconds=limits.SLICE_SECONDS, place=self.place)

    def is_refused(self) -> bool:
        """Whether nothing is computed of it."""
        return self.task.done() and self.task.exception() is None and self.task.result() is None

    def holds(self, state: Mapping[str, Any]) -> bool:
        """Whether it is what would be computed of the run as it is now. More steps that were asked for since come after these."""
        knew, now = known(self.state), known(state)
        return now["requested_step"] >= knew["requested_step"] and {**knew, "requested_step": now["requested_step"]} == now

    async def grace(self) -> None:
        """Lets it end by itself where it is about to, which is cheaper than another process."""
        if self.begun:
            await asyncio.wait({self.task}, timeout=_GRACE_SECONDS)

    async def drop(self) -> None:
        if self.following is not None:
            await self.following.drop()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class _Training:
    """One run, from where it is to where its training ends. A worker goes on while what it did last is stored and told."""

    def __init__(self, trainer: Trainer, run: str) -> None:
        self.trainer, self.run = trainer, run
        self.reached: tuple[int, bytes] | None = None  # the last slice's end, which need not be read again
        self.pace: float | None = None
        self.stored = time.monotonic()  # when a slice was last stored
        self.ahead: _Ahead | None = None

    async def go_on(self) -> None:
        """Until there is nothing left to do, or another server does it."""
        try:
            while (state := await self.trainer.claim(self.run)) is not None:
                if not await self._advance(state):
                    return
                self.trainer.changed(self.run)
            if self.ahead is not None:
                await self.ahead.grace()
        finally:
            if self.ahead is not None:
                await self.ahead.drop()

    def seconds(self, state: Mapping[str, Any], after: float = 0.0) -> float:
        """For how long a worker goes on from a state, or from where it will be `after` some seconds; 0 where the training will have ended.

        What would be a small rest of the training is done in one go with what is before it.
        """
        usual = self.trainer.slice_seconds
        if self.pace is None:
            return usual if after else min(_FIRST_SECONDS, usual)
        left = (goal(state) - state["step"]) / self.pace - after
        return usual if left > _REST * usual else _REST * usual if left > 0 else 0.0

    async def _advance(self, state: dict[str, Any]) -> bool:
        """Stores some steps and validations more, and has those after them computed meanwhile. False when the training has ended."""
        ahead, self.ahead = self.ahead, None
        if ahead is not None and not ahead.holds(state):  # somebody changed the run, and it is of no use
            self.ahead = ahead
            ahead.be_last()
            if ahead.begun and not await self.trainer.wanted(self.run, ahead):
                return False
            await ahead.drop()
            self.ahead = None
            return True
        if ahead is None:
            reason = None if is_due(state) else reason_to_stop(state)
            if reason is not None:
                return not await run_in_threadpool(self.trainer.store.finish, self.run, state["step"], state["requested_step"], reason)
            checkpoint = await self._checkpoint(with_edits(state, limits.RUN_STEPS), state["step"])
            ahead = _Ahead(self, state, self.seconds(state)).begin(checkpoint)
        self.ahead = ahead
        if not await self.trainer.wanted(self.run, ahead):
            return False
        made = ahead.task.result()
        self.ahead = None
        if made is None:
            await ahead.drop()
        else:
            await self._store(state, made, ahead)
        return True  # what was not stored is computed again, where it is still wanted

    async def _store(self, state: Mapping[str, Any], made: Stretch, ahead: _Ahead) -> None:
        if made.done.losses:
            now = time.monotonic()
            pace = len(made.done.losses) / max(1e-9, now - self.stored)
            self.pace = pace if self.pace is None else _PACE_MEMORY * self.pace + (1 - _PACE_MEMORY) * pace
            self.stored = now
        then = {**state, **made.run, "requested_step": state["requested_step"]}
        more, following = goes_on(then, made.done), ahead.following
        if more and following is not None and not following.is_refused():
            self.ahead, following.state = following, {**then, "requested_step": made.run["requested_step"]}
            following.follow_up()
        elif more:
            self.ahead = _Ahead(self, then, self.seconds(then)).begin(made.done.checkpoint)
        about: dict[str, Any] = {"seconds": made.seconds, "pace": self.pace, "validated": made.validations, "kept": made.checkpoints}
        if await run_in_threadpool(lambda: self.trainer.store.append(self.run, made.done, state, **about)):
            self.reached = made.done.step, made.done.checkpoint
        if not more and following is not None:  # there is nothing to do for it
            await following.grace()
            await following.drop()

    async def _checkpoint(self, program: dict[str, Any], step: int) -> bytes | None:
        """The state after `step`; where the latest checkpoint was damaged, from an earlier one."""
        if self.reached is not None and self.reached[0] == step:
            return self.reached[1]
        trainer = self.trainer
        checkpoint = await run_in_threadpool(trainer.store.checkpoint, self.run, step)
        return await checkpoint_before(trainer.pool, program, step + 1, checkpoint, trainer.slice_seconds, patient=True)
