"""Runs in training: what a worker does of one in one go, and what it computes ahead of what is stored."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.training import evaluate, train
from server.jobs.pool import Place
from server.jobs.run_work import Stretch, advance, go_on, known
from server.jobs.training import Trainer
from server.programs.network import normalised, settings_of
from server.store.database import open_database
from server.store.runs import RunStore

PROGRAM = normalised({"task": "sunspots", "cell": "gru", "hidden_size": 3, "batch_size": 4})
DIVERGES = normalised({"task": "sunspots", "cell": "rnn", "hidden_size": 3, "optimizer": {"name": "sgd", "lr": 1000.0}, "clip_norm": None})


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(open_database(f"sqlite:///{tmp_path / 'runs.sqlite3'}"))


def asked(store: RunStore, count: int, program: dict[str, Any] = PROGRAM, **about: Any) -> str:
    run = store.create(program, **about)
    store.request(run, count, 20_000)
    return run


def the(store: RunStore, run: str) -> dict[str, Any]:
    state = store.get(run)
    assert state is not None
    return state


def whole(run: dict[str, Any], seconds: float = 3600) -> Stretch:
    return advance(run["program"], None, known({**run, "since": {"step": 0, "seconds": 0.0}}), seconds)


def test_a_stretch_is_the_same_training_with_its_validations(store: RunStore) -> None:
    made = whole(the(store, asked(store, 137, validate_every=20)))
    task, settings = settings_of(PROGRAM)
    reference = train(task, settings, None, 137)
    assert (made.done.step, made.done.losses, made.done.checkpoint) == (137, reference.losses, reference.checkpoint)
    assert [one["step"] for one in made.done.observations] == [one["step"] for one in reference.observations]
    assert [one["step"] for one in made.validations] == [20, 40, 60, 80, 100, 120, 137]
    for one in made.validations:
        figures = evaluate(task, settings, train(task, settings, None, one["step"]).checkpoint, "validation")
        assert one == {"step": one["step"], **figures, "rmse": figures["rmse"] * task.scale}
    best = min(made.validations, key=lambda one: one["rmse"])["step"]
    assert made.run["best"]["step"] == best
    assert set(made.checkpoints) == {100, best} - {137}  # those for replays, and that of the best
    for step, checkpoint in made.checkpoints.items():
        assert checkpoint == train(task, settings, None, step).checkpoint


def test_a_stretch_ends_with_its_time_and_goes_on_where_it_was(store: RunStore) -> None:
    run = the(store, asked(store, 30, validate_every=10))
    state, checkpoint = known({**run, "since": {"step": 0, "seconds": 0.0}}), None
    losses: list[float] = []
    validated: list[int] = []
    while state["step"] < 30 or not validated or validated[-1] != 30:
        made = advance(PROGRAM, checkpoint, state, 0.0)
        assert len(made.done.losses) + len(made.validations) == 1
        state, checkpoint = dict(made.run), made.done.checkpoint
        losses += made.done.losses
        validated += [one["step"] for one in made.validations]
    assert validated == [10, 20, 30]
    assert losses == train(*settings_of(PROGRAM), None, 30).losses


@pytest.mark.parametrize(("stop", "step"), [({"patience": 2, "min_delta": 1e6}, 60), ({"target": 1e6}, 20), ({"steps": 50}, 50)])
def test_a_stretch_ends_where_a_condition_does(store: RunStore, stop: dict[str, Any], step: int) -> None:
    made = whole(the(store, asked(store, 500, validate_every=20, stop=stop)))
    assert (made.done.step, made.validations[-1]["step"]) == (step, step)


def test_a_stretch_ends_with_the_first_loss_that_is_not_finite(store: RunStore) -> None:
    made = whole(the(store, asked(store, 500, DIVERGES, validate_every=100)))
    task, settings = settings_of(DIVERGES)
    assert np.isfinite(made.done.losses).tolist() == [True] * (made.done.step - 1) + [False]
    with np.errstate(all="ignore"):
        assert made.done.checkpoint == train(task, settings, None, made.done.step).checkpoint
        assert made.checkpoints[made.done.step - 1] == train(task, settings, None, made.done.step - 1).checkpoint
    assert max(one["step"] for one in made.done.observations) <= made.done.step


def test_a_worker_goes_on_from_where_its_last_stretch_left_the_run(store: RunStore) -> None:
    state = known({**the(store, asked(store, 60, validate_every=20)), "since": {"step": 0, "seconds": 0.0}})
    first = advance(PROGRAM, None, state, 0.0, "one")
    assert go_on(PROGRAM, "another", 3600, "two") is None
    second = go_on(PROGRAM, "one", 0.0, "two")
    assert second is not None
    assert go_on(PROGRAM, "one", 3600, "three") is None  # it is past that
    third = go_on(PROGRAM, "two", 3600, "three")
    assert third is not None
    assert first.done.losses + second.done.losses + third.done.losses == train(*settings_of(PROGRAM), None, 60).losses
    assert [one["step"] for one in third.run["validation"]] == [20, 40, 60]
    assert go_on(PROGRAM, "three", 3600, "four") is None  # there is nothing left
    diverged = advance(DIVERGES, None, {**state, "requested_step": 500, "validate_every": 100}, 3600, "five")
    assert not np.isfinite(diverged.done.losses[-1])
    assert go_on(DIVERGES, "five", 3600, "six") is None


class Threads:
    """In place of the pool: computes in threads, two at a time, and counts what it computed."""

    workers = 2

    def __init__(self) -> None:
        self.stretches: list[tuple[int, int]] = []  # the step that each began at, and how many validations there were
        self.given_ahead = 0  # those that went on in the same worker, without a word from the server

    async def run(self, function: Callable[..., Any], *arguments: Any, seconds: float, patient: bool, place: Place) -> Any:
        assert (function, patient) == (advance, True)
        self.stretches.append((arguments[2]["step"], len(arguments[2]["validation"])))
        return await self.done(place, function, *arguments)

    async def run_after(self, before: Place, function: Callable[..., Any], *arguments: Any, seconds: float, place: Place) -> Any:
        assert function is go_on
        at_work: Any = before
        made = await at_work.work
        made = await self.done(place, function, *arguments)
        if made is not None:
            self.given_ahead += 1
            first = made.done.step - len(made.done.losses)
            self.stretches.append((first, len(made.run["validation"]) - len(made.validations)))
        return made

    async def done(self, place: Any, function: Callable[..., Any], *arguments: Any) -> Any:
        place.work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
        return await place.work


def trained(store: RunStore, run: str, changed: Callable[[str], None] = lambda run: None) -> Threads:
    """Trains the run to its end."""

    async def use() -> Threads:
        pool = Threads()
        trainer = Trainer(pool, store, 0.02, changed)  # type: ignore[arg-type]  # the only method of the pool that it calls
        await trainer.start(run)
        return pool

    return asyncio.run(use())


def test_a_worker_goes_on_while_what_it_did_is_stored(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is computed twice, none is stored before the one ahead of it is under way, and only what is stored is told."""
    append, done, told = store.append, Threads.done, []
    begun = threading.Semaphore(0)
    first = True

    async def counted(self: Threads, *arguments: Any) -> Any:
        nonlocal first
        if not first:
            begun.release()
        first = False
        return await done(self, *arguments)

    def slowly(run_id: str, done: Any, *more: Any, **about: Any) -> bool:
        assert done.step == 300 or begun.acquire(timeout=20)
        return append(run_id, done, *more, **about)

    def changed(run_id: str) -> None:
        told.append(the(store, run_id)["step"])

    monkeypatch.setattr(Threads, "done", counted)
    monkeypatch.setattr(store, "append", slowly)
    run_id = asked(store, 300, validate_every=40)
    pool = trained(store, run_id, changed)
    state = the(store, run_id)
    assert (state["status"], state["reason"], state["step"]) == ("idle", "steps", 300)
    assert store.history(run_id)["loss"] == train(*settings_of(PROGRAM), None, 300).losses
    assert [one["step"] for one in state["validation"]] == [40, 80, 120, 160, 200, 240, 280, 300]
    assert pool.given_ahead > 2
    assert pool.stretches == sorted(set(pool.stretches))
    assert told == sorted(told)
    assert told[-1] == 300


