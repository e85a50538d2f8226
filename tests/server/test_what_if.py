"""What if: traces with edits over HTTP, and the programs that make them again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from engine.trace import SCHEMA_PATH, Document, content_id, diff
from server import limits
from tests.server.helpers import API, Start, expression

SURNAME = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 4, "example": 7}


def make(client: httpx.Client, body: dict[str, Any]) -> Document:
    response = client.post(f"{API}/traces", json=body)
    assert response.status_code in (200, 201), response.text
    return Document(response.json())


def edit(client: httpx.Client, document: Document, *edits: dict[str, Any]) -> Document:
    response = client.post(f"{API}/traces/{document.doc['id']}/what-if", json={"edits": list(edits)})
    assert response.status_code in (200, 201), response.text
    assert list(Draft202012Validator(json.loads(SCHEMA_PATH.read_text())).iter_errors(response.json())) == []
    assert client.get(response.headers["location"]).json() == response.json()
    found = Document(response.json())
    assert content_id(found.doc) == found.doc["id"] == response.headers["location"].rpartition("/")[2]
    assert found.doc["program"]["parent"] == document.doc["id"]
    return found


@pytest.fixture(scope="module")
def network(client: httpx.Client) -> Document:
    return make(client, {"program": SURNAME})


def test_an_edited_input_is_what_the_expression_with_it_gives(client: httpx.Client) -> None:
    text, inputs = "h = tanh(w*x); L = sum((h - 1)**2)", {"w": 0.5, "x": [1.0, 2.0]}
    document = make(client, expression(text, inputs, wrt=["w"]))
    found = edit(client, document, {"node": "x", "index": [1], "value": -3}, {"node": 0, "value": 0.75})
    direct = make(client, expression(text, {"w": 0.75, "x": [1, -3]}, wrt=["w"]))
    assert found.doc["program"]["edits"] == [{"node": "x", "index": [1], "value": -3}, {"node": "w", "index": None, "value": 0.75}]
    compared = client.get(f"{API}/traces/{direct.doc['id']}/diff/{found.doc['id']}").json()
    assert (compared["values"], compared["gradients"], compared["loss"]["difference"]) == ([], [], 0)
    assert compared["structure"] == {"only_a": [], "only_b": [], "changed": []}


def test_an_intermediate_value_is_edited_by_its_path(client: httpx.Client) -> None:
    document = make(client, expression("h = tanh(w*x); L = h**2", {"w": 0.5, "x": 2}))
    found = edit(client, document, {"node": "tanh#0", "index": [], "value": 0.25})
    assert found.value(found.loss) == 0.0625
    assert found.gradient(found.node("where#0")["id"]) == 0.5
    assert found.gradient(found.node("w")["id"]) == 0  # the edited value no longer depends on it


def test_a_use_is_muted_and_a_step_is(client: httpx.Client, network: Document) -> None:
    document = make(client, expression("L = w*3 + tanh(w)", {"w": 2}))
    found = edit(client, document, {"mute": {"node": document.node("tanh#0")["id"]}})
    assert (found.gradient(found.node("w")["id"]), found.value(found.loss)) == (3, document.value(document.loss))
    assert found.doc["program"]["edits"] == [{"mute": {"node": "tanh#0", "port": None, "time": None}}]
    again = client.post(f"{API}/traces", json={"program": found.doc["program"]})
    assert (again.status_code, again.json()["id"]) == (200, found.doc["id"])
    last = network.doc["batch"]["examples"][0]["length"]
    weight = "rnn.weight_hh_l0"
    rest = edit(client, network, {"mute": {"time": last}})
    parts = network.contributions(network.node(weight)["id"])
    kept = [part.array for part in parts if network.nodes[part.node]["time"] != last]
    np.testing.assert_allclose(rest.gradient(rest.node(weight)["id"]), np.sum(kept, axis=0), rtol=1e-9, atol=1e-15)


def test_gradients_that_are_not_zeroed_are_added_to(client: httpx.Client, network: Document) -> None:
    found = edit(client, network, {"zero_grad": False}, {"node": "rnn.bias_ih_l0", "index": [0], "value": 0.25})
    changed = edit(client, network, {"node": "rnn.bias_ih_l0", "index": [0], "value": 0.25})
    of = [document.gradient(document.node("rnn.bias_ih_l0")["id"]) for document in (found, changed, network)]
    np.testing.assert_allclose(of[0], of[1] + of[2], rtol=1e-12)


@pytest.mark.parametrize(
    ("edit", "pointer"),
    [
        ({"mute": {}}, "/edits/0/mute"),
        ({"mute": {"node": "rnn.weight_hh_l0", "time": 1}}, "/edits/0/mute"),
        ({"mute": {"time": 1, "port": 0}}, "/edits/0/mute"),
        ({"mute": {"time": -1}}, "/edits/0/mute/time"),
        ({"mute": {"time": 99}}, "/edits/0"),
        ({"mute": {"node": "x"}}, "/edits/0"),
        ({"mute": {"node": "nobody"}}, "/edits/0"),
        ({"mute": 1}, "/edits/0/mute"),
        ({"zero_grad": True}, "/edits/0/zero_grad"),
        ({"zero_grad": False, "node": "x"}, "/edits/0/node"),
        (5, "/edits/0"),
    ],
)
def test_a_mute_that_cannot_be(client: httpx.Client, network: Document, edit: Any, pointer: str) -> None:
    response = client.post(f"{API}/traces/{network.doc['id']}/what-if", json={"edits": [edit]})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer, response.json()


def test_the_program_makes_the_trace_again_also_of_edits_of_edits(client: httpx.Client, network: Document) -> None:
    once = edit(client, network, {"node": "rnn.weight_hh_l0", "index": [0, 0], "value": 2})
    twice = edit(client, once, {"node": "rnn.weight_hh_l0", "index": [0, 1], "value": "Infinity"})
    assert twice.doc["program"]["program"] == once.doc["program"]
    for document in (once, twice):
        again = client.post(f"{API}/traces", json={"program": document.doc["program"]})
        assert (again.status_code, again.json()["id"]) == (200, document.doc["id"])
    anonymous = client.post(f"{API}/traces", json={"program": {**once.doc["program"], "parent": None}})
    assert anonymous.json()["id"] == once.doc["id"]


def test_a_path_that_reads_like_a_number_is_none(client: httpx.Client) -> None:
    nodes = [{"id": "1", "value": 2, "role": "parameter"}, {"id": "0", "value": 3, "role": "parameter"}, {"id": "y", "op": "mul"}]
    document = make(client, {"program": {"kind": "graph", "nodes": nodes, "edges": [{"from": "1", "to": "y"}, {"from": "0", "to": "y"}]}})
    found = edit(client, document, {"node": 0, "value": 5})
    assert found.doc["program"]["edits"] == [{"node": 0, "index": None, "value": 5}]
    assert found.value(found.loss) == 15
    again = client.post(f"{API}/traces", json={"program": found.doc["program"]})
    assert (again.status_code, again.json()["id"]) == (200, found.doc["id"])


def test_a_step_far_away_is_trained_and_then_edited(client: httpx.Client) -> None:
    small = {"kind": "network", "task": "sunspots", "cell": "rnn", "hidden_size": 3, "batch_size": 2, "step": 60}
    document = make(client, {"program": small})
    found = edit(client, document, {"node": "head.bias", "index": [0], "value": 3})
    again = client.post(f"{API}/traces", json={"program": found.doc["program"]})
    assert (again.status_code, again.json()["id"]) == (200, found.doc["id"])


def test_backward_and_update_are_those_of_the_new_values(client: httpx.Client, network: Document) -> None:
    found = edit(client, network, {"node": "rnn.weight_hh_l0", "index": [1, 2], "value": 1.5})
    checked = client.post(f"{API}/traces/{found.doc['id']}/nodes/rnn.weight_hh_l0/check", json={"index": [1, 2]}).json()
    assert checked["difference"] == pytest.approx(0, abs=1e-8)
    why = client.get(f"{API}/traces/{found.doc['id']}/nodes/rnn.weight_hh_l0", params={"index": "1,2"}).json()
    terms = {term["name"]: term["value"] for term in why["update"]["terms"]}
    assert terms["old"] == 1.5
    assert terms["gradient"] == why["gradient"] == checked["gradient"]
    assert terms["new"] == terms["old"] + terms["delta"]
    compared = client.get(f"{API}/traces/{network.doc['id']}/diff/{found.doc['id']}")
    assert compared.json() == {"schema_version": 1, **diff(network, found)}
    assert compared.json()["loss"]["difference"] != 0
    known = client.get(compared.url, headers={"If-None-Match": compared.headers["etag"]})
    assert known.status_code == 304


def test_the_batch_says_what_the_sequence_is_now(client: httpx.Client, network: Document) -> None:
    (example,) = network.doc["batch"]["examples"]
    letters = network.doc["batch"]["features"]
    x = network.value(network.node("x")["id"]).copy()
    x[0, 0] = np.eye(len(letters))[letters.index("q")]
    found = edit(client, network, {"node": "x", "value": x.tolist()}, {"node": "target", "index": [0], "value": 2})
    (new,) = found.doc["batch"]["examples"]
    assert new == {**example, "tokens": ["q", *example["tokens"][1:]], "text": f"q{example['text'][1:]}", "target": 2}
    blurred = edit(client, network, {"node": "x", "index": [0, 1, 3], "value": 0.5})
    assert blurred.doc["batch"]["examples"][0]["tokens"][1] == "·"
    assert network.doc["batch"]["examples"] == [example]


@pytest.mark.parametrize(("task", "token"), [("sunspots", 9.5), ("adding", [9.5, 1]), ("digits", None)])
def test_numbers_of_a_sequence_are_shown_as_they_are_now(client: httpx.Client, task: str, token: Any) -> None:
    program = {"kind": "network", "task": task, "cell": "rnn", "hidden_size": 2, "example": 1}
    document = make(client, {"program": program})
    marker = [{"node": "x", "index": [0, 2, 1], "value": 1}] if task == "adding" else []
    found = edit(client, document, {"node": "x", "index": [0, 2, 0], "value": 9.5}, *marker)
    tokens = found.doc["batch"]["examples"][0]["tokens"]
    assert tokens[2] == (token if token is not None else [9.5, *document.doc["batch"]["examples"][0]["tokens"][2][1:]])
    nothing = edit(client, document, {"node": "x", "index": [0, 2, 0], "value": "NaN"})
    assert np.isnan(nothing.value(nothing.loss)).all()


@pytest.mark.parametrize(
    ("edits", "pointer", "words"),
    [
        ([], "/edits", "expected at least 1"),
        ([{"node": "nobody", "value": 1}], "/edits/0", "no such node"),
        ([{"node": "rnn.bias_ih_l0", "index": [0], "value": 1}, {"node": 10**6, "value": 1}], "/edits/1", "no such node"),
        ([{"node": "rnn.bias_ih_l0", "index": [99], "value": 1}], "/edits/0", "outside"),
        ([{"node": "rnn.bias_ih_l0", "index": [-1], "value": 1}], "/edits/0/index/0", "at least 0"),
        ([{"node": "rnn.bias_ih_l0", "value": 1}], "/edits/0", "expected [12]"),
        ([{"node": "rnn.bias_ih_l0", "value": "wat"}], "/edits/0/value", "expected a number"),
        ([{"node": "rnn.bias_ih_l0"}], "/edits/0/value", "is missing"),
        ([{"node": True, "value": 1}], "/edits/0/node", "by its path"),
        ([{"node": "", "value": 1}], "/edits/0/node", "by its path"),
        ([{"node": "target", "index": [0], "value": 0.5}], "/edits/0", "whole numbers"),
        ([{"node": "target", "index": [0], "value": 500}], "/edits", "cross_entropy"),
        ([{"node": "rnn.bias_ih_l0", "index": [0], "value": 1}] * (limits.EDITS + 1), "/edits", "at most 1,000"),
    ],
)
def test_edits_that_cannot_be_are_refused_where_they_are_wrong(
    client: httpx.Client, network: Document, edits: list[Any], pointer: str, words: str
) -> None:
    response = client.post(f"{API}/traces/{network.doc['id']}/what-if", json={"edits": edits})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["pointer"] == pointer
    assert words in error["detail"]


@pytest.mark.parametrize(
    ("program", "pointer"),
    [
        ({"kind": "expression", "expression": "w*q", "inputs": {"w": 1}}, "/program/program/expression"),
        ({**SURNAME, "task": "nothing"}, "/program/program/task"),
        ({**SURNAME, "example": 10**9}, "/program/program/example"),
        ({**SURNAME, "hidden_size": 0}, "/program/program/hidden_size"),
        ({"kind": "graph", "nodes": [{"id": "a", "op": "wat"}], "edges": []}, "/program/program/nodes/0/op"),
        (
            {"kind": "what-if", "program": {**SURNAME, "example": 10**9}, "edits": [{"node": "x", "value": 1}]},
            "/program/program/program/example",
        ),
        ({"kind": "expression", "expression": "w*w", "inputs": {"w": 1}}, "/program/edits/0"),
    ],
)
def test_errors_point_into_the_program_that_is_edited(client: httpx.Client, program: dict[str, Any], pointer: str) -> None:
    body = {"program": {"kind": "what-if", "program": program, "edits": [{"node": "nobody", "value": 1}]}}
    response = client.post(f"{API}/traces", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_values_that_were_accepted_have_nothing_to_compute_gradients_by(client: httpx.Client) -> None:
    nodes = [{"id": "w", "value": 2}, {"id": "y", "op": "tanh", "value": 5}]
    document = make(client, {"program": {"kind": "graph", "nodes": nodes, "edges": [{"from": "w", "to": "y"}], "forward": "accept"}})
    response = client.post(f"{API}/traces/{document.doc['id']}/what-if", json={"edits": [{"node": "w", "value": 1}]})
    assert response.status_code == 422
    assert "values alone" in response.json()["detail"]


def test_edits_of_edits_end_somewhere(client: httpx.Client) -> None:
    document = make(client, expression("w*w*w*w", {"w": 1.125}))
    for generation in range(limits.EDIT_DEPTH):
        document = edit(client, document, {"node": "w", "value": generation})
    response = client.post(f"{API}/traces/{document.doc['id']}/what-if", json={"edits": [{"node": "w", "value": 1}]})
    assert response.status_code == 422
    assert "16 ancestors" in response.json()["detail"]


def test_traces_that_there_are_not(client: httpx.Client, network: Document) -> None:
    for path in (f"sha256:0/diff/{network.doc['id']}", f"{network.doc['id']}/diff/sha256:0"):
        assert client.get(f"{API}/traces/{path}").status_code == 404
    assert client.post(f"{API}/traces/sha256:0/what-if", json={"edits": [{"node": "w", "value": 1}]}).status_code == 404


def test_an_edit_too_costly_is_refused(start: Start) -> None:
    with start(compute_seconds=0.001) as client:
        document = Document(client.get(f"{API}/opening").json())
        response = client.post(
            f"{API}/traces/{document.doc['id']}/what-if", json={"edits": [{"node": "head.bias", "index": [0], "value": 1}]}
        )
    assert response.status_code == 422
    assert response.json()["limit"] == 0.001
