"""Writing an ONNX graph node by node: fresh names, constants, and the small compositions that ONNX has no operator for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from engine.ops.op import Array

OPSET = 18


class GraphWriter:
    """Nodes and constants of a graph in the making. Every method gives the name of the value that it writes.

    dtype: of the constants among floating point numbers, that of the node that is written.
    """

    def __init__(self, taken: Sequence[str]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.dtype = np.dtype(np.float64)
        self._taken, self._numbers = set(taken), count()
        self._constants: dict[tuple[Any, ...], str] = {}

    def add(self, op: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """A node; its output is a fresh name unless one is given."""
        name = output or self._fresh(op)
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value: Any, dtype: Any = None) -> str:
        """An initializer; equal ones are one."""
        array = np.asarray(value, dtype or self.dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = self._constants[key] = self._fresh("constant")
            self.initializers.append(numpy_helper.from_array(array, name))
        return self._constants[key]

    def integers(self, values: Any) -> str:
        """An initializer of 64-bit integers, as ONNX wants axes, shapes and indices."""
        return self.constant(values, np.int64)

    def initializer(self, name: str, array: Array) -> None:
        """An initializer of a name of its own."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))

    def _fresh(self, stem: str) -> str:
        name = next(name for n in self._numbers if (name := f"{stem}.{n}") not in self._taken)
        self._taken.add(name)
        return name

    # -- what ONNX has no operator for -------------------------------------------------------------

    def reduce(self, op: str, x: str, axes: Sequence[int], keepdims: bool = False) -> str:
        """A reduction over axes; over none, the input: ONNX takes no axes for all of them."""
        return self.add(op, x, self.integers(list(axes)), keepdims=int(keepdims)) if axes else x

    def expm1(self, x: str) -> str:
        """Near 0, where exp(x) - 1 loses its digits, 2 t / (1 - t) with t = tanh(x / 2)."""
        one, half = self.constant(1), self.constant(0.5)
        t = self.add("Tanh", self.add("Mul", x, half))
        near = self.add("Div", self.add("Add", t, t), self.add("Sub", one, t))
        return self._near_zero(x, near, self.add("Sub", self.add("Exp", x), one))

    def log1p(self, x: str) -> str:
        """Near 0, x log(u) / (u - 1) with u = 1 + x as rounded, which is x where u is 1."""
        one = self.constant(1)
        u = self.add("Add", one, x)
        rest = self.add("Sub", u, one)
        still = self.add("Equal", rest, self.constant(0))
        log = self.add("Log", u)
        near = self.add("Where", still, x, self.add("Div", self.add("Mul", x, log), self.add("Where", still, one, rest)))
        return self._near_zero(x, near, log)

    def erfc(self, x: str) -> str:
        """1 - erf(x): the tail below the precision of 1 is lost, since ONNX has nothing that keeps it."""
        return self.add("Sub", self.constant(1), self.add("Erf", x))

    def _near_zero(self, x: str, near: str, far: str) -> str:
        return self.add("Where", self.add("Less", self.add("Abs", x), self.constant(0.5)), near, far)

    def log_softmax(self, z: str, axis: int) -> str:
        """z - max - log sum exp(z - max), finite however large the logits."""
        below = self.add("Sub", z, self.reduce("ReduceMax", z, [axis], keepdims=True))
        total = self.reduce("ReduceSum", self.add("Exp", below), [axis], keepdims=True)
        return self.add("Sub", below, self.add("Log", total))

    def gather_elements(self, x: str, places: Array, shape: Sequence[int]) -> str:
        """Elements of x by their positions in C order, in a shape: every op that only moves numbers is this."""
        flat = self.add("Reshape", x, self.integers([-1]))
        taken = self.add("Gather", flat, self.integers(places.reshape(-1)), axis=0)
        return self.add("Reshape", taken, self.integers(list(shape)), allowzero=1)
