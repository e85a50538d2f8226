"""What an operation is, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.ops.formula import Tree, compile_tree, parse
from engine.ops.functions import FUNCTIONS

Array = npt.NDArray[Any]
Forward = Callable[..., Any]  # arrays, then attributes by name -> array, or (array, residuals)


@dataclass(frozen=True)
class Derivative:
    """How the gradient of an op's output becomes the contribution to one of its inputs.

    formula: the local derivative of an elementwise op, over the input names and ``y``; None for structured ops.
    latex: a structured op's contribution as authored LaTeX; ``{x}`` stands for the symbol of ``x``.
    """

    input: str
    formula: Tree | None = None
    latex: str | None = None


@dataclass(frozen=True)
class Sample:
    """Inputs to test an op with: arrays (or scalars) and attributes."""

    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Kink:
    """A point without a derivative: where, which subgradient is used there, and why."""

    at: tuple[float, ...]
    subgradient: tuple[float, ...]
    why: str


@dataclass(frozen=True)
class Record:
    """What a VJP may look at: the op's inputs and output, its attributes, what forward kept, which inputs want a gradient."""

    inputs: tuple[Any, ...]
    output: Any
    attributes: Mapping[str, Any]
    residuals: Any
    needs: tuple[bool, ...]


Vjp = Callable[[Any, Any, Record], Sequence[Any]]  # (F, gradient of the output, record) -> one contribution an input


@dataclass(frozen=True, eq=False)
class Op:
    """One operation: everything else about it is derived from this definition.

    inputs: the names of its tensor inputs; a last name ``*xs`` takes any number.
    forward: on ndarrays; returns the output, or the output and what the VJP wants kept (residuals).
    vjp: written against a namespace F of ops by name (numpy's or the Tensor's); contributions may have the broadcast shape,
        the accumulator sums them down; None for an input that needs none.
    element: for structured ops, the terms that make one element of the output: ``element(index, inputs, attributes)``
        gives a list of (port, index, factor) whose sum of factor * input[port][index] is the element; None if it is no sum.
    """

    name: str
    kind: Literal["elementwise", "structured"]
    inputs: tuple[str, ...]
    forward: Forward
    vjp: Vjp
    latex: str | None
    derivatives: tuple[Derivative, ...]
    formula: Tree | None = None
    kinks: tuple[Kink, ...] = ()
    samples: tuple[Sample, ...] = ()
    errors: tuple[Sample, ...] = ()
    element: Callable[..., list[tuple[int, tuple[int, ...], float]]] | None = None
    hidden: bool = False  # a fused kernel: never in a trace or the catalogue


_TABLE: dict[str, Op] = {}
REGISTRY: Mapping[str, Op] = MappingProxyType(_TABLE)  # filled by the modules of engine.ops as they are imported


def register(op: Op) -> Op:
    """Adds an op to the table. Raises ValueError when the name is taken."""
    if op.name in _TABLE:
        raise ValueError(f"the op {op.name!r} is defined twice")
    _TABLE[op.name] = op
    return op


def elementwise(
    name: str, formula: str, derivatives: Mapping[str, str], *, samples: Sequence[Sample], kinks: Sequence[Kink] = (),
    errors: Sequence[Sample] = (),
) -> Op:  # fmt: skip
    """Defines an elementwise op from its formula and one derivative an input (over the inputs and ``y``)."""
    inputs = tuple(derivatives)
    tree = parse(formula, names=inputs, functions=FUNCTIONS)
    trees = {x: parse(text, names=(*inputs, "y"), functions=FUNCTIONS) for x, text in derivatives.items()}
    forward = compile_tree(tree, inputs, FUNCTIONS)
    slopes = [_Slope(trees[x], inputs) for x in inputs]

    def vjp(F: Any, g: Any, record: Record) -> list[Any]:
        return [slope(g, record.inputs, record.output) if need else None for slope, need in zip(slopes, record.needs, strict=True)]

    return register(
        Op(
            name,
            "elementwise",
            inputs,
            forward,
            vjp,
            None,
            tuple(Derivative(x, trees[x]) for x in inputs),
            tree,
            tuple(kinks),
            tuple(samples),
            tuple(errors),
        )
    )


class _Slope:
    """Gradient times local derivative. A derivative of 1 passes the gradient on by reference."""

    def __init__(self, tree: Tree, inputs: tuple[str, ...]) -> None:
        self.sign = 1 if tree == 1 else -1 if tree == ["neg", 1] else 0
        self.compiled = compile_tree(tree, (*inputs, "y"), FUNCTIONS)

    def __call__(self, g: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        if self.sign == 1:
            return g
        if self.sign == -1:
            return -g
        contribution = g * self.compiled(*inputs, output)
        if isinstance(contribution, np.ndarray | np.generic) and contribution.dtype != g.dtype:
            return contribution.astype(g.dtype)  # a slope of plain numbers (relu) must not widen float32
        return contribution


class NumpyNamespace:
    """F for plain arrays: ``F.linear(x, W)`` is the forward of the op of that name."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            op = REGISTRY[name]
        except KeyError:
            raise AttributeError(f"no op is called {name!r}; known: {', '.join(sorted(REGISTRY))}") from None

        def call(*inputs: Any, **attributes: Any) -> Any:
            result = op.forward(*inputs, **attributes)
            return result[0] if isinstance(result, tuple) else result

        setattr(self, name, call)
        return call


def structured(**parts: Any) -> Op:
    """Defines a structured op; the parts are those of `Op`."""
    for key in ("derivatives", "kinks", "samples", "errors"):
        parts[key] = tuple(parts.get(key, ()))
    return register(Op(kind="structured", **parts))


def as_array(value: Any) -> Array:
    """An ndarray also where numpy hands back a scalar."""
    return value if type(value) is np.ndarray else np.asarray(value)
