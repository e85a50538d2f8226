"""Traces of any numbers and names, through every format that can be read back, come back as they were."""

from __future__ import annotations

import gzip
import io
import json
import warnings
from typing import Any

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx.reference import ReferenceEvaluator

from engine import Tape, Tensor, apply
from engine.trace import Document, content_id, from_bytes, record, to_bytes
from server.export import FORMATS
from server.export.npz import member
from server.export.onnx_model import unique_names
from server.msgpack import pack, unpack
from server.store.trace_file import TraceFile

UNARY = ("tanh", "sigmoid", "relu", "exp", "neg", "abs", "sin", "log", "softplus")
BINARY = ("add", "mul", "sub", "maximum", "div")
ANY_NUMBER = st.floats(width=64)  # infinities, NaN, -0.0 and the smallest there are
NAMES = st.text(max_size=12)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """The trace of a few operations on arrays of one shape, with any names, scopes and labels."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    arrays = draw(st.lists(hnp.arrays(np.float64, shape, elements=ANY_NUMBER), min_size=1, max_size=3))
    leaves = [Tensor(array, requires_grad=k == 0 or draw(st.booleans()), name=draw(NAMES) or None) for k, array in enumerate(arrays)]
    with Tape(level="TRACE") as tape, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = list(leaves)
        for _ in range(draw(st.integers(0, 5))):
            with tape.scope(draw(NAMES), time=draw(st.none() | st.integers(1, 9))):
                if draw(st.booleans()):
                    result = apply(draw(st.sampled_from(UNARY)), draw(st.sampled_from(known)))
                else:
                    result = apply(draw(st.sampled_from(BINARY)), draw(st.sampled_from(known)), draw(st.sampled_from(known)))
            known.append(tape.label(result, draw(NAMES)) if draw(st.booleans()) else result)
        loss = apply("mul", known[-1], leaves[0]).sum()
        run = loss.backward()
    program = {"kind": "expression", "expression": draw(st.text(min_size=1, max_size=20)), "inputs": {draw(NAMES): 0.5}, "wrt": []}
    return record(tape, run, program=program, notes=[{"key": "note.any", "params": {draw(NAMES): draw(NAMES)}}])


BOUND = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@given(documents())
@BOUND
def test_json(doc: dict[str, Any]) -> None:
    again = from_bytes(to_bytes(doc))
    assert again == doc
    assert content_id(again) == doc["id"]
    stored = TraceFile.pack(doc["id"], doc["program"], to_bytes(doc))
    assert from_bytes(gzip.decompress(stored.document)) == doc


@given(documents())
@BOUND
def test_msgpack(doc: dict[str, Any]) -> None:
    again = unpack(pack(doc))
    assert again == doc
    assert content_id(again) == doc["id"]
    assert_same_numbers(Document(again), Document(doc))


@given(documents())
@BOUND
def test_npz(doc: dict[str, Any]) -> None:
    document = Document(doc)
    with np.load(io.BytesIO(FORMATS["npz"].writer()(document)), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert json.loads(str(arrays["trace"]))["program"] == doc["program"]
    events = doc["events"]
    for node in document.nodes:
        name = member(node["path"])
        same(arrays[f"value/{name}"], document.value(node["id"]))
        gradient = document.gradient(node["id"])
        assert (f"gradient/{name}" in arrays) == (gradient is not None)
        if gradient is not None:
            same(arrays[f"gradient/{name}"], gradient)
    for event, (target, reference) in enumerate(zip(events["target"], events["tensor"], strict=True)):
        if target >= 0 and reference >= 0:
            kind = events["kinds"][events["kind"][event]]
            same(arrays[f"{kind}/{member(document.nodes[target]['path'])}/{event}"], document.tensor(reference))


@given(documents())
@BOUND
def test_onnx(doc: dict[str, Any]) -> None:
    document = Document(doc)
    model = onnx.load_from_string(FORMATS["onnx"].writer()(document))
    names = unique_names(document)
    leaves = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in document.nodes:
        if node["op"] is None:
            same(leaves[names[node["id"]]], document.value(node["id"]))
    evaluator = ReferenceEvaluator(model)
    with np.errstate(all="ignore"):
        outputs = dict(zip(evaluator.output_names, evaluator.run(None, {}), strict=True))
    places = {name: node for node, name in enumerate(names)}
    assert names[document.loss] in outputs
    for name, output in outputs.items():
        # sums of numbers of many magnitudes are rounded in another order
        np.testing.assert_allclose(output, document.value(places[name]), rtol=1e-9, atol=1e-300)


def assert_same_numbers(one: Document, other: Document) -> None:
    for node in range(len(one.nodes)):
        same(one.value(node), other.value(node))
        ours, theirs = one.gradient(node), other.gradient(node)
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            same(ours, theirs)


def same(one: Any, other: Any) -> None:
    """Bit for bit, but for which NaN a NaN is."""
    assert (np.shape(one), np.asarray(one).dtype) == (np.shape(other), np.asarray(other).dtype)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.signbit(np.where(np.isnan(one), 0, one)), np.signbit(np.where(np.isnan(other), 0, other)))
