"""Reductions over some or all axes: sums, moments, extremes, products, norms; and the running sum.

All take ``axis`` (None for all, one, or several; negative ones count from the end) and ``keepdims``, as numpy.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.ops import spelled
from engine.ops.axes import axes_of, axis_of
from engine.ops.op import Array, Derivative, Kink, Record, Sample, structured
from engine.told import Told

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_T222 = [[[0.5, -1.2], [0.3, 0.9]], [[1.4, 0.1], [-0.8, 0.2]]]
_WITH_ZEROS = [[0.0, 2.0, 3.0], [0.0, 4.0, 0.0], [1.5, -2.0, 0.5]]
_SAMPLES = (
    Sample((_M23,)),
    Sample((_M23,), {"axis": 1}),
    Sample((_M23,), {"axis": -2, "keepdims": True}),
    Sample((_T222,), {"axis": [0, -1]}),
    Sample((0.7,)),
    Sample(([[0.7]],), {"axis": 0}),
    Sample(([[], []],), {"axis": 0}),
)
_OF_NOTHING = Sample(([[], []],), {"axis": 1})
_ERRORS = (Sample((_M23,), {"axis": 2}), Sample((_M23,), {"axis": [0, 0]}))

Axis = int | Sequence[int] | None


def _kept(op: str, record: Record) -> tuple[int, ...]:
    """The shape of the output with the reduced axes kept, of length 1."""
    shape = record.inputs[0].shape
    axes = axes_of(op, record.attributes.get("axis"), len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _count(op: str, record: Record) -> int:
    """How many elements make one of the output."""
    shape = record.inputs[0].shape
    return math.prod(shape[a] for a in axes_of(op, record.attributes.get("axis"), len(shape)))


def _spread(F: Any, g: Any, record: Record, op: str) -> Any:
    """The gradient of a reduction, spread over what was reduced."""
    return F.broadcast_to(F.reshape(g, shape=_kept(op, record)), shape=record.inputs[0].shape)


def _elements(op: str) -> Callable[..., list[tuple[int, tuple[int, ...], float]]]:
    """The inputs that one element of a sum is made of."""

    def element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
        return [(0, at, 1.0) for at in spelled.reduced(op, index, inputs[0], attributes)]

    return element


_add: Any = np.add.reduce  # numpy's stubs know one of its signatures too few
_largest: Any = np.maximum.reduce
_multiply: Any = np.multiply.reduce


def _sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
    return _add(x, axis=axes_of("sum", axis, x.ndim), keepdims=keepdims)


structured(
    name="sum",
    inputs=("x",),
    encode=lambda axis, keepdims: {"axis": axis, "keepdims": keepdims},
    forward=_sum,
    vjp=lambda F, g, record: [_spread(F, g, record, "sum")],
    element=_elements("sum"),
    latex=r"{y} = \sum {x}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    analytic=True,
    samples=[*_SAMPLES, Sample((_M23,), {"axis": [0, 1], "keepdims": True}), _OF_NOTHING],
    errors=_ERRORS,
)


def _mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
    return x.mean(axis=axes_of("mean", axis, x.ndim), keepdims=keepdims)


def _mean_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    terms = _elements("mean")(index, inputs, attributes)
    return [(port, at, 1 / len(terms)) for port, at, _ in terms]


structured(
    name="mean",
    inputs=("x",),
    forward=_mean,
    element=_mean_element,
    analytic=True,
    vjp=lambda F, g, record: [_spread(F, g * (1 / max(1, _count("mean", record))), record, "mean")],
    latex=r"{y} = \tfrac{{1}}{{n}}\sum {x}",
    derivatives=[Derivative("x", latex=r"\tfrac{{1}}{{n}}\,\bar{{{y}}}")],
    samples=_SAMPLES,
    errors=_ERRORS,
)


def _centred(F: Any, record: Record, op: str) -> Any:
    """The input minus its mean over the reduced axes."""
    x = record.inputs[0]
    if not x.size:
        return x
    return x - F.mean(x, axis=list(axes_of(op, record.attributes.get("axis"), len(x.shape))), keepdims=True)


def _variance(op: str, x: Array, axis: Axis, correction: float, keepdims: bool) -> Any:
    """Sum of squares about the mean over the degrees of freedom. Where there are none it is no number (infinite about a spread), with a
    warning, as in PyTorch and numpy.
    """
    axes = axes_of(op, axis, x.ndim)
    count = math.prod(x.shape[a] for a in axes)
    if count <= correction:
        return _without_freedom(op, x, axes, count, correction, keepdims)
    centred = x - x.mean(axis=axes, keepdims=True)
    return _add(centred * centred, axis=axes, keepdims=keepdims) / (count - correction)


def _without_freedom(op: str, x: Array, axes: tuple[int, ...], count: int, correction: float, keepdims: bool) -> Any:
    warnings.warn(
        f"{op}: {count} elements with correction={correction:g} leave no degree of freedom: there is no such number; "
        "give more elements, or a smaller correction",
        RuntimeWarning,
        stacklevel=5,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = x - (x.mean(axis=axes, keepdims=True) if count else 0)
        return np.divide(_add(centred * centred, axis=axes, keepdims=keepdims), 0)


def _inverse_freedom(op: str, record: Record) -> float:
    """One over the degrees of freedom, infinite where there are none."""
    free = _count(op, record) - record.attributes.get("correction", 1)
    return 1 / free if free > 0 else math.inf


def _var(x: Array, *, axis: Axis = None, correction: float = 1, keepdims: bool = False) -> Any:
    return _variance("var", x, axis, correction, keepdims)


def _var_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    with np.errstate(invalid="ignore"):
        return [_spread(F, g, record, "var") * _centred(F, record, "var") * (2 * _inverse_freedom("var", record))]


_SEVERAL = tuple(sample for sample in _SAMPLES if sample.inputs not in ((0.7,), ([[0.7]],)))
_ONE_ALONE = tuple(Sample((x,), {"correction": 0}) for x in (0.7, [0.7]))

structured(
    name="var",
    inputs=("x",),
    forward=_var,
    vjp=_var_vjp,
    spelled=spelled.VAR,
    analytic=True,
    latex=r"{y} = \tfrac{{1}}{{n - c}}\sum ({x} - \mu)^2",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,\tfrac{{2}}{{n - c}}({x} - \mu)")],
    samples=[*_SEVERAL, Sample((_M23,), {"correction": 0}), *_ONE_ALONE],
    errors=_ERRORS,
)


def _std(x: Array, *, axis: Axis = None, correction: float = 1, keepdims: bool = False) -> Any:
    return np.sqrt(_variance("std", x, axis, correction, keepdims))


def _std_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    y = F.reshape(record.output, shape=_kept("std", record))
    still = F.eq(y, 0.0)  # no spread: the subgradient 0
    with np.errstate(invalid="ignore"):
        slope = F.where(still, 0.0, _centred(F, record, "std") / F.where(still, 1.0, y)) * _inverse_freedom("std", record)
        return [_spread(F, g, record, "std") * slope]


structured(
    name="std",
    inputs=("x",),
    forward=_std,
    vjp=_std_vjp,
    spelled=spelled.STD,
    analytic=True,
    latex=r"{y} = \sqrt{{\tfrac{{1}}{{n - c}}\sum ({x} - \mu)^2}}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,\tfrac{{{x} - \mu}}{{(n - c)\,{y}}}")],
    samples=[*_SEVERAL, Sample((_M23,), {"correction": 0}), *_ONE_ALONE],
    errors=_ERRORS,
)


def _shares(chosen: Array, axes: tuple[int, ...]) -> Array:
    """What each of the chosen ones gets of a gradient; NaN where none is chosen, because a NaN was among them."""
    with np.errstate(invalid="ignore"):
        shares: Array = chosen / chosen.sum(axis=axes, keepdims=True)
    return shares


def _extreme(name: str, reduce: Callable[..., Any], word: str) -> None:
    def forward(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
        axes = axes_of(name, axis, x.ndim)
        if not math.prod(x.shape[a] for a in axes):
            words = f"{name}: shape {x.shape} has no element along axis {list(axes)}; expected at least one"
            raise ValueError(Told(words, "axis-empty", name=name, shape=str(x.shape)))
        return reduce(x, axis=axes, keepdims=keepdims)

    def vjp(F: Any, g: Any, record: Record) -> list[Any]:
        x = F.array(record.inputs[0])
        chosen = x == F.array(record.output).reshape(_kept(name, record))
        shares = _shares(chosen, axes_of(name, record.attributes.get("axis"), x.ndim))
        return [_spread(F, g, record, name) * shares.astype(x.dtype)]

    structured(
        name=name,
        inputs=("x",),
        forward=forward,
        vjp=vjp,
        spelled=spelled.extreme(name, {"max": "maximum", "min": "minimum"}[name]),
        latex=rf"{{y}} = \{name} {{x}}",
        derivatives=[Derivative("x", latex=rf"\bar{{{{{{y}}}}}}\ \text{{{{at the {word}, shared where several tie}}}}")],
        samples=_SAMPLES,
        errors=[*_ERRORS, Sample(([],))],
        kinks=[
            Kink((1.0,), (1.0,), "one element is its own extreme; elements that tie share the gradient evenly, as PyTorch's amax and amin")
        ],
    )


_extreme("max", np.maximum.reduce, "largest")
_extreme("min", np.minimum.reduce, "smallest")


def _prod(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
    return _multiply(x, axis=axes_of("prod", axis, x.ndim), keepdims=keepdims)


def _prod_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x = record.inputs[0]
    axes = axes_of("prod", record.attributes.get("axis"), len(x.shape))
    rest = [i for i in range(len(x.shape)) if i not in axes]
    if F.arrays:
        return [_spread(F, g, record, "prod") * _product_of_the_others(x, [*rest, *axes], len(rest))]
    # To differentiate again: the product with each element left out in turn.
    count, others = _count("prod", record), tuple(x.shape[i] for i in rest)
    flat = F.reshape(F.transpose(x, axes=[*rest, *axes]) if len(x.shape) > 1 else x, shape=(*others, 1, count))
    ones = F.where(np.eye(count, dtype=bool), 1.0, F.broadcast_to(flat, shape=(*others, count, count)))
    left_out = F.reshape(F.prod(ones, axis=-1), shape=(*others, *(x.shape[a] for a in axes)))
    if len(x.shape) > 1:
        left_out = F.transpose(left_out, axes=np.argsort([*rest, *axes]).tolist())
    return [_spread(F, g, record, "prod") * left_out]


def _product_of_the_others(x: Array, order: Sequence[int], rest: int) -> Array:
    """For each element the product of all others along the axes order[rest:]: what comes before times what comes after it."""
    moved = x.transpose(order)
    flat = moved.reshape(*moved.shape[:rest], math.prod(moved.shape[rest:]))
    before, after = np.ones_like(flat), np.ones_like(flat)
    np.multiply.accumulate(flat[..., :-1], axis=-1, out=before[..., 1:])
    np.multiply.accumulate(flat[..., :0:-1], axis=-1, out=after[..., -2::-1])
    others: Array = (before * after).reshape(moved.shape).transpose(np.argsort(order))
    return others


structured(
    name="prod",
    inputs=("x",),
    forward=_prod,
    vjp=_prod_vjp,
    spelled=spelled.PROD,
    analytic=True,
    latex=r"{y} = \prod {x}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,\textstyle\prod_{{j \ne i}} {x}_j")],
    samples=[*_SAMPLES, Sample((_WITH_ZEROS,), {"axis": 1}), Sample((_WITH_ZEROS,)), _OF_NOTHING],
    errors=_ERRORS,
)


def _norm(x: Array, *, ord: float | str = 2, axis: Axis = None, keepdims: bool = False) -> Any:  # noqa: A002 - numpy's name for it
    axes = axes_of("norm", axis, x.ndim)
    if x.dtype.kind in "bui":  # squares of small integers would leave their range
        x = x.astype(np.float64)
    if ord == 1:
        return _add(np.abs(x), axis=axes, keepdims=keepdims)
    if ord == 2:
        with np.errstate(over="ignore", under="ignore"):
            y = np.sqrt(_add(x * x, axis=axes, keepdims=keepdims))
        small = np.sqrt(np.finfo(y.dtype).tiny) / np.finfo(y.dtype).eps  # below it the squares lose digits, above 1/small they overflow
        return y if np.all((y > small) & (y < 1 / small)) else _scaled_norm(x, axes, keepdims)
    if ord == "inf":
        return _largest(np.abs(x), axis=axes, keepdims=keepdims, initial=0)
    words = f"norm: ord is {ord!r}; expected 1, 2 or 'inf'"
    raise ValueError(Told(words, "keyword-choice", name="norm", keyword="ord", options="1, 2, inf"))


def _scaled_norm(x: Array, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The Euclidean norm by way of the largest element, where squares would leave the range of the dtype."""
    top = _largest(np.abs(x), axis=axes, keepdims=True, initial=0)
    scale = np.where(np.isfinite(top) & (top > 0), top, 1).astype(x.dtype)
    y = np.sqrt(_add((x / scale) ** 2, axis=axes, keepdims=True)) * scale
    return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


