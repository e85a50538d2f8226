"""Runs in SQLite and in Postgres."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from engine.training import Slice
from server.store.blobs import DamagedError
from server.store.runs import RunStore
from server.store.tables import checkpoints, slices
from tests.server.test_store import damage

PROGRAM = {"task": "sunspots", "seed": 1}


def a_slice(first: int, count: int) -> Slice:
    losses = [1.0 / (first + n + 1) for n in range(count)]
    return Slice(step=first + count, losses=losses, gradient_norms=[float("nan")] * count, checkpoint=b"network %d" % (first + count))


def trained(store: RunStore, *counts: int) -> str:
    """A run that was trained in slices of so many steps."""
    run, step = store.create(PROGRAM), 0
    store.request(run, sum(counts), 10_000)
    for count in counts:
        assert store.append(run, a_slice(step, count))
        step += count
    return run


def test_a_run_from_its_beginning_to_its_end(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 3, 60, 2)
    assert store.training() == [run]
    assert not store.append(run, a_slice(3, 60))  # a slice that came late
    assert store.finish(run, 65, {"loss": float("inf"), "rmse": 0.5})
    state = store.get(run)
    assert state is not None
    assert (state["status"], state["step"], state["requested_step"], state["program"]) == ("idle", 65, 65, PROGRAM)
    assert state["validation"] == [{"step": 65, "loss": "Infinity", "rmse": 0.5}]
    history = store.history(run)
    assert history["loss"] == [1 / (n + 1) for n in range(65)]
    assert np.isnan(history["gradient_norm"]).all()
    assert store.checkpoint(run, 65) == b"network 65"
    assert store.checkpoint(run, 64) == b"network 63"
    assert store.checkpoint(run, 10) is None  # 3 is too near to the start to be kept
    store.fail(run, "why")
    assert store.delete(run)
    assert store.get(run) is None
    assert store.history(run) == {"loss": [], "gradient_norm": []}
    assert not store.delete(run)


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


def test_the_oldest_idle_runs_make_room(database: Engine) -> None:
    store = RunStore(database)
    oldest, training, newer = (trained(store, 60) for _ in range(3))
    for run in (oldest, newer):
        assert store.finish(run, 60, {"loss": 1.0})
    with database.connect() as connection:
        size = len(connection.execute(checkpoints.select().where(checkpoints.c.run == oldest)).one().data)
    RunStore(database, most_bytes=2 * size).create(PROGRAM)
    assert [store.get(run) is not None for run in (oldest, training, newer)] == [False, True, True]
    latest = RunStore(database, most_bytes=0).create(PROGRAM)
    assert [store.get(run) is not None for run in (training, newer, latest)] == [True, False, True]


def test_a_damaged_checkpoint_is_passed_over(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 60, 60)
    damage(database, checkpoints, "data", checkpoints.c.step == 120)
    assert store.checkpoint(run, 120) == b"network 60"
    damage(database, checkpoints, "data", checkpoints.c.step == 60)
    assert store.checkpoint(run, 120) is None


def test_damaged_losses_are_told(database: Engine) -> None:
    store = RunStore(database)
    run = trained(store, 60)
    damage(database, slices, "data")
    with pytest.raises(DamagedError, match=f"run {run} is damaged"):
        store.history(run)


def test_what_is_stored_is_compressed(database: Engine) -> None:
    store = RunStore(database)
    run = store.create(PROGRAM)
    store.request(run, 1, 10)
    figures: dict[str, Any] = {"losses": [1.0], "gradient_norms": [1.0]}
    assert store.append(run, Slice(step=1, checkpoint=b"0" * 100_000, **figures))
    with database.connect() as connection:
        (size,) = connection.execute(checkpoints.select().with_only_columns(checkpoints.c.data)).scalars()
    assert len(size) < 1000
    assert store.checkpoint(run, 1) == b"0" * 100_000
