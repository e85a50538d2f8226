"""One number of an operation written out: the tree of numbers that makes one element of an output, or of a contribution.

An elementwise op is written out from its formula and a sum from its terms (`Op.element`); what follows is for the others: reductions that
are no sums, softmax, losses, layer normalisation. A tree is as in `engine.ops.formula`, with numbers for leaves (and a maximum or minimum
of any number of them): `to_latex` writes it, and a test computes it again. Long ones are left out.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.ops.axes import axes_of
from engine.ops.formula import Tree
from engine.ops.functions import FUNCTIONS
from engine.ops.op import Array, NumpyNamespace, Op, Record, as_array

Index = tuple[int, ...]
Attributes = Mapping[str, Any]

MOST_TERMS = 8  # longer sums are not written out
_MOST_OUTPUTS = 64  # the local derivatives of so many elements are asked for one by one
_NOTHING = 1e-15  # a local derivative that is rounding alone
_LARGEST_EXPONENT = 300.0  # beyond it e**x and its logarithm are not written as such


class Asked(NamedTuple):
    """What a contribution is made of."""

    inputs: Sequence[Array]
    output: Array
    attributes: Attributes
    incoming: Array


class Spelled(NamedTuple):
    """How an op's numbers are written out. forward: (index, inputs, attributes). backward: (port, index, asked)."""

    forward: Callable[[Index, Sequence[Array], Attributes], Tree]
    backward: Callable[[int, Index, Asked], Tree]


class UnwrittenError(Exception):
    """This number is not written out: it has too many terms, or is of a kind that has no short form."""


def element_in_numbers(op: Op, index: Index, inputs: Sequence[Array], attributes: Attributes) -> Tree | None:
    """The tree of numbers that makes the element of a structured op's output; None where it is not written out."""
    try:
        if op.spelled is not None:
            return op.spelled.forward(index, inputs, attributes)
        if op.element is None:
            return None
        terms = op.element(index, inputs, attributes)
        return total(times(factor, float(inputs[port][at])) for port, at, factor in terms) if terms else None
    except UnwrittenError:
        return None


def contribution_in_numbers(op: Op, port: int, index: Index, asked: Asked) -> Tree | None:
    """The tree of numbers that makes one element of what a structured op sends to an input; None where it is not written out.

    Where the op has no form of its own it is the sum over the output's elements of incoming gradient times local derivative.
    """
    try:
        if op.spelled is not None:
            try:
                return op.spelled.backward(port, index, asked)
            except UnwrittenError:
                pass
        return _by_local_derivatives(op, port, index, asked)
    except UnwrittenError:
        return None


def _by_local_derivatives(op: Op, port: int, index: Index, asked: Asked) -> Tree:
    inputs, output, attributes, incoming = asked
    if output.size > _MOST_OUTPUTS or inputs[port].dtype.kind != "f":
        raise UnwrittenError
    result = op.forward(*inputs, **attributes)
    residuals = result[1] if isinstance(result, tuple) else None
    record = Record(inputs, output, attributes, residuals, [i == port for i in range(len(inputs))])

    def local(place: Index) -> float:
        unit = np.zeros(output.shape, output.dtype)
        unit[place] = 1
        sent = as_array(op.vjp(_NUMPY, unit, record)[port])
        return float(_summed_to(sent, inputs[port].shape)[index])

    slopes = ((place, local(place)) for place in np.ndindex(output.shape))
    return total(times(float(incoming[place]), slope) for place, slope in slopes if abs(slope) > _NOTHING)


_NUMPY = NumpyNamespace()


def _summed_to(sent: Array, shape: tuple[int, ...]) -> Array:
    """A contribution of a broadcast shape summed down to the input's."""
    if sent.shape == shape:
        return sent
    if sent.ndim < len(shape):
        return np.broadcast_to(sent, shape)
    lead = sent.ndim - len(shape)
    thin = [i + lead for i, n in enumerate(shape) if n == 1]
    summed: Array = sent.sum(axis=(*range(lead), *thin), keepdims=True)
    return np.broadcast_to(summed.reshape(summed.shape[lead:]), shape)


# trees


