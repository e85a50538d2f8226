"""What a person does to a training: held, ended, changed on the way, ended by conditions; and what fate does to it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.training import train
from server.jobs.run_work import Stretch, advance
from server.jobs.stopping import better, reason_to_stop, score, steps_to_validation, usual_interval
from server.jobs.turns import Turns
from server.programs.network import settings_of
from tests.e2e.browser import Service
from tests.server.helpers import API, Start, create_run, finished, wait_until

ROOT = Path(__file__).resolve().parents[2]


def state_of(client: httpx.Client, run: str) -> dict[str, Any]:
    state: dict[str, Any] = client.get(f"{API}/runs/{run}").json()
    return state


def ask(client: httpx.Client, run: str, what: str, body: Any = None) -> dict[str, Any]:
    response = client.post(f"{API}/runs/{run}/{what}", json=body) if body else client.post(f"{API}/runs/{run}/{what}")
    assert response.is_success, response.text
    answer: dict[str, Any] = response.json()
    return answer


def trained(client: httpx.Client, run: str, steps: int) -> dict[str, Any]:
    ask(client, run, "steps", {"count": steps})
    return finished(client, run)


def test_a_run_that_is_held_stands_still_and_goes_on_as_if_nothing_had_been(start: Start) -> None:
    with start(quick_seconds=0) as client:
        undisturbed = trained(client, create_run(client), 900)
        run = create_run(client)
        ask(client, run, "steps", {"count": 900})
        wait_until(lambda: state_of(client, run)["step"])
        held = ask(client, run, "pause")
        assert (held["status"], held["reason"], held["seconds_left"]) == ("paused", None, None)
        time.sleep(0.6)
        assert state_of(client, run)["step"] == held["step"]
        assert ask(client, run, "pause")["status"] == "paused"  # once more changes nothing
        assert ask(client, run, "resume")["status"] == "training"
        state = finished(client, run)
        for key in ("history", "validation", "best", "reason", "step"):
            assert state[key] == undisturbed[key]
        assert ask(client, run, "resume")["status"] == "idle"
        for verb in ("pause", "resume", "cancel"):
            assert client.post(f"{API}/runs/r_0/{verb}").status_code == 404


def test_a_run_that_is_ended_keeps_what_it_has(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        ask(client, run, "steps", {"count": 10_000})
        wait_until(lambda: state_of(client, run)["step"])
        ended = ask(client, run, "cancel")
        assert (ended["status"], ended["reason"]) == ("idle", "cancelled")
        assert 0 < ended["step"] == ended["requested_step"] < 10_000
        assert ask(client, run, "cancel") == ended  # once more changes nothing
        again = trained(client, run, 5)
        assert (again["step"], again["reason"], len(again["history"]["loss"])) == (ended["step"] + 5, "steps", ended["step"] + 5)
        held = create_run(client)
        ask(client, held, "steps", {"count": 10_000})
        ask(client, held, "pause")
        assert ask(client, held, "cancel")["reason"] == "cancelled"


@pytest.mark.parametrize("then", ["validation", "more"])
@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_work_ends_within_a_second_also_a_long_validation(start: Start, monkeypatch: pytest.MonkeyPatch, verb: str, then: str) -> None:
    """What is computed ahead of what is stored is no exception. A busy machine has several tries: none is in time where it is not ended."""
    monkeypatch.setattr("server.jobs.training.advance", _slow if then == "more" else _endless_after_the_first)
    monkeypatch.setattr("server.jobs.training.go_on", _endless)  # what a worker is given before it has done the first
    with start(quick_seconds=0, workers=2 if then == "more" else 1) as client:
        tries = []
        while not tries or (max(tries[-1]) >= 1 and len(tries) < 5):
            run = client.post(f"{API}/runs", json={"program": {"task": "adding"}, "validate_every": 1}).json()["id"]
            ask(client, run, "steps", {"count": 5})
            step = wait_until(lambda run=run: state_of(client, run)["step"])  # type: ignore[misc]
            time.sleep(0.5)  # it validates, for ever
            workers = {process.pid for process in multiprocessing.active_children()}
            began = time.monotonic()
            assert ask(client, run, verb)["status"] != "training"
            told = time.monotonic() - began
            wait_until(lambda: "retrograd_pool_workers_busy 0.0" in client.get("/metrics").text)
            tries.append((told, time.monotonic() - began))
            wait_until(lambda before=workers: before - {process.pid for process in multiprocessing.active_children()})  # type: ignore[misc]
            assert state_of(client, run)["step"] == step
        assert max(tries[-1]) < 1, tries
        other = client.post(f"{API}/runs", json={"program": {"task": "adding"}}).json()["id"]
        assert trained(client, other, 1)["step"] == 1  # by the only worker there is for trainings


def _endless_after_the_first(program: dict[str, Any], checkpoint: bytes | None, run: dict[str, Any], seconds: float, mark: str) -> Stretch:
    """In place of `advance`: one step, after which it takes forever."""
    if checkpoint is not None:
        time.sleep(600)
    return advance(program, checkpoint, {**run, "requested_step": 1}, seconds, mark)


def _slow(program: dict[str, Any], checkpoint: bytes | None, run: dict[str, Any], seconds: float, mark: str) -> Stretch:
    """In place of `advance`: one step, in which there is time for more to be given."""
    time.sleep(0.2)
    return advance(program, checkpoint, {**run, "requested_step": run["step"] + 1}, seconds, mark)


def _endless(program: dict[str, Any], before: str, seconds: float, mark: str) -> None:
    """In place of `go_on`."""
    time.sleep(600)


def test_another_rate_resets_nothing_and_every_replay_knows_it(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        trained(client, run, 70)
        assert ask(client, run, "edits", {"lr": 0.002}) == {"schema_version": 1, "step": 71, "lr": 0.002}
        state = trained(client, run, 60)
        assert state["edits"] == [{"step": 71, "lr": 0.002}]
        rates = client.get(f"{API}/runs/{run}/history", params={"columns": ["lr", "loss"]}).json()
        assert rates["lr"] == [0.01] * 70 + [0.002] * 60
        assert rates["loss"] == state["history"]["loss"]
        task, settings = settings_of({**state["program"], "edits": state["edits"]})
        assert train(task, settings, None, 130).losses == state["history"]["loss"]  # in one go, bit for bit
        early, late = (client.get(f"{API}/runs/{run}/steps/{k}/trace").json()["program"] for k in (70, 125))
        assert "edits" not in early
        assert late["edits"] == state["edits"]
        fork = client.post(f"{API}/runs", json={"program": {**state["program"], "edits": state["edits"]}}).json()
        assert (fork["edits"], "edits" in fork["program"]) == (state["edits"], False)
        assert trained(client, fork["id"], 130)["history"] == state["history"]


def test_a_rate_is_changed_while_it_trains(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        ask(client, run, "steps", {"count": 1500})
        wait_until(lambda: state_of(client, run)["step"])
        edits = []
        for lr in (0.005, 0.02):
            edits.append(ask(client, run, "edits", {"lr": lr})["step"])
            ask(client, run, "steps", {"count": 500})  # a fast machine may be through with the others
            wait_until(lambda: state_of(client, run)["step"] >= edits[-1])
        state = finished(client, run)
        task, settings = settings_of({**state["program"], "edits": state["edits"]})
        assert train(task, settings, None, state["step"]).losses == state["history"]["loss"]
        assert [edit["step"] for edit in state["edits"]] == edits
        for wrong in ({"lr": 0}, {"lr": "fast"}, {"lr": -1}, {}):
            assert client.post(f"{API}/runs/{run}/edits", json=wrong).status_code == 422


def ending(client: httpx.Client, stop: dict[str, Any], count: int, **more: Any) -> dict[str, Any]:
    program = {"task": "sunspots", "cell": "rnn", "hidden_size": 3, "batch_size": 4, "seed": 7}
    run = client.post(f"{API}/runs", json={"program": program, "stop": stop, **more}).json()["id"]
    return trained(client, run, count)


def test_conditions_end_a_training(start: Start) -> None:
    with start(quick_seconds=0) as client:
        by_steps = ending(client, {"steps": 40}, 100)
        assert (by_steps["reason"], by_steps["step"], by_steps["requested_step"]) == ("steps", 40, 40)
        refused = client.post(f"{API}/runs/{by_steps['id']}/steps", json={"count": 1})
        assert refused.status_code == 422
        assert client.patch(f"{API}/runs/{by_steps['id']}", json={"stop": {}}).json()["stop"]["steps"] is None
        assert trained(client, by_steps["id"], 5)["step"] == 45
        by_patience = ending(client, {"patience": 2, "min_delta": 1e6}, 5000, validate_every=20)
        assert (by_patience["reason"], by_patience["step"]) == ("patience", 60)
        assert [entry["step"] for entry in by_patience["validation"]] == [20, 40, 60]
        best = min(by_patience["validation"], key=lambda entry: entry["rmse"])
        assert by_patience["best"] == {"step": best["step"], "metric": "rmse", "value": best["rmse"]}
        assert trained(client, by_patience["id"], 5000)["step"] == 120  # the patience begins anew
        by_target = ending(client, {"target": 1e6}, 5000, validate_every=30)
        assert (by_target["reason"], by_target["step"]) == ("target", 30)
        by_seconds = ending(client, {"seconds": 0.3}, 10_000)
        assert by_seconds["reason"] == "seconds"
        assert 0.3 <= by_seconds["seconds"] < 3
        assert by_seconds["validation"][-1]["step"] == by_seconds["step"] == by_seconds["requested_step"]


def test_a_run_says_how_fast_it_is_and_how_long_it_takes(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        ask(client, run, "steps", {"count": 10_000})
        state = wait_until(lambda: (told := state_of(client, run))["steps_per_second"] and told)
        assert state["seconds_left"] == pytest.approx((10_000 - state["step"]) / state["steps_per_second"])
        assert state["seconds"] > 0
        ask(client, run, "cancel")


def test_a_run_has_a_name(client: httpx.Client) -> None:
    run = client.post(f"{API}/runs", json={"program": {"task": "adding"}, "name": " 第一个 "}).json()
    assert run["name"] == "第一个"
    place = f"{API}/runs/{run['id']}"
    assert client.patch(place, json={"name": "small rate"}).json()["name"] == "small rate"
    assert client.patch(place, json={}).json()["name"] == "small rate"
    assert client.patch(place, json={"name": None}).json()["name"] is None
    for wrong in ({"name": ""}, {"name": " "}, {"name": "a\nb"}, {"name": "x" * 101}, {"step": 3}, {"stop": {"min_delta": 1}}):
        assert client.patch(place, json=wrong).status_code == 422
    assert client.patch(f"{API}/runs/r_0", json={"name": "none"}).status_code == 404


def test_neither_a_killed_worker_nor_a_killed_server_changes_a_number(tmp_path: Path) -> None:
    """A worker is killed in the middle of a slice, then the server, both with -9; the run ends as one that nobody touched."""
    data = tmp_path / "data"
    data.mkdir()
    service = Service(data, (sys.executable, "-m", "server"), tmp_path, {**os.environ, "PYTHONPATH": str(ROOT)})
    service.start()
    try:
        client = httpx.Client(base_url=service.url, timeout=60, trust_env=False)
        body = {"program": {"task": "surnames", "hidden_size": 8, "dropout": 0.2, "layers": 2}, "stop": {"patience": 50}}
        runs = [client.post(f"{API}/runs", json=body).json()["id"] for _ in range(2)]
        expected = trained(client, runs[0], 600)
        ask(client, runs[1], "steps", {"count": 600})
        wait_until(lambda: state_of(client, runs[1])["step"])
        for pid in workers_of(service.pid):
            os.kill(pid, signal.SIGKILL)
        before = state_of(client, runs[1])["step"]
        wait_until(lambda: state_of(client, runs[1])["step"] > before)
        children = workers_of(service.pid)
        service.stop(kill=True)
        client.close()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
        service.start()
        with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
            interrupted = state_of(client, runs[1])
            assert interrupted["status"] == "training"
            assert interrupted["step"] < 600
            state = finished(client, runs[1])
            last = [client.get(f"{API}/runs/{run}/observations", params={"after": 500}).json() for run in runs]
            films = [client.get(f"{API}/runs/{run}/steps/550/trace", params={"example": 3}).json()["id"] for run in runs]
        for key in ("status", "reason", "step", "history", "validation", "best"):
            assert state[key] == expected[key], key
        assert last[0] == last[1]
        assert films[0] == films[1]
    finally:
        service.stop()


def workers_of(pid: int) -> list[int]:
    """The processes that a server computes in, started by multiprocessing's spawn."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_servers_of_one_database_train_a_run_once(start: Start, database_url: str) -> None:
    with start(database_url=database_url, quick_seconds=0) as one, start(database_url=database_url, quick_seconds=0) as other:
        run = create_run(one)
        for client in (one, other, one, other):
            ask(client, run, "steps", {"count": 200})
        state = finished(other, run)
        assert (state["step"], len(state["history"]["loss"])) == (800, 800)
        task, settings = settings_of(state["program"])
        assert train(task, settings, None, 800).losses == state["history"]["loss"]
        assert state["seconds"] > 0
        ask(one, run, "steps", {"count": 10_000})
        wait_until(lambda: state_of(one, run)["step"] > 800)
        assert ask(other, run, "cancel")["status"] == "idle"  # by whom it does not train