def _norm_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, order = record.inputs[0], record.attributes.get("ord", 2)
    spread = _spread(F, g, record, "norm")
    if order == 1:
        return [spread * F.sign(x)]
    if order == 2:
        y = F.reshape(record.output, shape=_kept("norm", record))
        zero = F.eq(y, 0.0)
        return [spread * F.where(zero, 0.0, x / F.where(zero, 1.0, y))]
    size = np.abs(F.array(x))
    chosen = size == F.array(record.output).reshape(_kept("norm", record))
    shares = _shares(chosen, axes_of("norm", record.attributes.get("axis"), size.ndim))
    return [spread * F.sign(x) * shares.astype(size.dtype)]


structured(
    name="norm",
    inputs=("x",),
    forward=_norm,
    vjp=_norm_vjp,
    spelled=spelled.NORM,
    latex=r"{y} = \lVert {x} \rVert",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,\tfrac{{{x}}}{{{y}}}")],
    samples=[*_SAMPLES, Sample((_M23,), {"ord": 1, "axis": 0}), Sample((_M23,), {"ord": "inf", "axis": 1}), _OF_NOTHING],
    errors=[*_ERRORS, Sample((_M23,), {"ord": 3})],
    kinks=[Kink((0.0,), (0.0,), "the middle of the unit ball of subgradients, as PyTorch")],
)


