"""Operations of networks: softmax, log-softmax, cross-entropy, mean squared error, embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.op import Array, Derivative, Record, Sample, structured

_Z = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]


def _softmax(z: Array) -> Array:
    if z.ndim < 1:
        raise ValueError(f"softmax: z has shape {z.shape}; expected (..., classes)")
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    y: Array = e / e.sum(axis=-1, keepdims=True)
    return y


def _softmax_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    y = record.output
    return [F.mul(y, F.sub(g, F.sum(F.mul(g, y), axis=-1, keepdims=True)))]


structured(
    name="softmax", inputs=("z",), forward=_softmax, vjp=_softmax_vjp,
    latex=r"{y}_k = \frac{{e^{{{z}_k}}}}{{\sum_j e^{{{z}_j}}}}",
    derivatives=[Derivative("z", latex=r"{y}_k\bigl(\bar{{{y}}}_k - \textstyle\sum_j \bar{{{y}}}_j {y}_j\bigr)")],
    samples=[Sample((_Z,)), Sample(([0.5, 700.0, -800.0],))], errors=[Sample((0.5,))],
)  # fmt: skip


def _log_softmax(z: Array) -> Array:
    if z.ndim < 1:
        raise ValueError(f"log_softmax: z has shape {z.shape}; expected (..., classes)")
    shifted = z - z.max(axis=-1, keepdims=True)
    y: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return y


def _log_softmax_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    return [F.sub(g, F.mul(F.exp(record.output), F.sum(g, axis=-1, keepdims=True)))]


structured(
    name="log_softmax", inputs=("z",), forward=_log_softmax, vjp=_log_softmax_vjp,
    latex=r"{y}_k = {z}_k - \log \textstyle\sum_j e^{{{z}_j}}",
    derivatives=[Derivative("z", latex=r"\bar{{{y}}}_k - e^{{{y}_k}} \textstyle\sum_j \bar{{{y}}}_j")],
    samples=[Sample((_Z,)), Sample(([0.5, 7.0, -8.0],))], errors=[Sample((0.5,))],
)  # fmt: skip


def _cross_entropy(z: Array, target: Array) -> tuple[Any, Array]:
    if z.ndim != 2 or target.shape != z.shape[:1] or target.dtype.kind not in "iu":
        raise ValueError(
            f"cross_entropy: logits have shape {z.shape}, targets shape {target.shape} and dtype {target.dtype}; "
            "expected logits (batch, classes) and integer class numbers (batch,)"
        )
    if target.size and (target.min() < 0 or target.max() >= z.shape[1]):
        raise ValueError(f"cross_entropy: class numbers {target.min()}..{target.max()}; expected 0..{z.shape[1] - 1}")
    logs = _log_softmax(z)
    return -logs[np.arange(len(target)), target].mean(), logs


def _cross_entropy_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    z, target = record.inputs
    chosen = np.zeros(z.shape, dtype=z.dtype)
    chosen[np.arange(len(target)), target] = 1
    return [F.mul(g, (np.exp(record.residuals) - chosen) * (1 / max(1, len(target)))) if record.needs[0] else None, None]


structured(
    name="cross_entropy", inputs=("z", "target"), forward=_cross_entropy, vjp=_cross_entropy_vjp,
    latex=r"{y} = -\tfrac{{1}}{{B}}\textstyle\sum_b \log \mathrm{{softmax}}({z}_b)[{target}_b]",
    derivatives=[Derivative("z", latex=r"\bar{{{y}}}\,\tfrac{{1}}{{B}}\bigl(\mathrm{{softmax}}({z})_k - [k = {target}]\bigr)"),
                 Derivative("target", latex="0")],
    samples=[Sample((_Z, np.array([2, 0]))), Sample(([[700.0, -800.0]], np.array([1])))],
    errors=[Sample((_Z, np.array([3, 0]))), Sample((_Z, np.array([0.0, 1.0]))), Sample((_Z, np.array([0])))],
)  # fmt: skip


def _mse_loss(x: Array, target: Array) -> Any:
    if x.shape != target.shape:
        raise ValueError(f"mse_loss: prediction has shape {x.shape} and target {target.shape}; expected the same shape")
    return np.square(x - target).mean()


def _mse_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, target = record.inputs
    slope = F.mul(g, F.sub(x, target) * (2 / max(1, x.size)))
    return [slope if record.needs[0] else None, -slope if record.needs[1] else None]


structured(
    name="mse_loss", inputs=("x", "target"), forward=_mse_loss, vjp=_mse_vjp,
    latex=r"{y} = \tfrac{{1}}{{n}}\textstyle\sum ({x} - {target})^2",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,\tfrac{{2}}{{n}}({x} - {target})"),
                 Derivative("target", latex=r"-\bar{{{y}}}\,\tfrac{{2}}{{n}}({x} - {target})")],
    samples=[Sample((_Z, [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])), Sample((0.5, 1.5))],
    errors=[Sample((_Z, [[0.1, 0.2, 0.3]]))],
)  # fmt: skip


def _embedding(indices: Array, W: Array) -> Array:
    if W.ndim != 2 or indices.dtype.kind not in "iu":
        raise ValueError(
            f"embedding: indices have dtype {indices.dtype} and W shape {W.shape}; expected integers and W (entries, features)"
        )
    if indices.size and (indices.min() < 0 or indices.max() >= W.shape[0]):
        raise IndexError(f"embedding: indices {indices.min()}..{indices.max()}; expected 0..{W.shape[0] - 1}")
    return W[indices]


def _embedding_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    indices, W = record.inputs
    if not record.needs[1]:
        return [None, None]
    chosen = np.zeros((W.shape[0], indices.size), dtype=W.dtype)
    chosen[indices.reshape(-1), np.arange(indices.size)] = 1
    return [None, F.matmul(chosen, F.reshape(g, shape=(indices.size, W.shape[1])))]


def _embedding_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    return [(1, (int(inputs[0][index[:-1]]), index[-1]), 1.0)]


structured(
    name="embedding", inputs=("indices", "W"), forward=_embedding, vjp=_embedding_vjp, element=_embedding_element,
    latex=r"{y} = {W}[{indices}]",
    derivatives=[Derivative("indices", latex="0"), Derivative("W", latex=r"\textstyle\sum_{{i:\,{indices}_i = j}} \bar{{{y}}}_i")],
    samples=[Sample((np.array([1, 0, 1]), _Z)), Sample((np.array([[1], [0]]), _Z))],
    errors=[Sample((np.array([2]), _Z)), Sample((np.array([0.5]), _Z))],
)  # fmt: skip
