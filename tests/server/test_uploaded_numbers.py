"""Programs that refer to uploads: a network's start, own sequences, values of a graph, edits. What is made holds the numbers itself."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from safetensors.numpy import save

from engine import nn
from engine.trace import SCHEMA_PATH, Document
from engine.training.model import SequenceModel
from server.programs.network import settings_of
from server.schemas.network import NetworkProgram
from tests.server.helpers import API, Start, expression
from tests.server.test_uploads import uploaded
from tests.server.upload_files import npy_bytes, npz_bytes

NETWORK = {"kind": "network", "task": "sunspots", "cell": "gru", "hidden_size": 3, "batch_size": 4, "example": 0}
_valid: set[str] = set()  # the ids of traces that were found as the schema has it
UNKNOWN = "sha256:" + "0" * 64


def made(client: httpx.Client, program: dict[str, Any]) -> Document:
    response = client.post(f"{API}/traces", json={"program": program})
    assert response.status_code in (200, 201), response.text
    document = response.json()
    if document["id"] not in _valid:
        assert list(Draft202012Validator(json.loads(SCHEMA_PATH.read_text())).iter_errors(document)) == []
        _valid.add(document["id"])
    return Document(document)


def refused(client: httpx.Client, program: dict[str, Any], path: str = "/traces", **more: Any) -> dict[str, Any]:
    response = client.post(f"{API}{path}", json={"program": program, **more} if program else more)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    return {**response.json(), **error}


def state(**program: Any) -> dict[str, Any]:
    """Parameters for the network, none of them its own."""
    task, settings = settings_of(NetworkProgram.model_validate({**NETWORK, **program}).model_dump())
    rng = np.random.default_rng(5)
    return {name: rng.normal(size=array.shape) for name, array in SequenceModel(task, settings).state_dict().items()}


def values(document: Document, parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: document.value(document.node(name)["id"]) for name in parameters}


@pytest.mark.parametrize("form", ["safetensors", "npz"])
def test_a_network_starts_from_an_upload(client: httpx.Client, form: str) -> None:
    parameters = state()
    data = save(parameters) if form == "safetensors" else npz_bytes(**parameters)
    document = made(client, {**NETWORK, "start": {"upload": uploaded(client, data)["id"]}})
    for name, array in values(document, parameters).items():
        np.testing.assert_array_equal(array, parameters[name])
    assert "upload" not in json.dumps(document.doc["program"])
    again = made(client, document.doc["program"])
    assert again.doc["id"] == document.doc["id"]
    assert NetworkProgram.model_validate(document.doc["program"]).model_dump()["start"] == document.doc["program"]["start"]
    listed = {name: array.tolist() for name, array in parameters.items()}
    assert made(client, {**NETWORK, "start": {"parameters": listed}}).doc["id"] == document.doc["id"]  # whichever way they come
    assert made(client, NETWORK).doc["id"] != document.doc["id"]


def test_an_engines_own_network_and_half_precision(client: httpx.Client) -> None:
    task, settings = settings_of(NetworkProgram.model_validate(NETWORK).model_dump())
    model = SequenceModel(task, settings)
    parameters = {name: array.astype(np.float16) for name, array in model.state_dict().items()}
    whole = made(client, {**NETWORK, "start": {"upload": uploaded(client, nn.to_safetensors(model))["id"]}})
    half = made(client, {**NETWORK, "start": {"upload": uploaded(client, save(parameters))["id"]}})
    for name, array in parameters.items():
        np.testing.assert_array_equal(values(whole, parameters)[name], model.state_dict()[name])
        np.testing.assert_array_equal(values(half, parameters)[name], array)


def test_it_trains_on_from_there(client: httpx.Client) -> None:
    parameters = state()
    start = {"upload": uploaded(client, save(parameters))["id"]}
    first, third = (made(client, {**NETWORK, "example": None, "start": start, "step": step}) for step in (1, 3))
    second = made(client, {**first.doc["program"], "step": 2})
    name = "rnn.weight_hh_l0"
    after = first.tensor(first.doc["after"]["values"][str(first.node(name)["id"])])
    np.testing.assert_allclose(values(second, {name: 0})[name], after, rtol=1e-10)  # fused, which trained, and in primitives
    assert not np.array_equal(values(second, {name: 0})[name], parameters[name])
    assert not np.array_equal(values(third, {name: 0})[name], values(second, {name: 0})[name])


def test_single_parameters_from_several_files(client: httpx.Client) -> None:
    parameters = state()
    name = "head.bias"
    one, other = (
        uploaded(client, npy_bytes(parameters[name]))["id"],
        uploaded(client, npz_bytes(**{f"old/{n}": a for n, a in parameters.items()}))["id"],
    )
    start = {"parameters": {n: {"upload": other, "tensor": f"old/{n}"} for n in parameters} | {name: {"upload": one}}}
    document = made(client, {**NETWORK, "start": start})
    for key, array in values(document, parameters).items():
        np.testing.assert_array_equal(array, parameters[key])


def test_what_is_not_finite_starts_a_network_too(client: httpx.Client) -> None:
    parameters = state()
    parameters["head.bias"][:] = np.nan
    document = made(client, {**NETWORK, "start": {"upload": uploaded(client, save(parameters))["id"]}})
    assert np.isnan(document.value(document.loss))


def test_a_start_that_does_not_fit(client: httpx.Client) -> None:
    def of(parameters: dict[str, Any]) -> dict[str, Any]:
        return refused(client, {**NETWORK, "start": {"upload": uploaded(client, save(parameters))["id"]}})

    parameters = state()
    misnamed = {("rnn.weight_hh_10" if name == "rnn.weight_hh_l0" else name): array for name, array in parameters.items()}
    error = of(misnamed)
    assert "rnn.weight_hh_10 is no parameter of this network; did you mean rnn.weight_hh_l0?" in error["detail"]
    assert error["pointer"] == "/program/start"
    error = of(state(hidden_size=4))
    assert "head.weight has shape [1, 4]; this network's has [1, 3]" in error["detail"]
    del parameters["head.bias"]
    assert "head.bias are missing" in of(parameters)["detail"]
    assert "<img" not in json.dumps(of({"<img src=x>": np.zeros(1)}))


def test_starts_that_are_none(client: httpx.Client) -> None:
    for start, pointer in (({"upload": "no id"}, "/program/start/upload"), ({"parameters": {}}, "/program/start/parameters"),
                           ({"parameters": {"head.bias": {"upload": 1}}}, "/program/start/parameters/head.bias"),
                           ({"upload": UNKNOWN}, "/program/start")):  # fmt: skip
        assert refused(client, {**NETWORK, "start": start})["pointer"] == pointer


def test_truth_values_are_zeros_and_ones(client: httpx.Client) -> None:
    marks = np.array([[True, False], [False, False]])
    data = npz_bytes(x=marks, y=np.array([True, False]))
    upload = uploaded(client, data)["id"]
    sequences = {"kind": "classification", "inputs": {"upload": upload, "tensor": "x"}, "targets": {"upload": upload, "tensor": "y"}}
    document = made(client, {"kind": "network", "cell": "rnn", "hidden_size": 3, "sequences": sequences})
    examples = document.doc["program"]["sequences"]["examples"]
    assert [(example["values"], example["target"]) for example in examples] == [([[1], [0]], 1), ([[0], [0]], 0)]


def test_own_sequences_from_an_upload(client: httpx.Client) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(5, 4, 2)).astype(np.float32), rng.normal(size=(5, 4))
    upload = uploaded(client, npz_bytes(x=x, y=y, c=np.array([0, 1, 2, 0, 1], np.int8)))["id"]

    def program(target: str, **more: Any) -> dict[str, Any]:
        tensors = {"inputs": {"upload": upload, "tensor": "x"}, "targets": {"upload": upload, "tensor": target}}
        return {"kind": "network", "cell": "rnn", "hidden_size": 3, "sequences": {**tensors, **more}}

    document = made(client, program("y", kind="regression", readout="every", features=["a", "b"]))
    order = [example["index"] for example in document.doc["batch"]["examples"]]
    np.testing.assert_array_equal(document.value(document.node("x")["id"])[np.argsort(order)], x.astype(np.float64))
    np.testing.assert_array_equal(document.value(document.node("target")["id"])[np.argsort(order)][..., 0], y)
    assert made(client, document.doc["program"]).doc["id"] == document.doc["id"]
    assert "upload" not in json.dumps(document.doc["program"])
    classes = made(client, program("c", kind="classification", classes=["p", "q", "r"]))
    assert classes.doc["batch"]["classes"] == ["p", "q", "r"]


@pytest.mark.parametrize(
    ("arrays", "words", "pointer"),
    [
        ({"x": np.zeros(3), "y": np.zeros(3)}, "shape [3]; expected (sequences, steps)", "/program/sequences/inputs"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, "one entry for each sequence", "/program/sequences/targets"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(())}, "one entry for each sequence", "/program/sequences/targets"),
        ({"x": np.array([[1, np.nan]]), "y": np.zeros(1)}, "not finite", "/program/sequences/inputs"),
        ({"x": np.zeros((1, 2)), "y": np.array([np.inf])}, "not finite", "/program/sequences/targets"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "0 items were given; expected at least 1", "/program/sequences"),
        ({"x": np.zeros((257, 2)), "y": np.zeros(257)}, "257 items were given; expected at most 256", "/program/sequences"),
        ({"x": np.zeros((2, 201)), "y": np.zeros(2)}, "at most 200", "/program/sequences"),
        ({"x": np.zeros((250, 200, 5), np.int8), "y": np.zeros(250)}, "at most 200,000", "/program/sequences"),
        ({"x": np.zeros((2, 2))}, "did you mean x?", "/program/sequences/targets"),
    ],
)  # fmt: skip
def test_sequences_that_are_none(client: httpx.Client, arrays: dict[str, Any], words: str, pointer: str) -> None:
    upload = uploaded(client, npz_bytes(**arrays))["id"]
    target = "y" if "y" in arrays else "xy"
    sequences = {"kind": "regression", "inputs": {"upload": upload, "tensor": "x"}, "targets": {"upload": upload, "tensor": target}}
    error = refused(client, {"kind": "network", "cell": "rnn", "hidden_size": 3, "sequences": sequences})
    assert words in error["detail"]
    assert error["pointer"] == pointer


def graph(**given: Any) -> dict[str, Any]:
    return {
        "kind": "graph",
        "nodes": [{"id": "w", "role": "parameter", **given}, {"id": "x", "value": 3}, {"id": "y", "op": "mul"}],
        "edges": [{"from": "w", "to": "y"}, {"from": "x", "to": "y"}],
    }


@pytest.mark.parametrize(
    "array", [np.array([0.1, np.inf, np.nan]), np.float32([0.1, 2]), np.float16([0.1]), np.zeros((0, 2)), np.array(-0.0)], ids=str
)  # fmt: skip
def test_a_value_of_a_graph(client: httpx.Client, array: Any) -> None:
    document = made(client, graph(value={"upload": uploaded(client, npy_bytes(array))["id"]}))
    found = document.value(document.node("w")["id"])
    assert found.dtype == (np.float64 if array.dtype == np.float64 else np.float32)
    np.testing.assert_array_equal(found, array)
    assert made(client, document.doc["program"]).doc["id"] == document.doc["id"]
    assert "upload" not in json.dumps(document.doc["program"])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_whole_numbers_of_a_graph(client: httpx.Client, dtype: str) -> None:
    array = np.array([0, 1, 1], dtype)
    node = {"value": {"upload": uploaded(client, npy_bytes(array))["id"], "tensor": "array"}, "role": "input"}
    document = made(
        client,
        {
            **graph(**node),
            "forward": "accept",
            "nodes": [{"id": "w", **node}, {"id": "x", "value": 3}, {"id": "y", "op": "mul", "value": [0, 3, 3]}],
        },
    )
    about = document.node("w")
    np.testing.assert_array_equal(document.value(about["id"]), array)
    assert about["dtype"] == {"int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64"}.get(dtype, dtype)


def test_values_that_are_none(client: httpx.Client, start: Start) -> None:
    two = uploaded(client, npz_bytes(first=[1.0], second=[2.0]))["id"]
    large = uploaded(client, npy_bytes(np.array([2**40])))["id"]
    for value, words in (({"upload": two}, "holds 2 tensors"), ({"upload": two, "tensor": "frist"}, "did you mean first?"),
                         ({"upload": two, "tensor": "x"}, "it has first, second"), ({"upload": UNKNOWN}, "no such upload"),
                         ({"upload": large}, "beyond 32 bits")):  # fmt: skip
        error = refused(client, graph(value=value))
        assert words in error["detail"]
        assert error["pointer"] == "/program/nodes/0/value"
    for value in (
        {"upload": "sha256:0"},
        {"upload": two, "tensor": 1},
        {"upload": two, "wherefore": 1},
        {"upload": two, "tensor": "a" * 201},
    ):
        error = refused(client, graph(value=value))
        assert "a tensor of an upload is" in error["detail"]


def test_references_do_not_multiply_cost(client: httpx.Client) -> None:
    upload = {"upload": uploaded(client, npy_bytes(np.zeros(500_000, np.float16)))["id"]}
    nodes = [{"id": f"x{n}", "value": upload} for n in range(9)]
    program = {
        "kind": "graph",
        "nodes": [*nodes, {"id": "y", "op": "add"}],
        "edges": [{"from": "x0", "to": "y"}, {"from": "x1", "to": "y"}],
    }
    error = refused(client, program)
    assert (error["limit"], error["actual"]) == (4_000_000, 4_500_000)
    many = [{"id": f"x{n}", "value": {"upload": uploaded(client, npy_bytes([n, 0.5]))["id"]}} for n in range(9)]
    response = client.post(f"{API}/traces", json={"program": {**program, "nodes": [*many, program["nodes"][-1]]}})
    assert (response.status_code, response.json()["limit"], response.json()["actual"]) == (422, 8, 9)


def test_edits_from_an_upload(client: httpx.Client) -> None:
    base = made(client, expression("w*x", {"w": [1, 2], "x": 3})["program"])
    upload = uploaded(client, npy_bytes([5.0, 6.0]))["id"]
    edits = [{"node": "w", "value": {"upload": upload}}]
    response = client.post(f"{API}/traces/{base.doc['id']}/what-if", json={"edits": edits})
    assert response.status_code in (200, 201), response.text
    edited = Document(response.json())
    np.testing.assert_array_equal(edited.value(edited.node("w")["id"]), [5, 6])
    posted = made(client, {"kind": "what-if", "program": base.doc["program"], "edits": edits})
    assert posted.doc["id"] == edited.doc["id"]
    bad = [{"node": "w", "value": {"upload": UNKNOWN}}]
    assert refused(client, {}, f"/traces/{base.doc['id']}/what-if", edits=bad)["pointer"] == "/edits/0/value"
    assert refused(client, {"kind": "what-if", "program": base.doc["program"], "edits": bad})["pointer"] == "/program/edits/0/value"
    inner = {"kind": "what-if", "program": graph(value={"upload": UNKNOWN}), "edits": edits}
    assert refused(client, inner)["pointer"] == "/program/program/nodes/0/value"


def test_what_was_made_outlives_its_upload(client: httpx.Client) -> None:
    upload = uploaded(client, npy_bytes([0.125, 7.0]))["id"]
    document = made(client, graph(value={"upload": upload}))
    assert client.delete(f"{API}/uploads/{upload}").status_code == 204
    place = f"{API}/traces/{document.doc['id']}"
    assert client.get(place).json() == document.doc
    assert client.delete(place).status_code == 204
    assert made(client, document.doc["program"]).doc["id"] == document.doc["id"]
    assert refused(client, graph(value={"upload": upload}))["detail"].startswith("there is no such upload")
