"""Products and sums: linear, matmul, sum, mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.axes import axes_of
from engine.ops.op import Array, Derivative, Record, Sample, structured

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_M32 = [[0.2, -0.4], [1.1, 0.9], [-0.6, 0.7]]
_M43 = [[0.2, -0.4, 0.5], [1.1, 0.9, -0.2], [-0.6, 0.7, 0.1], [0.3, 0.3, -1.5]]


def _linear(x: Array, W: Array) -> Array:
    if W.ndim != 2 or x.ndim < 1 or x.shape[-1] != W.shape[1]:
        raise ValueError(f"linear: x has shape {x.shape} and W {W.shape}; expected x (..., n) and W (m, n) with the same n")
    y: Array = x.dot(W.T) if x.ndim == 2 else x @ W.T  # .dot goes to the same product with half the ceremony
    return y


def _linear_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, W = record.inputs
    if F.arrays and x.ndim == 2:
        return [g.dot(W) if record.needs[0] else None, g.T.dot(x) if record.needs[1] else None]
    flat = g if g.ndim == 2 else F.reshape(g, shape=(-1, W.shape[0]))
    rows = x if x.ndim == 2 else F.reshape(x, shape=(-1, W.shape[1]))
    return [
        F.matmul(g, W) if record.needs[0] else None,
        F.matmul(F.transpose(flat), rows) if record.needs[1] else None,
    ]


def _linear_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    _, W = inputs
    return [(0, (*index[:-1], k), float(W[index[-1], k])) for k in range(W.shape[1])]


structured(
    name="linear", inputs=("x", "W"), forward=_linear, vjp=_linear_vjp, element=_linear_element,
    latex=r"{y} = {x}\,{W}^{{\top}}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,{W}"), Derivative("W", latex=r"\bar{{{y}}}^{{\top}}\,{x}")],
    samples=[Sample((_M23, _M43)), Sample(([0.5, -1.2, 0.3], _M43)), Sample(([_M23, _M23], _M43))],
    errors=[Sample((_M23, _M32)), Sample((1.0, _M43))],
)  # fmt: skip


def _matmul(a: Array, b: Array) -> Array:
    if a.ndim < 1 or b.ndim < 1 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(f"matmul: a has shape {a.shape} and b {b.shape}; expected a (..., m, n) and b (..., n, p), or vectors of length n")
    product: Array = np.matmul(a, b)
    return product


def _matmul_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    a, b = record.inputs
    one_a, one_b = a.ndim == 1, b.ndim == 1
    if one_a and one_b:
        return [F.mul(g, b) if record.needs[0] else None, F.mul(g, a) if record.needs[1] else None]
    # Vectors become matrices with one row (a) or one column (b); the gradient gets the dimension that the product lost.
    A = F.reshape(a, shape=(1, a.shape[0])) if one_a else a
    B = F.reshape(b, shape=(b.shape[0], 1)) if one_b else b
    G = F.reshape(g, shape=(*g.shape[:-1], 1, g.shape[-1])) if one_a else F.reshape(g, shape=(*g.shape, 1)) if one_b else g
    da = F.matmul(G, F.transpose(B)) if record.needs[0] else None
    db = F.matmul(F.transpose(A), G) if record.needs[1] else None
    if one_a and da is not None:
        da = F.reshape(da, shape=(*da.shape[:-2], a.shape[0]))
    if one_b and db is not None:
        db = F.reshape(db, shape=(*db.shape[:-2], b.shape[0]))
    return [da, db]


def _matmul_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    a, b = inputs
    inner = (a.ndim > 1) + (b.ndim > 1)
    lead, ends = index[: len(index) - inner], index[len(index) - inner :]
    row, column = ends[: a.ndim > 1], ends[len(ends) - (b.ndim > 1) :]

    def batch(x: Array) -> tuple[int, ...]:  # the batch dimensions broadcast
        sizes = x.shape[:-2]
        return tuple(0 if n == 1 else i for n, i in zip(sizes, lead[len(lead) - len(sizes) :], strict=True))

    return [(0, (*batch(a), *row, k), float(b[(*batch(b), k, *column)])) for k in range(a.shape[-1])]


structured(
    name="matmul", inputs=("a", "b"), forward=_matmul, vjp=_matmul_vjp, element=_matmul_element,
    latex=r"{y} = {a}\,{b}",
    derivatives=[Derivative("a", latex=r"\bar{{{y}}}\,{b}^{{\top}}"), Derivative("b", latex=r"{a}^{{\top}}\,\bar{{{y}}}")],
    samples=[Sample((_M23, _M32)), Sample(([0.5, -1.2, 0.3], _M32)), Sample((_M23, [0.2, 0.1, -0.4])),
             Sample(([0.5, 2.0], [-0.3, 0.4])), Sample(([_M23, _M23], _M32)), Sample(([0.5, -1.2, 0.3], [_M32, _M32]))],
    errors=[Sample((_M23, _M23)), Sample((1.0, _M23))],
)  # fmt: skip


def _sum(x: Array, *, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    return x.sum(axis=axes_of("sum", axis, x.ndim), keepdims=keepdims)


def _spread(F: Any, g: Any, record: Record, op: str) -> Any:
    """The gradient of a reduction, spread over what was reduced."""
    x = record.inputs[0]
    kept = tuple(1 if i in axes_of(op, record.attributes.get("axis"), x.ndim) else n for i, n in enumerate(x.shape))
    return F.broadcast_to(F.reshape(g, shape=kept), shape=x.shape)


def _sum_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    x = inputs[0]
    axes = axes_of("sum", attributes.get("axis"), x.ndim)
    if not attributes.get("keepdims"):
        rest = list(index)
        index = tuple(0 if i in axes else rest.pop(0) for i in range(x.ndim))
    factor = 1.0
    reduced = np.ndindex(*(x.shape[a] for a in axes))
    return [(0, tuple(at[axes.index(i)] if i in axes else index[i] for i in range(x.ndim)), factor) for at in reduced]


structured(
    name="sum", inputs=("x",), forward=_sum, vjp=lambda F, g, record: [_spread(F, g, record, "sum")], element=_sum_element,
    latex=r"{y} = \sum {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[Sample((_M23,)), Sample((_M23,), {"axis": 1}), Sample((_M23,), {"axis": [0, 1], "keepdims": True}), Sample((0.7,)),
             Sample((_M23,), {"axis": -2})],
    errors=[Sample((_M23,), {"axis": 2}), Sample((_M23,), {"axis": [0, 0]})],
)  # fmt: skip


def _mean(x: Array, *, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    return x.mean(axis=axes_of("mean", axis, x.ndim), keepdims=keepdims)


def _mean_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x = record.inputs[0]
    reduced = math.prod(x.shape[a] for a in axes_of("mean", record.attributes.get("axis"), x.ndim))
    return [_spread(F, g * (1 / max(1, reduced)), record, "mean")]


def _mean_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    terms = _sum_element(index, inputs, attributes)
    return [(port, at, 1 / len(terms)) for port, at, _ in terms]


structured(
    name="mean", inputs=("x",), forward=_mean, vjp=_mean_vjp, element=_mean_element,
    latex=r"{y} = \tfrac{{1}}{{n}}\sum {x}", derivatives=[Derivative("x", latex=r"\tfrac{{1}}{{n}}\,\bar{{{y}}}")],
    samples=[Sample((_M23,)), Sample((_M23,), {"axis": 1}), Sample((_M23,), {"axis": -2, "keepdims": True})],
    errors=[Sample((_M23,), {"axis": 2})],
)  # fmt: skip
