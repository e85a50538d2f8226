"""Runs in SQLite and in Postgres."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from engine.training import Slice
from server.programs.errors import LimitError
from server.store.blobs import DamagedError
from server.store.runs import RunStore, with_edits
from server.store.sweeps import SweepStore
from server.store.tables import checkpoints, observations, slices
from tests.server.test_store import damage

PROGRAM = {"task": "sunspots", "seed": 1}


def a_slice(first: int, count: int) -> Slice:
    losses = [1.0 / (first + n + 1) for n in range(count)]
    norms, rates = [float("nan")] * count, [0.01] * count
    observations: list[Any] = [{"step": first + 1, "hidden": [[float("nan")]]}]
    return Slice(b"network %d" % (first + count), first + count, losses, norms, rates, observations)


def trained(store: RunStore, *counts: int, visitor: str | None = None, sweep: str | None = None) -> str:
    """A run that was trained in slices of so many steps, and trains."""
    run, step = store.create(PROGRAM, visitor, sweep=sweep), 0
    store.request(run, sum(counts), 10_000)
    for count in counts:
        assert store.append(run, a_slice(step, count))
        step += count
    return run


def test_a_run_from_its_beginning_to_its_end(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 3, 110, 2)
    assert store.training() == [run]
    assert not store.append(run, a_slice(3, 110))  # a slice that came late
    assert store.append(run, at(115), validated=[{"step": 115, "loss": float("inf"), "rmse": 0.5}])
    assert store.finish(run, 115, 115)
    assert not store.finish(run, 115, 115)  # it has ended
    state = store.get(run)
    assert state is not None
    assert (state["status"], state["step"], state["requested_step"], state["program"]) == ("idle", 115, 115, PROGRAM)
    assert (state["reason"], state["best"]) == ("steps", {"step": 115, "metric": "rmse", "value": 0.5})
    assert state["validation"] == [{"step": 115, "loss": "Infinity", "rmse": 0.5}]
    history = store.history(run)
    assert history["loss"] == [1 / (n + 1) for n in range(115)]
    assert np.isnan(history["gradient_norm"]).all()
    assert store.figures(run, 112).tolist()[::2] == [[1 / 113, 1 / 114, 1 / 115], [0.01] * 3]
    assert store.observations(run, 1, 5) == [{"step": step, "hidden": [["NaN"]]} for step in (4, 114)]
    assert store.checkpoint(run, 115) == b"network 115"
    assert store.checkpoint(run, 114) == b"network 113"
    assert store.checkpoint(run, 10) is None  # 3 is too near to the start to be kept
    store.fail(run, "why")
    assert store.delete(run)
    assert store.get(run) is None
    assert store.history(run) == {"loss": [], "gradient_norm": []}
    assert not store.delete(run)


def test_only_a_training_fails(database: Engine) -> None:
    store = RunStore(database)
    run = store.create(PROGRAM)
    for end, status in ((store.pause, "paused"), (store.cancel, "idle")):
        store.request(run, 10, 100)
        assert end(run)
        store.fail(run, "an error that came after it")
        state = store.get(run)
        assert state is not None
        assert (state["status"], state["error"]) == (status, None)
    store.request(run, 10, 100)
    store.fail(run, "an error")
    state = store.get(run)
    assert state is not None
    assert (state["status"], state["error"], state["requested_step"]) == ("failed", "an error", 0)


def test_more_steps_than_a_run_may_have_are_not_asked_for(database: Engine) -> None:
    store = RunStore(database)
    run = store.create(PROGRAM)
    assert store.request(run, 10, 10) == 10
    assert store.request(run, 1, 10) is None
    assert store.request("r_none", 1, 10) is None


def test_a_visitor_keeps_the_newest_runs(database: Engine) -> None:
    store = RunStore(database)
    others = store.create(PROGRAM, "other", 3)
    nobodys = store.create(PROGRAM)
    runs = [store.create(PROGRAM, "one", 3) for _ in range(5)]
    assert [item["id"] for item in store.page("one", 100, None)[0]] == runs[:1:-1]
    assert [item["id"] for item in store.page("other", 100, None)[0]] == [others]
    assert store.page("nobody", 100, None) == ([], None)
    assert [store.get(run) is not None for run in (nobodys, *runs)] == [True, False, False, True, True, True]


def test_the_runs_of_a_visitor_by_pages(database: Engine) -> None:
    store = RunStore(database)
    runs = []
    for _ in range(3):
        runs.append(store.create(PROGRAM, "one"))
        store.create(PROGRAM, "other")
    first, cursor = store.page("one", 2, None)
    second, end = store.page("one", 2, cursor)
    assert [item["id"] for item in first + second] == runs[::-1]
    assert end is None


def test_a_run_that_trains_makes_no_room(database: Engine) -> None:
    store = RunStore(database)
    runs = [trained(store, 3, visitor="one") for _ in range(3)]
    store.pause(runs[0])
    store.finish(runs[2], 3, 3)
    for gone in (runs[2], runs[0]):  # what is held goes after what has ended
        runs.append(store.create(PROGRAM, "one", 3))
        store.request(runs[-1], 5, 10)
        assert store.get(gone) is None
    with pytest.raises(LimitError, match="3 of your runs are training, and 3 are kept in all; cancel one"):
        store.create(PROGRAM, "one", 3)
    assert [item["id"] for item in store.page("one", 9, None)[0]] == [runs[4], runs[3], runs[1]]


def test_the_oldest_idle_runs_make_room(database: Engine) -> None:
    store = RunStore(database)
    oldest, training, newer = (trained(store, 60) for _ in range(3))
    for run in (oldest, newer):
        assert store.finish(run, 60, 60)
    RunStore(database, most_bytes=2 * size_of(database, oldest)).create(PROGRAM)
    assert [store.get(run) is not None for run in (oldest, training, newer)] == [False, True, True]
    latest = RunStore(database, most_bytes=0).create(PROGRAM)
    assert [store.get(run) is not None for run in (training, newer, latest)] == [True, False, True]


def test_observations_and_losses_count(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 60)
    assert store.finish(run, 60, 60)
    RunStore(database, most_bytes=size_of(database, run)).create(PROGRAM)
    assert store.get(run) is not None
    RunStore(database, most_bytes=size_of(database, run) - 1).create(PROGRAM)
    assert store.get(run) is None


def test_who_has_most_makes_room_first(database: Engine) -> None:
    store = RunStore(database)
    theirs = trained(store, 60, visitor="other")  # the oldest of all
    mine = [trained(store, 60, visitor="one") for _ in range(4)]
    for run in (theirs, *mine):
        assert store.finish(run, 60, 60)
    size = size_of(database, theirs)
    RunStore(database, most_bytes=3 * size + size // 2).create(PROGRAM, "one")
    assert [store.get(run) is not None for run in (theirs, *mine)] == [True, False, False, True, True]
    RunStore(database, most_bytes=2 * size + size // 2).create(PROGRAM, "other")
    assert [store.get(run) is not None for run in (theirs, *mine)] == [True, False, False, False, True]


def test_the_best_of_a_search_that_goes_on_stays(database: Engine) -> None:
    store, searches = RunStore(database), SweepStore(database)
    sweep, _ = searches.create("one", {}, None, 9)
    trials = []
    for rmse in (0.5, 0.25, 0.75):
        trials.append(trained(store, 60, visitor="one", sweep=sweep))
        assert store.append(trials[-1], at(60), validated=[{"step": 60, "loss": 1.0, "rmse": rmse}])
        assert store.finish(trials[-1], 60, 60)
    RunStore(database, most_bytes=0).create(PROGRAM, "other")
    assert [store.get(run) is not None for run in trials] == [False, True, False]
    searches.end(sweep, "finished", "trials")
    RunStore(database, most_bytes=0).create(PROGRAM, "other")
    assert store.get(trials[1]) is None


def at(step: int) -> Slice:
    """No step, where the run stands."""
    return Slice(b"", step, [], [], [], [])


def size_of(database: Engine, run: str) -> int:
    """The bytes of all that is stored of a run."""
    with database.connect() as connection:
        rows = [
            row for table in (checkpoints, observations, slices) for row in connection.execute(table.select().where(table.c.run == run))
        ]
    return sum(len(row.data) for row in rows)


def test_what_is_held_or_ended_stores_nothing_more(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 3)
    store.request(run, 10, 100)
    assert store.pause(run)
    assert not store.pause(run)
    assert not store.append(run, a_slice(3, 2))
    assert not store.append(run, at(3), validated=[{"step": 3, "loss": 1.0}])
    assert store.resume(run)
    assert store.append(run, a_slice(3, 2))
    assert store.cancel(run)
    assert not store.cancel(run)
    assert not store.append(run, a_slice(5, 2))
    state = store.get(run)
    assert state is not None
    assert (state["status"], state["reason"], state["step"], state["requested_step"]) == ("idle", "cancelled", 5, 5)


def test_a_slice_that_does_not_know_an_edit_is_not_stored(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 3)
    knew = store.get(run) or {}
    store.request(run, 10, 100)
    assert store.edit(run, 0.5, 2) == {"step": 4, "lr": 0.5}
    assert store.edit(run, 0.25, 2) == {"step": 4, "lr": 0.25}  # in place of the one before
    assert not store.append(run, a_slice(3, 2), {**knew, "edits": []})
    assert store.append(run, a_slice(3, 2), {**knew, "edits": [{"step": 4, "lr": 0.25}]})
    assert store.edit(run, 0.1, 2) == {"step": 6, "lr": 0.1}
    assert store.append(run, a_slice(5, 1), {**knew, "edits": [{"step": 4, "lr": 0.25}, {"step": 6, "lr": 0.1}]})
    assert store.edit(run, 0.1, 2) is None
    assert store.edit("r_none", 0.1, 2) is None
    state = store.get(run)
    assert state is not None
    assert with_edits(state, 3) == PROGRAM
    assert with_edits(state, 5) == {**PROGRAM, "edits": [{"step": 4, "lr": 0.25}]}


def test_what_knows_other_conditions_is_not_stored_nor_is_any_of_it(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 3)
    store.request(run, 10, 100)
    knew = store.get(run) or {}
    validated = [{"step": 5, "loss": 1.0}]
    for change in ({"validate_every": 3}, {"stop": {"patience": 2}}):
        assert store.amend(run, change)
        assert not store.append(run, a_slice(3, 2), knew, validated=validated)
        assert (store.get(run) or {})["step"] == 3
        assert store.checkpoint_steps(run) == [3]
        assert store.amend(run, {key: knew[key] for key in change})
    assert store.amend(run, {"name": "another"})  # which changes nothing of what is computed
    assert store.append(run, a_slice(3, 2), knew)
    assert (store.get(run) or {})["step"] == 5


def test_a_validation_at_the_end_of_a_request_is_not_stored_where_more_was_asked_for(database: Engine) -> None:
    store = RunStore(database)
    run = store.create(PROGRAM, validate_every=10)
    store.request(run, 15, 100)
    knew = store.get(run) or {}
    store.request(run, 15, 100)
    assert store.append(
        run, a_slice(0, 15), knew, validated=[{"step": step, "loss": 1.0 / step} for step in (10, 15)], kept={10: b"network 10"}
    )
    state = store.get(run) or {}
    assert [one["step"] for one in state["validation"]] == [10]
    assert state["best"] == {"step": 10, "metric": "loss", "value": 0.1}
    assert store.checkpoint(run, 14) == b"network 10"  # that of the best
    assert store.append(run, a_slice(15, 15), state, validated=[{"step": step, "loss": 1.0 / step} for step in (20, 30)])
    again = [{"step": 30, "loss": 0.0}]  # of another server, which went on meanwhile
    assert store.append(run, at(30), validated=again)
    assert [one["step"] for one in (store.get(run) or {})["validation"]] == [10, 20, 30]
    assert (store.get(run) or {})["best"]["value"] == 1 / 30


def test_one_server_trains_a_run(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 3)
    assert store.claim(run, "one", 1000.0) is not None
    assert store.claim(run, "other", 1001.0) is None
    assert store.training("other", 1001.0) == []
    assert store.claim(run, "one", 1004.0) is not None
    assert store.claim(run, "other", 1008.0) is None
    assert store.training("other", 1010.0) == [run]
    assert store.claim(run, "other", 1010.0) is not None  # the first has not said so again
    store.release(run, "one")
    assert store.claim(run, "one", 1011.0) is None
    store.release(run, "other")
    state = store.claim(run, "one", 1011.0)
    assert state is not None
    assert state["since"] == {"step": 0, "seconds": 0.0}


def test_the_checkpoints_of_the_best_and_of_the_last_good_step_are_kept(database: Engine) -> None:
    store = RunStore(database)
    run = store.create(PROGRAM)
    store.request(run, 200, 10_000)
    store.amend(run, {"validate_every": 10})
    assert store.append(run, a_slice(0, 20), validated=[{"step": 20, "loss": 1.0, "accuracy": 0.9}])
    assert store.append(run, a_slice(20, 10), validated=[{"step": 30, "loss": 0.5, "accuracy": 0.8}])
    bad = a_slice(30, 30)
    bad.losses[-1] = float("nan")
    assert store.append(run, bad, kept={59: b"network 59"})
    state = store.get(run)
    assert state is not None
    assert (state["status"], state["reason"], state["best"]["step"]) == ("idle", "diverged", 20)
    assert [store.checkpoint(run, step) for step in (20, 58, 59, 60)] == [b"network 20", b"network 20", b"network 59", b"network 60"]


def test_a_damaged_checkpoint_is_passed_over(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 110, 60)
    damage(database, checkpoints, "data", checkpoints.c.step == 170)
    assert store.checkpoint(run, 170) == b"network 110"
    damage(database, checkpoints, "data", checkpoints.c.step == 110)
    assert store.checkpoint(run, 170) is None


def test_damaged_losses_are_told(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 60)
    damage(database, slices, "data")
    with pytest.raises(DamagedError, match=f"run {run} is damaged"):
        store.history(run)


def test_figures_are_stored_compressed_and_checkpoints_as_they_are(database: Engine) -> None:
    store = RunStore(database)
    run = store.create(PROGRAM)
    store.request(run, 5000, 5000)
    assert store.append(run, Slice(b"weights" * 1000, 5000, [1.0] * 5000, [1.0] * 5000, [0.01] * 5000, []))
    with database.connect() as connection:
        ((figures,),) = connection.execute(slices.select().with_only_columns(slices.c.data)).all()
    assert len(figures) < 1000
    assert store.history(run)["loss"] == [1.0] * 5000
    assert store.checkpoint(run, 5000) == b"weights" * 1000
