"""What an operation is, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.ops.formula import Tree, compile_pair, compile_tree, parse, walk
from engine.ops.functions import ANALYTIC, FUNCTIONS, WHOLE

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


class Record:
    """What a VJP may look at: the op's inputs and output, its attributes, what forward kept, which inputs want a gradient.

    inputs, output: arrays, or Tensors when the backward sweep is itself recorded. residuals: arrays in both cases. A sweep uses one record
    for all its nodes.
    """

    __slots__ = ("attributes", "inputs", "needs", "output", "residuals")

    def __init__(self, inputs: Sequence[Any], output: Any, attributes: Mapping[str, Any], residuals: Any, needs: Sequence[bool]) -> None:
        self.inputs, self.output, self.attributes, self.residuals, self.needs = inputs, output, attributes, residuals, needs


@dataclass(frozen=True)
class Slopes:
    """What an op without residuals contributes, by the shortest way: the same as its VJP, in functions of arrays.

    each: for each input a function (incoming, *inputs, y, **attributes) -> the contribution; None where the incoming gradient is passed on
    as it is. both: of an op of two inputs, neither None: both contributions in one call.
    """

    each: tuple[Callable[..., Any] | None, ...]
    both: Callable[..., Any] | None


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
    attributes: Mapping[str, Any] = field(default_factory=dict)  # an elementwise formula's parameters, with their defaults
    on_arrays: Slopes | None = None  # of every elementwise op
    on_scalars: Slopes | None = None  # of every elementwise op, for single numbers
    scalar: Callable[..., Any] | None = None  # an elementwise forward for single numbers
    kinks: tuple[Kink, ...] = ()
    samples: tuple[Sample, ...] = ()
    errors: tuple[Sample, ...] = ()
    element: Callable[..., list[tuple[int, tuple[int, ...], float]]] | None = None
    spelled: Any = None  # for structured ops that are no sums: how one number is written out (engine.ops.spelled.Spelled)
    fractional: bool = False  # elementwise: whole numbers give fractions, which small ones count as float64 for
    analytic: bool = False  # forward takes complex arrays and is complex-differentiable: a complex step can check it
    encode: Callable[..., Mapping[str, Any]] | None = None  # the attributes, from what a method left on the tape as given
    placed: bool = False  # one input; its contribution is the gradient put at the basic index that forward kept, if it kept one
    primitive: Callable[..., Any] | None = None  # a fused kernel on Tensors, in recorded primitives: for second derivatives
    hidden: bool = False  # not for people to call: a fused kernel, a change of dtype, a truncation; never in the catalogue


TABLE: dict[str, Op] = {}  # filled by the modules of engine.ops as they are imported
REGISTRY: Mapping[str, Op] = MappingProxyType(TABLE)


def register(op: Op) -> Op:
    """Adds an op to the table. Raises ValueError when the name is taken."""
    if op.name in TABLE:
        raise ValueError(f"the op {op.name!r} is defined twice")
    TABLE[op.name] = op
    return op


def elementwise(
    name: str, formula: str, derivatives: Mapping[str, str], *, samples: Sequence[Sample], attributes: Mapping[str, Any] | None = None,
    kinks: Sequence[Kink] = (), errors: Sequence[Sample] = (), hidden: bool = False,
) -> Op:  # fmt: skip
    """Defines an elementwise op from its formula and one derivative an input (over the inputs, the attributes and ``y``).

    attributes: numbers that the formulas may name, with their defaults; keyword arguments of the op.
    """
    inputs, options = tuple(derivatives), dict(attributes or {})
    tree = parse(formula, names=(*inputs, *options), functions=FUNCTIONS)
    trees = {x: parse(text, names=(*inputs, *options, "y"), functions=FUNCTIONS) for x, text in derivatives.items()}
    slopes = [_contribution(trees[x]) for x in inputs]
    arguments = (_INCOMING, *inputs, "y")
    on_arrays = _slopes(slopes, arguments, options, scalars=False)
    on_tensors: Sequence[Callable[..., Any]] = ()

    def vjp(F: Any, g: Any, record: Record) -> list[Any]:
        nonlocal on_tensors
        if not F.arrays and not on_tensors:
            functions = {"_equal" if key == "eq" else key: getattr(F, key) for key in _called(slopes)}
            on_tensors = [compile_tree(t, arguments, functions, options) for t in slopes]  # all at once: other threads look too
        chosen = on_arrays.each if F.arrays else on_tensors
        given = (g, *record.inputs, record.output)
        return [
            None if not need else g if f is None else f(*given, **record.attributes) for f, need in zip(chosen, record.needs, strict=True)
        ]

    return register(
        Op(
            name,
            "elementwise",
            inputs,
            compile_tree(tree, inputs, FUNCTIONS, options),
            vjp,
            None,
            tuple(Derivative(x, trees[x]) for x in inputs),
            tree,
            options,
            on_arrays,
            _slopes(slopes, arguments, options, scalars=True),
            compile_tree(tree, inputs, FUNCTIONS, options, scalars=True),
            tuple(kinks),
            tuple(samples),
            tuple(errors),
            fractional=not _called([tree]) <= WHOLE,
            analytic=_called([tree]) <= ANALYTIC,
            hidden=hidden,
        )
    )


_INCOMING = "incoming"  # the gradient of the output, in compiled contributions


def _contribution(derivative: Tree) -> Tree:
    """Gradient times local derivative. A derivative of 1 passes the gradient on by reference."""
    if derivative == 1:
        return _INCOMING
    if derivative == ["neg", 1]:
        return ["neg", _INCOMING]
    return ["mul", _INCOMING, derivative]


def _slopes(slopes: Sequence[Tree], arguments: Sequence[str], options: Mapping[str, Any], *, scalars: bool) -> Slopes:
    """The contributions compiled for arrays, or for single numbers."""
    functions = dict(FUNCTIONS)
    if len(slopes) > 1:
        trees = [_with_floats(t) for t in slopes]
    else:
        trees = list(slopes) if scalars or options else [_with_arrays(t, functions) for t in slopes]
    each = [None if t == _INCOMING else compile_tree(t, arguments, functions, options, scalars=scalars) for t in trees]
    both = None
    if len(each) == 2 and None not in each:
        both = compile_pair(trees[0], trees[1], arguments, functions, options, scalars=scalars)
    return Slopes(tuple(each), both)


def _with_floats(tree: Tree) -> Tree:
    """The tree with whole numbers as fractions, beside which small integers, as an input without gradient may be, count as float64."""
    if isinstance(tree, list):
        keep = 2 if tree[0] == "call" else 1
        return [*tree[:keep], *(_with_floats(part) for part in tree[keep:])]
    return float(tree) if isinstance(tree, int) else tree


def _with_arrays(tree: Tree, functions: dict[str, Any]) -> Tree:
    """The tree with numbers as names of arrays, put into `functions`.

    Beside an array numpy is twice as quick with an array of one number as with Python's number: those that float32 holds exactly are made
    once, in float32, which widens nothing. Not beside parameters, which are Python's numbers and would be rounded to float32; nor beside a
    second input, which may be of small integers that numpy would make float32 of.
    """
    if isinstance(tree, list):
        if tree[0] == "pow":  # powers of plain numbers have quick ways of their own
            return ["pow", _with_arrays(tree[1], functions), tree[2]]
        keep = 2 if tree[0] == "call" else 1
        return [*tree[:keep], *(_with_arrays(part, functions) for part in tree[keep:])]
    if isinstance(tree, int | float) and float(np.float32(tree)) == tree:
        name = f"_{len(functions)}"
        functions[name] = np.array(tree, np.float32)
        functions[name].flags.writeable = False
        return name
    return tree


def _called(trees: Sequence[Tree]) -> set[str]:
    """The functions and comparisons that some trees call."""
    return {part[1] if part[0] == "call" else part[0] for tree in trees for part in walk(tree)
            if isinstance(part, list) and part[0] in ("call", "lt", "le", "gt", "ge", "eq")}  # fmt: skip


class NumpyNamespace:
    """F for plain arrays: ``F.linear(x, W)`` is the forward of the op of that name."""

    arrays = True  # the numbers are plain arrays: nothing that happens to them is recorded

    @staticmethod
    def array(x: Any) -> Array:
        """The plain array of an operand, in either namespace."""
        return as_array(x)

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


def wide(x: Any) -> Any:
    """Small integers and truth values as float64: numpy would give their functions float16, and their negatives wrap."""
    return x.astype(np.float64) if x.dtype.kind in "bu" else x