def test_a_visitor_with_many_runs_leaves_others_their_share() -> None:
    order: list[str] = []

    async def work(turns: Turns, visitor: str, times: int) -> None:
        for _ in range(times):
            async with turns.of(visitor):
                order.append(visitor)
                await asyncio.sleep(0.002)

    async def use() -> None:
        turns = Turns(2)
        await asyncio.gather(*(work(turns, "many", 10) for _ in range(8)), work(turns, "one", 20))
        assert turns._free == 2

    asyncio.run(use())
    assert order.count("one") == 20
    last = len(order) - order[::-1].index("one")
    assert order[:last].count("many") <= 44  # the one had every third turn, though there are eight against it


def test_a_turn_that_nobody_waits_for_any_more_is_another_s() -> None:
    async def use() -> None:
        turns, entered = Turns(1), []

        async def enter(name: str) -> None:
            async with turns.of(name):
                entered.append(name)

        async with turns.of("first"):
            waiting = [asyncio.create_task(enter(name)) for name in ("gone", "stays")]
            await asyncio.sleep(0)
            waiting[0].cancel()
        await waiting[1]
        assert entered == ["stays"]
        assert turns._free == 1

    asyncio.run(use())


def run_at(step: int, requested: int, validation: list[dict[str, Any]], **stop: Any) -> dict[str, Any]:
    conditions = {"steps": None, "patience": None, "min_delta": None, "target": None, "seconds": None, **stop}
    since = {"step": 0, "seconds": 0.0}
    about = {"step": step, "requested_step": requested, "validation": validation, "validate_every": 10}
    return {**about, "stop": conditions, "since": since, "seconds": 1.0}


