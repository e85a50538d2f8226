"""ONNX: the forward graph of a trace, with the numbers that went into it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from engine.ops.op import REGISTRY, Array
from engine.trace import Document
from server.export import ExportError, onnx_networks
from server.export.drawing import printable, title_of
from server.export.onnx_elementwise import write_formula
from server.export.onnx_graph import OPSET, GraphWriter
from server.export.onnx_structured import STRUCTURED, Call

__all__ = ["OPSET", "onnx_networks", "write"]
IR_VERSION = 8  # the one that belongs to the opset, so that older readers take the file


def write(document: Document) -> bytes:
    """A model whose values go by the paths of the trace's nodes.

    Every leaf is an initializer; those that a person would change (role `input`) are inputs too, whose recorded values are their defaults.
    Outputs are the loss, whatever has a label, and what nobody uses. Raises ExportError for an operation that has no way to be written.
    """
    names = unique_names(document)
    writer = _Writer(document, names)
    used = {i for node in document.nodes for i in node["inputs"]}
    computed = [node["id"] for node in document.nodes if node["op"] is not None]
    outputs = [n for n in computed if n == document.loss or n not in used or document.nodes[n]["label"] is not None]
    inputs = [node["id"] for node in document.nodes if node["op"] is None and node["role"] == "input"]
    for node in range(len(document.nodes)):
        writer.node(node)
    graph = helper.make_graph(
        writer.graph.nodes, "trace",
        [writer.type_of(n) for n in inputs], [writer.type_of(n) for n in outputs], writer.graph.initializers,
        doc_string=title_of(document), value_info=[writer.type_of(n) for n in computed if n not in set(outputs)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="retrograd", ir_version=IR_VERSION)
    helper.set_model_props(model, {"trace": document.doc["id"], "loss": names[document.loss]})
    return bytes(model.SerializeToString())


def unique_names(document: Document) -> list[str]:
    """The paths of the nodes as the model has them: such as can be written, and each another."""
    names: dict[str, None] = {}
    for node in document.nodes:
        name = printable(node["path"], 2**12) or "node"
        names[name if name not in names else f"{name}.{node['id']}"] = None
    return list(names)


class _Writer:
    def __init__(self, document: Document, names: list[str]) -> None:
        self.document, self.names = document, names
        self.graph = GraphWriter(names)

    def type_of(self, node: int) -> onnx.ValueInfoProto:
        about = self.document.nodes[node]
        return helper.make_tensor_value_info(self.names[node], helper.np_dtype_to_tensor_dtype(np.dtype(about["dtype"])), about["shape"])

    def node(self, node: int) -> None:
        about, value = self.document.nodes[node], self.document.value(node)
        if about["op"] is None:
            self.graph.initializer(self.names[node], value)
            return
        start = len(self.graph.nodes)
        result = self._computed(node, value)
        if len(self.graph.nodes) > start and self.graph.nodes[-1].output[0] == result:
            last = self.graph.nodes[-1]
            last.output[0] = last.name = self.names[node]
        else:
            self.graph.add("Identity", result, output=self.names[node])

    def _computed(self, node: int, value: Array) -> str:
        about = self.document.nodes[node]
        op = REGISTRY.get(about["op"])
        if op is None or not (op.kind == "elementwise" or op.name in STRUCTURED):
            detail = f"the operation {printable(about['op'])!r} has no counterpart in ONNX opset {OPSET} and is not composed of others here"
            raise ExportError(f"{detail}; choose another format, or trace without it")
        arrays = tuple(self.document.value(i) for i in about["inputs"])
        self.graph.dtype = _working(arrays, value)
        inputs = tuple(self._cast(self.names[i], array) for i, array in zip(about["inputs"], arrays, strict=True))
        if op.kind == "elementwise":
            result = write_formula(self.graph, op, dict(zip(op.inputs, inputs, strict=True)), about["attributes"])
        else:
            result = STRUCTURED[op.name](Call(self.graph, op.name, inputs, arrays, about["attributes"], value))
        of_type = self.graph.dtype if value.dtype.kind == "f" else value.dtype
        return result if of_type == value.dtype else self.graph.add("Cast", result, to=helper.np_dtype_to_tensor_dtype(value.dtype))

    def _cast(self, name: str, array: Array) -> str:
        """A floating point input in the dtype that the op computes in; indices, class numbers and masks as they are."""
        if array.dtype.kind != "f" or array.dtype == self.graph.dtype:
            return name
        return self.graph.add("Cast", name, to=helper.np_dtype_to_tensor_dtype(self.graph.dtype))


def _working(arrays: tuple[Array, ...], value: Array) -> Any:
    """The dtype that an op computes in: the widest of its floating point inputs, else its output's."""
    floats = [array.dtype for array in arrays if array.dtype.kind == "f"]
    return np.result_type(*floats) if floats else value.dtype if value.dtype.kind == "f" else np.dtype(np.float64)