def _logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
    axes = axes_of("logsumexp", axis, x.ndim)
    if not math.prod(x.shape[a] for a in axes):
        words = f"logsumexp: shape {x.shape} has no element along axis {list(axes)}; expected at least one"
        raise ValueError(Told(words, "axis-empty", name="logsumexp", shape=str(x.shape)))
    if x.dtype.kind in "bui":
        x = x.astype(np.float64)
    top = _largest(x, axis=axes, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0).astype(x.dtype)  # a row of -inf has the sum 0, whose logarithm is -inf
    with np.errstate(divide="ignore"):
        y = np.log(_add(np.exp(x - safe), axis=axes, keepdims=True)) + safe
    return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


def _logsumexp_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, y = record.inputs[0], F.reshape(record.output, shape=_kept("logsumexp", record))
    some = ~np.isneginf(F.array(y))  # a row of -inf sends nothing back
    with np.errstate(invalid="ignore"):
        return [_spread(F, g, record, "logsumexp") * F.exp(x - F.where(some, y, 0.0)) * some]


structured(
    name="logsumexp",
    inputs=("x",),
    forward=_logsumexp,
    vjp=_logsumexp_vjp,
    spelled=spelled.LOGSUMEXP,
    latex=r"{y} = \log \sum e^{{{x}}}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,e^{{{x} - {y}}}")],
    samples=[*_SAMPLES, Sample(([1000.0, 999.0, -1000.0],))],
    errors=[*_ERRORS, Sample(([],))],
)


