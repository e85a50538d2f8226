"""Expressions of several lines: intermediate results with names."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from engine.trace import Document
from tests.server.helpers import API, expression

INPUTS = {"w": 0.5, "x": 1.25, "y": 0.2}


def made(client: httpx.Client, text: str, inputs: dict[str, Any] | None = None, **more: Any) -> Document:
    response = client.post(f"{API}/traces", json=expression(text, INPUTS if inputs is None else inputs, **more))
    assert response.status_code in (200, 201), response.text
    return Document(response.json())


def labelled(document: Document) -> dict[str, int]:
    return {node["label"]: node["id"] for node in document.nodes if node["label"] is not None}


@pytest.mark.parametrize(
    "text",
    ["h = tanh(w*x); L = (h - y)**2", "h = tanh(w*x)\nL = (h - y)**2", "h = tanh(w*x)\r\nL = (h - y)**2;",
     "h = tanh(w*x)\n\n(h - y)**2  # loss", "h = tanh(\n  w*x\n)\nL=(h - y)**2"],
)  # fmt: skip
def test_lines_are_one_computation_and_label_their_nodes(client: httpx.Client, text: str) -> None:
    document = made(client, text, wrt=["w"])
    h = np.tanh(0.5 * 1.25)
    nodes = labelled(document)
    assert set(nodes) == {"w", "x", "y", "h", "L"}
    assert (document.nodes[nodes["h"]]["op"], nodes["L"]) == ("tanh", document.loss)
    assert document.value(nodes["h"]) == h
    assert document.gradient(nodes["h"]) == pytest.approx(2 * (h - 0.2), rel=1e-14)
    assert document.gradient(nodes["w"]) == pytest.approx(2 * (h - 0.2) * (1 - h**2) * 1.25, rel=1e-14)


def test_the_program_holds_the_lines_and_makes_the_trace_again(client: httpx.Client) -> None:
    document = made(client, "h = tanh(w*x)\r\nL = (h - y)**2")
    assert document.doc["program"]["expression"] == "h = tanh(w*x)\nL = (h - y)**2"
    again = client.post(f"{API}/traces", json={"program": document.doc["program"]})
    assert (again.status_code, again.json()["id"]) == (200, document.doc["id"])


def test_a_name_is_used_more_than_once_and_its_contributions_add_up(client: httpx.Client) -> None:
    document = made(client, "s = w + x; p = s*s; q = s*p; q + p", {"w": 1, "x": 2})
    nodes = labelled(document)
    assert document.value(document.loss) == 27 + 9
    assert document.gradient(nodes["w"]) == 3 * 9 + 2 * 3
    assert len(document.contributions(nodes["s"])) == 3


def test_a_line_may_be_a_number(client: httpx.Client) -> None:
    document = made(client, "k = 0.25; L = k*w", {"w": 3})
    k = document.nodes[labelled(document)["k"]]
    assert (k["path"], k["op"], k["role"]) == ("k", None, "constant")
    assert document.gradient(document.node("w")["id"]) == 0.25


def test_the_last_line_keeps_its_name_and_is_summed_where_it_is_no_scalar(client: httpx.Client) -> None:
    scalar, vector = made(client, "error = w*w", {"w": 3}), made(client, "error = w*w", {"w": [3, 4]})
    assert scalar.nodes[scalar.loss]["label"] == "error"
    assert (vector.nodes[vector.loss]["label"], vector.nodes[labelled(vector)["error"]]["op"]) == ("L", "mul")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("h = tanh(w*q); h**2", 1, 12, "'q'"),
        ("h = tanh(w*x)\nL = (h - q)**2", 2, 10, "names with a value: h, w, x, y"),
        ("h = tanh(w*x)\n  L = (h - k)**2; k = 2", 2, 12, "'k'"),
        ("h = tanh(w*x); h = h*2", 1, 16, "the name h is taken"),
        ("w = tanh(x)", 1, 1, "the name w is taken"),
        ("tanh(w)\nL = w*w", 1, 1, "without a name"),
        ("h = w; h*h", 1, 5, "another name of w"),
        ("h = tanh(w)\nh", 2, 1, "computes nothing"),
        ("h = w*w\nL = 3", 2, 5, "computes nothing"),
        ("h =\nL = w*w", 1, 3, "nothing stands after h"),
        (";\n;", 1, 1, "empty"),
        ("h = w*w; lambda = h", 1, 10, "the name of a line"),
        ("h = w*w; 3 = h", 1, 12, "not a formula"),
        ("h = w*w; w.real = h", 1, 17, "not a formula"),
        ("a = w*w\nb = a == 3\nb*b", 2, 5, "comparison"),
        (f"a = w*w\n2*leaky_relu(a, negative_slope={10**30})", 2, 3, "negative_slope is of another kind; expected a number"),
        ("a = w*w\nb = stack(\n  a, wat(a))", 3, 6, "'wat'"),
        ("ββ = w*w\nδ = ββ*matmul(w)", 2, 8, "matmul was given 1"),
        ("a = w*w\nb = sum(broadcast_to(a, shape=(9999, 9999)))", 2, 9, "elements"),
        ("\n".join(f"a{i} = w*w*w*w*w*w*w*w*w*w" for i in range(30)), 27, 1, "at most 500"),
        ("(h = w*w)", 1, 2, "not a formula"),
        ("h = (w*w; h", 1, 5, "not a formula"),
        ("h := w*w", 1, 3, "not a formula"),
    ],
)
def test_errors_name_line_and_column(client: httpx.Client, text: str, line: int, column: int, words: str) -> None:
    response = client.post(f"{API}/traces", json=expression(text, INPUTS))
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert (error["line"], error["column"]) == (line, column), error
    assert words in error["detail"]
    assert error["pointer"] == "/program/expression"


def test_only_printable_characters_stand_on_a_line(client: httpx.Client) -> None:
    response = client.post(f"{API}/traces", json=expression("h = w*w\x00\nh*h", INPUTS))
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/program/expression"
