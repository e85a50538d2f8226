"""Heavy work: bounded, ended when nobody waits for it, and never in the way of quick work."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from engine.training import Settings, train
from server import limits
from server.jobs import training
from server.jobs.pool import WorkerPool
from server.jobs.replay import checkpoint_before
from server.jobs.work import make_trace
from server.programs.cost import step_work
from server.programs.errors import ProgramError
from server.programs.network import normalised, trace_network
from server.routes import making
from server.store.trace_file import TraceFile
from server.tasks import load
from tests.server.helpers import API, Start, create_run, expression, finished, wait_until

NETWORK = {"program": {"kind": "network", "task": "sunspots", "cell": "rnn", "hidden_size": 2, "example": 0}}


def endless(program: Mapping[str, Any], checkpoint: bytes | None, seconds: float) -> TraceFile:
    """In place of `make_trace`: of a network it takes forever."""
    if program["kind"] == "network":
        time.sleep(3600)
    return make_trace(program, checkpoint, seconds)


def endless_slice(program: Mapping[str, Any], checkpoint: bytes | None, run: Mapping[str, Any], seconds: float, mark: str) -> None:
    """In place of `advance`: it takes forever."""
    time.sleep(3600)


def deadly(program: Mapping[str, Any], checkpoint: bytes | None, seconds: float) -> TraceFile:
    """In place of `make_trace`: it ends every process that tries."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def ask(client: httpx.Client, body: object) -> socket.socket:
    """Asks for a trace and does not wait for it; closing the socket abandons it."""
    content = json.dumps(body).encode()
    head = f"POST {API}/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    connection = socket.create_connection((client.base_url.host, client.base_url.port))
    connection.sendall(head.encode() + content)
    return connection


def answered(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])


def test_quick_work_does_not_wait_and_abandoned_work_ends(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(workers=1) as client:
        monkeypatch.setattr(making, "make_trace", endless)
        waiting = [ask(client, NETWORK) for _ in range(3)]
        made = client.post(f"{API}/traces", json=expression("x**2", {"x": 3}))
        assert made.status_code == 201
        checked = client.post(f"{made.headers['location']}/nodes/x/check", json={"index": []})
        assert checked.json()["gradient"] == 6.0
        assert client.post(f"{API}/runs", json={"program": {"task": "sunspots"}}).status_code == 201
        assert not any(answered(connection) for connection in waiting)  # the only worker for networks was busy all the while
        for connection in waiting:
            connection.close()
        monkeypatch.undo()
        assert client.post(f"{API}/traces", json=NETWORK).status_code == 201


@pytest.mark.parametrize(("make", "words"), [(endless, "took longer"), (deadly, "were ended")])
def test_work_that_cannot_be_finished_says_so(start: Start, monkeypatch: pytest.MonkeyPatch, make: Any, words: str) -> None:
    with start() as client:
        monkeypatch.setattr(making, "make_trace", make)
        monkeypatch.setattr(limits, "TRACE_SECONDS", 2.0)
        response = client.post(f"{API}/traces", json=NETWORK)
        assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
        assert words in response.json()["detail"]
        assert int(response.headers["retry-after"]) > 0
        monkeypatch.undo()
        assert client.post(f"{API}/traces", json=NETWORK).status_code == 201


def test_a_step_is_refused_by_what_its_training_costs() -> None:
    """Before anything is computed: a small network may go far, a large one may not."""
    large = {"kind": "network", "cell": "lstm", "hidden_size": 256, "batch_size": 256, "optimizer": {"name": "adamw"}, "clip_norm": 1.0,
             "seed": 0, "task": "surnames", "step": limits.TRACE_STEP, "example": 0}  # fmt: skip
    with pytest.raises(ProgramError, match="ask for an earlier step, or create a run") as error:
        trace_network(large)
    assert error.value.pointer == "/program/step"
    task, small = load("surnames"), Settings(hidden_size=16, batch_size=32)
    assert step_work(task, small) * limits.TRACE_STEP < limits.TRACE_WORK
    assert step_work(task, Settings(hidden_size=16, batch_size=64)) > step_work(task, small)
    assert step_work(task, Settings(hidden_size=32, batch_size=32)) > step_work(task, small)


def test_a_past_step_is_reached_in_slices() -> None:
    program = normalised({"task": "sunspots", "cell": "rnn", "hidden_size": 3, "batch_size": 4, "seed": 7, "clip_norm": None,
                          "optimizer": {"name": "sgd"}})  # fmt: skip
    settings = Settings(**{name: value for name, value in program.items() if name not in ("task", "data")})

    async def use() -> bytes | None:
        pool = WorkerPool(1)
        try:
            assert await checkpoint_before(pool, program, 1, None, 1e-9) is None
            near = await checkpoint_before(pool, program, 4, None, 1e-9)  # a slice is one step
            return await checkpoint_before(pool, program, 7, near, 1e-9)
        finally:
            pool.close()

    assert asyncio.run(use()) == train(load("sunspots"), settings, None, 6).checkpoint


def test_a_flood_of_work_is_answered_at_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can compute in time is refused, and everything else goes on answering."""
    with start(workers=1, queue=3) as client:
        monkeypatch.setattr(making, "make_trace", endless)
        waiting = [ask(client, NETWORK) for _ in range(12)]
        assert wait_until(lambda: sum(map(answered, waiting)) == 8)  # one is computed, three wait
        refused = next(connection for connection in waiting if answered(connection)).recv(2000).decode()
        assert refused.startswith("HTTP/1.1 503 ")
        assert "retry-after: 5\r\n" in refused.lower()
        assert client.post(f"{API}/traces", json=expression("x**2", {"x": 3})).status_code == 201
        assert client.get(f"{API}/health").elapsed.total_seconds() < 5
        for connection in waiting:
            connection.close()
        monkeypatch.undo()
        assert wait_until(lambda: client.post(f"{API}/traces", json=NETWORK).status_code in (200, 201))


def test_runs_take_turns_and_traces_come_between(start: Start) -> None:
    with start(workers=1, queue=1, quick_seconds=0) as client:
        runs = [create_run(client, seed=seed) for seed in range(12)]
        for run in runs:
            assert client.post(f"{API}/runs/{run}/steps", json={"count": 5000}).status_code == 202
        wait_until(lambda: all(client.get(f"{API}/runs/{run}").json()["step"] for run in runs))
        assert client.post(f"{API}/traces", json=NETWORK).status_code in (200, 201)
        states = [client.get(f"{API}/runs/{run}").json() for run in runs]
        assert {state["status"] for state in states} == {"training"}
        for run in runs:
            client.delete(f"{API}/runs/{run}")


def test_a_film_waits_for_no_slice_of_a_training(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many trainings as workers are under way, each in a slice that never ends."""
    with start(workers=1, quick_seconds=0) as client:
        seen = create_run(client)
        client.post(f"{API}/runs/{seen}/steps", json={"count": 3})
        finished(client, seen)
        monkeypatch.setattr(training, "advance", endless_slice)
        runs = [create_run(client, seed=seed) for seed in range(3)]
        for run in runs:
            assert client.post(f"{API}/runs/{run}/steps", json={"count": 10}).status_code == 202
        wait_until(lambda: "retrograd_pool_workers_busy 1" in client.get("/metrics").text)
        assert client.get(f"{API}/runs/{seen}/steps/3/trace").status_code == 200
        assert "retrograd_pool_workers_busy 1" in client.get("/metrics").text
        for run in runs:
            client.delete(f"{API}/runs/{run}")
