"""Expressions over HTTP: their gradients, their traces, their errors."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from engine.trace import Document
from tests.server.helpers import API, expression


def test_gradients_equal_the_closed_form(client: httpx.Client) -> None:
    w, x, b = 0.5, np.array([1.0, 2.0]), 0.0
    response = client.post(f"{API}/traces", json=expression("tanh(w*x + b)", {"w": w, "x": [1, 2], "b": b}, wrt=["w", "b"]))
    assert response.status_code == 201
    document = Document(response.json())
    slope = 1 - np.tanh(w * x + b) ** 2
    assert document.gradient(document.node("w")["id"]) == pytest.approx((slope * x).sum(), abs=1e-12, rel=0)
    assert document.gradient(document.node("b")["id"]) == pytest.approx(slope.sum(), abs=1e-12, rel=0)
    assert document.gradient(document.node("x")["id"]) is None


def test_a_result_that_is_not_scalar_is_summed_and_the_trace_says_so(client: httpx.Client) -> None:
    doc = client.post(f"{API}/traces", json=expression("w*x", {"w": 2, "x": [1, 2, 3]})).json()
    assert doc["notes"] == [{"key": "note.summed_loss", "params": {"shape": [3]}}]
    loss = doc["nodes"][doc["loss"]]
    assert (loss["op"], loss["label"], loss["role"], loss["shape"]) == ("sum", "L", "loss", [])
    scalar = client.post(f"{API}/traces", json=expression("w*w", {"w": 3})).json()
    assert scalar["notes"] == []
    assert scalar["nodes"][scalar["loss"]]["role"] == "loss"


def test_inputs_keep_their_names_and_the_program_is_written_out(client: httpx.Client) -> None:
    doc = client.post(f"{API}/traces", json=expression("sigmoid(a @ v)", {"a": [[1, 2], [3, 4]], "v": [0.1, -0.2]})).json()
    assert doc["program"]["wrt"] == ["a", "v"]
    roles = {node["label"]: node["role"] for node in doc["nodes"] if node["op"] is None}
    assert roles == {"a": "parameter", "v": "parameter"}


def test_numbers_beyond_doubles_are_data(client: httpx.Client) -> None:
    doc = client.post(f"{API}/traces", json=expression("exp(x)", {"x": 1000})).json()
    assert Document(doc).value(doc["loss"]) == np.inf
    why = client.get(f"{API}/traces/{doc['id']}/nodes/{doc['loss']}", params={"index": ""})
    assert why.status_code == 200
    assert why.json()["value"] == "Infinity"


@pytest.mark.parametrize(
    ("text", "inputs", "column", "words"),
    [
        ("tanh(w*q)", {"w": 1}, 8, "'q'"),
        ("1 + tanh(w @ x)", {"w": [1, 2], "x": [1, 2, 3]}, 10, "matmul"),
        ("w + wat(w)", {"w": 1}, 5, "'wat'"),
        ("w.real", {"w": 1}, 1, "attribute"),
        ("w * __import__('os')", {"w": 1}, 5, "__import__"),
        ("(w", {"w": 1}, 1, "not a formula"),
        ("w + (w > 0)", {"w": 1}, 6, "comparison"),
        ("-+-sum(w, axis=4)", {"w": [1, 2]}, 4, "axis"),
        ("w", {"w": 1}, 1, "computes nothing"),
        ("broadcast_to(w, shape=(9999, 9999))", {"w": 1}, 1, "elements"),
        ("ββββ + matmul(w, sum(w))", {"ββββ": 1, "w": [1, 2]}, 8, "matmul"),  # people count characters
        ("1 + concat(w, w, axis=None)", {"w": [1]}, 5, "one integer"),
        ("stack(w, w, axis=99999999999999999999999)", {"w": [1]}, 1, "outside"),
        ("2*sum(w, axis=1.5)", {"w": [1]}, 3, "expected an integer"),
        ("max(broadcast_to(sum(w, keepdims=True), shape=(0,)))", {"w": [1]}, 1, "max"),
        ("w + matmul(w)", {"w": [1]}, 5, "matmul was given 1 inputs in its parentheses; expected 2 (a, b)"),
        ("tanh(w, w)", {"w": 1}, 1, "tanh was given 2 inputs in its parentheses; expected 1 (x)"),
        ("tanh()", {"w": 1}, 1, "expected 1 (x)"),
        ("concat()", {"w": 1}, 1, "expected one or more"),
    ],
)
def test_errors_point_at_their_column(client: httpx.Client, text: str, inputs: dict[str, object], column: int, words: str) -> None:
    response = client.post(f"{API}/traces", json=expression(text, inputs))
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["column"]) == ("/program/expression", column)
    assert words in error["detail"]


@pytest.mark.parametrize("name", ["mean", "sum"])
def test_nothing_can_be_summed(client: httpx.Client, name: str) -> None:
    text = f"{name}(broadcast_to(sum(w, keepdims=True), shape=(0,)))"
    assert client.post(f"{API}/traces", json=expression(text, {"w": [1, 2]})).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (expression("w*w", {"w": [1, [2, 3]]}), "/program/inputs/w"),
        (expression("w*w", {"w": "1"}), "/program/inputs/w"),
        (expression("w*w", {"w": True}), "/program/inputs/w"),
        (expression("w*w", {"w": []}), "/program/inputs/w"),
        (expression("w*w", {"w": [0] * 10_001}), "/program/inputs/w"),
        (expression("w*w", {}), "/program/inputs"),
        (expression("w*w", {"w": 1}, wrt=["v"]), "/program"),
        (expression("w*" * 1000 + "w", {"w": 1}), "/program/expression"),
        (expression("w*w", {"w": 1, "v": 1}, wrt=["v"]), "/program/wrt"),
        (expression("w*w", {"w": 1}, wat=1), "/program/wat"),
        ({"program": {"kind": "wat"}}, "/program"),
        ({}, "/program"),
    ],
)
def test_errors_point_at_the_field(client: httpx.Client, body: dict[str, object], pointer: str) -> None:
    response = client.post(f"{API}/traces", json=body)
    assert response.status_code == 422
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