def test_what_is_ahead_of_what_could_not_be_stored_is_lost(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that refuses once fails the run where it is; it goes on from there as if nothing had been."""
    append, calls = store.append, []

    def third_fails(*arguments: Any, **about: Any) -> bool:
        calls.append(arguments[1].step)
        if len(calls) == 3:
            raise OSError("no space is left")
        return append(*arguments, **about)

    monkeypatch.setattr(store, "append", third_fails)
    run = asked(store, 400, validate_every=25)
    trained(store, run)
    state = the(store, run)
    assert (state["status"], state["step"]) == ("failed", calls[1])
    assert "OSError" in state["error"]
    assert len(store.history(run)["loss"]) == calls[1]
    store.request(run, 400 - calls[1], 20_000)
    trained(store, run)
    state = the(store, run)
    assert (state["status"], state["step"], calls[3] > calls[1]) == ("idle", 400, True)
    assert store.history(run)["loss"] == train(*settings_of(PROGRAM), None, 400).losses


def test_what_was_computed_ahead_without_a_change_is_computed_again(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another learning rate comes while a slice is stored and the next one computed, and conditions change."""
    append = store.append
    edits: list[dict[str, Any]] = []

    def edited(run_id: str, done: Any, *more: Any, **about: Any) -> bool:
        stored = append(run_id, done, *more, **about)
        if not edits:
            edits.append(store.edit(run_id, 0.001, 5) or {})
            store.amend(run_id, {"validate_every": 30})
        return stored

    monkeypatch.setattr(store, "append", edited)
    run = asked(store, 400, validate_every=50)
    pool = trained(store, run)
    state = the(store, run)
    assert state["edits"] == edits
    assert (state["status"], state["step"]) == ("idle", 400)
    task, settings = settings_of({**PROGRAM, "edits": edits})
    assert store.history(run)["loss"] == train(task, settings, None, 400).losses
    ((begun, _), times), second = Counter(pool.stretches).most_common(2)
    assert (begun, times, second[1]) == (edits[0]["step"] - 1, 2, 1)  # without the edit, and with it
    regular = [one["step"] for one in state["validation"] if one["step"] > edits[0]["step"]]
    assert regular == [*range(30 * (edits[0]["step"] // 30 + 1), 400, 30), 400]


def test_nothing_is_computed_twice_where_more_steps_are_asked_for(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    append, goals = store.append, []

    def more(*arguments: Any, **about: Any) -> bool:
        stored = append(*arguments, **about)
        if len(goals) < 3:
            goals.append(store.request(arguments[0], 50, 20_000))
        return stored

    monkeypatch.setattr(store, "append", more)
    run = asked(store, 400, validate_every=50)
    pool = trained(store, run)
    assert goals == [450, 500, 550]
    assert pool.stretches == sorted(set(pool.stretches))
    assert [one["step"] for one in the(store, run)["validation"]] == [*range(50, 551, 50)]


def test_a_paused_run_keeps_nothing_of_what_was_computed_ahead(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    append = store.append

    def pausing(run_id: str, done: Any, *more: Any, **about: Any) -> bool:
        stored = append(run_id, done, *more, **about)
        return stored and store.pause(run_id)

    run = asked(store, 400)
    monkeypatch.setattr(store, "append", pausing)
    trained(store, run)
    held = the(store, run)
    assert held["status"] == "paused"
    assert 0 < held["step"] == len(store.history(run)["loss"]) < 400
    monkeypatch.undo()
    assert store.resume(run)
    trained(store, run)
    assert store.history(run)["loss"] == train(*settings_of(PROGRAM), None, 400).losses
