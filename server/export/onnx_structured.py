"""Structured operations in ONNX: products, reductions, and whatever only moves numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import helper

from engine.ops.axes import axes_of, axis_of
from engine.ops.op import REGISTRY, Array
from engine.ops.shape import decode_index
from server.export.onnx_graph import GraphWriter


@dataclass(frozen=True)
class Call:
    """One node of a trace while it is written.

    inputs: the names of its inputs' values. arrays: these values, of which only shape and dtype may enter the graph. output: its value.
    """

    graph: GraphWriter
    op: str
    inputs: tuple[str, ...]
    arrays: tuple[Array, ...]
    attributes: Mapping[str, Any]
    output: Array

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        return self.graph.add(op, *inputs, **attributes)

    def reshaped(self, x: str) -> str:
        """x in the shape of the output."""
        return self.add("Reshape", x, self.graph.integers(list(self.output.shape)), allowzero=1)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of a reduction, counted from the front."""
        return axes_of(self.op, self.attributes.get("axis"), self.arrays[0].ndim)

    @property
    def keepdims(self) -> bool:
        return bool(self.attributes.get("keepdims", False))


Writer = Callable[[Call], str]
STRUCTURED: dict[str, Writer] = {}


def writes(*names: str) -> Callable[[Writer], Writer]:
    """Registers how the named operations are written."""

    def register(writer: Writer) -> Writer:
        STRUCTURED.update(dict.fromkeys(names, writer))
        return writer

    return register


# -- products ---------------------------------------------------------------------------------------


@writes("linear")
def _linear(call: Call) -> str:
    x, W = call.inputs
    return call.add("MatMul", x, call.add("Transpose", W, perm=[1, 0]))


@writes("matmul", "dot")
def _matmul(call: Call) -> str:
    return call.add("MatMul", *call.inputs)


@writes("outer")
def _outer(call: Call) -> str:
    a, b = call.inputs
    integers = call.graph.integers
    return call.add("Mul", call.add("Unsqueeze", a, integers([1])), call.add("Unsqueeze", b, integers([0])))


@writes("einsum")
def _einsum(call: Call) -> str:
    return call.add("Einsum", *call.inputs, equation=call.attributes["equation"])


@writes("dropout")
def _dropout(call: Call) -> str:
    return call.add("Mul", *call.inputs)


# -- reductions -------------------------------------------------------------------------------------


@writes("sum", "mean", "max", "min", "prod")
def _reduction(call: Call) -> str:
    return call.graph.reduce(f"Reduce{call.op.capitalize()}", call.inputs[0], call.axes, call.keepdims)


@writes("var", "std")
def _variance(call: Call) -> str:
    graph, x = call.graph, call.inputs[0]
    count = math.prod(call.arrays[0].shape[a] for a in call.axes)
    centred = call.add("Sub", x, graph.reduce("ReduceMean", x, call.axes, keepdims=True))
    squares = graph.reduce("ReduceSum", call.add("Mul", centred, centred), call.axes, call.keepdims)
    variance = call.add("Div", squares, graph.constant(count - call.attributes.get("correction", 1)))
    return call.add("Sqrt", variance) if call.op == "std" else variance


@writes("norm")
def _norm(call: Call) -> str:
    x, order = call.inputs[0], call.attributes.get("ord", 2)
    if order == 2:
        return call.add("Sqrt", call.graph.reduce("ReduceSum", call.add("Mul", x, x), call.axes, call.keepdims))
    return call.graph.reduce("ReduceSum" if order == 1 else "ReduceMax", call.add("Abs", x), call.axes, call.keepdims)


@writes("logsumexp")
def _logsumexp(call: Call) -> str:
    graph, x = call.graph, call.inputs[0]
    top = graph.reduce("ReduceMax", x, call.axes, keepdims=True)
    finite = call.add("Less", call.add("Abs", top), graph.constant(np.inf))
    safe = call.add("Where", finite, top, graph.constant(0))  # a row of -inf has the sum 0, whose logarithm is -inf
    total = graph.reduce("ReduceSum", call.add("Exp", call.add("Sub", x, safe)), call.axes, keepdims=True)
    return call.reshaped(call.add("Add", call.add("Log", total), safe))


@writes("cumsum")
def _cumsum(call: Call) -> str:
    axis = axis_of("cumsum", call.attributes.get("axis", 0), call.arrays[0].ndim)
    return call.add("CumSum", call.inputs[0], call.graph.integers(axis))


