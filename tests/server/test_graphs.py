"""Graphs that other programs recorded: computed again and compared, or accepted; and what is no graph."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from engine import Tensor, apply
from engine.ops import REGISTRY
from engine.trace import SCHEMA_PATH, Document, check
from engine.trace.arena import encode
from server.encoding import dumps
from server.programs.sizes import bound
from server.schemas.requests import TraceRequest
from tests.server.helpers import API, Start

W, X, Y = [[0.5, -0.25], [0.1, 0.3]], [[1.0, 2.0]], [0.2]
H = np.tanh(np.array(X) @ np.array(W).T)
NODES: list[dict[str, Any]] = [
    {"id": "W", "value": W, "role": "parameter"},
    {"id": "x", "value": X},
    {"id": "target", "value": Y, "role": "constant"},
    {"id": "a", "op": "linear", "scope": "rnn/t=1", "time": 1},
    {"id": "h_1", "op": "tanh", "value": H.tolist(), "scope": "rnn/t=1", "time": 1, "label": "h"},
    {"id": "out", "op": "mean", "attributes": {"axis": 1}},
    {"id": "loss", "op": "mse_loss", "value": float(((H.mean(axis=1) - Y) ** 2).mean())},
]
EDGES: list[dict[str, Any]] = [
    {"from": "x", "to": "a"}, {"from": "W", "to": "a"}, {"from": "a", "to": "h_1"}, {"from": "h_1", "to": "out"},
    {"from": "target", "to": "loss", "port": 1}, {"from": "out", "to": "loss", "port": 0},
]  # fmt: skip


def graph(nodes: Any = NODES, edges: Any = EDGES, **more: Any) -> dict[str, Any]:
    return {"program": {"kind": "graph", "nodes": nodes, "edges": edges, **more}}


def made(client: httpx.Client, body: dict[str, Any]) -> Document:
    response = client.post(f"{API}/traces", json=body)
    assert response.status_code in (200, 201), response.text
    assert list(Draft202012Validator(json.loads(SCHEMA_PATH.read_text())).iter_errors(response.json())) == []
    return Document(response.json())


def test_a_graph_is_computed_again_and_differentiated(client: httpx.Client) -> None:
    document = made(client, graph())
    assert [node["id"] for node in document.doc["program"]["nodes"]] == [node["id"] for node in NODES]
    h = document.nodes[4]
    assert (h["label"], h["scope"], h["time"], h["path"], h["op"]) == ("h", "rnn/t=1", 1, "rnn/t=1/tanh#0", "tanh")
    np.testing.assert_allclose(document.value(4), H, rtol=1e-15)
    assert [node["role"] for node in document.nodes] == ["parameter", "input", "constant", *["intermediate"] * 3, "loss"]
    residual = float(H.mean() - Y[0])
    expected = (2 * residual * 0.5 * (1 - H**2)).T @ np.array(X)
    np.testing.assert_allclose(_gradient(document), expected, rtol=1e-12)
    for index in ([0, 0], [1, 1]):
        assert abs(check(document, "W", index)["difference"]) < 1e-9
    (note,) = document.doc["notes"]
    assert note["key"] == "note.graph_difference"
    assert note["params"]["difference"] < 1e-15


def test_the_program_is_written_out_and_makes_the_trace_again(client: httpx.Client) -> None:
    document = made(client, graph())
    program = document.doc["program"]
    assert program["loss"] == "loss"
    assert program["edges"][:2] == [{"from": "x", "to": "a", "port": 0}, {"from": "W", "to": "a", "port": 1}]
    again = client.post(f"{API}/traces", json={"program": program})
    assert (again.status_code, again.json()["id"]) == (200, document.doc["id"])


def test_nodes_may_come_in_any_order(client: httpx.Client) -> None:
    document = made(client, graph(NODES[::-1], loss="loss"))
    ids = [node["id"] for node in document.doc["program"]["nodes"]]
    assert sorted(ids) == sorted(node["id"] for node in NODES)
    for number, node in enumerate(document.nodes):
        assert all(i < number for i in node["inputs"])
        assert (node["op"] is None) == (document.doc["program"]["nodes"][number].get("op") is None)
    straight = made(client, graph())
    np.testing.assert_array_equal(document.gradient(ids.index("W")), straight.gradient(0))


def test_values_are_accepted_as_they_were_recorded(client: httpx.Client) -> None:
    values = {"a": [[0.0, 1.0]], "h_1": [[5.0, "NaN"]], "out": [7.0], "loss": "Infinity"}
    document = made(client, graph([{**node, "value": values.get(node["id"], node.get("value"))} for node in NODES], forward="accept"))
    np.testing.assert_array_equal(document.value(4), [[5.0, np.nan]])
    assert document.value(6) == np.inf
    assert all(node["gradient"] is None for node in document.nodes)
    kinds = document.doc["events"]["kinds"]
    assert {kinds[kind] for kind in document.doc["events"]["kind"]} == {"forward"}
    assert document.doc["notes"][0]["params"] == {"difference": "Infinity", "node": 4}
    for node in range(7):
        why = client.get(
            f"{API}/traces/{document.doc['id']}/nodes/{node}", params={"index": ",".join("0" * len(document.nodes[node]["shape"]))}
        )
        assert why.status_code == 200, why.text
        assert why.json()["backward"] == {"contributions": [], "sum": None}
    again = client.post(f"{API}/traces", json={"program": document.doc["program"]})
    assert (again.status_code, again.json()["id"]) == (200, document.doc["id"])


def test_arrays_come_as_traces_hold_them_and_integers_stay_integers(client: httpx.Client) -> None:
    logits = np.array([[0.5, -1.0, 2.0], [0.0, 1.0, 3.0]], np.float32)
    nodes = [
        {"id": "z", "value": encode(logits), "role": "parameter"},
        {"id": "target", "value": [2, 0], "dtype": "int64"},
        {"id": "L", "op": "cross_entropy"},
    ]
    document = made(client, graph(nodes, [{"from": "z", "to": "L"}, {"from": "target", "to": "L"}]))
    assert [node["dtype"] for node in document.nodes] == ["float32", "int64", "float32"]
    exponents = np.exp(logits.astype(float))
    p = exponents / exponents.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(_gradient(document), (p - np.eye(3)[[2, 0]]) / 2, rtol=1e-5)


def test_a_long_program_is_listed_by_its_kind(client: httpx.Client) -> None:
    nodes = [{"id": "w", "value": [0.125] * 3000, "role": "parameter"}, {"id": "y", "op": "sum"}]
    document = made(client, graph(nodes, [{"from": "w", "to": "y"}]))
    (item,) = client.get(f"{API}/traces", params={"limit": 1}).json()["items"]
    assert item["id"] == document.doc["id"]
    assert item["program"]["kind"] == "graph"
    assert item["program"] == {"kind": "graph", "bytes": len(dumps(document.doc["program"]))}
    short = made(client, graph())
    items = client.get(f"{API}/traces", params={"limit": 100}).json()["items"]
    assert next(item for item in items if item["id"] == short.doc["id"])["program"] == short.doc["program"]


def test_one_node_may_be_an_input_twice_and_a_result_is_summed(client: httpx.Client) -> None:
    nodes = [{"id": "w", "value": [1, 2, 3], "role": "parameter"}, {"id": "y", "op": "mul"}]
    document = made(client, graph(nodes, [{"from": "w", "to": "y"}] * 2))
    np.testing.assert_array_equal(document.gradient(0), [2, 4, 6])
    assert document.doc["notes"] == [{"key": "note.summed_loss", "params": {"shape": [3]}}]
    assert (document.nodes[document.loss]["op"], document.nodes[document.loss]["label"]) == ("sum", "L")


def test_a_recurrence_with_its_labels_is_itemised(client: httpx.Client) -> None:
    document = made(client, graph())
    answer = client.get(f"{API}/traces/{document.doc['id']}/bptt").json()
    assert (answer["cell"], answer["times"], answer["states"]) == ("rnn", [1], ["h"])
    assert answer["loss_norms"]["h"][0][0] == pytest.approx(answer["state_norms"]["h"][0])


def _gradient(document: Document) -> np.ndarray:
    gradient = document.gradient(0)
    assert gradient is not None
    return gradient


def _node(number: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**node, **changes} if n == number else node for n, node in enumerate(NODES)]


CYCLE = [{"id": "w", "value": 1, "role": "parameter"}, *({"id": name, "op": "add"} for name in "abc"), {"id": "d", "op": "tanh"}]
AROUND = [{"from": "w", "to": "a"}, {"from": "c", "to": "a"}, {"from": "a", "to": "b"}, {"from": "w", "to": "b"}, {"from": "b", "to": "c"},
          {"from": "w", "to": "c"}, {"from": "c", "to": "d"}]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (graph(CYCLE, AROUND), "/program/edges/", "a cycle: nodes "),
        (graph([NODES[0], {"id": "s", "op": "tanh"}], [{"from": "s", "to": "s"}]), "/program/edges/0", "cycle"),
        (graph(edges=[*EDGES, {"from": "nobody", "to": "a"}]), "/program/edges/6/from", "dangles"),
        (graph(edges=[*EDGES, {"from": "x", "to": "nobody"}]), "/program/edges/6/to", "dangles"),
        (graph([*NODES, NODES[1]]), "/program/nodes/7/id", "node 1 has this id"),
        (graph(edges=[*EDGES, {"from": "x", "to": "W"}]), "/program/edges/6/to", "leaf"),
        (graph(edges=[*EDGES, {"from": "x", "to": "loss", "port": 1}]), "/program/edges/6/port", "another edge at port 1"),
        (graph(edges=[*EDGES[:5], {"from": "out", "to": "loss", "port": 3}]), "/program/nodes/6", "no edge arrives at port 0"),
        (graph(edges=EDGES[:2] + EDGES[3:]), "/program/nodes/4", "no edge arrives"),
        (graph(edges=EDGES[1:]), "/program/nodes/3", "linear was given 1 inputs"),
        (graph(_node(3, op="convolve")), "/program/nodes/3/op", "GET /api/v1/ops"),
        (graph(_node(3, op="rnn_fused")), "/program/nodes/3/op", "no operation of this name"),
        (graph(_node(3, op="__class__")), "/program/nodes/3/op", "no operation of this name"),
        (graph(_node(3, attributes={"axis": 1})), "/program/nodes/3", "linear"),
        (graph(_node(5, attributes={"axis": "x"})), "/program/nodes/5", "mean"),
        (graph(_node(5, attributes={"axis": [[[1]]]})), "/program/nodes/5", "mean"),
        (graph(_node(4, attributes={"self": 1})), "/program/nodes/4", "tanh"),
        (graph(_node(4, attributes={"name": "tanh"})), "/program/nodes/4", "tanh"),
        (graph(_node(4, attributes={"<b>nobody": 1})), "/program/nodes/4/attributes", "plain name"),
        (graph(_node(5, attributes={"axis": "<b>nobody"})), "/program/nodes/5/attributes", "plain letters"),
        (graph(_node(5, attributes={"axis": {"nobody": 1}})), "/program/nodes/5/attributes", "plain letters"),
        (graph(_node(6, attributes={"reduction": "most"})), "/program/nodes/6", "mse_loss"),
        (graph(_node(3, role="input")), "/program/nodes/3/role", "leaves"),
        (graph(_node(1, value=None)), "/program/nodes/1/value", "needs its value"),
        (graph(_node(1, attributes={"axis": 1})), "/program/nodes/1/attributes", "a leaf has no attributes"),
        (graph(_node(4, value=[[0.1, 0.2]])), "/program/nodes/4/value", "more than the tolerance of 1e-06"),
        (graph(_node(4, value=[0.1])), "/program/nodes/4/value", "computed it has [1, 2]"),
        (graph(_node(1, value=[[1, 2, 3]])), "/program/nodes/3", "linear"),
        (graph(_node(1, value=[[1], [2, 3]])), "/program/nodes/1/value", "unequal length"),
        (graph(_node(1, value=[["wat"]])), "/program/nodes/1/value", "expected a number"),
        (graph(_node(1, value=[[True]])), "/program/nodes/1/value", "expected a number"),
        (graph(_node(1, value=[[0.5]], dtype="int64")), "/program/nodes/1/value", "not whole"),
        (graph(_node(1, value=[[300]], dtype="uint8")), "/program/nodes/1/value", "outside uint8"),
        (graph(_node(1, value=[["NaN"]], dtype="int64")), "/program/nodes/1/value", "not whole"),
        (graph(_node(1, value={"dtype": "f8", "shape": [2], "bdata": "AAAA"})), "/program/nodes/1/value", "bdata holds 3 bytes"),
        (graph(_node(1, value={"dtype": "f8", "shape": [2], "bdata": "!"})), "/program/nodes/1/value", "no base64"),
        (graph(_node(1, value={"dtype": "O", "shape": [2], "bdata": ""})), "/program/nodes/1/value", "an array is"),
        (graph(_node(1, value={"dtype": "f8", "shape": [10**6, 10**6], "bdata": ""})), "/program/nodes/1/value", "bdata holds 0 bytes"),
        (graph(_node(1, value={"dtype": "f8", "shape": [-1], "bdata": ""})), "/program/nodes/1/value", "an array is"),
        (graph(_node(1, value={"dtype": "f8", "shape": [1] * 65, "bdata": ""})), "/program/nodes/1/value", "at most 8 dimensions"),
        (graph(_node(0, dtype="int64", value=[[1, 2], [3, 4]])), "/program/nodes/0/dtype", "floating point"),
        (graph(_node(0, role="input")), "/program/loss", "role parameter"),
        (graph(loss="x"), "/program/loss", "a leaf"),
        (graph(loss="nobody"), "/program/loss", "no node of this id"),
        (graph(forward="accept"), "/program/nodes/3/value", "every node needs its value"),
        (graph([], []), "/program/nodes", "expected at least 1"),
        (graph(_node(1, id="")), "/program/nodes/1/id", "expected at least 1"),
        (graph(_node(1, id="a\u0000b")), "/program/nodes/1/id", "printable"),
        (graph(_node(1, time=0)), "/program/nodes/1/time", "at least 1"),
        (graph(tolerance=-1), "/program/tolerance", "at least 0"),
    ],
)
def test_what_is_no_graph_is_refused_where_it_is_wrong(client: httpx.Client, body: dict[str, Any], pointer: str, words: str) -> None:
    response = client.post(f"{API}/traces", json=body)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["pointer"].startswith(pointer), error
    assert words in error["detail"], error
    assert "nobody" not in response.text


def test_types_that_a_gradient_has_no_use_for_are_refused(client: httpx.Client) -> None:
    nodes = [{"id": "p", "value": [0.5], "role": "parameter"}, {"id": "q", "value": [1], "dtype": "bool"}, {"id": "y", "op": "kl_div"}]
    response = client.post(f"{API}/traces", json=graph(nodes, [{"from": "p", "to": "y"}, {"from": "q", "to": "y"}]))
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/program/loss"


def test_a_larger_tolerance_takes_the_difference_and_says_it(client: httpx.Client) -> None:
    recorded = H + np.array([[0.0, 0.01]])
    document = made(client, graph(_node(4, value=recorded.tolist()), tolerance=0.1))
    np.testing.assert_allclose(document.value(4), H, rtol=1e-15)  # what is shown is what was computed
    (note,) = document.doc["notes"]
    assert note["params"] == {"difference": pytest.approx(0.01), "node": 4}


@pytest.mark.parametrize(
    ("op", "attributes", "inputs"),
    [
        ("broadcast_to", {"shape": [10**6, 10**6]}, [1.0]),
        ("index_set", {"shape": [10**6, 10**6], "index": [0, 0]}, [1.0]),
        ("pad", {"widths": [[10**9, 10**9]]}, [[1.0]]),
        ("rows", {"rows": [0] * 3000}, [[[1.0] * 1000]]),
        ("index", {"index": [["array", [0] * 3000]]}, [[[1.0] * 1000]]),
        ("outer", {}, [[1.0] * 3000, [1.0] * 3000]),
        ("einsum", {"equation": "i,j->ij"}, [[1.0] * 3000, [1.0] * 3000]),
        ("conv1d", {"padding": 10**9}, [[[[1.0]]], [[[1.0]]]]),
        ("add", {}, [[[1.0]] * 3000, [1.0] * 3000]),
    ],
)
def test_what_would_grow_is_refused_before_it_is_computed(
    client: httpx.Client, op: str, attributes: dict[str, Any], inputs: list[Any]
) -> None:
    nodes = [{"id": str(n), "value": value, "role": "parameter"} for n, value in enumerate(inputs)]
    body = graph([*nodes, {"id": "y", "op": op, "attributes": attributes}], [{"from": str(n), "to": "y"} for n in range(len(inputs))])
    response = client.post(f"{API}/traces", json=body)
    assert response.status_code == 422
    problem = response.json()
    assert problem["type"] == "urn:retrograd:problem:limit", problem
    assert problem["actual"] > problem["limit"] == 4_000_000
    assert problem["errors"][0]["pointer"] == f"/program/nodes/{len(inputs)}"


def test_nodes_and_numbers_are_limited(start: Start) -> None:
    with start(graph_nodes=6, trace_elements=1000) as client:
        response = client.post(f"{API}/traces", json=graph())
        assert response.status_code == 422
        assert (response.json()["limit"], response.json()["actual"]) == (6, 7)
        large = [{"id": "w", "value": [0.5] * 200, "role": "parameter"}, {"id": "y", "op": "tanh"}]
        response = client.post(f"{API}/traces", json=graph(large, [{"from": "w", "to": "y"}]))
        assert response.status_code == 422
        assert (response.json()["limit"], response.json()["actual"]) == (1000, 1600)


def _samples() -> list[Any]:
    names = sorted(name for name, op in REGISTRY.items() if not op.hidden)
    return [pytest.param(name, number, id=f"{name}-{number}") for name in names for number in range(len(REGISTRY[name].samples))]


@pytest.mark.parametrize(("name", "number"), _samples())
def test_no_result_of_any_operation_is_larger_than_its_bound(name: str, number: int) -> None:
    sample = REGISTRY[name].samples[number]
    operands = [Tensor(value) for value in sample.inputs]
    assert apply(name, *operands, **sample.attributes).size <= bound(name, operands, json.loads(json.dumps(dict(sample.attributes))))


def test_the_example_of_the_schema_is_a_graph(client: httpx.Client) -> None:
    (example,) = TraceRequest.model_json_schema()["$defs"]["GraphProgram"]["examples"]
    assert made(client, {"program": example}).gradient(0) == 3.0
