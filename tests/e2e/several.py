"""Runs and searches of the visitor whose browser it is, for tests of what shows several of them."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page

SECONDS = 120  # for a few small trainings on a busy machine


def _answer(page: Page, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    address = f"{page.url.partition('#')[0].rstrip('/')}/api/v1{path}"
    response = page.request.get(address) if body is None else page.request.post(address, data=body)
    assert response.ok, response.text()
    return dict(response.json())


def trained(page: Page, steps: int = 60, **program: Any) -> str:
    """A new run of small networks on images of digits, trained so many steps; its id."""
    whole = {"task": "digits", "cell": "gru", "hidden_size": 6, "batch_size": 8, **program}
    run: str = _answer(page, "/runs", {"program": whole, "validate_every": 20})["id"]
    if steps:
        _answer(page, f"/runs/{run}/steps", {"count": steps})
        _wait(page, f"/runs/{run}", "training")
    return run


def searched(page: Page, trials: int = 4) -> str:
    """A search that has ended; its id."""
    space = {"lr": {"low": 0.001, "high": 0.1, "log": True}, "cell": {"choices": ["gru", "rnn"]}}
    program = {"task": "digits", "hidden_size": 4, "batch_size": 8}
    sweep: str = _answer(page, "/sweeps", {"program": program, "space": space, "trials": trials, "steps": 20, "pruner": "none"})["id"]
    _wait(page, f"/sweeps/{sweep}", "running")
    return sweep


def _wait(page: Page, path: str, under_way: str) -> None:
    deadline = time.monotonic() + SECONDS
    while _answer(page, path)["status"] == under_way:
        assert time.monotonic() < deadline, f"{path} is still {under_way} after {SECONDS} s"
        time.sleep(0.1)