# -- moves ------------------------------------------------------------------------------------------


@writes("reshape", "squeeze", "unsqueeze")
def _reshape(call: Call) -> str:
    return call.reshaped(call.inputs[0])


@writes("transpose", "permute")
def _transpose(call: Call) -> str:
    ndim, axes = call.arrays[0].ndim, call.attributes.get("axes")
    if axes is None:
        axes = [*range(ndim - 2), ndim - 1, ndim - 2] if ndim > 1 else range(ndim)
    return call.add("Transpose", call.inputs[0], perm=[a % ndim for a in axes]) if ndim else call.add("Identity", call.inputs[0])


@writes("broadcast_to")
def _broadcast_to(call: Call) -> str:
    return call.add("Expand", call.inputs[0], call.graph.integers(list(call.output.shape)))


@writes("concat")
def _concat(call: Call) -> str:
    return call.add("Concat", *call.inputs, axis=call.attributes.get("axis", 0) % call.output.ndim)


@writes("stack")
def _stack(call: Call) -> str:
    axis = call.attributes.get("axis", 0) % call.output.ndim
    each = [call.add("Unsqueeze", x, call.graph.integers([axis])) for x in call.inputs]
    return call.add("Concat", *each, axis=axis)


@writes("pad")
def _pad(call: Call) -> str:
    widths = call.attributes["widths"]
    if not widths:
        return call.inputs[0]
    ends = [width[0] for width in widths] + [width[1] for width in widths]
    return call.add("Pad", call.inputs[0], call.graph.integers(ends), call.graph.constant(call.attributes.get("value", 0.0)))


@writes("cast")
def _cast(call: Call) -> str:
    return call.add("Cast", call.inputs[0], to=helper.np_dtype_to_tensor_dtype(call.output.dtype))


@writes("index")
def _index(call: Call) -> str:
    parts = decode_index(call.attributes["index"])
    if not all(isinstance(part, int | slice) for part in parts):
        return _moved(call)
    starts, ends, steps = [], [], []
    for part, n in zip(parts, call.arrays[0].shape, strict=False):
        places = range(n)[part] if isinstance(part, slice) else range(part % n, part % n + 1)
        starts.append(places.start)
        ends.append(places.stop if places.stop >= 0 else -n - 1)  # backwards up to the first
        steps.append(places.step)
    integers = call.graph.integers
    sliced = call.add("Slice", call.inputs[0], integers(starts), integers(ends), integers(list(range(len(parts)))), integers(steps))
    dropped = [axis for axis, part in enumerate(parts) if isinstance(part, int)]
    return call.add("Squeeze", sliced, integers(dropped)) if dropped else sliced


@writes("flip", "roll", "rows", "split")
def _moved(call: Call) -> str:
    """The op itself is asked which element it puts where."""
    x = call.arrays[0]
    result = REGISTRY[call.op].forward(np.arange(x.size).reshape(x.shape), **call.attributes)
    return call.graph.gather_elements(call.inputs[0], np.asarray(result[0] if isinstance(result, tuple) else result), call.output.shape)


@writes("index_set")
def _index_set(call: Call) -> str:
    graph, size = call.graph, call.output.size
    places = np.arange(size).reshape(call.output.shape)[decode_index(call.attributes["index"])]
    spread = call.add("Expand", call.inputs[0], graph.integers(list(places.shape)))
    flat = call.add("Reshape", spread, graph.integers([-1]))
    zeros = graph.constant(np.zeros(size), call.output.dtype)
    added = call.add("ScatterElements", zeros, graph.integers(places.reshape(-1)), flat, axis=0, reduction="add")
    return call.reshaped(added)


@writes("gather")
def _gather(call: Call) -> str:
    x, indices = call.inputs
    axis, integers = axis_of("gather", call.attributes.get("axis", 0), call.arrays[0].ndim), call.graph.integers
    kept = [a for a in range(call.arrays[0].ndim) if a != axis]
    if kept:  # indices may be shorter than x along the other axes
        x = call.add("Slice", x, integers([0] * len(kept)), integers([call.output.shape[a] for a in kept]), integers(kept))
    return call.add("GatherElements", x, indices, axis=axis)


@writes("embedding")
def _embedding(call: Call) -> str:
    indices, W = call.inputs
    return call.add("Gather", W, indices, axis=0)


@writes("masked_fill")
def _masked_fill(call: Call) -> str:
    x, mask = call.inputs
    return call.add("Where", mask, call.graph.constant(call.attributes["value"]), x)
