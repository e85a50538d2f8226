"""Elementwise operations in ONNX: written from the formula tree of the operation's own definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.ops.op import Op
from server.export import ExportError
from server.export.onnx_graph import GraphWriter

_OPERATORS = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "pow": "Pow", "matmul": "MatMul", "neg": "Neg", "lt": "Less",
              "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal"}  # fmt: skip
_FUNCTIONS = {"exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos", "tanh": "Tanh", "sigmoid": "Sigmoid", "erf": "Erf",
              "abs": "Abs", "sign": "Sign", "maximum": "Max", "minimum": "Min", "where": "Where"}  # fmt: skip


def write_formula(graph: GraphWriter, op: Op, inputs: Mapping[str, str], attributes: Mapping[str, Any]) -> str:
    """The value of an elementwise op. inputs: names of the values by the names of the op's inputs."""
    return _Formula(graph, op.name, inputs, {**op.attributes, **attributes}).value(op.formula)


class _Formula:
    def __init__(self, graph: GraphWriter, op: str, inputs: Mapping[str, str], attributes: Mapping[str, Any]) -> None:
        self.graph, self.op, self.inputs, self.attributes = graph, op, inputs, attributes

    def value(self, tree: Any) -> str:
        if isinstance(tree, int | float):
            return self.graph.constant(tree)
        if isinstance(tree, str):
            return self.inputs[tree] if tree in self.inputs else self.graph.constant(self.attributes[tree])
        name, parts = (tree[1], tree[2:]) if tree[0] == "call" else (tree[0], tree[1:])
        operands = [self.value(part) for part in parts]
        if name in ("expm1", "log1p", "erfc"):
            composed: str = getattr(self.graph, name)(*operands)
            return composed
        operator = _OPERATORS.get(name) or _FUNCTIONS.get(name)
        if operator is None:
            raise ExportError(
                f"the operation {self.op!r} calls {name!r}, which this export has no ONNX operator for; choose another format"
            )
        return self.graph.add(operator, *operands)
