"""The trace document: what it holds, how it is named, and that it can be computed with."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from engine import Tape, Tensor, apply
from engine.trace import SCHEMA_PATH, Document, check, content_id, from_bytes, record, to_bytes
from engine.trace.arena import Arena, decode, encode
from engine.training import Settings, Task, trace_step


def neuron(x: Any = (1.0, 2.0)) -> dict[str, Any]:
    w, b = Tensor(0.5, requires_grad=True, name="w"), Tensor(0.0, requires_grad=True, name="b")
    data = Tensor(x, name="x")
    with Tape("TRACE") as tape:
        y = (w * tape.label(data, "x", "input") + b).tanh()
        with tape.phase("loss"):
            loss = tape.label(y.sum(), "L", "loss")
        run = loss.backward()
    program = {"kind": "expression", "expression": "tanh(w*x + b)", "inputs": {"w": 0.5, "x": x, "b": 0.0}, "wrt": ["w", "b"]}
    return record(tape, run, program=program)


@pytest.fixture(params=["rnn", "lstm", "gru"])
def network(request: pytest.FixtureRequest, task: Task) -> dict[str, Any]:
    return trace_step(task, Settings(cell=request.param, hidden_size=4, batch_size=6), 2)


def test_a_trace_satisfies_its_schema(network: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_PATH.read_text()))
    for document in (network, neuron()):
        validator.validate(from_bytes(to_bytes(document)))
        validator.validate({**document, "a_field_of_tomorrow": 1})
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**network, "nodes": [{"id": 0}]})


def test_contributions_add_up_to_the_gradients_exactly(network: dict[str, Any]) -> None:
    document = Document(from_bytes(to_bytes(network)))
    summed = 0
    for node in document.nodes:
        contributions = document.contributions(node["id"])
        gradient = document.gradient(node["id"])
        if not contributions:
            assert gradient is None or node["id"] == document.loss
            continue
        total = contributions[0].array.copy()
        for contribution in contributions[1:]:
            total = total + contribution.array
        assert gradient is not None
        np.testing.assert_array_equal(total, gradient)
        summed += 1
    assert summed > 20


def test_each_contribution_equals_the_finite_difference_of_its_use(network: dict[str, Any]) -> None:
    document = Document(network)
    checked = 0
    for node in document.nodes:
        if document.gradient(node["id"]) is None:
            continue
        at = [n // 2 for n in node["shape"]]
        for one in document.contributions(node["id"]):
            if one.node < 0:
                continue
            found = check(document, node["id"], at, (one.node, one.port))
            assert found["gradient"] == one.array[tuple(at)]
            assert found["gradient"] == pytest.approx(found["finite_difference"], abs=1e-8)
            checked += 1
    assert checked > 20
    weight = document.node("rnn.weight_hh_l0")["id"]
    with pytest.raises(LookupError, match=r"nothing comes back to node 'rnn\.weight_hh_l0' from node 0 at input 1; it does from"):
        check(document, weight, [0, 0], (0, 1))


def test_gradients_equal_finite_differences_from_the_stored_trace(network: dict[str, Any]) -> None:
    document = Document(from_bytes(to_bytes(network)))
    for node in document.nodes:
        if node["gradient"] is not None:
            found = check(document, node["id"], [n // 2 for n in node["shape"]])
            assert found["difference"] == pytest.approx(0.0, abs=1e-8)
            assert found["gradient"] == pytest.approx(found["finite_difference"], abs=1e-8)


def test_replay_gives_the_recorded_values_and_others_when_changed() -> None:
    document = Document(neuron())
    values = document.replay({})
    for node in document.nodes:
        np.testing.assert_array_equal(values[node["id"]], document.value(node["id"]))
    changed = document.replay({document.node("w")["id"]: np.asarray(1.5)})
    assert changed[document.loss] == np.tanh(1.5) + np.tanh(3.0)
    with pytest.raises(ValueError, match="has shape"):
        document.replay({document.node("w")["id"]: np.zeros(3)})


def test_the_name_is_of_the_record_and_not_of_its_writing() -> None:
    document = neuron()
    assert document["id"] == content_id(document)
    shuffled = json.loads(json.dumps(document, sort_keys=True))
    assert content_id(shuffled) == document["id"]
    elsewhere = copy.deepcopy(document)
    elsewhere["nodes"][1]["source"] = "another:1"
    elsewhere["tensors"]["statistics"] = {}
    assert content_id(elsewhere) == document["id"]
    assert neuron()["id"] == document["id"]
    assert neuron((1.0, 2.5))["id"] != document["id"]
    whole = copy.deepcopy(document)
    whole["program"]["inputs"] = {"x": 2.0}
    as_integer = copy.deepcopy(document)
    as_integer["program"]["inputs"] = {"x": 2}
    assert content_id(whole) == content_id(as_integer)


def test_not_a_number_is_data() -> None:
    with np.errstate(invalid="ignore"):
        document = neuron((np.nan, np.inf))
    again = Document(from_bytes(to_bytes(document)))
    np.testing.assert_array_equal(again.value(again.node("x")["id"]), [np.nan, np.inf])
    nonfinite = decode(document["tensors"]["statistics"]["nonfinite"])
    assert nonfinite[again.node("x")["value"]] == 2
    assert np.isnan(decode(document["tensors"]["statistics"]["mean"])[again.node("x")["value"]])


def test_statistics_are_those_of_each_tensor(network: dict[str, Any]) -> None:
    document = Document(network)
    statistics = {name: decode(column) for name, column in network["tensors"]["statistics"].items()}
    for reference in range(len(network["tensors"]["offset"])):
        values = document.tensor(reference).astype(float)
        assert statistics["min"][reference] == values.min()
        assert statistics["max"][reference] == values.max()
        assert statistics["mean"][reference] == pytest.approx(values.mean(), rel=1e-12, abs=1e-15)
        assert statistics["norm"][reference] == pytest.approx(np.sqrt(np.square(values).sum()), rel=1e-12)
        assert statistics["nonfinite"][reference] == 0


def test_an_array_is_stored_once() -> None:
    arena, a = Arena(), np.arange(6.0)
    first, again, view, other = arena.add(a), arena.add(a), arena.add(a.reshape(2, 3)), arena.add(a.copy())
    empty, part = arena.add(np.empty((0, 3))), arena.add(a[::2])
    document = arena.document()
    assert first == again
    assert document["offset"][view] == document["offset"][first]
    assert document["offset"][other] == 6
    assert document["shape"][empty] == [0, 3]
    np.testing.assert_array_equal(decode(document["arenas"]["f8"])[document["offset"][part] :], [0, 2, 4])
    assert np.isnan(decode(document["statistics"]["mean"])[empty])
    with pytest.raises(ValueError, match="integers of 32 bits"):
        arena.add(np.array([2**40]))


def test_views_of_one_memory_keep_their_own_numbers() -> None:
    a = np.arange(6.0).reshape(2, 3)
    fortran = np.asfortranarray(a + 10)
    views = [
        a, a.T, a[::-1, ::-1], a[0], a[1], a[:, 1], a.reshape(-1), a[1:, 2:], a.astype(">f8"), a[0].view(np.uint8),
        *(np.broadcast_to(a[i, i], (2, 3)) for i in range(2)),
        fortran, fortran.T, fortran.reshape(-1), np.float64(3.5), np.array(2.5), np.empty((0, 3)),
    ]  # fmt: skip
    arena = Arena()
    references = [arena.add(view) for view in views]
    document = {"schema": "retrograd.trace/1", "nodes": [], "loss": 0, "tensors": arena.document()}
    for view, reference in zip(views, references, strict=True):
        np.testing.assert_array_equal(Document(document).tensor(reference), view)
    assert arena.digests() == {
        code: hashlib.sha256(decode(packed).tobytes()).hexdigest() for code, packed in document["tensors"]["arenas"].items()
    }


@pytest.mark.parametrize("array", [np.array([1.5, np.nan]), np.arange(3, dtype=np.int64), np.array(True), np.zeros((2, 0), np.float32)])
def test_arrays_travel_and_come_back(array: np.ndarray) -> None:
    again = decode(encode(array))
    assert again.shape == array.shape
    np.testing.assert_array_equal(again, array)


def test_large_weight_contributions_are_computed_on_demand() -> None:
    x, W = Tensor(np.ones((2, 70)), name="x"), Tensor(np.full((70, 70), 0.1), requires_grad=True, name="W")
    with Tape("TRACE") as tape:
        run = apply("linear", apply("linear", x, W), W).sum().backward()
    document = Document(record(tape, run, program={"kind": "expression"}))
    events, node = document.doc["events"], document.node("W")["id"]
    stored = [t for t, target, kind in zip(events["tensor"], events["target"], events["kind"], strict=True) if target == node and kind == 3]
    assert stored == [-1, -1]
    total = sum(c.array for c in document.contributions(node))
    np.testing.assert_array_equal(total, run[W])


def test_readers_refuse_what_is_no_trace() -> None:
    for bad in ({"schema": "retrograd.trace/2"}, {}, []):
        with pytest.raises(ValueError, match="not a trace"):
            from_bytes(json.dumps(bad))
    with pytest.raises(KeyError, match="no node 'nobody'"):
        Document(neuron()).node("nobody")
    w = Tensor(1.0, requires_grad=True)
    with Tape("GRAD") as tape:
        run = (w * w).backward()
    with pytest.raises(ValueError, match="level GRAD"):
        record(tape, run, program={})
    document = Document(neuron())
    with pytest.raises(ValueError, match="outside node 'w'"):
        check(document, "w", [0])
    with pytest.raises(ValueError, match="has no gradient"):
        check(document, "x", [0])


def test_the_example_in_the_documentation_is_what_the_engine_writes() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "trace-format.md").read_text()
    section = page.split("## A trace of three nodes")[1]
    namespace: dict[str, Any] = {}
    exec(section.split("```python")[1].split("```")[0], namespace)
    document = namespace["document"]
    shown = json.loads(section.split("```json")[1].split("```")[0])
    assert [{k: v for k, v in node.items() if k != "source"} for node in document["nodes"]] == shown["nodes"]
    for part in ("events", "tensors"):
        assert shown[part] == {key: document[part][key] for key in shown[part]}
    assert (document["events"]["kinds"][2], document["events"]["kinds"][3]) == ("seed", "vjp")


def test_names_follow_rfc_8785() -> None:
    """Keys sort by UTF-16 code units, and numbers do not depend on how they were written."""
    document = neuron()
    inputs = [{"\ufb01": 1, "\U00020000": 2}, {"\U00020000": 2, "\ufb01": 1}]
    assert len({content_id({**document, "program": {"inputs": order}}) for order in inputs}) == 1
    assert content_id({**document, "program": {"n": 10**18}}) == content_id({**document, "program": {"n": 1e18}})
    assert content_id({**document, "program": {"n": True}}) != content_id({**document, "program": {"n": 1}})


def test_only_the_latest_run_is_recorded() -> None:
    w = Tensor(2.0, requires_grad=True, name="w")
    with Tape("TRACE") as tape:
        loss = w * 3
        first, second = loss.backward(), loss.backward()
    with pytest.raises(ValueError, match="latest backward run"):
        record(tape, first, program={})
    assert Document(record(tape, second, program={})).gradient(0) == 3.0


def test_paths_never_collide() -> None:
    a, b, c = (Tensor(1.0, requires_grad=True, name=name) for name in ("mul#0", "b", "b"))
    with Tape("TRACE") as tape:
        run = (a * b * c).backward()
    paths = [node["path"] for node in record(tape, run, program={})["nodes"]]
    assert len(set(paths)) == len(paths)
    with pytest.raises(KeyError, match="no node"):
        Document(neuron()).node("9" * 5000)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_nan_is_the_same_number(dtype: Any) -> None:
    made = []
    for sign in (1.0, -1.0):
        given = np.copysign(np.array([np.nan, 1.5, np.nan], dtype), np.array([sign, 1, sign], dtype))
        for others in ([], [np.arange(2, dtype=dtype)]):
            arena, kept = Arena(), given.tobytes()
            for array in (given, *others):
                arena.add(array)
            made.append((len(others), arena.digests(), arena.document()["arenas"]))
            assert given.tobytes() == kept
    assert made[0] == made[2]
    assert made[1] == made[3]
    assert neuron((np.nan, 2.0))["id"] == neuron((np.copysign(np.nan, -1.0), 2.0))["id"]


def test_a_difference_tells_its_own_error(network: dict[str, Any]) -> None:
    """The estimate is at least what the difference is off by, and small beside a gradient that can be resolved."""
    document = Document(network)
    resolved = 0
    for node in document.nodes:
        if node["role"] != "parameter":
            continue
        found = check(document, node["id"], [0] * len(node["shape"]))
        assert abs(found["difference"]) <= 2 * found["error"] + 1e-15
        resolved += found["error"] < 1e-3 * abs(found["gradient"])
    assert resolved > 0
