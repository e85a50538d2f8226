"""What the tests of the server share."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import httpx

Start = Callable[..., AbstractContextManager[httpx.Client]]  # the fixture `start`
T = TypeVar("T")
API = "/api/v1"
PATIENCE = 120.0  # seconds after which a condition that never comes true ends the test


def wait_until(condition: Callable[[], T | None]) -> T:
    """The condition's first true result."""
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.05)
    return result


def finished(client: httpx.Client, run: str) -> dict[str, Any]:
    """The run, once it no longer trains."""

    def ended() -> dict[str, Any] | None:
        state: dict[str, Any] = client.get(f"{API}/runs/{run}").json()
        return None if state["status"] == "training" else state

    return wait_until(ended)


def create_run(client: httpx.Client, **program: Any) -> str:
    """The id of a new run of a small, quick network unless told otherwise."""
    small = {"task": "sunspots", "cell": "rnn", "hidden_size": 3, "batch_size": 4, "seed": 7}
    response = client.post(f"{API}/runs", json={"program": {**small, **program}})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def expression(text: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body that asks for the trace of an expression."""
    return {"program": {"kind": "expression", "expression": text, "inputs": inputs, **more}}