def total(parts: Iterable[Tree]) -> Tree:
    """The sum of a few terms. Raises UnwrittenError for many."""
    return _joined("add", parts, 0)


def product(parts: Iterable[Tree]) -> Tree:
    """The product of a few factors. Raises UnwrittenError for many."""
    return _joined("mul", parts, 1)


def _joined(operator: str, parts: Iterable[Tree], nothing: Tree) -> Tree:
    tree = None
    for count, part in enumerate(parts):
        if count == MOST_TERMS:
            raise UnwrittenError
        tree = part if tree is None else [operator, tree, part]
    return nothing if tree is None else tree


def times(factor: Tree, tree: Tree) -> Tree:
    """A product; a factor of 1 is left out."""
    return tree if factor == 1 else factor if tree == 1 else ["mul", factor, tree]


def over(tree: Tree, count: float) -> Tree:
    return tree if count == 1 else ["div", tree, count]


def exp(x: float) -> Tree:
    if not abs(x) <= _LARGEST_EXPONENT:
        raise UnwrittenError
    return ["call", "exp", x]


def log(tree: Tree) -> Tree:
    return ["call", "log", tree]


def _largest(name: str, numbers: Sequence[Tree]) -> Tree:
    if len(numbers) > MOST_TERMS:
        raise UnwrittenError
    return numbers[0] if len(numbers) == 1 else ["call", name, *numbers]


def worked_out(tree: Tree) -> float:
    """The number that a tree of numbers stands for."""
    if isinstance(tree, int | float):
        return float(tree)
    values = [worked_out(part) for part in tree[2 if tree[0] == "call" else 1 :]]
    return float(_MEANINGS[tree[1] if tree[0] == "call" else tree[0]](*values))


_MEANINGS: dict[str, Callable[..., Any]] = {
    **FUNCTIONS, "maximum": max, "minimum": min, "neg": operator.neg, "add": operator.add, "sub": operator.sub, "mul": operator.mul,
    "div": operator.truediv, "pow": operator.pow,
}  # fmt: skip


# reductions


def reduced(op: str, index: Index, x: Array, attributes: Attributes) -> list[Index]:
    """The elements of the input that one element of a reduction is made of."""
    axes = axes_of(op, attributes.get("axis"), x.ndim)
    if not attributes.get("keepdims"):
        rest = list(index)
        index = tuple(0 if i in axes else rest.pop(0) for i in range(x.ndim))
    inner = np.ndindex(*(x.shape[a] for a in axes))
    return [tuple(at[axes.index(i)] if i in axes else index[i] for i in range(x.ndim)) for at in inner]


def _goes_to(op: str, index: Index, asked: Asked) -> Index:
    """The element of a reduction's output that an element of the input is part of."""
    axes = axes_of(op, asked.attributes.get("axis"), asked.inputs[0].ndim)
    kept = bool(asked.attributes.get("keepdims"))
    return tuple(0 if i in axes else n for i, n in enumerate(index) if kept or i not in axes)


def reduction(
    op: str, make: Callable[[list[float], Attributes], Tree], slope: Callable[[int, list[float], float, Attributes], Tree]
) -> Spelled:
    """make: of the numbers that are reduced. slope: of the k-th of them, given the result: the derivative."""

    def numbers(index: Index, x: Array, attributes: Attributes) -> tuple[list[Index], list[float]]:
        places = reduced(op, index, x, attributes)
        return places, [float(x[place]) for place in places]

    def forward(index: Index, inputs: Sequence[Array], attributes: Attributes) -> Tree:
        return make(numbers(index, inputs[0], attributes)[1], attributes)

    def backward(port: int, index: Index, asked: Asked) -> Tree:
        at = _goes_to(op, index, asked)
        places, values = numbers(at, asked.inputs[0], asked.attributes)
        local = slope(places.index(index), values, float(asked.output[at]), asked.attributes)
        return 0 if local == 0 else times(float(asked.incoming[at]), local)

    return Spelled(forward, backward)


def _freedom(values: list[float], attributes: Attributes) -> float:
    free = len(values) - attributes.get("correction", 1)
    if free <= 0:
        raise UnwrittenError
    return float(free)


