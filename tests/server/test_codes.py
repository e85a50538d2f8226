"""What errors say by code: every one that is raised is listed with its parameters and documented, and those of requests have theirs."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine import Tensor, apply
from engine.ops import REGISTRY
from engine.told import Told, after
from server import limits
from server.codes import CODES
from tests.server.helpers import API, expression

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ("no-", "trace-", "text-", "items-", "number-", "sequences-many-")
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
        ("sum(w, axis=1)", "axis-outside", {"name": "sum", "axis": "1", "dimensions": 1}),
        ("sum(w, axis=(0, 0))", "axis-twice", {"name": "sum"}),
        ("softmax(w, axis=0.5)", "axis-kind", {"name": "softmax"}),
        ("tanh(w, scale=2)", "keyword-none", {"name": "tanh", "keyword": "scale"}),
        ("sum(w, dim=0)", "keyword-unknown", {"name": "sum", "keyword": "dim", "known": "axis, keepdims"}),
        ("reshape(w)", "keyword-missing", {"name": "reshape", "keyword": "shape"}),
        ("leaky_relu(w, negative_slope=None)", "keyword-number", {"name": "leaky_relu", "keyword": "negative_slope"}),
        ("reshape(w, shape=(2, 2))", "shapes-reshape", {"name": "reshape", "given": 3, "wanted": "(2, 2)"}),
        ("split(w, sizes=0)", "keyword-refused", {"name": "split", "keyword": "sizes", "given": "0"}),
        ("norm(w, ord=3)", "keyword-choice", {"name": "norm", "keyword": "ord", "options": "1, 2, inf"}),
        ("mse_loss(w, x)", "shapes-equal", {"name": "mse_loss", "shapes": "(3,), (2,)"}),
        ("dot(w, x)", "shapes-needed", {"name": "dot", "given": "(3,), (2,)", "needed": "(n,), (n,)"}),
        ("concat(w, 2)", "shapes-join", {"name": "concat", "shapes": "(3,), ()"}),
        ("permute(w, axes=(1, 0))", "shapes-axes", {"name": "permute", "shape": "(3,)"}),
        ("broadcast_to(w, shape=(2,))", "shapes-stretch", {"name": "broadcast_to", "shape": "(3,)", "wanted": "(2,)"}),
        ("layer_norm(w, x, x)", "operation-refused", {"name": "layer_norm", "shapes": "(3,), (2,), (2,)"}),
    ],
)
def test_a_formula_that_is_wrong_says_so_by_code(client: httpx.Client, text: str, code: str, params: dict[str, Any]) -> None:
    body = expression(text, {"w": [1, 2, 3], "x": [1, 2]})
    problem = client.post(f"{API}/traces", json=body).json()
    assert (problem["code"], problem["params"]) == (code, params)
    assert (problem["errors"][0]["code"], problem["errors"][0]["params"]) == (code, params)
    (checked,) = client.post(f"{API}/expressions/check", json=body).json()["errors"]
    assert (checked["code"], checked["params"], checked["detail"]) == (code, params, problem["detail"])


@pytest.mark.parametrize("name", [name for name, op in REGISTRY.items() if op.errors])
def test_an_operation_says_by_code_what_it_refuses(name: str) -> None:
    for sample in REGISTRY[name].errors:
        with pytest.raises((ValueError, TypeError, IndexError)) as error:
            apply(name, *map(Tensor, sample.inputs), **sample.attributes)
        assert isinstance(error.value.args[0], Told), error.value


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


VALUES = [{"values": [1, 2], "target": 0}, {"values": [3], "target": 1}]
TOKENS = [{"tokens": ["a", "b"], "target": 0}]


@pytest.mark.parametrize(
    ("examples", "change", "code", "params"),
    [
        (VALUES, {"readout": "every"}, "sequences-readout", {}),
        (VALUES, {"classes": ["no", "no"]}, "sequences-twice", {"name": "classes"}),
        (VALUES, {"classes": ["no", "\u202eyes"]}, "name-unprintable", {}),
        (TOKENS, {"features": ["a"]}, "sequences-features", {}),
        ([*TOKENS, *VALUES], {}, "sequences-mixed", {"example": 1}),
        ([*VALUES, *TOKENS], {}, "sequences-mixed", {"example": 2}),
        (TOKENS, {"vocabulary": ["a"]}, "sequences-token", {"example": 0}),
        (VALUES, {"vocabulary": ["a"]}, "sequences-vocabulary", {}),
        ([{"values": [[[1]]], "target": 0}], {}, "sequences-dimensions", {"example": 0, "given": 3}),
        ([{"values": "one", "target": 0}], {}, "input-numbers", {}),
        ([{"values": [0] * (limits.SEQUENCE_STEPS + 1), "target": 0}], {}, "sequences-many-steps",
         {"example": 0, "given": limits.SEQUENCE_STEPS + 1, "most": limits.SEQUENCE_STEPS}),
        ([{"values": [[0] * (limits.SEQUENCE_FEATURES + 1)], "target": 0}], {}, "sequences-many-features", None),
        ([{"tokens": [str(k) for k in range(limits.SEQUENCE_STEPS)], "target": 0},
          {"tokens": [str(-k) for k in range(limits.SEQUENCE_STEPS)], "target": 0}], {}, "sequences-tokens", None),
        ([*VALUES, {"values": [[1, 2]], "target": 0}], {}, "sequences-uneven", {"example": 2, "width": 1}),
        (VALUES, {"features": ["a", "b"]}, "sequences-names", {"given": 2, "width": 1}),
        (VALUES, {"kind": "regression", "readout": "every"}, "sequences-lengths", {}),
        (VALUES, {"kind": "regression", "classes": ["a", "b"]}, "sequences-classes", {}),
        ([{"values": [1, 2], "target": [[1], [2]]}], {"kind": "regression"}, "sequences-target", {"example": 0}),
        ([*VALUES, {"values": [1], "target": [1, 2]}], {"kind": "regression"}, "sequences-outputs", {"most": limits.SEQUENCE_FEATURES}),
        ([{"values": [1, 2], "target": 0.5}], {}, "sequences-class", {"example": 0}),
        (VALUES, {"classes": ["one"]}, "sequences-many-classes", {"given": 1, "most": 1}),
    ],
)  # fmt: skip
def test_sequences_that_are_wrong_say_so_by_code(
    client: httpx.Client, examples: list[dict[str, Any]], change: dict[str, Any], code: str, params: dict[str, Any] | None
) -> None:
    sequences = {"kind": "classification", "examples": examples, **change}
    problem = client.post(f"{API}/traces", json={"program": {"kind": "network", "sequences": sequences}}).json()
    assert (problem["status"], problem["errors"][0]["code"]) == (422, code), problem
    assert params in (None, problem["errors"][0]["params"])


def parameters(**change: Any) -> dict[str, Any]:
    """The program of a network that starts from parameters: of an RNN of one unit on pairs of numbers, unless they are changed."""
    given = {"rnn.weight_ih_l0": [[1, 1]], "rnn.weight_hh_l0": [[1]], "rnn.bias_ih_l0": [1], "rnn.bias_hh_l0": [1],
             "head.weight": [[1]], "head.bias": [1], **change}  # fmt: skip
    start = {"parameters": {name: value for name, value in given.items() if value is not None}}
    return {"task": "adding", "cell": "rnn", "hidden_size": 1, "example": 0, "start": start}


@pytest.mark.parametrize(
    ("program", "code", "params"),
    [
        ({}, "source-none", {}),
        ({"task": "surnames", "sequences": {"kind": "classification", "examples": VALUES}}, "source-twice", {}),
        ({"length": 3, "sequences": {"kind": "classification", "examples": VALUES}}, "length-own", {}),
        ({"task": "surnames", "part": "test"}, "part-whole", {}),
        (parameters(**{"rnn.weight_hh_10": [[1]]}), "parameter-unknown", {"number": 6, "nearest": "rnn.weight_hh_l0"}),
        (parameters(**{"head.bias": [1, 2]}), "parameter-shape", {"name": "head.bias", "given": "[2]", "wanted": "[1]"}),
        (parameters(**{"head.bias": None}), "parameter-missing", {"names": "head.bias"}),
    ],
)
def test_a_network_of_ones_own_that_is_wrong_says_so_by_code(
    client: httpx.Client, program: dict[str, Any], code: str, params: dict[str, Any]
) -> None:
    (error,) = client.post(f"{API}/traces", json={"program": {"kind": "network", **program}}).json()["errors"]
    assert (error["code"], error["params"]) == (code, params)


@pytest.mark.parametrize(
    ("change", "code", "params"),
    [
        ({"space": {"lr": {"low": 0.1, "high": 0.01}}}, "range-order", {"low": 0.1, "high": 0.01}),
        ({"space": {"dropout": {"low": 0, "high": 0.5, "log": True}}}, "range-log", {"low": 0}),
        ({"space": {"lr": {"choices": [0.1, 0.1]}}}, "choices-twice", {}),
        ({"space": {"cell": {"low": 1, "high": 2}}}, "setting-choices", {"name": "cell"}),
        ({"space": {"layers": {"low": 1, "high": 1.5}}}, "setting-whole", {"name": "layers"}),
        ({"space": {"momentum": {"low": 0, "high": 0.9}}}, "setting-optimizer", {"name": "momentum", "optimizer": "adamw"}),
        ({"space": {"dropout": {"choices": [0, 2]}}}, "setting-value", {"name": "dropout", "value": "2"}),
        # what no run can have is told as it is for a run, beside what varies
        ({"space": {"length": {"low": 5, "high": 7}}, "program": {"task": "surnames"}}, "length-fixed", {}),
        ({"space": {"hidden_size": {"choices": [4, 256]}, "layers": {"choices": [1, 4]}}, "program": {"task": "surnames", "cell": "lstm"}},
         "network-large", None),
    ],
)  # fmt: skip
def test_a_search_that_cannot_be_says_so_by_code(
    client: httpx.Client, change: dict[str, Any], code: str, params: dict[str, Any] | None
) -> None:
    problem = client.post(f"{API}/sweeps", json={"program": {"task": "adding"}, "steps": 1, "trials": 1, **change}).json()
    (error,) = problem["errors"]
    assert (problem["status"], error["code"]) == (422, code), problem
    assert params in (None, error["params"])


def test_a_map_that_cannot_be_says_so_by_code(client: httpx.Client) -> None:
    run = client.post(f"{API}/runs", json={"program": {"task": "surnames", "cell": "rnn", "hidden_size": 2}}).json()["id"]
    one = {"name": "rnn.weight_hh_l0", "index": [0, 0]}
    wanted = {"landscape-line": {"kind": "pca"}, "landscape-plane": {"kind": "parameters", "a": one, "b": one}}
    for code, directions in wanted.items():
        problem = client.post(f"{API}/landscapes", json={"runs": [run], "directions": directions, "resolution": 2, "examples": 1}).json()
        assert (problem["status"], problem["code"]) == (422, code), problem


def test_a_message_with_something_before_it_keeps_its_code() -> None:
    told = after("with layers 9: ", Told("too large", "network-large", given=9, most=8))
    assert isinstance(told, Told)
    assert (told, told.code, told.params) == ("with layers 9: too large", "network-large", {"given": 9, "most": 8})
    assert not isinstance(after("with layers 9: ", "too large"), Told)


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
