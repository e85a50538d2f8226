"""Figures, mistakes and the test of runs over HTTP, and the evaluation behind them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from engine.trace import Document
from engine.training import Part, Settings, evaluate, predictions, train
from server.encoding import dumps
from server.evaluation.kept import KeptEvaluations
from server.evaluation.part import evaluate_part
from server.programs.network import settings_of
from server.store.runs import RunStore
from server.store.tested import ResultStore, in_short
from server.tasks import NAMES, load
from server.tasks.copy_memory import COPIED
from tests.server.helpers import API, Start, create_run, finished

SURNAMES = {"task": "surnames", "cell": "gru", "hidden_size": 6, "batch_size": 16, "seed": 3}


def trained(client: httpx.Client, steps: int, **program: Any) -> str:
    run = create_run(client, **program)
    client.post(f"{API}/runs/{run}/steps", json={"count": steps}).raise_for_status()
    finished(client, run)
    return run


@pytest.fixture(scope="module")
def surnames(client: httpx.Client) -> str:
    return trained(client, 30, **SURNAMES)


def test_the_figures_of_a_classification(client: httpx.Client, surnames: str) -> None:
    answer = client.get(f"{API}/runs/{surnames}/metrics", params={"step": "last"}).json()
    assert (answer["run"], answer["part"], answer["step"]) == (surnames, "validation", 30)
    found = answer["metrics"]
    (validation,) = (entry for entry in client.get(f"{API}/runs/{surnames}").json()["validation"] if entry["step"] == 30)
    assert (found["loss"], found["accuracy"]) == (validation["loss"], validation["accuracy"])  # to the last bit
    confusion = np.array(found["classification"]["confusion"])
    assert confusion.sum() == found["examples"] == found["predictions"] == load("surnames").size("validation")
    assert np.trace(confusion) / confusion.sum() == pytest.approx(found["accuracy"], rel=1e-14)
    assert [one["title"]["en"] for one in found["classification"]["classes"]] == [title.en for title in load("surnames").classes or ()]
    assert (found["regression"], found["nonfinite"]) == (None, 0)
    train_part = client.get(f"{API}/runs/{surnames}/metrics", params={"step": 30, "part": "train"}).json()["metrics"]
    assert train_part["examples"] == load("surnames").size("train")
    untrained = client.get(f"{API}/runs/{surnames}/metrics", params={"step": 0}).json()
    assert (untrained["step"], untrained["metrics"]["loss"] > found["loss"]) == (0, True)


def test_the_figures_are_those_of_scikit_learn_on_the_predictions() -> None:
    task, settings = load("surnames"), Settings(hidden_size=6, batch_size=16, seed=3)
    checkpoint = train(task, settings, None, 30).checkpoint
    made, found = predictions(task, settings, checkpoint, "validation"), evaluate_part(task, settings, checkpoint, "validation").metrics
    predicted = made.outputs.argmax(axis=1)
    assert found["accuracy"] == sklearn_metrics.accuracy_score(made.targets, predicted)
    assert found["loss"] == pytest.approx(sklearn_metrics.log_loss(made.targets, _softmax(made.outputs), labels=range(11)), rel=1e-12)
    for name, measure in (("precision", "precision_score"), ("recall", "recall_score"), ("f1", "f1_score")):
        expected = getattr(sklearn_metrics, measure)(made.targets, predicted, average="macro", zero_division=0)
        assert found["classification"]["macro"][name] == pytest.approx(expected, rel=1e-14)


def test_the_figures_of_a_forecast_stand_beside_the_naive_one() -> None:
    task, settings = load("sunspots"), Settings(hidden_size=4, seed=1)
    checkpoint = train(task, settings, None, 20).checkpoint
    made, found = predictions(task, settings, checkpoint, "test"), evaluate_part(task, settings, checkpoint, "test").metrics
    assert found["rmse"] == evaluate(task, settings, checkpoint, "test")["rmse"]
    assert found["regression"]["rmse"] == pytest.approx(sklearn_metrics.root_mean_squared_error(made.targets, made.outputs), rel=1e-12)
    assert found["regression"]["mae"] == pytest.approx(sklearn_metrics.mean_absolute_error(made.targets, made.outputs), rel=1e-14)
    part = task.parts["test"]
    last = np.abs(part.targets - part.inputs)
    assert found["regression"]["naive"] == {
        "name": "last_value", "rmse": pytest.approx((last**2).mean() ** 0.5), "mae": pytest.approx(last.mean()),
    }  # fmt: skip
    assert found["predictions"] == found["examples"] * 20
    on_validation = evaluate_part(task, settings, checkpoint, "validation").metrics
    assert on_validation["regression"]["naive"]["rmse"] == pytest.approx(task.baseline.value, rel=1e-14)


def test_the_mean_is_naive_where_there_is_no_last_value() -> None:
    task, settings = load("adding"), Settings(hidden_size=4)
    found = evaluate_part(task, settings, None, "validation").metrics["regression"]["naive"]
    assert (found["name"], found["rmse"]) == ("mean", pytest.approx(task.baseline.value, rel=1e-14))


def test_mistakes_come_worst_first_and_page_by_page(client: httpx.Client, surnames: str) -> None:
    address, step = f"{API}/runs/{surnames}/mistakes", {"step": "last"}
    response = client.get(address, params={**step, "limit": 100})
    page = response.json()
    found = client.get(f"{API}/runs/{surnames}/metrics", params=step).json()["metrics"]
    assert page["wrong"] == found["examples"] - round(found["accuracy"] * found["examples"])
    assert 'rel="next"' in response.headers["link"]
    items, cursor = page["items"], page["next"]
    while cursor is not None:
        page = client.get(address, params={**step, "limit": 100, "after": cursor}).json()
        items, cursor = items + page["items"], page["next"]
    assert len(items) == len({item["index"] for item in items}) == page["wrong"]
    losses = [item["loss"] for item in items]
    assert losses == sorted(losses, reverse=True)
    first = items[0]
    assert first["target"] != first["prediction"]
    assert first["p"] > first["p_target"]
    assert first["loss"] == pytest.approx(-np.log(first["p_target"]))
    assert len(page["classes"]) == 11
    names = client.get(f"{API}/tasks/surnames/examples", params={"part": "validation", "limit": 100}).json()["items"]
    assert all(item["text"] == names[item["index"]]["text"] for item in items if item["index"] < 100)


def test_every_example_of_a_regression_has_its_error(client: httpx.Client) -> None:
    run = trained(client, 5)
    page = client.get(f"{API}/runs/{run}/mistakes").json()
    task = load("sunspots")
    assert page["wrong"] == page["examples"] == task.size("validation")
    assert (page["classes"], page["next"]) == (None, None)
    for item in page["items"]:
        target, prediction = np.array(item["target"]), np.array(item["prediction"])
        assert target.tolist() == task.parts["validation"].targets[item["index"]].tolist()
        assert item["loss"] == pytest.approx(np.square(target - prediction).mean())
        assert item["p"] is item["p_target"] is None


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_mistake_opens_as_a_film(client: httpx.Client, surnames: str, part: str) -> None:
    (item, *_) = client.get(f"{API}/runs/{surnames}/mistakes", params={"part": part, "step": "last"}).json()["items"]
    film = Document(client.get(f"{API}/runs/{surnames}/steps/31/trace", params={"example": item["index"], "part": part}).json())
    (example,) = film.doc["batch"]["examples"]
    assert (example["text"], example["target"]) == (item["text"], item["target"])
    assert float(film.value(film.loss)) == pytest.approx(item["loss"])  # the network after step 30 was judged
    assert client.get(f"{API}/runs/{surnames}/steps/32/trace", params={"example": item["index"], "part": part}).status_code == 404


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_film_of_a_mistake_is_without_dropout_as_the_list_is(client: httpx.Client, part: Part) -> None:
    program = {**SURNAMES, "layers": 2, "bidirectional": True, "dropout": 0.4}
    run = trained(client, 12, **program)
    if part == "validation":
        items = client.get(f"{API}/runs/{run}/mistakes", params={"part": part, "step": "last"}).json()["items"][:4]
    else:  # no list of them is given out
        task, settings = settings_of(program)
        items = evaluate_part(task, settings, train(task, settings, None, 12).checkpoint, part).mistakes[:4]
    for item in items:
        film = Document(client.get(f"{API}/runs/{run}/steps/13/trace", params={"example": item["index"], "part": part}).json())
        assert float(film.value(film.loss)) == pytest.approx(item["loss"], rel=1e-6)
        *_, shown = (node for node in film.nodes if node["label"] == "p" and node["scope"].startswith("predict/t="))
        p = np.ravel(film.value(shown["id"]))
        assert (int(p.argmax()), p.max(), p[item["target"]]) == (
            item["prediction"], pytest.approx(item["p"], rel=1e-6), pytest.approx(item["p_target"], rel=1e-6),
        )  # fmt: skip
        assert "dropout" not in {node["op"] for node in film.nodes}


def test_the_film_of_a_training_example_has_the_dropout_of_its_step(client: httpx.Client) -> None:
    run = trained(client, 5, **{**SURNAMES, "batch_size": 1, "dropout": 0.4})
    (example,) = client.get(f"{API}/runs/{run}/steps/4").json()["examples"]
    film = Document(client.get(f"{API}/runs/{run}/steps/4/trace", params={"example": example["index"]}).json())
    assert "dropout" in {node["op"] for node in film.nodes}
    assert float(film.value(film.loss)) == pytest.approx(client.get(f"{API}/runs/{run}/history").json()["loss"][3], rel=1e-6)


def test_the_best_step_is_that_of_the_best_validation(client: httpx.Client) -> None:
    run = create_run(client, **SURNAMES, optimizer={"name": "adamw", "lr": 0.1})
    for count in (30, 30, 30):
        client.post(f"{API}/runs/{run}/steps", json={"count": count}).raise_for_status()
        state = finished(client, run)
    best = state["best"]
    answer = client.get(f"{API}/runs/{run}/metrics").json()
    assert (answer["step"], answer["metrics"]["accuracy"]) == (best["step"], best["value"])
    assert best["value"] == max(entry["accuracy"] for entry in state["validation"])
    assert client.get(f"{API}/runs/{run}/mistakes").json()["step"] == best["step"]


@pytest.mark.parametrize("name", NAMES)
def test_every_task_has_figures_and_mistakes(name: str) -> None:
    task, settings = load(name), Settings(cell="rnn", hidden_size=3)
    found = evaluate_part(task, settings, None, "test")
    figures = evaluate(task, settings, None, "test")
    assert {key: found.metrics[key] for key in figures} == figures
    assert found.metrics["examples"] == task.size("test")
    if task.kind == "classification":
        assert np.sum(found.metrics["classification"]["confusion"]) == found.metrics["predictions"]
        assert len(found.classes or ()) == task.output_size
    else:
        assert found.metrics["regression"]["naive"]["rmse"] > 0
    if task.kind == "classification" and task.readout == "every":
        assert found.metrics["perplexity"] == pytest.approx(np.exp(found.metrics["loss"]))
        worst = found.mistakes[0]
        assert len(worst["target"]) == len(worst["prediction"]) == len(worst["p"]) == worst["length"]
        assert worst["loss"] == pytest.approx(-np.log(worst["p_target"]).mean())
    assert found.wrong >= len(found.mistakes) > 0


def test_the_test_is_shown_once(start: Start) -> None:
    with start() as client:
        run = create_run(client)
        early = client.post(f"{API}/runs/{run}/test", json={})
        assert (early.status_code, "no step" in early.json()["detail"]) == (409, True)
        assert client.get(f"{API}/runs/{run}/test").status_code == 404
        client.post(f"{API}/runs/{run}/steps", json={"count": 10})
        assert finished(client, run)["tested"] is None
        first = client.post(f"{API}/runs/{run}/test", json={"step": 4})
        assert first.status_code == 201
        result = first.json()
        assert (result["part"], result["step"], result["reached"], result["steps_since"]) == ("test", 4, 10, 0)
        task, settings = load("sunspots"), Settings(cell="rnn", hidden_size=3, batch_size=4, seed=7)
        expected = evaluate(task, settings, train(task, settings, None, 4).checkpoint, "test")
        assert (result["metrics"]["loss"], result["metrics"]["rmse"]) == (expected["loss"], expected["rmse"])
        again = client.post(f"{API}/runs/{run}/test", json={"step": 9})
        assert (again.status_code, again.json()) == (200, result)
        client.post(f"{API}/runs/{run}/steps", json={"count": 5})
        state = finished(client, run)
        assert state["tested"]["step"] == 4
        assert (state["tested"]["reached"], state["step"]) == (10, 15)
        assert state["tested"]["metrics"].keys() == {"loss", "rmse", "mae"}
        assert client.get(f"{API}/runs", params={"limit": 1}).json()["items"][0]["tested"] == state["tested"]
        later = client.get(f"{API}/runs/{run}/test").json()
        assert later == {**result, "steps_since": 5}
        assert client.post(f"{API}/runs/{run}/test", json={}).json() == later


def test_no_test_while_a_run_trains(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        client.post(f"{API}/runs/{run}/steps", json={"count": 10_000})
        response = client.post(f"{API}/runs/{run}/test", json={})
        assert (response.status_code, "is training" in response.json()["detail"]) == (409, True)
        assert client.get(f"{API}/runs/{run}/test").status_code == 404
        client.delete(f"{API}/runs/{run}")


def test_of_two_results_the_first_stays(tmp_path: Path) -> None:
    from server.store.database import open_database

    engine = open_database(f"sqlite:///{tmp_path}/test.sqlite3")
    runs, results = RunStore(engine), ResultStore(engine)
    run = runs.create({"task": "adding"})
    metrics = {"loss": 1.0, "classification": None, "regression": {"mae": float("nan")}}
    first = results.put(run, 3, 5, metrics)
    assert first is not None
    assert results.put(run, 4, 6, {**metrics, "loss": 0.5}) == first
    assert first["metrics"] == {**metrics, "regression": {"mae": "NaN"}}
    runs.delete(run)
    assert results.get(run) is None
    assert results.put(run, 3, 5, metrics) is None
    engine.dispose()


def test_a_network_that_diverged_has_figures_without_numbers(client: httpx.Client) -> None:
    run = trained(client, 60, optimizer={"name": "sgd", "lr": 1000.0}, clip_norm=None)
    found = client.get(f"{API}/runs/{run}/metrics", params={"step": "last"}).json()["metrics"]
    assert (found["loss"], found["regression"]["mae"]) == ("NaN", "NaN")
    assert found["nonfinite"] == found["predictions"]
    assert found["regression"]["naive"]["rmse"] > 0
    assert client.get(f"{API}/runs/{run}/mistakes", params={"step": "last"}).json()["items"][0]["loss"] == "NaN"


def test_steps_that_there_are_not(client: httpx.Client, surnames: str) -> None:
    for resource in ("metrics", "mistakes"):
        assert client.get(f"{API}/runs/{surnames}/{resource}", params={"step": 31}).status_code == 404
        assert client.get(f"{API}/runs/{surnames}/{resource}", params={"step": -1}).status_code == 422
        assert client.get(f"{API}/runs/{surnames}/{resource}", params={"part": "test"}).status_code == 422
        assert client.get(f"{API}/runs/r_0/{resource}").status_code == 404
    assert client.post(f"{API}/runs/r_0/test", json={}).status_code == 404
    assert client.post(f"{API}/runs/{surnames}/test", json={"step": 31}).status_code == 404


def test_figures_of_other_data_are_refused(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        run = trained(client, 2)
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            database.execute("UPDATE runs SET program = replace(program, ?, '0123456789abcdef')", (load("sunspots").data_version,))
        for response in (client.get(f"{API}/runs/{run}/metrics"), client.post(f"{API}/runs/{run}/test", json={})):
            assert (response.status_code, "have changed" in response.json()["detail"]) == (422, True)


def test_copy_memory_is_judged_by_what_it_recalls() -> None:
    task, settings = load("copy-memory", 10), Settings(hidden_size=4)
    checkpoint = train(task, settings, None, 30).checkpoint
    metrics = evaluate_part(task, settings, checkpoint, "validation").metrics
    made = predictions(task, settings, checkpoint, "validation")
    right = (made.outputs.argmax(axis=1) == made.targets).reshape(-1, 10)
    assert metrics["recalled"] == right[:, -COPIED:].mean() < metrics["accuracy"] == right.mean()
    assert "recalled" in (in_short({"metrics": metrics}) or {})["metrics"]
    assert "recalled" not in evaluate_part(load("names"), Settings(hidden_size=2), None, "validation").metrics


def test_the_latest_evaluations_are_kept() -> None:
    kept = KeptEvaluations(most=2)
    task, settings = load("sunspots"), Settings(hidden_size=2)
    one, two, three = (evaluate_part(task, settings, None, "validation") for _ in range(3))
    kept.put("r", "train", 1, one)
    kept.put("r", "train", 2, two)
    assert kept.get("r", "train", 1) is one  # asked for, so it stays
    kept.put("r", "train", 3, three)
    assert (kept.get("r", "train", 2), kept.get("r", "train", 1), kept.get("r", "train", 3)) == (None, one, three)


def test_evaluations_are_kept_up_to_their_bytes() -> None:
    task, settings = load("surnames"), Settings(hidden_size=2)
    some = evaluate_part(task, settings, None, "validation")
    assert some.size == len(dumps([some.metrics, some.mistakes, some.classes]))
    kept = KeptEvaluations(most_bytes=2 * some.size)
    for step in (1, 2, 2, 3):  # one that is put twice counts once
        kept.put("r", "train", step, some)
    assert [kept.get("r", "train", step) is not None for step in (1, 2, 3)] == [False, True, True]
    kept.put("r", "train", 4, replace(some, size=2 * some.size + 1))  # larger than all that is kept
    assert [kept.get("r", "train", step) for step in (2, 3, 4)] == [None, None, None]
    kept.put("r", "train", 5, some)
    assert kept.get("r", "train", 5) is some


def _softmax(logits: Any) -> Any:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
