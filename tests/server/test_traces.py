"""Traces over HTTP: stored, sent, named, explained, checked."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from engine.trace import Document, content_id
from server.tasks import load
from tests.server.helpers import API, Start, expression

NETWORK = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 4, "example": 3}


@pytest.fixture(scope="module")
def network(client: httpx.Client) -> dict[str, Any]:
    """The trace of the first step of a GRU on one surname."""
    response = client.post(f"{API}/traces", json={"program": NETWORK})
    assert response.status_code in (200, 201), response.text
    doc: dict[str, Any] = response.json()
    return doc


def test_the_same_trace_is_stored_once(client: httpx.Client) -> None:
    body = expression("x**3", {"x": 1.25})
    first, second = client.post(f"{API}/traces", json=body), client.post(f"{API}/traces", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["location"] == second.headers["location"] == f"{API}/traces/{first.json()['id']}"
    assert client.get(first.headers["location"]).content == first.content


def test_a_stored_trace_is_what_its_id_says(client: httpx.Client, network: dict[str, Any]) -> None:
    stored = client.get(f"{API}/traces/{network['id']}").json()
    assert stored == network
    assert content_id(stored) == network["id"]


def test_each_form_of_a_trace_has_its_own_entity_tag(client: httpx.Client, network: dict[str, Any]) -> None:
    path = f"{API}/traces/{network['id']}"
    packed, plain = client.get(path), client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept, Accept-Encoding"
    assert "immutable" in plain.headers["cache-control"]


@pytest.mark.parametrize(("accept", "packed"), [("gzip;q=0", False), ("gzip;q=0.000, *", False), ("*;q=0", False), ("br", False),
                                                ("*", True), ("br, gzip;q=0.5", True), ("GZIP", True)])  # fmt: skip
@pytest.mark.parametrize("address", ["traces/{id}", "tasks", "opening"])
def test_an_answer_is_compressed_where_the_client_takes_it(
    client: httpx.Client, network: dict[str, Any], address: str, accept: str, packed: bool
) -> None:
    path = f"{API}/{address.format(id=network['id'])}"
    response = client.get(path, headers={"Accept-Encoding": accept})
    assert (response.headers.get("content-encoding") == "gzip") == packed
    assert response.headers["vary"] == ("Accept-Encoding" if address == "tasks" else "Accept, Accept-Encoding")
    assert response.content == client.get(path, headers={"Accept-Encoding": "identity"}).content


def test_a_tag_names_bytes_and_a_known_trace_is_answered_as_it_is_stored(start: Start, tmp_path: Path) -> None:
    """Versions of the service may store other bytes under one id, which leaves source lines out."""
    with start(tmp_path) as client:
        first = client.post(f"{API}/traces", json=expression("x*3", {"x": 2}))
        older = {**first.json(), "older": True}
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            stored = gzip.compress(json.dumps(older).encode())
            row = (stored, hashlib.sha256(stored).hexdigest(), older["id"])
            database.execute("UPDATE traces SET document = ?, sha256 = ? WHERE id = ?", row)
        again, read = client.post(f"{API}/traces", json=expression("x*3", {"x": 2})), client.get(first.headers["location"])
        assert again.status_code == 200
        assert again.json() == older
        assert again.content == read.content
        assert again.headers["etag"] == read.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_not_modified(client: httpx.Client, network: dict[str, Any], coding: str) -> None:
    path, accept = f"{API}/traces/{network['id']}", {"Accept-Encoding": coding}
    tag = client.get(path, headers=accept).headers["etag"]
    for given in (tag, f'"else", {tag}', f"W/{tag}", "*"):
        response = client.get(path, headers={**accept, "If-None-Match": given})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={**accept, "If-None-Match": '"else"'}).status_code == 200


def test_the_served_schema_holds_for_served_traces(client: httpx.Client, network: dict[str, Any]) -> None:
    schema = client.get(f"{API}/schema/trace-1.json").json()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    of_expression = client.post(f"{API}/traces", json=expression("w*x", {"w": 1, "x": [2, 3]})).json()
    for doc in (network, client.get(f"{API}/opening").json(), of_expression):
        assert [error.message for error in validator.iter_errors(doc)] == []
        assert list(validator.iter_errors({**doc, "nodes": {}})) != []


def test_a_network_program_is_written_out(network: dict[str, Any]) -> None:
    assert network["program"] == {
        **NETWORK, "data": load("surnames").data_version,
        "optimizer": {"name": "adamw", "lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01},
        "clip_norm": 1.0, "batch_size": 32, "seed": 0, "step": 1,
    }  # fmt: skip
    assert [example["index"] for example in network["batch"]["examples"]] == [3]


def test_why_by_id_and_by_path(client: httpx.Client, network: dict[str, Any]) -> None:
    document = Document(network)
    node = next(node for node in document.nodes if node["label"] == "h" and node["time"] == 2)
    path = f"{API}/traces/{network['id']}/nodes"
    by_id = client.get(f"{path}/{node['id']}", params={"index": "0,2"})
    by_path = client.get(f"{path}/{node['path'].replace('#', '%23')}", params={"index": "0,2"})
    assert by_id.status_code == 200, by_id.text
    assert by_id.json() == by_path.json()
    why, gradient = by_id.json(), document.gradient(node["id"])
    assert gradient is not None
    assert why["trace"] == network["id"]
    assert why["value"] == document.value(node["id"])[0, 2]
    assert why["gradient"] == why["backward"]["sum"] == gradient[0, 2]
    contributions = [part["value"] for part in why["backward"]["contributions"]]
    assert len(contributions) > 1
    assert sum(contributions) == pytest.approx(gradient[0, 2], rel=1e-12)
    assert why["forward"]["latex"]


def test_why_of_a_parameter_names_its_update(client: httpx.Client, network: dict[str, Any]) -> None:
    why = client.get(f"{API}/traces/{network['id']}/nodes/rnn.weight_hh_l0", params={"index": "1,1"}).json()
    assert "exp_avg" in [term["name"] for term in why["update"]["terms"]]


@pytest.mark.parametrize(("node", "index", "status"), [("99999", None, 404), ("nothing", None, 404), ("9" * 5000, None, 404),
                                                       ("rnn.weight_hh_l0", "0", 422),
                                                       ("rnn.weight_hh_l0", "0,99", 422), ("rnn.weight_hh_l0", "a,b", 422)])  # fmt: skip
def test_why_of_what_is_not_there(client: httpx.Client, network: dict[str, Any], node: str, index: str | None, status: int) -> None:
    parameters = {} if index is None else {"index": index}
    assert client.get(f"{API}/traces/{network['id']}/nodes/{node}", params=parameters).status_code == status


def test_a_gradient_is_checked_against_finite_differences(client: httpx.Client, network: dict[str, Any]) -> None:
    path = f"{API}/traces/{network['id']}/nodes/rnn.weight_hh_l0/check"
    gradient = Document(network).gradient(Document(network).node("rnn.weight_hh_l0")["id"])
    assert gradient is not None
    checked = client.post(path, json={"index": [1, 2]}).json()
    assert checked["gradient"] == gradient[1, 2]
    assert checked["finite_difference"] == pytest.approx(gradient[1, 2], rel=1e-5, abs=1e-9)
    assert client.post(path, json={"index": [99, 0]}).status_code == 422


def test_a_contribution_is_checked_against_finite_differences(client: httpx.Client, network: dict[str, Any]) -> None:
    document = Document(network)
    weight = document.node("rnn.weight_hh_l0")["id"]
    path = f"{API}/traces/{network['id']}/nodes/rnn.weight_hh_l0/check"
    for one in document.contributions(weight):
        checked = client.post(path, json={"index": [1, 2], "use": {"node": one.node, "port": one.port}}).json()
        assert checked["gradient"] == one.array[1, 2]
        assert checked["finite_difference"] == pytest.approx(one.array[1, 2], rel=1e-5, abs=1e-9)
    refused = client.post(path, json={"index": [1, 2], "use": {"node": 0, "port": 1}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/use"
    assert "nothing comes back" in refused.text


def test_lists_go_on_where_they_stopped(client: httpx.Client) -> None:
    made = [client.post(f"{API}/traces", json=expression("x*x", {"x": 0.5 + n})).json()["id"] for n in range(3)]
    first = client.get(f"{API}/traces", params={"limit": 2}).json()
    second = client.get(f"{API}/traces", params={"limit": 1, "after": first["next"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
    assert first["items"][0]["program"]["expression"] == "x*x"
    assert first["items"][0]["bytes"] == len(client.get(f"{API}/traces/{made[2]}").content)


def test_a_deleted_trace_is_gone(client: httpx.Client) -> None:
    path = client.post(f"{API}/traces", json=expression("x - 7", {"x": 1})).headers["location"]
    assert client.get(path).content == client.get(path).content  # the second from memory
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404


def test_the_opening_is_a_name_that_the_step_turns(client: httpx.Client) -> None:
    response = client.get(f"{API}/opening")
    assert client.get(response.headers["content-location"]).content == response.content
    document = Document(response.json())
    doc, (example,) = document.doc, document.doc["batch"]["examples"]
    assert (doc["program"]["cell"], doc["program"]["hidden_size"], doc["program"]["step"], example["length"]) == ("rnn", 4, 201, 5)
    last = next(node for node in document.nodes if node["label"] == "p" and node["time"] == 5)
    after = document.tensor(doc["after"]["values"][str(last["id"])])
    assert np.argmax(document.value(last["id"])) != example["target"]
    assert np.argmax(after) == example["target"]


def test_the_opening_can_be_asked_about_though_it_was_deleted(client: httpx.Client) -> None:
    location = client.get(f"{API}/opening").headers["content-location"]
    assert client.delete(location).status_code == 204
    client.get(f"{API}/opening")
    assert client.get(f"{location}/nodes/0").status_code == 200


@pytest.mark.parametrize("program", [{"example": 10**9}, {"task": "nothing"}, {"hidden_size": 257}, {"step": 5001}, {"cell": "lstn"},
                                     {"optimizer": {"name": "adamw", "lr": 0}}, {"optimizer": {"name": "sgd", "betas": [0.9, 0.9]}},
                                     {"clip_norm": 0}, {"data": "today"}, {"data": "0" * 16},
                                     {"cell": "lstm", "hidden_size": 256, "batch_size": 256, "step": 5000},
                                     {"hidden_size": 200, "batch_size": 200, "example": None}])  # fmt: skip
def test_network_programs_that_cannot_run(client: httpx.Client, program: dict[str, Any]) -> None:
    response = client.post(f"{API}/traces", json={"program": {**NETWORK, **program}})
    assert response.status_code == 422
    pointer = response.json()["errors"][0]["pointer"]
    assert pointer == "/program" or pointer.split("/")[2] in program


def test_a_trace_names_the_version_of_its_data(client: httpx.Client, network: dict[str, Any]) -> None:
    assert network["program"]["data"] == load("surnames").data_version
    again = client.post(f"{API}/traces", json={"program": network["program"]})
    assert (again.status_code, again.json()["id"]) == (200, network["id"])
    other = client.post(f"{API}/traces", json={"program": {**network["program"], "data": "0123456789abcdef"}})
    assert other.status_code == 422
    (error,) = other.json()["errors"]
    assert error["pointer"] == "/program/data"
    assert "have changed" in error["detail"]


def test_a_trace_reads_back_as_json_without_nan(client: httpx.Client) -> None:
    text = client.post(f"{API}/traces", json=expression("log(x)", {"x": -1})).text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
