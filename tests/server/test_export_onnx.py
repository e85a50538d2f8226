"""ONNX models: what onnx's own reference evaluator computes from them is what the trace holds."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from engine import Tape, Tensor, apply
from engine.ops import REGISTRY
from engine.ops.op import Sample
from engine.trace import Document, record
from server.export import FORMATS, ExportError
from server.export.onnx_graph import OPSET
from server.export.onnx_model import unique_names
from tests.server.traces import expression_document, hostile_document, network_document

APPROXIMATE = {"erf", "erfc", "gelu"}  # onnx's reference evaluator has an error function of eight digits
NOT_FOR_MODELS = {"eq", "ge", "gt", "le", "lt"}  # have no gradient, so no trace ends with them; `where` of one is tested below


def model_of(document: Document) -> onnx.ModelProto:
    model = onnx.load_from_string(FORMATS["onnx"].writer()(document))
    onnx.checker.check_model(model, full_check=True)
    return model


def outputs_of(model: onnx.ModelProto, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
    evaluator = ReferenceEvaluator(model)
    return dict(zip(evaluator.output_names, evaluator.run(None, inputs or {}), strict=True))


def assert_same_outputs(document: Document, tolerance: float = 1e-12) -> None:
    outputs = outputs_of(model_of(document))
    names = unique_names(document)
    assert names[document.loss] in outputs
    by_name = dict(zip(names, range(len(names)), strict=True))
    for name, output in outputs.items():
        value = document.value(by_name[name])
        assert (np.shape(output), np.asarray(output).dtype) == (value.shape, value.dtype)
        np.testing.assert_allclose(output, value, rtol=tolerance, atol=tolerance)


def document_of(name: str, sample: Sample) -> Document:
    """The trace of one operation on a sample of its definition."""
    inputs = [Tensor(x, requires_grad=np.asarray(x).dtype.kind == "f", name=f"x{k}") for k, x in enumerate(map(np.asarray, sample.inputs))]
    with Tape(level="TRACE") as tape, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what has no number warns
        result = apply(name, *inputs, **sample.attributes)
        tape.label(result, "y")
        run = (result * 1.0).sum().backward()
    return Document(record(tape, run, program={"kind": "expression", "expression": name, "inputs": {}, "wrt": []}))


SAMPLES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name, op in sorted(REGISTRY.items())
    if (not op.hidden or name == "cast") and name not in NOT_FOR_MODELS
    for number, sample in enumerate(op.samples)
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the evaluator computes what is chosen away, too
@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_every_operation_on_every_sample_of_its_definition(name: str, sample: Sample) -> None:
    assert_same_outputs(document_of(name, sample), 1e-7 if name in APPROXIMATE else 1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as above
@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("tanh(w*x + b)", {"w": 0.5, "x": [1, 2], "b": 0}),
        ("x*x", {"x": 3}),
        ("(h - y)**2 / 2 + 0*log(y)", {"h": 1.5, "y": 0.25}),
        ("softmax(W @ x)", {"W": [[1, 2], [3, -4]], "x": [0.5, 1]}),
        ("sum(maximum(a, b) * softplus(b), axis=0)", {"a": [1, 2, 3], "b": [[3, 2, 1], [0, 0, 9]]}),
        ("expm1(x) + log1p(x)", {"x": [1e-9, -1e-9, 0, 0.3, 40]}),
    ],
)
def test_expressions(text: str, inputs: dict[str, Any]) -> None:
    assert_same_outputs(Document(expression_document(text, inputs)))


@pytest.mark.parametrize(("task", "example"), [("surnames", 3), ("surnames", None), ("sunspots", 0), ("adding", 1)])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_networks(cell: str, task: str, example: int | None) -> None:
    document = Document(network_document(cell, task, example))
    assert_same_outputs(document)
    outputs = set(outputs_of(model_of(document)))
    states = {node["path"] for node in document.nodes if node["label"] == "h" and node["op"] is not None}
    assert states
    assert states <= outputs


def test_an_input_may_be_given_anew() -> None:
    model = model_of(Document(expression_document("w*x + b", {"w": 2, "x": [1, 2], "b": 1}, ["w", "b"])))
    assert [value.name for value in model.graph.input] == ["x"]
    assert outputs_of(model, {"x": np.array([10.0, 20.0])})["sum#0"] == 62.0
    assert outputs_of(model)["sum#0"] == 8.0


def test_the_model_says_what_it_is() -> None:
    document = Document(network_document("gru"))
    model = model_of(document)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties == {"trace": document.doc["id"], "loss": document.nodes[document.loss]["path"]}
    initial = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in document.nodes:
        if node["op"] is None:
            np.testing.assert_array_equal(initial[node["path"]], document.value(node["id"]))


def test_names_that_cannot_be_written_are_written_otherwise() -> None:
    document = Document(hostile_document())
    names = unique_names(document)
    assert len(set(names)) == len(names) == len(document.nodes)
    assert all(names)
    assert_same_outputs(document)


def test_an_operation_without_counterpart_is_named() -> None:
    doc = expression_document("tanh(x)", {"x": 1})
    doc["nodes"][1]["op"] = "fold<b>"
    with pytest.raises(ExportError, match=r"the operation 'fold<b>' has no counterpart in ONNX opset 18 .* choose another format"):
        FORMATS["onnx"].writer()(Document(doc))
