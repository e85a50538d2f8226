"""Networks on sequences that the program brings along."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from engine.trace import SCHEMA_PATH, Document
from server import limits
from server.schemas.network import NetworkProgram
from tests.server.helpers import API

TOKENS = {
    "kind": "classification",
    "examples": [{"tokens": list("abba"), "target": 0}, {"tokens": list("ab"), "target": 1}, {"tokens": list("bca"), "target": 1}],
}
VALUES = {
    "kind": "regression", "readout": "every", "features": ["left", "right"],
    "examples": [{"values": [[0.1, 0.2], [0.3, -1]], "target": [0.3, 0.4]}, {"values": [[1, 2], [3, 4]], "target": [[1], [2]]}],
}  # fmt: skip
SERIES = {"kind": "regression", "examples": [{"values": [1, 2, 3], "target": 4}, {"values": [0.5], "target": [1.5]}]}


def network(sequences: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "network", "cell": "lstm", "hidden_size": 3, "sequences": sequences, **more}


def made(client: httpx.Client, sequences: dict[str, Any], **more: Any) -> Document:
    response = client.post(f"{API}/traces", json={"program": network(sequences, **more)})
    assert response.status_code in (200, 201), response.text
    assert list(Draft202012Validator(json.loads(SCHEMA_PATH.read_text())).iter_errors(response.json())) == []
    return Document(response.json())


def test_tokens_are_a_one_at_their_place_and_batches_are_never_padded(client: httpx.Client) -> None:
    document = made(client, TOKENS)
    batch, x = document.doc["batch"], document.value(document.node("x")["id"])
    assert (batch["display"], batch["features"], batch["classes"]) == ("letters", ["a", "b", "c"], ["0", "1"])
    assert [example["text"] for example in batch["examples"]] == ["abba", "bca", "ab"]  # longest first
    assert [example["target"] for example in batch["examples"]] == document.value(document.node("target")["id"]).tolist() == [0, 1, 1]
    for row, example in enumerate(batch["examples"]):
        for step, token in enumerate(example["tokens"]):
            np.testing.assert_array_equal(x[row, step], np.eye(3)["abc".index(token)])
    states = {node["time"]: node["shape"] for node in document.nodes if node["label"] == "h"}
    assert states == {1: [3, 3], 2: [3, 3], 3: [2, 3], 4: [1, 3]}


def test_values_are_the_input_as_they_stand(client: httpx.Client) -> None:
    document = made(client, VALUES)
    batch = document.doc["batch"]
    assert (batch["display"], batch["readout"], batch["features"]) == ("rows", "every", ["left", "right"])
    order = [example["index"] for example in batch["examples"]]  # that of an epoch
    np.testing.assert_array_equal(document.value(document.node("x")["id"])[np.argsort(order)], [[[0.1, 0.2], [0.3, -1]], [[1, 2], [3, 4]]])
    np.testing.assert_array_equal(document.value(document.node("target")["id"])[np.argsort(order)], [[[0.3], [0.4]], [[1], [2]]])
    series = made(client, SERIES, example=1)
    assert series.doc["batch"]["display"] == "series"
    assert series.doc["batch"]["examples"] == [{"index": 1, "length": 1, "tokens": [0.5], "text": "sequence 1", "target": [1.5]}]


@pytest.mark.parametrize("sequences", [TOKENS, VALUES, SERIES], ids=["tokens", "values", "series"])
def test_the_program_makes_the_trace_again(client: httpx.Client, sequences: dict[str, Any]) -> None:
    document = made(client, sequences, step=4)
    program = document.doc["program"]
    assert program["task"] == "sequences"
    assert len(program["sequences"]["examples"]) == len(sequences["examples"])
    again = client.post(f"{API}/traces", json={"program": program})
    assert (again.status_code, again.json()["id"]) == (200, document.doc["id"])
    filled = NetworkProgram.model_validate(program).model_dump()
    filled["optimizer"] = {name: filled["optimizer"][name] for name in program["optimizer"]}
    assert {name: filled[name] for name in program} == program  # what has its default may be left out
    changed = {**program, "sequences": {**program["sequences"], "examples": program["sequences"]["examples"][:1]}}
    other = client.post(f"{API}/traces", json={"program": changed})
    assert other.status_code == 422
    assert other.json()["errors"][0]["pointer"] == "/program/data"  # it names the version of other sequences


def test_the_network_learns_them(client: httpx.Client) -> None:
    losses = [float(document.value(document.loss)) for document in (made(client, TOKENS), made(client, TOKENS, step=300))]
    assert losses[1] < 0.05 < losses[0]


def _with(sequences: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**sequences, **more}


@pytest.mark.parametrize(
    ("sequences", "words"),
    [
        (_with(TOKENS, readout="every"), "reads the last state"),
        (_with(TOKENS, examples=[]), "expected at least 1"),
        (_with(TOKENS, examples=[{"tokens": ["a"], "target": 0}, {"values": [1], "target": 0}]), "example 1 differs"),
        (_with(TOKENS, examples=[{"tokens": [], "target": 0}]), "expected at least 1"),
        (_with(TOKENS, examples=[{"tokens": ["a\n"], "target": 0}]), "printable"),
        (_with(TOKENS, examples=[{"tokens": ["a"], "target": 0.5}]), "number of a class"),
        (_with(TOKENS, examples=[{"tokens": ["a"], "target": -1}]), "number of a class"),
        (_with(TOKENS, examples=[{"tokens": ["a"], "target": 999}]), "at most 256"),
        (_with(TOKENS, classes=["only"]), "there are 1"),
        (_with(TOKENS, classes=["one", "one"]), "twice"),
        (_with(TOKENS, vocabulary=["a", "b"]), "the vocabulary has not"),
        (_with(TOKENS, features=["a"]), "leave features out"),
        (_with(TOKENS, examples=[{"tokens": [f"t{n}-{k}" for n in range(200)], "target": 0} for k in range(2)]), "400 different tokens"),
        (_with(VALUES, examples=[{"values": [[1, 2], [3]], "target": [1, 2]}]), "unequal length"),
        (_with(VALUES, examples=[{"values": [[1, 2]], "target": [1, 2]}]), "each of its 1 steps"),
        (_with(VALUES, examples=[{"values": [[1, 2]], "target": [1]}, {"values": [[1, 2], [1, 2]], "target": [1, 2]}]), "of one length"),
        (_with(VALUES, features=["left"]), "the values have 2"),
        (_with(VALUES, vocabulary=["a"]), "a vocabulary is of tokens"),
        (_with(VALUES, classes=["a"]), "has no classes"),
        (_with(SERIES, examples=[{"values": [1], "target": 1}, {"values": [[1, 2]], "target": 1}]), "another number of features"),
        (_with(SERIES, examples=[{"values": 1, "target": 1}]), "0 dimensions"),
        (_with(SERIES, examples=[{"values": [[[1]]], "target": 1}]), "3 dimensions"),
        (_with(SERIES, examples=[{"values": [1], "target": [[1]]}]), "expected a number"),
        (_with(SERIES, examples=[{"values": [1], "target": 1}, {"values": [1], "target": [1, 2]}]), "same number of outputs"),
        (_with(SERIES, examples=[{"values": [1] * 201, "target": 1}]), "at most 200"),
        (_with(SERIES, examples=[{"target": 1}]), "has to hold values"),
        (_with(SERIES, examples=[{"values": [1], "target": 1}] * (limits.SEQUENCES + 1)), "at most 256"),
    ],
)  # fmt: skip
def test_what_no_network_can_learn_is_refused(client: httpx.Client, sequences: dict[str, Any], words: str) -> None:
    response = client.post(f"{API}/traces", json={"program": network(sequences)})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert words in error["detail"], error
    assert error["pointer"].startswith("/program/sequences")


@pytest.mark.parametrize("more", [{"task": "surnames"}, {"sequences": None}])
def test_a_network_learns_one_thing(client: httpx.Client, more: dict[str, Any]) -> None:
    response = client.post(f"{API}/traces", json={"program": {**network(SERIES), **more}})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/program"


def test_an_example_outside_is_refused_and_a_long_training_too(client: httpx.Client) -> None:
    long = _with(SERIES, examples=[{"values": [0.5] * 200, "target": 1}])
    for sequences, more, pointer in ((SERIES, {"example": 2}, "/program/example"), (long, {"step": 5000}, "/program/step")):
        response = client.post(f"{API}/traces", json={"program": network(sequences, **more)})
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)


def test_runs_are_of_tasks(client: httpx.Client) -> None:
    response = client.post(f"{API}/runs", json={"program": {"sequences": SERIES, "cell": "rnn"}})
    assert response.status_code == 422
    assert {error["pointer"] for error in response.json()["errors"]} == {"/program/sequences"}
