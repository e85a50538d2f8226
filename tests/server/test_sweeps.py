"""Searches for settings: what is asked for, what comes of it, and what is left of it."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from optuna.trial import TrialState

from server import limits
from server.jobs.pool import WorkerPool
from server.jobs.sweeping import Sweeper
from server.jobs.training import Trainer
from server.programs.errors import LimitError, ProgramError
from server.programs.network import normalised
from server.programs.sweep import check_space
from server.routes.sweeps import _reading
from server.schemas.network import RunProgram
from server.schemas.sweeps import SweepRequest
from server.store.database import open_database
from server.store.datasets import DatasetStore
from server.store.runs import RunStore
from server.store.sweeps import SweepStore
from server.sweeps.importance import importances
from server.sweeps.space import applied, distributions, grid
from server.sweeps.studies import Studies, ask, best_of, described, tell, unfinished
from tests.server.helpers import Start, wait_until

SWEEPS = "/api/v1/sweeps"
PROGRAM = {"task": "digits", "cell": "gru", "hidden_size": 4, "batch_size": 16}
RATES = {"lr": {"low": 0.001, "high": 0.1, "log": True}}


def body(**changes: Any) -> dict[str, Any]:
    return {"program": PROGRAM, "space": RATES, "steps": 60, "validate_every": 20, "trials": 3, "sampler": "random", **changes}


def finished(client: httpx.Client, sweep_id: str) -> dict[str, Any]:
    wait_until(lambda: client.get(f"{SWEEPS}/{sweep_id}").json()["status"] != "running")
    found: dict[str, Any] = client.get(f"{SWEEPS}/{sweep_id}").json()
    return found


def test_a_search_tries_values_and_its_best_run_opens_like_any_other(client: httpx.Client) -> None:
    made = client.post(SWEEPS, json=body(name="rates"))
    assert made.status_code == 201
    assert made.headers["Location"] == f"{SWEEPS}/{made.json()['id']}"
    sweep = finished(client, made.json()["id"])
    assert (sweep["status"], sweep["reason"], sweep["metric"], sweep["direction"]) == ("finished", "trials", "accuracy", "maximize")
    assert [trial["number"] for trial in sweep["trials"]] == [0, 1, 2]
    assert len({trial["params"]["lr"] for trial in sweep["trials"]}) == 3
    for trial in sweep["trials"]:
        run = client.get(f"/api/v1/runs/{trial['run']}").json()
        assert run["program"]["optimizer"]["lr"] == trial["params"]["lr"]
        assert run["sweep"] == sweep["id"]
        assert trial["curve"] == [[one["step"], one["accuracy"]] for one in run["validation"]]
        assert trial["value"] == run["best"]["value"]
    assert sweep["best"]["value"] == max(trial["value"] for trial in sweep["trials"])
    trace = client.get(f"/api/v1/runs/{sweep['best']['run']}/steps/60/trace", params={"example": 0})
    assert trace.status_code == 200, trace.json()
    listed = client.get("/api/v1/runs").json()["items"]
    assert sweep["best"]["run"] not in [run["id"] for run in listed]
    trials = client.get("/api/v1/runs", params={"sweep": sweep["id"]}).json()["items"]
    assert {run["id"] for run in trials} == {trial["run"] for trial in sweep["trials"]}


def test_one_seed_is_one_search(client: httpx.Client) -> None:
    asked = [client.post(SWEEPS, json=body(sampler="tpe", trials=2, steps=20, seed=5)).json()["id"] for _ in range(2)]
    one, other = (finished(client, sweep_id) for sweep_id in asked)
    assert [(trial["params"], trial["value"]) for trial in one["trials"]] == [
        (trial["params"], trial["value"]) for trial in other["trials"]
    ]


def test_a_grid_has_every_combination_once(client: httpx.Client) -> None:
    space = {"hidden_size": {"choices": [2, 3]}, "cell": {"choices": ["rnn", "gru"]}}
    made = client.post(SWEEPS, json=body(space=space, sampler="grid", steps=5, trials=50)).json()
    assert made["budget"]["trials"] == 4
    sweep = finished(client, made["id"])
    tried = {(trial["params"]["hidden_size"], trial["params"]["cell"]) for trial in sweep["trials"]}
    assert (sweep["status"], sweep["error"], len(sweep["trials"])) == ("finished", None, 4)
    assert tried == {(2, "rnn"), (2, "gru"), (3, "rnn"), (3, "gru")}


def test_cancelling_keeps_what_was_found(client: httpx.Client) -> None:
    sweep_id = client.post(SWEEPS, json=body(steps=5000, trials=50)).json()["id"]
    wait_until(lambda: any(trial["value"] is not None for trial in client.get(f"{SWEEPS}/{sweep_id}").json()["trials"]))
    assert client.post(f"{SWEEPS}/{sweep_id}/cancel").json()["status"] == "cancelled"
    run = client.get(f"{SWEEPS}/{sweep_id}").json()["trials"][-1]["run"]
    wait_until(lambda: client.get(f"/api/v1/runs/{run}").json()["status"] == "idle")
    wait_until(lambda: client.get(f"{SWEEPS}/{sweep_id}").json()["trials"][-1]["state"] != "running")
    sweep = client.get(f"{SWEEPS}/{sweep_id}").json()
    assert sweep["reason"] == "cancelled"
    assert sweep["best"]["value"] == sweep["trials"][-1]["value"]
    assert client.post(f"{SWEEPS}/{sweep_id}/cancel").json()["status"] == "cancelled"


def test_a_search_ends_when_its_time_is_over(client: httpx.Client) -> None:
    sweep = finished(client, client.post(SWEEPS, json=body(steps=10_000, trials=200, seconds=1.5)).json()["id"])
    assert (sweep["status"], sweep["reason"]) == ("finished", "seconds")
    assert {trial["state"] for trial in sweep["trials"]} <= {"pruned", "failed"}  # failed where no validation had come yet
    assert len(sweep["trials"]) < 200


def test_deleting_takes_the_runs_along(client: httpx.Client) -> None:
    sweep = finished(client, client.post(SWEEPS, json=body(trials=1, steps=5)).json()["id"])
    assert client.delete(f"{SWEEPS}/{sweep['id']}").status_code == 204
    assert client.get(f"{SWEEPS}/{sweep['id']}").status_code == 404
    assert client.get(f"/api/v1/runs/{sweep['trials'][0]['run']}").status_code == 404
    assert client.delete(f"{SWEEPS}/{sweep['id']}").status_code == 404


def test_of_a_search_that_is_deleted_on_its_way_nothing_stays(start: Start, tmp_path: Path) -> None:
    with start(data=tmp_path) as client:
        sweep_id = client.post(SWEEPS, json=body(steps=10_000)).json()["id"]
        wait_until(lambda: bool(client.get(f"{SWEEPS}/{sweep_id}").json()["trials"]))
        assert list((tmp_path / "sweeps").glob(f"{sweep_id}*"))
        assert client.delete(f"{SWEEPS}/{sweep_id}").status_code == 204
        other = client.post(SWEEPS, json=body(steps=5, trials=1)).json()["id"]
        finished(client, other)
    assert {file.name.partition(".")[0] for file in (tmp_path / "sweeps").iterdir()} == {other}


def test_a_run_that_is_made_while_its_sweep_is_deleted_goes_too(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/test.sqlite3")
    store, runs, studies = SweepStore(database), RunStore(database), Studies(database, "sqlite://", tmp_path)
    program = RunProgram.model_validate(PROGRAM).model_dump()
    about = {**body(program=program), "name": None, "pruner": "none", "seed": 1, "direction": "minimize", "grid": None, "stop": {}}
    sweep_id, _ = store.create("v", about, None, 2)
    sweep = store.get(sweep_id)
    assert sweep is not None
    study = studies.open(sweep)
    trial = ask(study, sweep)
    store.delete(sweep_id)

    async def tried() -> None:
        pool = WorkerPool(1)
        trainer = Trainer(pool, runs, 0.05)
        await Sweeper(store, studies, runs, trainer, DatasetStore(database, 1, 1.0))._try(sweep, study, trial)
        await trainer.close()
        await asyncio.to_thread(pool.close)

    asyncio.run(tried())
    assert "run" in trial.user_attrs  # it was made
    assert runs.get(trial.user_attrs["run"]) is None
    database.dispose()


def test_the_stream_tells_of_every_trial(client: httpx.Client) -> None:
    sweep_id = client.post(SWEEPS, json=body(trials=2, steps=40)).json()["id"]
    seen = []
    with client.stream("GET", f"{SWEEPS}/{sweep_id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("data: "):
                seen.append(json.loads(line[6:]))
                if seen[-1]["status"] != "running":
                    break
    now = client.get(f"{SWEEPS}/{sweep_id}").json()
    assert seen[-1] == {name: value for name, value in now.items() if name != "schema_version"}
    assert [len(state["trials"]) for state in seen] == sorted(len(state["trials"]) for state in seen)


def test_all_who_listen_are_told_of_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    async def counted(_: Any, sweep_id: str) -> bytes:
        read.append(sweep_id)
        await asyncio.sleep(0)
        return b"{}"

    monkeypatch.setattr("server.routes.sweeps._read", counted)
    sweeper = SimpleNamespace(readings={})
    sweeper.reading = partial(Sweeper.reading, sweeper)

    async def several() -> list[bytes]:
        answers = await asyncio.gather(*(_reading(SimpleNamespace(sweeper=sweeper), "s_1") for _ in range(50)))  # type: ignore[arg-type]
        await asyncio.sleep(limits.SWEEP_LOOK_SECONDS)
        assert sweeper.readings == {}, "what nobody listens to any more is kept"
        return answers

    assert asyncio.run(several()) == [b"{}"] * 50
    assert read == ["s_1"]


def test_a_trial_whose_run_failed_is_not_complete(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/test.sqlite3")
    store, studies = SweepStore(database), Studies(database, "sqlite://", tmp_path)
    about = {"space": RATES, "sampler": "random", "pruner": "none", "seed": 1, "direction": "minimize", "grid": None}
    sweep_id, _ = store.create("v", about, None, 2)
    sweep = store.get(sweep_id)
    assert sweep is not None
    study = studies.open(sweep)
    trial = ask(study, sweep)
    trial.set_user_attr("value", 0.5)
    broken = {"status": "failed", "reason": None, "error": "the worker ended", "best": {"step": 20, "metric": "loss", "value": 0.5}}
    sweeper = SimpleNamespace(runs=SimpleNamespace(get=lambda _: broken))
    Sweeper._conclude(sweeper, study, trial, "r_1")  # type: ignore[arg-type]
    (told,) = described(study)
    assert (told["state"], told["value"], told["error"]) == ("failed", 0.5, "the worker ended")
    database.dispose()


def test_a_search_goes_on_after_the_server(start: Start, tmp_path: Path) -> None:
    with start(data=tmp_path) as client:
        cookies = client.get("/healthz").cookies
        sweep_id = client.post(SWEEPS, json=body(trials=2, steps=1500)).json()["id"]
        wait_until(lambda: bool(client.get(f"{SWEEPS}/{sweep_id}").json()["trials"]))
    with start(data=tmp_path) as client:
        client.cookies.update(cookies)
        before = client.get(f"{SWEEPS}/{sweep_id}").json()
        assert before["status"] == "running"
        sweep = finished(client, sweep_id)
    assert (sweep["reason"], len(sweep["trials"])) == ("trials", 2)
    assert sweep["trials"][0]["run"] == before["trials"][0]["run"]


def test_searches_that_begin_at_the_same_moment_are_counted(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/test.sqlite3")
    store = SweepStore(engine)
    with ThreadPoolExecutor(8) as many:
        made = list(many.map(lambda _: _made(store), range(8)))
    assert sorted(made) == [False] * 5 + [True] * 3
    assert len(store.waiting("a server", time.time())) == 3
    engine.dispose()


def _made(store: SweepStore) -> bool:
    try:
        store.create("v", {}, None, 9, at_once=3)
    except LimitError:
        return False
    return True


def test_too_many_at_once_are_refused(client: httpx.Client) -> None:
    made = [client.post(SWEEPS, json=body(steps=10_000, trials=100)) for _ in range(4)]
    assert [response.status_code for response in made] == [201, 201, 201, 429]
    assert made[3].json()["limit"] == 3
    for response in made[:3]:
        client.delete(f"{SWEEPS}/{response.json()['id']}")


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({}, "at least 1"),
        ({"lr": {"low": 0.1, "high": 0.01}}, "smaller one first"),
        ({"lr": {"low": 0, "high": 0.1, "log": True}}, "above 0"),
        ({"lr": {"low": -1, "high": 0.1}}, "lr of the optimizer adamw cannot be -1"),
        ({"hidden_size": {"low": 1.5, "high": 4}}, "whole number"),
        ({"hidden_size": {"choices": [8, 8]}}, "twice"),
        ({"hidden_size": {"choices": [0]}}, "cannot be 0"),
        ({"cell": {"low": 0, "high": 1}}, "give its choices"),
        ({"cell": {"choices": ["gru", "grux"]}}, "cannot be 'grux'"),
        ({"momentum": {"low": 0, "high": 0.9}}, "momentum of the optimizer adamw"),
        ({"width": {"choices": [1]}}, "width"),
        ({"hidden_size": {"low": 4, "high": 256}, "layers": {"choices": [1, 4]}}, "parameters"),
        ({"length": {"choices": [10, 20]}}, "length"),
    ],
)
def test_spaces_that_make_no_training_are_refused_at_once(client: httpx.Client, space: dict[str, Any], words: str) -> None:
    answer = client.post(SWEEPS, json=body(space=space))
    assert answer.status_code == 422
    assert words in json.dumps(answer.json()), answer.json()


def test_values_go_to_their_places() -> None:
    program = RunProgram.model_validate(PROGRAM).model_dump()
    changed = applied(program, {"lr": 0.5, "hidden_size": 7, "optimizer": "sgd", "momentum": 0.3})
    assert changed["optimizer"] == {"name": "sgd", "lr": 0.5, "momentum": 0.3}
    assert changed["hidden_size"] == 7
    assert applied(program, {"optimizer": "adamw"})["optimizer"] == program["optimizer"]
    assert applied(program, {"weight_decay": 0.2})["optimizer"]["weight_decay"] == 0.2


def test_grids_fit_their_budget() -> None:
    asked = SweepRequest.model_validate(body(space={**RATES, "hidden_size": {"low": 1, "high": 3}}, trials=9))
    values = asked.grid()
    assert values["hidden_size"] == [1, 2, 3]
    assert values["lr"] == pytest.approx([0.001, 0.01, 0.1])
    assert grid({"layers": {"low": 1, "high": 2, "log": False}}, 5) == {"layers": [1, 2]}


def test_the_largest_network_is_checked_before_the_search() -> None:
    program = RunProgram.model_validate({"task": "digits"}).model_dump()
    with pytest.raises(LimitError, match="largest value"):
        check_space(program, {"hidden_size": {"low": 8, "high": 256, "log": False}, "layers": {"choices": [1, 4]}}, normalised)
    with pytest.raises(ProgramError, match="with length 20"):
        check_space(program, {"length": {"choices": [20]}}, normalised)


def test_importances_know_what_mattered() -> None:
    space = {"lr": {"low": 0.0, "high": 1.0, "log": False}, "seed": {"low": 0, "high": 9, "log": False}}
    trials = [{"params": {"lr": k / 20, "seed": k * 7 % 10}, "value": (k / 20) ** 2} for k in range(20)]
    found = importances(space, trials, "minimize")
    assert found is not None
    assert next(iter(found)) == "lr"
    assert found["lr"] > 0.9
    assert sum(found.values()) == pytest.approx(1)
    assert importances(space, trials[:3], "minimize") is None
    assert importances(space, [{**trial, "value": 1.0} for trial in trials], "minimize") is None


def test_studies_and_sweeps_in_every_database(database_url: str, tmp_path: Path) -> None:
    engine = open_database(database_url)
    store, studies, other = SweepStore(engine), *(Studies(engine, database_url, tmp_path) for _ in range(2))
    about = {"space": RATES, "sampler": "random", "pruner": "none", "seed": 1, "direction": "minimize", "grid": None}
    sweep_id, beyond = store.create("v", about, None, 2)
    assert beyond == []
    sweep = store.get(sweep_id)
    assert sweep is not None
    study = studies.open(sweep)
    trial = ask(study, sweep)
    trial.set_user_attr("run", "r_1")
    again = other.open(sweep)
    assert [one.number for one in unfinished(again)] == [0]
    tell(again, unfinished(again)[0], TrialState.COMPLETE, 0.25)
    trials = described(study)
    assert [(one["state"], one["value"], one["run"]) for one in trials] == [("complete", 0.25, "r_1")]
    assert best_of(trials, "minimize") == {"number": 0, "run": "r_1", "value": 0.25, "params": trials[0]["params"]}
    now = time.time()
    assert store.claim(sweep_id, "a", now)
    assert not store.claim(sweep_id, "b", now)
    assert store.waiting("b", now) == []
    assert store.waiting("b", now + 60) == [sweep_id]
    assert store.end(sweep_id, "finished", "trials")
    assert not store.claim(sweep_id, "a", now)
    for _ in range(2):
        _, beyond = store.create("v", about, None, 2)
        store.end(_, "finished", "trials")
    assert beyond == [sweep_id]
    studies.delete(sweep_id)
    studies.delete(sweep_id)
    assert store.delete(sweep_id)
    assert described(other.open(sweep)) == []
    for one in (studies, other):
        one.delete(sweep_id)
        one.close()
    engine.dispose()


def test_distributions_are_those_of_the_space() -> None:
    found = distributions({**RATES, "hidden_size": {"low": 2, "high": 8, "log": True}, "cell": {"choices": ["rnn"]}})
    assert {name: type(one).__name__ for name, one in found.items()} == {
        "lr": "FloatDistribution", "hidden_size": "IntDistribution", "cell": "CategoricalDistribution",
    }  # fmt: skip
