"""Landscapes over HTTP: their grid, their paths, their end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import create_engine, update

from engine.training import Settings, evaluate, train
from engine.training.checkpoint import restore
from engine.training.landscape import vector
from server import limits
from server.jobs.landscapes import Landscape, Landscapes
from server.store.tables import checkpoints
from server.tasks import load
from tests.server.helpers import API, Start, create_run, finished, wait_until


def trained(client: httpx.Client, steps: int, **more: Any) -> str:
    run = create_run(client, **more)
    client.post(f"{API}/runs/{run}/steps", json={"count": steps}).raise_for_status()
    finished(client, run)
    return run


def computed(client: httpx.Client, **body: Any) -> dict[str, Any]:
    response = client.post(f"{API}/landscapes", json=body)
    assert response.status_code in (200, 202), response.text
    address = response.headers["location"]

    def done() -> dict[str, Any] | None:
        state: dict[str, Any] = client.get(address).json()
        return state if state["status"] == "done" else None

    return wait_until(done)


def test_the_middle_of_the_map_is_the_runs_network(client: httpx.Client) -> None:
    run = trained(client, 20)
    asked = {"directions": {"kind": "random"}, "resolution": 5, "span": 1.0, "part": "validation", "examples": 20}
    found = computed(client, runs=[run], **asked)
    assert (found["done"], found["points"], found["examples"], found["part"]) == (25, 25, 20, "validation")
    assert found["seconds_left"] is None
    assert found["x"] == found["y"] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    task, settings = load("sunspots"), Settings(cell="rnn", hidden_size=3, batch_size=4, seed=7)
    checkpoint = train(task, settings, None, 20).checkpoint
    expected = evaluate(task, settings, checkpoint, "validation", 20)["loss"]
    loss = np.array(found["loss"])
    assert loss.shape == (5, 5)
    assert loss[2, 2] == pytest.approx(expected, rel=1e-12)
    assert np.unique(loss).size == 25
    (path,) = found["paths"]
    assert (path["run"], path["steps"][0], path["steps"][-1]) == (run, 0, 20)
    assert (path["x"][-1], path["y"][-1]) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
    assert path["loss"][-1] == pytest.approx(expected, rel=1e-12)
    assert path["loss"][0] == pytest.approx(evaluate(task, settings, None, "validation", 20)["loss"], rel=1e-12)
    assert 0 < path["in_plane"] < 1


def test_the_main_directions_hold_the_ways(client: httpx.Client) -> None:
    one, other = trained(client, 60), trained(client, 60, optimizer={"name": "sgd", "lr": 0.1})
    found = computed(client, runs=[one, other], resolution=3, examples=8)
    directions = found["directions"]
    assert (directions["kind"], directions["names"]) == ("pca", ["PC 1", "PC 2"])
    first, second = directions["explained"]
    assert 1 > first > second > 0
    assert first + second > 0.9
    task = load("sunspots")
    settings = [
        Settings(cell="rnn", hidden_size=3, batch_size=4, seed=7, optimizer=o) for o in ({"name": "adamw"}, {"name": "sgd", "lr": 0.1})
    ]
    middle = vector(restore(task, settings[0], train(task, settings[0], None, 60).checkpoint).model)
    for path, own in zip(found["paths"], settings, strict=True):
        assert (path["steps"][0], path["steps"][-1], len(path["steps"])) == (0, 60, 13)  # as many as give the way its shape
        for x, y in zip(path["x"], path["y"], strict=True):
            assert found["x"][0] < x < found["x"][-1]
            assert found["y"][0] < y < found["y"][-1]
        # a place is as far from the middle as the network itself, but for what leads out of the plane
        half = vector(restore(task, own, train(task, own, None, path["steps"][6]).checkpoint).model)
        far = np.hypot(path["x"][6], path["y"][6])
        assert 0.8 * np.linalg.norm(half - middle) < far <= np.linalg.norm(half - middle) * (1 + 1e-9)
        assert path["in_plane"] > 0.9


def test_a_way_of_one_step_spans_no_plane(client: httpx.Client) -> None:
    run = trained(client, 1)
    assert computed(client, runs=[run], resolution=2, examples=2)["directions"]["kind"] == "random"
    refused = client.post(f"{API}/landscapes", json={"runs": [run], "resolution": 2, "examples": 2, "directions": {"kind": "pca"}})
    assert refused.status_code == 422
    assert "on one line" in refused.json()["detail"]


def test_a_map_outlives_its_server(start: Start, tmp_path: Path) -> None:
    with start(data=tmp_path, quick_seconds=0) as client:
        run = trained(client, 30)
        done = computed(client, runs=[run], resolution=3, examples=8)
        under_way = client.post(f"{API}/landscapes", json={"runs": [run], "resolution": 41, "examples": 256}).json()
        assert under_way["status"] == "computing"
    with start(data=tmp_path) as client:
        address = f"{API}/landscapes/{under_way['id']}"
        assert client.get(address).json()["status"] == "computing"
        assert client.get(f"{API}/landscapes/{done['id']}").json() == done
        assert client.get(f"{API}/landscapes/{done['id']}/figure").status_code == 200
        client.post(f"{API}/runs/{run}/steps", json={"count": 30}).raise_for_status()  # the map is of what was there
        finished(client, run)
        again = wait_until(lambda: (lambda now: now if now["status"] == "done" else None)(client.get(address).json()))
        assert again["paths"][0]["steps"] == done["paths"][0]["steps"]
        assert again["paths"][0]["x"] == pytest.approx(done["paths"][0]["x"])
        assert np.array(again["loss"]).shape == (41, 41)
        client.delete(f"{API}/runs/{run}")
        assert client.get(address).json() == again


def test_of_servers_of_one_database_one_computes_a_map(start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Landscapes] = []
    original = Landscapes.start

    def counted(self: Landscapes, *arguments: Any) -> Landscape:
        begun.append(self)
        return original(self, *arguments)

    monkeypatch.setattr(Landscapes, "start", counted)
    asked = {"resolution": 41, "examples": 512}

    def read(client: httpx.Client, address: str) -> dict[str, Any]:
        state: dict[str, Any] = client.get(address).raise_for_status().json()
        return state

    with start(database_url=database_url, quick_seconds=0) as other:
        with start(database_url=database_url, quick_seconds=0) as one:
            run = trained(one, 5, task="adding-50", hidden_size=16)
            deleted = one.post(f"{API}/landscapes", json={"runs": [run], **asked}).headers["location"]
            wait_until(lambda: read(other, deleted)["done"])  # it tells how far the first has come
            assert other.delete(deleted).status_code == 204
            wait_until(lambda: "retrograd_pool_workers_busy 0.0" in one.get("/metrics").text)  # which then ends
            assert len(begun) == 1
            address = one.post(f"{API}/landscapes", json={"runs": [run], **asked, "resolution": 21}).headers["location"]
            state = read(other, address)
            assert (state["status"], state["points"], len(begun)) == ("computing", 441, 2)
        assert read(other, address)["status"] == "computing"  # the one that stopped leaves it to the next that is asked
        assert len(begun) == 3
        assert begun[2] is not begun[1]
        done = wait_until(lambda: (lambda now: now if now["status"] == "done" else None)(read(other, address)))
        assert (done["done"], np.array(done["loss"]).shape, len(begun)) == (441, (21, 21), 3)


def test_a_damaged_network_is_trained_again(start: Start, tmp_path: Path) -> None:
    asked = {"resolution": 2, "examples": 2, "directions": {"kind": "random"}}
    with start(data=tmp_path) as client:
        run = trained(client, 120)
        whole = computed(client, runs=[run], **asked)
        engine = create_engine(f"sqlite:///{tmp_path}/retrograd.sqlite3")
        with engine.begin() as connection:
            connection.execute(update(checkpoints).where(checkpoints.c.step == 120).values(data=b"x"))
        engine.dispose()
        again = computed(client, runs=[run], **asked)
    assert (again["paths"], again["loss"]) == (whole["paths"], whole["loss"])


def test_a_map_about_a_network_that_diverged_is_refused(client: httpx.Client) -> None:
    run = trained(client, 60, optimizer={"name": "sgd", "lr": 1000.0}, clip_norm=None)
    refused = client.post(f"{API}/landscapes", json={"runs": [run], "resolution": 2, "examples": 2})
    assert (refused.status_code, "not finite" in refused.json()["detail"]) == (422, True)


def test_of_large_networks_fewer_are_taken(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(client, 200)
    asked = {"runs": [run], "resolution": 2, "examples": 2}
    assert len(computed(client, **asked)["paths"][0]["steps"]) > 3
    monkeypatch.setattr(limits, "LANDSCAPE_BYTES", 1)
    (path,) = computed(client, **asked)["paths"]
    assert (len(path["steps"]), path["steps"][0], path["steps"][-1]) == (3, 0, 200)


def test_two_numbers_are_the_axes(client: httpx.Client) -> None:
    one, other = trained(client, 10), trained(client, 10, optimizer={"name": "sgd", "lr": 0.1})
    a, b = {"name": "head.weight", "index": [0, 1]}, {"name": "head.bias", "index": [0]}
    found = computed(client, runs=[one, other], directions={"kind": "parameters", "a": a, "b": b}, resolution=7)
    assert found["directions"]["names"] == ["head.weight[0, 1]", "head.bias[0]"]
    task = load("sunspots")
    for path, optimizer in zip(found["paths"], ({"name": "adamw"}, {"name": "sgd", "lr": 0.1}), strict=True):
        settings = Settings(cell="rnn", hidden_size=3, batch_size=4, seed=7, optimizer=optimizer)
        for checkpoint, place in ((None, 0), (train(task, settings, None, 10).checkpoint, -1)):
            head = restore(task, settings, checkpoint).model.head
            assert (path["x"][place], path["y"][place]) == pytest.approx((head.weight.data[0, 1], head.bias.data[0]), rel=1e-9)  # type: ignore[index]
        for name in ("x", "y"):
            assert found[name][0] < min(path[name])
            assert found[name][-1] > max(path[name])  # the map holds the ways


def test_the_figure(client: httpx.Client) -> None:
    run = trained(client, 5)
    found = computed(client, runs=[run], resolution=3, examples=8)
    figure = client.get(f"{API}/landscapes/{found['id']}/figure").json()
    assert [trace["type"] for trace in figure["data"]] == ["contour", "scatter"]
    assert figure["data"][0]["z"] == [[pytest.approx(np.log10(value)) for value in row] for row in found["loss"]]
    assert figure["data"][1]["name"] == run
    for name, share in zip(("xaxis", "yaxis"), found["directions"]["explained"], strict=True):
        assert f"({100 * share:.3g} %)" in figure["layout"][name]["title"]["text"]
    chinese = client.get(f"{API}/landscapes/{found['id']}/figure", params={"lang": "zh"}).json()
    assert "平面" in chinese["layout"]["annotations"][0]["text"]


def test_one_that_takes_long_is_polled_for_and_ended(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = trained(client, 5, task="adding-50", hidden_size=16)
        response = client.post(f"{API}/landscapes", json={"runs": [run], "resolution": 41, "examples": 512})
        assert (response.status_code, response.json()["status"]) == (202, "computing")
        address = response.headers["location"]
        assert client.get(f"{address}/figure").status_code == 409
        state = wait_until(lambda: (lambda now: now if now["done"] else None)(client.get(address).json()))
        assert 0 < state["done"] < state["points"] == 41**2
        assert state["seconds_left"] > 0
        assert state["loss"] is None
        assert client.delete(address).status_code == 204
        assert client.get(address).status_code == 404
        assert client.delete(address).status_code == 404
        assert computed(client, runs=[run], resolution=2, examples=2)["done"] == 4  # the worker is free for others


def test_maps_that_there_are_not(client: httpx.Client) -> None:
    run, larger = trained(client, 1), trained(client, 1, hidden_size=4)
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"runs": [run, larger]}, 422, "differ in hidden_size"),
        ({"runs": []}, 422, ""),
        ({"runs": [run, run]}, 422, "twice"),
        ({"runs": ["r_0"]}, 404, "no such run"),
        ({"runs": [run], "resolution": 42}, 422, ""),
        ({"runs": [run], "examples": 513}, 422, ""),
        ({"runs": [run], "part": "test"}, 422, ""),
    ]
    weight = {"name": "head.weight", "index": [0, 0]}
    for directions, words in (
        ({"a": weight, "b": weight}, "no plane"), ({"a": weight, "b": {"name": "head.weight", "index": [0, 3]}}, "no element"),
        ({"a": weight, "b": {"name": "tail", "index": [0]}}, "no parameter tail"),
    ):  # fmt: skip
        wrong.append(({"runs": [run], "directions": {"kind": "parameters", **directions}}, 422, words))
    for body, status, words in wrong:
        response = client.post(f"{API}/landscapes", json=body)
        if response.status_code == 202:  # it was still being laid out
            address = response.headers["location"]
            assert words in wait_until(lambda where=address: client.get(where).json()["error"])  # type: ignore[misc]
            continue
        assert response.status_code == status, body
        assert words in response.text
        if "directions" in body:
            assert response.json()["errors"][0]["pointer"] == "/directions"


def test_the_confusion_figure(client: httpx.Client) -> None:
    run = trained(client, 5, task="surnames")
    figure = client.get(f"{API}/runs/{run}/figures/confusion", params={"lang": "zh"}).json()
    scores = client.get(f"{API}/runs/{run}/metrics").json()["metrics"]["classification"]
    (heat,) = figure["data"]
    assert heat["text"] == scores["confusion"]
    counts = np.array(scores["confusion"])
    assert np.array(heat["z"]) == pytest.approx(counts / counts.sum(axis=1, keepdims=True))
    assert figure["layout"]["xaxis"]["ticktext"] == [one["title"]["zh"] for one in scores["classes"]]
    assert figure["layout"]["yaxis"]["title"]["text"] == "目标"
    regression = trained(client, 1)
    assert client.get(f"{API}/runs/{regression}/figures/confusion").status_code == 422
