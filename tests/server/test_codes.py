"""What errors say by code: every one that is raised is listed with its parameters and documented, and those of requests have theirs."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.told import Told
from server import limits
from server.codes import CODES
from tests.server.helpers import API, expression

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ("no-", "trace-", "text-", "items-", "number-")
"""Codes that are put together where they are raised."""


def raised() -> list[tuple[str, set[str]]]:
    """The code and the parameters of every message of the engine and the server that has a code."""
    found = []
    for path in [*ROOT.glob("engine/**/*.py"), *ROOT.glob("server/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Told" and len(node.args) == 2:
                code = node.args[1]
                if isinstance(code, ast.Constant):
                    found.append((str(code.value), {str(word.arg) for word in node.keywords}))
    return found


def test_every_code_that_is_raised_is_listed_with_its_parameters() -> None:
    for code, params in raised():
        assert (code, params) == (code, set(CODES[code][0]))
    text = "".join(
        path.read_text(encoding="utf-8") for path in [*ROOT.glob("engine/**/*.py"), *ROOT.glob("server/**/*.py")] if path.name != "codes.py"
    )
    assert [code for code in CODES if f'"{code}"' not in text and not code.startswith(FAMILIES)] == []


def test_every_code_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for code, (params, says) in CODES.items():
        assert f"| `{code}` | {', '.join(f'`{name}`' for name in params)}{' ' if params else ''}| {says} |" in text


def test_a_message_keeps_its_code_on_its_way_through_exceptions_and_processes() -> None:
    error = ValueError(Told("w has no value", "name-unknown", name="w"))
    for text in (str(error), pickle.loads(pickle.dumps(error)).args[0]):
        assert isinstance(text, Told)
        assert (text, text.code, text.params) == ("w has no value", "name-unknown", {"name": "w"})


@pytest.mark.parametrize(
    ("text", "code", "params"),
    [
        ("tanh(w*x", "formula-unclosed", {"bracket": "("}),
        ("w*x)", "formula-unopened", {"bracket": ")"}),
        ("(w*x]", "formula-brackets", {"closing": "]", "opening": "("}),
        ("w×x", "formula-character", {"character": "'×' (U+00D7)"}),
        ("2x", "formula-number", {}),
        ("w x", "formula-syntax", {}),
        ("w^x", "formula-operator", {"given": "a^b", "write": "a**b"}),
        ("tahn(w*x)", "operation-unknown", {"name": "tahn", "nearest": "tanh"}),
        ("w*y", "name-unknown", {"name": "y", "nearest": None, "known": "w, x"}),
        ("tanh(w, x)", "operation-inputs", {"name": "tanh", "given": 2, "inputs": "x"}),
        ("w*x", "shapes-broadcast", {"name": "mul", "shapes": "(3,), (2,)"}),
        ("matmul(w, x)", "shapes-matmul", {"a": "(3,)", "b": "(2,)"}),
        ("w", "expression-nothing", {}),
        ("w = w*2", "line-taken", {"name": "w"}),
    ],
)
def test_a_formula_that_is_wrong_says_so_by_code(client: httpx.Client, text: str, code: str, params: dict[str, Any]) -> None:
    body = expression(text, {"w": [1, 2, 3], "x": [1, 2]})
    problem = client.post(f"{API}/traces", json=body).json()
    assert (problem["code"], problem["params"]) == (code, params)
    assert (problem["errors"][0]["code"], problem["errors"][0]["params"]) == (code, params)
    (checked,) = client.post(f"{API}/expressions/check", json=body).json()["errors"]
    assert (checked["code"], checked["params"], checked["detail"]) == (code, params, problem["detail"])


@pytest.mark.parametrize(
    ("change", "code", "params"),
    [
        ({"hidden_size": 0}, "number-least", {"bound": 1}),
        ({"hidden_size": "many"}, "number-whole", {}),
        ({"dropout": 2}, "number-below", {"bound": 1}),
        ({"cell": "transformer"}, "value-choice", {"options": "rnn, lstm, gru"}),
        ({"task": "nothing"}, "no-task", {}),
        ({"colour": 1}, "member-unknown", {}),
        ({"example": 10**6}, "example-outside", None),
    ],
)
def test_a_setting_out_of_range_says_so_by_code(
    client: httpx.Client, change: dict[str, Any], code: str, params: dict[str, Any] | None
) -> None:
    program = {"kind": "network", "task": "surnames", "cell": "rnn", "hidden_size": 4, "example": 0, **change}
    problem = client.post(f"{API}/traces", json={"program": program}).json()
    assert problem["errors"][0]["code"] == code, problem
    assert params in (None, problem["errors"][0]["params"])


def graph(nodes: list[dict[str, Any]], edges: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A pasted graph: y = tanh(w) unless the nodes of those ids are others."""
    usual = {"w": {"id": "w", "value": [1.0, 2.0], "role": "parameter"}, "y": {"id": "y", "op": "tanh"}}
    named = {**usual, **{node["id"]: node for node in nodes}}
    twice = [node for node in nodes if node is not named[node["id"]]]
    return {"kind": "graph", "nodes": [*named.values(), *twice], "edges": [{"from": "w", "to": "y"}] if edges is None else edges, **more}