def _variance(values: list[float], attributes: Attributes) -> Tree:
    mean = float(np.mean(values))
    return over(total(["pow", ["sub", v, mean], 2] for v in values), _freedom(values, attributes))


def _variance_slope(k: int, values: list[float], y: float, attributes: Attributes) -> Tree:
    return ["mul", ["div", 2, _freedom(values, attributes)], ["sub", values[k], float(np.mean(values))]]


def _deviation_slope(k: int, values: list[float], y: float, attributes: Attributes) -> Tree:
    free = _freedom(values, attributes)
    return 0 if y == 0 else ["div", ["sub", values[k], float(np.mean(values))], y if free == 1 else ["mul", free, y]]


VAR = reduction("var", _variance, _variance_slope)
STD = reduction("std", lambda values, attributes: ["call", "sqrt", _variance(values, attributes)], _deviation_slope)
PROD = reduction("prod", lambda values, attributes: product(values), lambda k, values, y, attributes: product(values[:k] + values[k + 1 :]))
LOGSUMEXP = reduction(
    "logsumexp", lambda values, attributes: log(total(exp(v) for v in values)),
    lambda k, values, y, attributes: ["call", "exp", ["sub", values[k], y]],
)  # fmt: skip


def extreme(op: str, function: str) -> Spelled:
    """The largest or the smallest; the gradient goes there, shared where several tie."""

    def slope(k: int, values: list[float], y: float, attributes: Attributes) -> Tree:
        return 0 if values[k] != y else over(1, values.count(y))

    return reduction(op, lambda values, attributes: _largest(function, values), slope)


def _norm(values: list[float], attributes: Attributes) -> Tree:
    order = attributes.get("ord", 2)
    if order == 2:
        return ["call", "sqrt", total(["pow", v, 2] for v in values)]
    sizes = [["call", "abs", v] for v in values]
    return total(sizes) if order == 1 else _largest("maximum", sizes)


def _norm_slope(k: int, values: list[float], y: float, attributes: Attributes) -> Tree:
    order = attributes.get("ord", 2)
    if order == 2:
        return 0 if y == 0 else ["div", values[k], y]
    sizes = [abs(v) for v in values]
    if order != 1 and sizes[k] != y:
        return 0
    sign = ["call", "sign", values[k]]
    return sign if order == 1 else over(sign, sizes.count(y))


NORM = reduction("norm", _norm, _norm_slope)


# softmax


def _row(index: Index, z: Array, attributes: Attributes) -> tuple[int, list[Index]]:
    """An element's place along the axis of a softmax, and all places there."""
    axis = attributes.get("axis", -1) % z.ndim
    return index[axis], [(*index[:axis], j, *index[axis + 1 :]) for j in range(z.shape[axis])]


def _softmax(index: Index, inputs: Sequence[Array], attributes: Attributes) -> Tree:
    k, places = _row(index, inputs[0], attributes)
    return share([float(inputs[0][place]) for place in places], k)


def share(logits: list[float], k: int) -> Tree:
    return ["div", exp(logits[k]), total(exp(v) for v in logits)]


def _softmax_back(port: int, index: Index, asked: Asked) -> Tree:
    _, places = _row(index, asked.inputs[0], asked.attributes)
    average = total(times(float(asked.incoming[place]), float(asked.output[place])) for place in places)
    return ["mul", float(asked.output[index]), ["sub", float(asked.incoming[index]), average]]


def _log_softmax(index: Index, inputs: Sequence[Array], attributes: Attributes) -> Tree:
    _, places = _row(index, inputs[0], attributes)
    return ["sub", float(inputs[0][index]), log(total(exp(float(inputs[0][place])) for place in places))]


def _log_softmax_back(port: int, index: Index, asked: Asked) -> Tree:
    _, places = _row(index, asked.inputs[0], asked.attributes)
    everything = total(float(asked.incoming[place]) for place in places)
    return ["sub", float(asked.incoming[index]), ["mul", exp(float(asked.output[index])), everything]]


SOFTMAX = Spelled(_softmax, _softmax_back)
LOG_SOFTMAX = Spelled(_log_softmax, _log_softmax_back)
