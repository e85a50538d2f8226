"""Products: linear, matmul, dot, outer, einsum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.events import LARGE, Product
from engine.ops.contraction import contract, read, sizes_of, spread
from engine.ops.op import Array, Derivative, Record, Sample, Slopes, structured
from engine.told import Told

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_M32 = [[0.2, -0.4], [1.1, 0.9], [-0.6, 0.7]]
_M43 = [[0.2, -0.4, 0.5], [1.1, 0.9, -0.2], [-0.6, 0.7, 0.1], [0.3, 0.3, -1.5]]


def _linear(x: Array, W: Array) -> Array:
    if x.ndim == 2 == W.ndim:  # the common case by the shortest way
        try:
            return x.dot(W.T)  # type: ignore[no-any-return]
        except ValueError:
            pass  # the sizes differ: said below
    if W.ndim != 2 or x.ndim < 1 or x.shape[-1] != W.shape[1]:
        words = f"linear: x has shape {x.shape} and W {W.shape}; expected x (..., n) and W (m, n) with the same n"
        raise ValueError(Told(words, "shapes-needed", name="linear", given=f"{x.shape}, {W.shape}", needed="(..., n), (m, n)"))
    y: Array = x.dot(W.T) if x.ndim == 1 else x.reshape(_rows(x), x.shape[-1]).dot(W.T).reshape(*x.shape[:-1], W.shape[0])
    return y  # one product over all rows, and .dot does it with half the ceremony of @


def _rows(x: Any) -> int:
    """How many rows a stack of matrices has."""
    return math.prod(x.shape[:-1])


def _linear_to_x(g: Array, x: Array, W: Array, y: Array) -> Any:
    return g.dot(W)


def _linear_to_weight(g: Array, x: Array, W: Array, y: Array) -> Any:
    """Many elements stay two factors: only their sum over the uses of a weight is ever needed."""
    if x.ndim != 2:
        g, x = g.reshape(_rows(x), W.shape[0]), x.reshape(_rows(x), W.shape[1])
    return g.T.dot(x) if W.size <= LARGE or not g.dtype == x.dtype == W.dtype else Product(g, x)


def _linear_to_both(g: Array, x: Array, W: Array, y: Array) -> tuple[Any, Any]:
    return g.dot(W), g.T.dot(x) if x.ndim == 2 and W.size <= LARGE else _linear_to_weight(g, x, W, y)


def _linear_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, W = record.inputs
    dW = None
    if record.needs[1]:
        dW = F.matmul(F.transpose(F.reshape(g, shape=(_rows(x), W.shape[0]))), F.reshape(x, shape=(_rows(x), W.shape[1])))
    return [F.matmul(g, W) if record.needs[0] else None, dW]


def _linear_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    _, W = inputs
    return [(0, (*index[:-1], k), float(W[index[-1], k])) for k in range(W.shape[1])]


structured(
    name="linear", inputs=("x", "W"), forward=_linear, vjp=_linear_vjp, element=_linear_element, analytic=True,
    on_arrays=Slopes((_linear_to_x, _linear_to_weight), _linear_to_both),
    latex=r"{y} = {x}\,{W}^{{\top}}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,{W}"), Derivative("W", latex=r"\bar{{{y}}}^{{\top}}\,{x}")],
    samples=[Sample((_M23, _M43)), Sample(([0.5, -1.2, 0.3], _M43)), Sample(([_M23, _M23], _M43)), Sample(([[0.5]], [[2.0]])),
             Sample((np.zeros((0, 3)), _M43)), Sample((_M23, np.zeros((0, 3))))],
    errors=[Sample((_M23, _M32)), Sample((1.0, _M43))],
)  # fmt: skip


def _matmul(a: Array, b: Array) -> Any:
    m, n = a.ndim, b.ndim
    if m == 2 and n == 2 and a.shape[1] == b.shape[0]:
        return a.dot(b)
    if m < 1 or n < 1 or a.shape[-1] != b.shape[-2 if n > 1 else 0]:
        words = f"matmul: a has shape {a.shape} and b {b.shape}; expected a (..., m, n) and b (..., n, p), or vectors of length n"
        raise ValueError(Told(words, "shapes-matmul", a=str(a.shape), b=str(b.shape)))
    if m > 2 and n == 2:  # one product over all rows
        return a.reshape(_rows(a), a.shape[-1]).dot(b).reshape(*a.shape[:-1], b.shape[1])
    try:
        return np.matmul(a, b)
    except ValueError:
        words = f"matmul: the batches of shapes {a.shape} and {b.shape} do not broadcast"
        raise ValueError(Told(words, "shapes-broadcast", name="matmul", shapes=f"{a.shape}, {b.shape}")) from None


def _matmul_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    a, b = record.inputs
    if F.arrays and a.ndim == 2 and b.ndim == 2:
        return [g.dot(b.T) if record.needs[0] else None, a.T.dot(g) if record.needs[1] else None]
    one_a, one_b = a.ndim == 1, b.ndim == 1
    if one_a and one_b:
        return [F.mul(g, b) if record.needs[0] else None, F.mul(g, a) if record.needs[1] else None]
    # Vectors become matrices with one row (a) or one column (b); the gradient gets the dimension that the product lost.
    A = F.reshape(a, shape=(1, a.shape[0])) if one_a else a
    B = F.reshape(b, shape=(b.shape[0], 1)) if one_b else b
    G = F.reshape(g, shape=(*g.shape[:-1], 1, g.shape[-1])) if one_a else F.reshape(g, shape=(*g.shape, 1)) if one_b else g
    da = F.matmul(G, F.transpose(B)) if record.needs[0] else None
    db = None
    if record.needs[1]:
        if A.ndim > 2 and B.ndim == 2:  # a stack met one matrix: one product over all rows, nothing to be summed down
            A, G = F.reshape(A, shape=(_rows(A), A.shape[-1])), F.reshape(G, shape=(_rows(G), G.shape[-1]))
        db = F.matmul(F.transpose(A), G)
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
    name="matmul", inputs=("a", "b"), forward=_matmul, vjp=_matmul_vjp, element=_matmul_element, analytic=True,
    latex=r"{y} = {a}\,{b}",
    derivatives=[Derivative("a", latex=r"\bar{{{y}}}\,{b}^{{\top}}"), Derivative("b", latex=r"{a}^{{\top}}\,\bar{{{y}}}")],
    samples=[Sample((_M23, _M32)), Sample(([0.5, -1.2, 0.3], _M32)), Sample((_M23, [0.2, 0.1, -0.4])),
             Sample(([0.5, 2.0], [-0.3, 0.4])), Sample(([_M23, _M23], _M32)), Sample(([0.5, -1.2, 0.3], [_M32, _M32])),
             Sample(([_M23, _M23], [[_M32], [_M32]])), Sample(([[0.5]], [[2.0]])), Sample(([[], []], np.zeros((0, 2))))],
    errors=[Sample((_M23, _M23)), Sample((1.0, _M23))],
)  # fmt: skip


def _dot(a: Array, b: Array) -> Any:
    if a.ndim != 1 or a.shape != b.shape:
        words = f"dot: a has shape {a.shape} and b {b.shape}; expected two vectors of the same length"
        raise ValueError(Told(words, "shapes-needed", name="dot", given=f"{a.shape}, {b.shape}", needed="(n,), (n,)"))
    return a.dot(b)


structured(
    name="dot", inputs=("a", "b"), forward=_dot, analytic=True,
    vjp=lambda F, g, record: [g * record.inputs[1], g * record.inputs[0]],
    element=lambda index, inputs, attributes: [(0, (k,), float(w)) for k, w in enumerate(inputs[1])],
    latex=r"{y} = {a}^{{\top}}{b}", derivatives=[Derivative("a", latex=r"\bar{{{y}}}\,{b}"), Derivative("b", latex=r"\bar{{{y}}}\,{a}")],
    samples=[Sample(([0.5, -1.2], [0.3, 1.4])), Sample(([0.5], [2.0])), Sample(([], []))],
    errors=[Sample(([0.5, 1.0], [1.0])), Sample((0.5, [1.0])), Sample((_M23, _M23))],
)  # fmt: skip


def _outer(a: Array, b: Array) -> Array:
    if a.ndim != 1 or b.ndim != 1:
        words = f"outer: a has shape {a.shape} and b {b.shape}; expected two vectors"
        raise ValueError(Told(words, "shapes-needed", name="outer", given=f"{a.shape}, {b.shape}", needed="(m,), (n,)"))
    return np.multiply.outer(a, b)


structured(
    name="outer", inputs=("a", "b"), forward=_outer, analytic=True,
    vjp=lambda F, g, record: [F.matmul(g, record.inputs[1]), F.matmul(F.transpose(g), record.inputs[0])],
    element=lambda index, inputs, attributes: [(0, (index[0],), float(inputs[1][index[1]]))],
    latex=r"{y} = {a}\,{b}^{{\top}}",
    derivatives=[Derivative("a", latex=r"\bar{{{y}}}\,{b}"), Derivative("b", latex=r"\bar{{{y}}}^{{\top}}{a}")],
    samples=[Sample(([0.5, -1.2], [0.3, 1.4, 2.0])), Sample(([0.5], [2.0])), Sample(([], [0.5, 2.0]))],
    errors=[Sample((0.5, [1.0])), Sample((_M23, [1.0]))],
)  # fmt: skip


def _einsum(a: Array, b: Array, *, equation: str) -> Any:
    return contract(a, b, *read(equation, a.shape, b.shape))


def _einsum_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    a, b = record.inputs
    first, second, out = read(record.attributes["equation"], a.shape, b.shape)

    def towards(x: Any, mine: str, other: Any, theirs: str) -> Any:
        reached = "".join(c for c in dict.fromkeys(mine) if c in out or c in theirs)
        return spread(F, F.einsum(g, other, equation=f"{out},{theirs}->{reached}"), reached, mine, x.shape)

    return [towards(a, first, b, second) if record.needs[0] else None, towards(b, second, a, first) if record.needs[1] else None]


def _einsum_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    a, b = inputs
    first, second, out = read(attributes["equation"], a.shape, b.shape)
    sizes = sizes_of(a, b, first, second)
    summed = [c for c in sizes if c not in out]

    def place(term: str, x: Array, at: dict[str, int]) -> tuple[int, ...]:
        return tuple(0 if n == 1 else at[c] for c, n in zip(term, x.shape, strict=True))

    terms = []
    for values in np.ndindex(*(sizes[c] for c in summed)):
        at = {**dict(zip(out, index, strict=True)), **dict(zip(summed, values, strict=True))}
        terms.append((0, place(first, a, at), float(b[place(second, b, at)])))
    return terms


structured(
    name="einsum", inputs=("a", "b"), forward=_einsum, vjp=_einsum_vjp, element=_einsum_element, analytic=True,
    latex=r"{y} = \textstyle\sum {a}\,{b}",
    derivatives=[Derivative("a", latex=r"\textstyle\sum \bar{{{y}}}\,{b}"), Derivative("b", latex=r"\textstyle\sum \bar{{{y}}}\,{a}")],
    samples=[Sample((_M23, _M32), {"equation": "ij,jk->ik"}), Sample((_M23, _M23), {"equation": "ij,ij"}),
             Sample((_M23, [0.5, 2.0]), {"equation": "ij,k->kj"}),
             Sample(([_M23, _M23], [_M32, _M32]), {"equation": "bij,bjk->bki"}), Sample((0.5, _M23), {"equation": ",ij->i"}),
             Sample(([[0.5, -1.2], [0.3, 0.7]], _M23), {"equation": "ii,ij->j"}),
             Sample(([_M23, _M23], _M32), {"equation": "...ij,jk->...k"}),
             Sample(([[0.5], [1.5]], _M23), {"equation": "ij,ij"}), Sample(([0.5], [2.0]), {"equation": "i,i"}),
             Sample((np.zeros((0, 3)), _M32), {"equation": "ij,jk->ik"})],
    errors=[Sample((_M23, _M23), {"equation": "ij,jk->ik"}), Sample((_M23, _M32), {"equation": "ij->i"}),
            Sample((_M23, _M32), {"equation": "ii,jk->ik"}), Sample((_M23, _M32), {"equation": "ij,jk->iz"}),
            Sample(([_M23], _M32), {"equation": "...ij,jk->ik"}), Sample((_M23, _M32), {"equation": 3})],
)  # fmt: skip