@pytest.mark.parametrize(
    ("program", "code", "params"),
    [
        (graph([{"id": "y", "op": "tahn"}]), "graph-operation", {"node": 1, "nearest": "tanh"}),
        (graph([{"id": "z", "op": "exp"}, {"id": "z", "op": "exp"}]), "graph-id", {"node": 3, "other": 2}),
        (graph([{"id": "w"}]), "graph-leaf-value", {"node": 0}),
        (graph([{"id": "w", "value": 1, "attributes": {"axis": 0}}]), "graph-leaf-attributes", {"node": 0}),
        (graph([{"id": "y", "op": "tanh", "role": "input"}]), "graph-role", {"node": 1}),
        (graph([], forward="accept"), "graph-value", {"node": 1}),
        (graph([], [{"from": "w", "to": "x"}]), "graph-dangling", {"edge": 0}),
        (graph([], [{"from": "y", "to": "w"}]), "graph-leaf-input", {"edge": 0, "node": 0}),
        (graph([], [{"from": "w", "to": "y", "port": 0}] * 2), "graph-port-taken", {"edge": 1, "node": 1, "port": 0}),
        (graph([], [{"from": "w", "to": "y", "port": 1}]), "graph-port-missing", {"node": 1, "port": 0}),
        (graph([], []), "graph-no-input", {"node": 1}),
        (graph([], [{"from": "y", "to": "y"}]), "graph-cycle", {"nodes": "1, 1"}),
        (graph([], loss="z"), "graph-loss", {}),
        (graph([], loss="w"), "graph-loss-leaf", {}),
        (graph([{"id": "w", "value": [1.0]}]), "graph-independent", {}),
        (graph([{"id": "w", "value": [1], "role": "parameter", "dtype": "int64"}]), "graph-parameter", {"node": 0}),
        (graph([{"id": "y", "op": "tanh", "value": [1.0]}]), "graph-shape", {"node": 1, "recorded": "[1]", "computed": "[2]"}),
        (graph([{"id": "y", "op": "tanh", "value": [1.0, 2.0]}]), "graph-differs", None),
        (graph([{"id": "y", "op": "tanh", "attributes": {"axis": 0}}]), "attribute-unknown", None),
        (graph([{"id": "y", "op": "sum", "attributes": {"axis": "x"}}]), "attribute-kind", {"name": "sum", "attribute": "axis"}),
        (graph([{"id": "y", "op": "sum", "attributes": {"ax is": 0}}]), "attribute-name", {}),
        (graph([{"id": "y", "op": "sum", "attributes": {"axis": "é"}}]), "attribute-value", {}),
        (graph([{"id": "y", "op": "add"}]), "operation-inputs", {"name": "add", "given": 1, "inputs": "a, b"}),
        (graph([{"id": "w", "value": [[1, 2], [3]]}]), "value-uneven", {}),
        (graph([{"id": "w", "value": {"dtype": "f8", "shape": [2]}}]), "value-array", {}),
        (graph([{"id": "w", "value": {"dtype": "f8", "shape": [2], "bdata": "AAAA"}}]), "value-bytes", {"given": 3, "wanted": 16}),
        (graph([{"id": "w", "value": {"dtype": "f8", "shape": [1] * 9, "bdata": "AAAAAAAAAAA="}}]), "value-dimensions", {"most": 8}),
        (graph([{"id": "w", "value": [0.5], "dtype": "int32"}]), "value-whole", {"dtype": "int32"}),
        (graph([{"id": "w", "value": [300], "dtype": "uint8"}]), "value-outside", {"dtype": "uint8"}),
        ({"kind": "network", "task": "adding-50", "start": {"checkpoint": "nothing"}}, "checkpoint-unknown", None),
        ({"kind": "network", "task": "adding-50", "start": {"checkpoint": "adding-50-gru", "version": "0" * 16}},
         "checkpoint-changed", {"name": "adding-50-gru"}),
        ({"kind": "network", "task": "surnames", "start": {"checkpoint": "adding-50-gru"}}, "checkpoint-other", None),
    ],
)  # fmt: skip
def test_a_graph_or_a_start_that_is_wrong_says_so_by_code(
    client: httpx.Client, program: dict[str, Any], code: str, params: dict[str, Any] | None
) -> None:
    problem = client.post(f"{API}/traces", json={"program": program}).json()
    (error,) = problem["errors"]
    assert (problem["status"], problem["code"], error["code"]) == (422, code, code), problem
    assert params in (None, error["params"])


def test_a_graph_that_is_too_large_says_so_by_code(client: httpx.Client) -> None:
    leaves = [{"id": f"n{number}", "value": 1} for number in range(limits.GRAPH_NODES)]
    problem = client.post(f"{API}/traces", json={"program": graph(leaves)}).json()
    assert (problem["code"], problem["params"]) == ("graph-nodes", {"given": limits.GRAPH_NODES + 2, "most": limits.GRAPH_NODES})
    wide = [{"id": "w", "value": [0.5] * 1001, "role": "parameter"}, {"id": "x", "value": [[0.5]] * 1000}, {"id": "y", "op": "mul"}]
    edges = [{"from": "w", "to": "y"}, {"from": "x", "to": "y"}]
    assert client.post(f"{API}/traces", json={"program": graph(wide, edges)}).json()["code"] == "graph-numbers"
    lists = graph([{"id": "w", "value": [0] * (limits.GRAPH_VALUE_ELEMENTS + 1)}])
    (error,) = client.post(f"{API}/traces", json={"program": lists}).json()["errors"]
    assert (error["code"], error["params"]) == ("value-large", {"most": limits.GRAPH_VALUE_ELEMENTS})
    deep = "[" * 100 + "]" * 100
    json_type = {"Content-Type": "application/json"}
    assert client.post(f"{API}/traces", content=deep, headers=json_type).json()["code"] == "json-deep"


@pytest.mark.parametrize("kind", ["run", "trace", "sweep", "dataset", "upload", "landscape", "link"])
def test_what_is_not_there_says_so_by_code(client: httpx.Client, kind: str) -> None:
    problem = client.get(f"{API}/{kind}s/r_0").json()
    assert (problem["status"], problem["code"], problem["params"]) == (404, f"no-{kind}", {})
