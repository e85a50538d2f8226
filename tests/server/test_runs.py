"""Runs over HTTP: trained in workers, stored, replayed, deleted."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from engine.trace import Document
from server.store.runs import RunStore
from server.tasks import load
from tests.server.helpers import API, Start, create_run, finished, wait_until


def test_a_run_is_created_with_its_defaults(client: httpx.Client) -> None:
    response = client.post(f"{API}/runs", json={"program": {"task": "surnames"}})
    assert response.status_code == 201
    run = response.json()
    assert response.headers["location"] == f"{API}/runs/{run['id']}"
    assert client.get(response.headers["location"]).json() == run
    assert (run["status"], run["step"], run["history"]) == ("idle", 0, {"loss": [], "gradient_norm": []})
    assert run["program"]["optimizer"]["betas"] == [0.9, 0.999]
    assert "history" not in client.get(f"{API}/runs", params={"limit": 1}).json()["items"][0]


def test_few_steps_answer_at_once(start: Start) -> None:
    with start(quick_seconds=30) as client:
        run = create_run(client)
        response = client.post(f"{API}/runs/{run}/steps", json={"count": 2})
        assert response.status_code == 200
        assert response.json()["step"] == response.json()["requested_step"] == 2
        assert client.post(f"{API}/runs/{run}/steps", json={"count": 1}).json()["step"] == 3
        assert [entry["step"] for entry in client.get(f"{API}/runs/{run}").json()["validation"]] == [2, 3]


def test_many_steps_are_polled_for_and_can_be_added_to(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        response = client.post(f"{API}/runs/{run}/steps", json={"count": 200})
        assert response.status_code == 202
        assert (response.json()["status"], response.json()["requested_step"]) == ("training", 200)
        assert client.post(f"{API}/runs/{run}/steps", json={"count": 50}).json()["requested_step"] == 250
        state = finished(client, run)
        assert (state["status"], state["step"]) == ("idle", 250)
        assert len(state["history"]["loss"]) == len(state["history"]["gradient_norm"]) == 250
        assert state["validation"][-1]["step"] == 250
        assert state["validation"][-1]["rmse"] > 0
        assert np.mean(state["history"]["loss"][-50:]) < np.mean(state["history"]["loss"][:50])


def test_the_result_does_not_depend_on_how_it_was_asked_for(client: httpx.Client) -> None:
    histories = []
    for counts in ([60], [1, 9, 50]):
        run = create_run(client)
        for count in counts:
            client.post(f"{API}/runs/{run}/steps", json={"count": count})
            finished(client, run)
        histories.append(client.get(f"{API}/runs/{run}").json()["history"])
    assert histories[0] == histories[1]


def test_any_past_step_is_replayed(client: httpx.Client) -> None:
    run = create_run(client, clip_norm=0.05)
    for count in (70, 60):
        client.post(f"{API}/runs/{run}/steps", json={"count": count})
        history = finished(client, run)["history"]
    for k in (1, 64, 130):
        first, second = (client.get(f"{API}/runs/{run}/steps/{k}/trace") for _ in range(2))
        assert first.status_code == 200
        assert first.content == second.content
        document = Document(first.json())
        assert document.doc["program"]["step"] == k
        assert float(document.value(document.loss)) == pytest.approx(history["loss"][k - 1], abs=1e-10, rel=0)
        assert client.get(first.headers["content-location"]).content == first.content
    alone = client.get(f"{API}/runs/{run}/steps/130/trace", params={"example": 5}).json()
    assert [example["index"] for example in alone["batch"]["examples"]] == [5]
    assert client.get(f"{API}/runs/{run}/steps/130/trace", params={"example": 10**6}).status_code == 422
    assert client.get(f"{API}/runs/{run}/steps/131/trace").status_code == 404
    assert client.get(f"{API}/runs/{run}/steps/0/trace").status_code == 422


def test_a_run_that_diverges_ends_and_still_answers(client: httpx.Client) -> None:
    run = create_run(client, optimizer={"name": "sgd", "lr": 1000.0}, clip_norm=None)
    client.post(f"{API}/runs/{run}/steps", json={"count": 60})
    state = finished(client, run)
    assert (state["status"], state["reason"]) == ("idle", "diverged")
    losses = state["history"]["loss"]
    assert 1 < state["step"] == state["requested_step"] == len(losses) < 60
    assert [isinstance(loss, str) for loss in losses] == [False] * (len(losses) - 1) + [True]
    refused = client.post(f"{API}/runs/{run}/steps", json={"count": 1})
    assert refused.status_code == 422
    assert "lower learning rate" in refused.json()["detail"]
    figure = client.get(f"{API}/runs/{run}/figures/loss").json()
    assert None in figure["data"][0]["y"]
    (annotation,) = figure["layout"]["annotations"]
    assert "no finite loss" in annotation["text"]
    assert client.get(f"{API}/runs/{run}/steps/{len(losses)}/trace").status_code == 200


def test_the_loss_figure(client: httpx.Client) -> None:
    run = create_run(client)
    assert client.get(f"{API}/runs/{run}/figures/loss").status_code == 200  # before any step
    client.post(f"{API}/runs/{run}/steps", json={"count": 40})
    finished(client, run)
    figure = client.get(f"{API}/runs/{run}/figures/loss").json()
    assert [trace["name"] for trace in figure["data"]] == ["each step", "smoothed", "validation"]
    assert figure["data"][2]["x"] == [40]
    assert "template" not in figure["layout"]
    chinese = client.get(f"{API}/runs/{run}/figures/loss", params={"lang": "zh"}).json()
    assert chinese["layout"]["yaxis"]["title"]["text"] == "损失"


def test_a_deleted_run_is_gone_though_it_was_training(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        client.post(f"{API}/runs/{run}/steps", json={"count": 10_000})
        assert client.delete(f"{API}/runs/{run}").status_code == 204
        assert client.get(f"{API}/runs/{run}").status_code == 404
        assert client.delete(f"{API}/runs/{run}").status_code == 404
        other = create_run(client)  # and the worker is free for others
        client.post(f"{API}/runs/{other}/steps", json={"count": 1})
        assert finished(client, other)["step"] == 1


def test_requests_beyond_the_limits(client: httpx.Client) -> None:
    run = create_run(client)
    for count in (0, 10_001, "many"):
        assert client.post(f"{API}/runs/{run}/steps", json={"count": count}).status_code == 422
    assert client.get(f"{API}/runs/{run}").json()["requested_step"] == 0


def test_steps_that_follow_a_deletion_are_of_no_run(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RunStore.request

    def deleted_before(self: RunStore, run_id: str, *more: Any) -> int | None:
        self.delete(run_id)
        return request(self, run_id, *more)

    with start() as client:
        run = create_run(client)
        monkeypatch.setattr(RunStore, "request", deleted_before)
        assert client.post(f"{API}/runs/{run}/steps", json={"count": 1}).status_code == 404


def test_a_run_of_other_data_can_be_read_but_not_computed(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        run = create_run(client)
        assert client.get(f"{API}/runs/{run}").json()["program"]["data"] == load("sunspots").data_version
        client.post(f"{API}/runs/{run}/steps", json={"count": 3})
        before = finished(client, run)
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            program = json.dumps({**before["program"], "data": "0123456789abcdef"})
            database.execute("UPDATE runs SET program = ?", (program,))
        for response in (client.post(f"{API}/runs/{run}/steps", json={"count": 1}), client.get(f"{API}/runs/{run}/steps/2/trace")):
            assert response.status_code == 422
            assert "have changed" in response.json()["detail"]
        state = client.get(f"{API}/runs/{run}").json()
        assert (state["status"], state["history"]) == ("idle", before["history"])
        assert client.get(f"{API}/runs/{run}/figures/loss").status_code == 200
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            database.execute("UPDATE runs SET status = 'training', requested_step = 9")
    with start(tmp_path) as client:  # it goes on with a training that it cannot do
        state = finished(client, run)
        assert (state["status"], state["step"]) == ("failed", 3)
        assert "have changed" in state["error"]


def test_runs_survive_a_restart_and_go_on_training(start: Start, tmp_path: Path) -> None:
    with start(tmp_path, quick_seconds=0) as client:
        run, other = create_run(client), create_run(client, seed=8)
        client.post(f"{API}/runs/{run}/steps", json={"count": 30})
        before = finished(client, run)
        client.post(f"{API}/runs/{other}/steps", json={"count": 4000})
        stopped = wait_until(lambda: client.get(f"{API}/runs/{other}").json()["step"])
    assert stopped < 4000
    with start(tmp_path, quick_seconds=0) as client:
        assert client.get(f"{API}/runs/{run}").json() == before
        assert client.get(f"{API}/runs/{run}/steps/30/trace").status_code == 200
        state = finished(client, other)
        assert (state["status"], state["step"], len(state["history"]["loss"])) == ("idle", 4000, 4000)


def test_killed_workers_leave_no_mark(start: Start) -> None:
    others = {process.pid for process in multiprocessing.active_children()}
    with start(quick_seconds=0) as client:
        undisturbed, disturbed = create_run(client), create_run(client)
        client.post(f"{API}/runs/{undisturbed}/steps", json={"count": 1500})
        expected = finished(client, undisturbed)
        client.post(f"{API}/runs/{disturbed}/steps", json={"count": 1500})
        wait_until(lambda: client.get(f"{API}/runs/{disturbed}").json()["step"])
        assert _kill_all_but(others) > 0
        state = finished(client, disturbed)
        assert state["error"] is None
        for key in ("status", "step", "history", "validation"):
            assert state[key] == expected[key]
        assert _kill_all_but(others) > 0  # idle now
        assert client.get(f"{API}/runs/{disturbed}/steps/9/trace").status_code == 200


def _kill_all_but(others: set[int | None]) -> int:
    """Kills the workers that this test started; how many there were."""
    pids = [process.pid for process in multiprocessing.active_children() if process.pid not in others]
    for pid in pids:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    return len(pids)
