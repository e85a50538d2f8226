"""Truncated back-propagation through time, from a request to what is said of its gradients."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.helpers import API

PROGRAM: dict[str, Any] = {
    "kind": "network", "task": "sunspots", "cell": "lstm", "hidden_size": 3, "batch_size": 4, "seed": 2, "step": 2,
    "example": 1, "truncation": 5,
}  # fmt: skip


def post(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post(f"{API}/traces", json={"program": {**PROGRAM, **changes}})


def test_no_loss_reaches_back_over_a_border(client: httpx.Client) -> None:
    trace = post(client).raise_for_status().json()
    assert trace["program"]["truncation"] == 5
    itemised = client.get(f"{API}/traces/{trace['id']}/bptt", params={"row": 0}).raise_for_status().json()
    for state in ("h", "c"):
        for t, row in enumerate(itemised["loss_norms"][state], 1):
            for s, norm in enumerate(row[:t], 1):
                together = (t - 1) // 5 == (s - 1) // 5
                assert (norm > 0) == together, (state, t, s)
    assert itemised["jacobian_norms"][5][4] == 0
    assert itemised["jacobian_norms"][4][0] > 0


def test_a_gradient_is_checked_as_it_is_truncated(client: httpx.Client) -> None:
    trace = post(client).raise_for_status().json()
    for index in ([0, 0], [7, 2]):
        answer = client.post(f"{API}/traces/{trace['id']}/nodes/rnn.weight_hh_l0/check", json={"index": index}).raise_for_status().json()
        assert abs(answer["difference"]) < 1e-8


def test_without_truncation_a_trace_keeps_its_name(client: httpx.Client) -> None:
    plain = {name: value for name, value in PROGRAM.items() if name != "truncation"}
    one = client.post(f"{API}/traces", json={"program": plain}).raise_for_status().json()
    other = post(client, truncation=None).raise_for_status().json()
    assert one["id"] == other["id"]
    assert "truncation" not in one["program"]
    assert one["id"] != post(client).json()["id"]


@pytest.mark.parametrize(("changes", "words"), [({"truncation": 0}, "at least 1"), ({"bidirectional": True}, "forward alone")])
def test_what_cannot_be_truncated_is_said(client: httpx.Client, changes: dict[str, Any], words: str) -> None:
    answer = post(client, **changes)
    assert answer.status_code == 422
    assert words in answer.text


def test_a_run_is_trained_with_it(client: httpx.Client) -> None:
    program = {name: PROGRAM[name] for name in ("task", "cell", "hidden_size", "batch_size", "seed", "truncation")}
    run = client.post(f"{API}/runs", json={"program": program}).raise_for_status().json()
    assert run["program"]["truncation"] == 5
