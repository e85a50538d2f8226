"""Itemised back-propagation through time over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from engine.trace import Document, itemise
from engine.trace.arena import decode
from tests.server.helpers import API, expression


@pytest.fixture(scope="module")
def network(client: httpx.Client) -> dict[str, Any]:
    """A step of an LSTM whose read-out is at every step, on a batch of two windows."""
    program = {"kind": "network", "task": "sunspots", "cell": "lstm", "hidden_size": 3, "batch_size": 2}
    response = client.post(f"{API}/traces", json={"program": program})
    assert response.status_code in (200, 201), response.text
    doc: dict[str, Any] = response.json()
    return doc


def test_the_answer_is_what_the_engine_says_of_the_stored_trace(client: httpx.Client, network: dict[str, Any]) -> None:
    path = f"{API}/traces/{network['id']}/bptt"
    assert client.get(path).json() == {"schema_version": 1, **itemise(Document(network))}
    answer = client.get(path, params={"row": 1}).json()
    assert answer == {"schema_version": 1, **itemise(Document(network), 1)}
    assert (answer["row"], answer["jacobian_row"], answer["cell"], answer["states"]) == (1, 1, "lstm", ["h", "c"])
    assert np.shape(answer["loss_norms"]["h"]) == (20, 20)
    assert all(answer["loss_norms"]["h"][t][s] > 0 for t in range(20) for s in range(t + 1))  # the loss reads every step


@pytest.mark.parametrize("name", ["rnn.weight_hh_l0", "4"])
def test_the_uses_of_one_parameter_come_with_their_arrays(client: httpx.Client, network: dict[str, Any], name: str) -> None:
    answer = client.get(f"{API}/traces/{network['id']}/bptt", params={"parameter": name}).json()
    (about,) = answer["parameters"]
    document = Document(network)
    total = decode(about["terms"][0]["array"])
    for term in about["terms"][1:]:
        total = total + decode(term["array"])
    np.testing.assert_array_equal(total, document.gradient(about["node"]))
    assert about["path"] == document.node(name)["path"] == "rnn.weight_hh_l0"


def test_one_recurrence_of_several_is_itemised(client: httpx.Client) -> None:
    program = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 3, "layers": 2, "bidirectional": True, "example": 7}
    doc = client.post(f"{API}/traces", json={"program": program}).json()
    path = f"{API}/traces/{doc['id']}"
    answer = client.get(f"{path}/bptt").json()
    assert (answer["cell"], answer["cells"]) == ("gru/l1", ["gru", "gru/l0_reverse", "gru/l1", "gru/l1_reverse"])
    reverse = client.get(f"{path}/bptt", params={"cell": "gru/l0_reverse"}).json()
    assert reverse == {"schema_version": 1, **itemise(Document(doc), scope="gru/l0_reverse")}
    assert reverse["times"] == sorted(reverse["times"], reverse=True)
    drawn = client.get(f"{path}/figures/bptt", params={"cell": "gru/l0_reverse", "of": "jacobian"}).json()
    assert drawn["data"][0]["x"] == reverse["times"]
    for query in ({"cell": "gru/l7"}, {"cell": ""}):
        refused = client.get(f"{path}/bptt", params=query)
        assert (refused.status_code, "it has gru, gru/l0_reverse" in refused.json()["detail"]) == (422, True)


def test_an_expression_has_uses_and_no_states(client: httpx.Client) -> None:
    made = client.post(f"{API}/traces", json=expression("w*w*x", {"w": 2, "x": 3}, wrt=["w"])).json()
    answer = client.get(f"{API}/traces/{made['id']}/bptt").json()
    assert (answer["cell"], answer["times"], answer["jacobian_norms"]) == (None, [], [])
    assert [term["bar"] for term in answer["parameters"][0]["terms"]] == [6.0, 6.0]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"row": 2}, 422, "rows 0 to 1"),
        ({"row": -1}, 422, "at least 0"),
        ({"parameter": "x"}, 422, "no parameter with a gradient"),
        ({"parameter": "nobody"}, 404, "no such node"),
    ],
)
def test_what_there_is_not_is_said(client: httpx.Client, network: dict[str, Any], query: dict[str, Any], status: int, words: str) -> None:
    response = client.get(f"{API}/traces/{network['id']}/bptt", params=query)
    assert response.status_code == status
    assert words in response.json()["detail"]
    assert client.get(f"{API}/traces/sha256:0/bptt").status_code == 404


def test_what_would_take_too_long_is_refused_at_once(client: httpx.Client) -> None:
    sequences = {"kind": "regression", "examples": [{"values": [0.5] * 200, "target": 1}]}
    program = {"kind": "network", "cell": "gru", "hidden_size": 64, "sequences": sequences, "batch_size": 1}
    made = client.post(f"{API}/traces?tensors=none", json={"program": program})
    assert made.status_code in (200, 201), made.text
    for path in ("bptt", "figures/bptt", "figures/gradient-through-time"):
        response = client.get(f"{API}/traces/{made.json()['id']}/{path}")
        assert response.status_code == 422
        assert response.json()["type"].endswith(":limit")
        assert response.json()["actual"] > response.json()["limit"] > 1e9
        assert "of a shorter sequence" in response.json()["detail"]
    figure = client.get(f"{API}/traces/{made.json()['id']}/figures/update")
    assert figure.status_code == 200