def test_why_a_training_ends() -> None:
    falling = [{"step": 10 * k, "loss": 1.0, "accuracy": 0.9 - 0.1 * k} for k in range(1, 5)]
    assert reason_to_stop(run_at(40, 100, falling)) is None
    assert reason_to_stop(run_at(40, 100, falling, patience=3)) == "patience"
    assert reason_to_stop(run_at(40, 100, falling, patience=4)) is None
    assert reason_to_stop(run_at(40, 100, falling, target=0.8)) == "target"
    assert reason_to_stop(run_at(40, 100, falling, target=0.9)) is None
    assert reason_to_stop(run_at(40, 100, falling, seconds=0.5)) == "seconds"
    assert reason_to_stop(run_at(40, 40, falling, patience=3)) == "steps"
    assert reason_to_stop(run_at(40, 100, falling, steps=40)) == "steps"
    between = [*falling[:1], {"step": 13, "loss": 1.0, "accuracy": 0.0}, {"step": 17, "loss": 1.0, "accuracy": 0.0}]
    assert reason_to_stop(run_at(17, 100, between, patience=1)) is None  # those at the end of a request do not count
    assert steps_to_validation(run_at(17, 100, [])) == 3
    assert steps_to_validation(run_at(20, 24, [])) == 4


def test_what_a_validation_is_judged_by() -> None:
    assert score({"loss": 1.0, "accuracy": 0.5}) == ("accuracy", 0.5)
    assert score({"loss": 1.0, "accuracy": 0.5, "perplexity": 2.7}) == ("perplexity", 2.7)
    best = better(None, 10, {"loss": 1.0, "rmse": "NaN"})
    assert best is None
    best = better(best, 20, {"loss": 1.0, "rmse": 2.0})
    assert best == {"step": 20, "metric": "rmse", "value": 2.0}
    assert better(best, 30, {"loss": 1.0, "rmse": 2.0}) == best  # the earlier of equals
    assert better(best, 30, {"loss": 1.0, "rmse": "Infinity"}) == best
    assert better(best, 30, {"loss": 1.0, "rmse": 1.0}) == {"step": 30, "metric": "rmse", "value": 1.0}
    assert [usual_interval(size, 32) for size in (100, 3436, 100_000, 10)] == [50, 107, 500, 50]
    assert score({"loss": 2.0}) == ("loss", 2.0)
