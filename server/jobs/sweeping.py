"""Sweeps under way: one task of the event loop each, which asks Optuna for values, has a run trained with them, and tells how it did."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import optuna
from optuna.trial import Trial, TrialState
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from server import limits
from server.datasets.choice import with_data
from server.jobs.programs import completed, found_of
from server.jobs.stopping import score
from server.jobs.training import Trainer
from server.programs.errors import LimitError, ProgramError
from server.schemas.network import RunProgram
from server.store.datasets import DatasetStore
from server.store.runs import RunStore
from server.store.sweeps import SweepStore
from server.sweeps.space import applied
from server.sweeps.studies import Studies, ask, reported_steps, tell, unfinished

log = logging.getLogger("retrograd")
_LOOK_SECONDS = 0.4  # between two looks at the run of a trial
_SEARCH_SECONDS = 3.0  # after which a server looks for sweeps that no server is at


class Sweeper:
    """Searches one trial after another, so that each learns from all before it and the machine is left to others.

    The database and Optuna's storage hold all that matters: after a restart, or by another server, a search goes on with the trial that was
    under way. changed: is told of a sweep whenever there is something new of it.
    """

    def __init__(self, store: SweepStore, studies: Studies, runs: RunStore, trainer: Trainer, datasets: DatasetStore) -> None:
        self.store, self.studies, self.runs, self.trainer, self.datasets = store, studies, runs, trainer, datasets
        self.owner = secrets.token_hex(8)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._search: asyncio.Task[None] | None = None
        self.readings: dict[str, asyncio.Task[bytes]] = {}  # of sweeps that are listened to, for as long as they hold
        self.importances: dict[str, tuple[int, dict[str, float] | None]] = {}  # of sweeps that were looked at: of how many trials, and what

    def resume(self, sweeps: Iterable[str]) -> None:
        """Starts the searches that were under way when the server stopped, and from now on those that other servers left."""
        for sweep in sweeps:
            self.start(sweep)
        self._search = asyncio.create_task(self._look_for_sweeps(), name="look for sweeps")

    def start(self, sweep: str) -> None:
        """Begins a search, or goes on with it."""
        task = self._tasks.get(sweep)
        if task is None or task.done():
            task = self._tasks[sweep] = asyncio.create_task(self._conduct(sweep), name=f"sweep {sweep}")
            task.add_done_callback(lambda done: self._forget(sweep, done))

    async def close(self) -> None:
        """Leaves all searches where they are."""
        tasks = [*self._tasks.values(), *([] if self._search is None else [self._search])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self, sweep: str) -> None:
        """Says that a sweep was deleted."""
        self.importances.pop(sweep, None)
        self.changed(sweep)

    def changed(self, sweep: str) -> None:
        """Wakes those who wait for news of a sweep."""
        self.readings.pop(sweep, None)
        event = self._news.pop(sweep, None)
        if event is not None:
            event.set()

    def reading(self, sweep: str, task: asyncio.Task[bytes], seconds: float) -> None:
        """Keeps how a sweep is read for all who listen, until so long after it was or until there is something new."""

        def drop() -> None:
            if self.readings.get(sweep) is task:
                del self.readings[sweep]

        def end(done: asyncio.Task[bytes]) -> None:
            if not done.cancelled():
                done.exception()  # looked at, also where nobody listens any more
            asyncio.get_running_loop().call_later(seconds, drop)

        self.readings[sweep] = task
        task.add_done_callback(end)

    async def news(self, sweep: str, seconds: float) -> None:
        """Waits for news of a sweep, at most so long."""
        event = self._news.setdefault(sweep, asyncio.Event())
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)

    def _forget(self, sweep: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(sweep) is task:
            del self._tasks[sweep]

    async def _look_for_sweeps(self) -> None:
        while True:
            await asyncio.sleep(_SEARCH_SECONDS)
            try:
                for sweep in await run_in_threadpool(self.store.waiting, self.owner, time.time()):
                    self.start(sweep)
            except SQLAlchemyError as error:
                log.error("sweeps are not looked for: %s", error)

    async def _conduct(self, sweep: str) -> None:
        try:
            if await self._mine(sweep):
                await self._go_on(sweep)
        except Exception as error:
            log.exception("sweep %s failed", sweep)
            detail = f"the search ended with an error ({type(error).__name__}); the server's log says more"
            await run_in_threadpool(self.store.end, sweep, "failed", None, detail)
        finally:
            await run_in_threadpool(self.store.release, sweep, self.owner)
            await run_in_threadpool(self._clear, sweep)
            self.changed(sweep)

    def _clear(self, sweep: str) -> None:
        """Of a sweep that was deleted meanwhile nothing stays: telling of its last trial may have made its study again."""
        if self.store.get(sweep) is None:
            self.studies.delete(sweep)

    async def _mine(self, sweep: str) -> bool:
        return await run_in_threadpool(self.store.claim, sweep, self.owner, time.time())

    async def _go_on(self, sweep: str) -> None:
        about = await run_in_threadpool(self.store.get, sweep)
        if about is None:
            return
        study = await run_in_threadpool(self.studies.open, about)
        for trial in await run_in_threadpool(unfinished, study):
            await self._try(about, study, trial)
        while await self._mine(sweep):
            done = len(await run_in_threadpool(study.get_trials, False))
            reason = "trials" if done >= about["budget"]["trials"] else "seconds" if _is_over(about) else None
            if reason is not None:
                await run_in_threadpool(self.store.end, sweep, "finished", reason)
                return
            await self._try(about, study, await run_in_threadpool(ask, study, about))

    async def _try(self, about: Mapping[str, Any], study: optuna.Study, trial: Trial) -> None:
        """One trial, from where it is to its end."""
        run: str = trial.user_attrs.get("run", "")
        if not run:
            try:
                run = await self._begin(about, trial)
            except (ProgramError, LimitError, ValidationError) as error:
                await run_in_threadpool(_fail, study, trial, str(error))
                return
        self.changed(about["id"])
        if await self._watch(about, study, trial, run):
            await run_in_threadpool(self._conclude, study, trial, run)
            self.changed(about["id"])

    async def _begin(self, about: Mapping[str, Any], trial: Trial) -> str:
        """Makes the run of a trial and asks for its steps. Raises ProgramError for values that make no training."""
        wanted = RunProgram.model_validate(applied(about["program"], trial.params)).model_dump()
        given = with_data(wanted, lambda chosen: self.datasets.data_for(about["visitor"], chosen))
        program, _ = await found_of(self.trainer.pool, completed, given, patient=True)
        return await run_in_threadpool(self._store, about, trial, program)

    def _store(self, about: Mapping[str, Any], trial: Trial, program: Mapping[str, Any]) -> str:
        run = self.runs.create(
            program, about["visitor"], None, name=f"{about['name'] or about['id']} #{trial.number}", stop=about["stop"],
            validate_every=about["validate_every"], sweep=about["id"],
        )  # fmt: skip
        trial.set_user_attr("run", run)
        self.runs.request(run, about["steps"], limits.RUN_STEPS)
        return run

    async def _watch(self, about: Mapping[str, Any], study: optuna.Study, trial: Trial, run: str) -> bool:
        """Until the run of a trial ends, or is ended. False where this server is not at the search any more."""
        reported = set(await run_in_threadpool(reported_steps, study, trial))
        while True:
            state = await run_in_threadpool(self.runs.get, run)
            if state is None:  # deleted, alone or with its sweep
                return await run_in_threadpool(self.store.get, about["id"]) is not None
            if state["status"] == "training":
                self.trainer.start(run)
            for validation in state["validation"]:
                step, (_, value) = validation["step"], score(validation)
                if step not in reported:
                    reported.add(step)
                    await run_in_threadpool(_report, trial, step, value, state["best"])
                    self.changed(about["id"])
                    if state["status"] == "training" and await run_in_threadpool(trial.should_prune):
                        await run_in_threadpool(trial.set_user_attr, "pruned", True)
                        await self._stop(run)
                        return True
            if state["status"] not in ("training", "paused"):
                return True
            if not await self._mine(about["id"]):
                now = await run_in_threadpool(self.store.get, about["id"])
                if now is None:  # deleted, maybe while this run was being made
                    await run_in_threadpool(self.runs.delete, run)
                    self.trainer.stop(run)
                    return False
                if now["status"] != "running":  # cancelled: what the trial reached is kept
                    await self._stop(run)
                    return True
                return False
            if _is_over(about):
                await self._stop(run)
                continue
            await asyncio.sleep(_LOOK_SECONDS)

    async def _stop(self, run: str) -> None:
        await run_in_threadpool(self.runs.cancel, run)
        self.trainer.stop(run)
        self.trainer.changed(run)

    def _conclude(self, study: optuna.Study, trial: Trial, run: str) -> None:
        """Tells Optuna how a trial ended, by its run as it is now."""
        state = self.runs.get(run)
        best = None if state is None else state["best"]
        if state is None or best is None or state["status"] == "failed":  # what it reached before stays to be seen
            gone = "its run was deleted" if state is None else state["error"] or "no validation gave a finite figure"
            _fail(study, trial, gone)
        elif state["reason"] == "cancelled" or "pruned" in trial.user_attrs:
            trial.set_user_attr("value", best["value"])
            tell(study, trial, TrialState.PRUNED)
        else:
            tell(study, trial, TrialState.COMPLETE, best["value"])


def _report(trial: Trial, step: int, value: float, best: Mapping[str, Any] | None) -> None:
    trial.report(value, step)
    if best is not None:
        trial.set_user_attr("value", best["value"])


def _fail(study: optuna.Study, trial: Trial, error: str) -> None:
    trial.set_user_attr("error", error)
    tell(study, trial, TrialState.FAIL)


def _is_over(about: Mapping[str, Any]) -> bool:
    return about["ends"] is not None and time.time() >= about["ends"]
