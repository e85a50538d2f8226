"""Operations of networks: softmax, log-softmax, embedding; and a linear layer in one, for training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from engine.ops import spelled
from engine.ops.axes import axis_of
from engine.ops.op import REGISTRY, Array, Derivative, Op, Record, Sample, register, structured
from engine.ops.shape import add_rows, encoded
from engine.told import Told

__all__ = ["log_softmax", "ones", "shifted"]

_Z = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]


def _along(op: str, z: Array, axis: int) -> int:
    if z.ndim < 1:
        words = f"{op}: z has shape {z.shape}; expected (..., classes)"
        raise ValueError(Told(words, "shapes-needed", name=op, given=str(z.shape), needed="(..., n)"))
    return axis_of(op, axis, z.ndim)


def shifted(z: Array, axis: int) -> Array:
    """z minus its largest along an axis; a row of -inf becomes NaN, as in PyTorch: it has no largest probability."""
    if not z.size:  # nothing to be the largest
        return z.copy()
    if z.dtype.kind in "bu":  # small integers would wrap below 0
        z = z.astype(np.float64)
    with np.errstate(invalid="ignore"):
        below: Array = z - np.maximum.reduce(z, axis=axis, keepdims=True)
    return below


def _softmax(z: Array, *, axis: int = -1) -> Array:
    e = np.exp(shifted(z, _along("softmax", z, axis)))
    y: Array = e / np.add.reduce(e, axis=axis, keepdims=True)
    return y


def _softmax_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    y, axis = record.output, record.attributes.get("axis", -1)
    return [F.mul(y, F.sub(g, F.sum(F.mul(g, y), axis=axis, keepdims=True)))]


structured(
    name="softmax", inputs=("z",), forward=_softmax, vjp=_softmax_vjp, spelled=spelled.SOFTMAX, analytic=True,
    latex=r"{y}_k = \frac{{e^{{{z}_k}}}}{{\sum_j e^{{{z}_j}}}}",
    derivatives=[Derivative("z", latex=r"{y}_k\bigl(\bar{{{y}}}_k - \textstyle\sum_j \bar{{{y}}}_j {y}_j\bigr)")],
    samples=[Sample((_Z,)), Sample(([0.5, 700.0, -800.0],)), Sample((_Z,), {"axis": 0}), Sample(([0.5],)),
             Sample(([[], []],), {"axis": 0})],
    errors=[Sample((0.5,)), Sample((_Z,), {"axis": 2})],
)  # fmt: skip


def log_softmax(z: Array, *, axis: int = -1) -> Array:
    """The logarithm of the softmax along an axis, finite however large the logits."""
    below = shifted(z, _along("log_softmax", z, axis))
    if not z.size:
        return below
    y: Array = below - np.log(np.add.reduce(np.exp(below), axis=axis, keepdims=True))
    return y


def _log_softmax_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    return [F.sub(g, F.mul(F.exp(record.output), F.sum(g, axis=record.attributes.get("axis", -1), keepdims=True)))]


structured(
    name="log_softmax", inputs=("z",), forward=log_softmax, vjp=_log_softmax_vjp, spelled=spelled.LOG_SOFTMAX, analytic=True,
    latex=r"{y}_k = {z}_k - \log \textstyle\sum_j e^{{{z}_j}}",
    derivatives=[Derivative("z", latex=r"\bar{{{y}}}_k - e^{{{y}_k}} \textstyle\sum_j \bar{{{y}}}_j")],
    samples=[Sample((_Z,)), Sample(([0.5, 7.0, -8.0],)), Sample((_Z,), {"axis": 0}), Sample(([0.5],)), Sample(([[], []],), {"axis": 0})],
    errors=[Sample((0.5,)), Sample((_Z,), {"axis": 2})],
)  # fmt: skip


@lru_cache(maxsize=64)
def ones(count: int, dtype: np.dtype[Any]) -> Array:
    """A vector of ones: a product with it is quicker than a sum."""
    made = np.ones(count, dtype)
    made.flags.writeable = False
    return made


def _affine(x: Array, W: Array, b: Array) -> Array:
    y: Array = REGISTRY["linear"].forward(x, W)
    if b.shape != W.shape[:1]:
        raise ValueError(f"affine: W has shape {W.shape} and b {b.shape}; expected W (m, n) and b (m,)")
    return np.add(y, b, y) if y.dtype is b.dtype else y + b


def _affine_vjp(F: Any, g: Array, record: Record) -> list[Any]:
    x, W, _ = record.inputs
    needs, rows, flat = record.needs, g, x
    if g.ndim != 2:
        rows, flat = g.reshape(-1, g.shape[-1]), x.reshape(-1, x.shape[-1])
    return [
        g.dot(W) if needs[0] else None,
        rows.T.dot(flat) if needs[1] else None,
        ones(len(rows), g.dtype).dot(rows) if needs[2] else None,
    ]


def _affine_primitive(x: Any, W: Any, b: Any) -> Any:
    from engine.tensor import apply  # which stands on the ops

    return apply("linear", x, W) + b


register(Op("affine", "structured", ("x", "W", "b"), _affine, _affine_vjp, None, (), primitive=_affine_primitive, hidden=True))


def _embedding(indices: Array, W: Array, *, padding_idx: int | None = None) -> Array:
    if W.ndim != 2 or indices.dtype.kind not in "iu":
        words = f"embedding: indices have dtype {indices.dtype} and W shape {W.shape}; expected integers and W (entries, features)"
        raise ValueError(Told(words, "operation-refused", name="embedding", shapes=f"{indices.shape}, {W.shape}"))
    if indices.size and (indices.min() < 0 or indices.max() >= W.shape[0]):
        least, most, last = int(indices.min()), int(indices.max()), W.shape[0] - 1
        words = f"embedding: indices {least}..{most}; expected 0..{last}"
        raise IndexError(Told(words, "index-outside", name="embedding", least=least, most=most, last=last))
    rows: Array = W[indices]
    return rows


def _embedding_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    if not record.needs[1]:
        return [None, None]
    indices, W = F.array(record.inputs[0]), record.inputs[1]
    padding = record.attributes.get("padding_idx")
    if padding is not None:  # the row of the padding never learns
        g = g * (indices != padding % W.shape[0])[..., None].astype(W.dtype)
    if F.arrays:
        return [None, add_rows(g, indices, W.shape)]
    return [None, F.index_set(g, shape=W.shape, index=[encoded(indices)])]


def _embedding_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    return [(1, (int(inputs[0][index[:-1]]), index[-1]), 1.0)]


structured(
    name="embedding", inputs=("indices", "W"), forward=_embedding, vjp=_embedding_vjp, element=_embedding_element,
    latex=r"{y} = {W}[{indices}]",
    derivatives=[Derivative("indices", latex="0"), Derivative("W", latex=r"\textstyle\sum_{{i:\,{indices}_i = j}} \bar{{{y}}}_i")],
    samples=[Sample((np.array([1, 0, 1]), _Z)), Sample((np.array([[1], [0]]), _Z)), Sample((np.array(1), _Z)),
             Sample((np.zeros((0, 2), int), _Z)), Sample((np.array([0]), [[0.5]]))],
    errors=[Sample((np.array([2]), _Z)), Sample((np.array([0.5]), _Z))],
)  # fmt: skip