def _cumsum(x: Array, *, axis: int = 0) -> Array:
    if not x.ndim:
        words = "cumsum: a 0-d tensor has no axis to sum along; expected at least one dimension"
        raise ValueError(Told(words, "axis-empty", name="cumsum", shape=str(x.shape)))
    y: Array = np.add.accumulate(x, axis=axis_of("cumsum", axis, x.ndim))
    return y


def _cumsum_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    axis = record.attributes.get("axis", 0) % len(g.shape)
    turned = [*([["slice", None, None, None]] * axis), ["slice", None, None, -1]]
    return [F.index(F.cumsum(F.index(g, index=turned), axis=axis), index=turned)]


def _cumsum_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    axis = attributes.get("axis", 0) % len(index)
    return [(0, (*index[:axis], k, *index[axis + 1 :]), 1.0) for k in range(index[axis] + 1)]


structured(
    name="cumsum",
    inputs=("x",),
    forward=_cumsum,
    vjp=_cumsum_vjp,
    element=_cumsum_element,
    analytic=True,
    latex=r"{y}_k = \textstyle\sum_{{j \le k}} {x}_j",
    derivatives=[Derivative("x", latex=r"\textstyle\sum_{{j \ge k}} \bar{{{y}}}_j")],
    samples=[Sample((_M23,)), Sample((_M23,), {"axis": -1}), Sample(([0.5, 1.0],)), Sample(([],)), Sample(([0.5],))],
    errors=[Sample((_M23,), {"axis": 2}), Sample((0.5,))],
)
