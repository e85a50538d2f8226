"""Operations of whole layers: layer normalisation, dropout, attention, convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.op import Array, Derivative, NumpyNamespace, Record, Sample, structured
from engine.ops.shape import shapes_of
from engine.ops.spelled_losses import LAYER_NORM
from engine.told import Told

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_random = np.random.default_rng(0)
_Q, _K, _V = (_random.standard_normal(shape).round(2) for shape in ((2, 3, 4), (2, 5, 4), (2, 5, 2)))
_MASK = _random.standard_normal((3, 5)).round(2)
_SERIES, _FILTERS = _random.standard_normal((2, 4, 7)).round(2), _random.standard_normal((6, 2, 3)).round(2)


def _layer_norm(x: Array, weight: Array, bias: Array, *, eps: float = 1e-5) -> Array:
    if weight.shape != bias.shape or not weight.ndim or x.shape[x.ndim - weight.ndim :] != weight.shape:
        given = f"x has shape {x.shape}, weight {weight.shape} and bias {bias.shape}"
        words = f"layer_norm: {given}; expected weight and bias of the shape of x's last axes"
        raise ValueError(Told(words, "operation-refused", name="layer_norm", shapes=shapes_of((x, weight, bias))))
    axes = tuple(range(x.ndim - weight.ndim, x.ndim))
    if not weight.size:  # nothing to take a mean of
        return x * weight + bias
    centred = x - x.mean(axis=axes, keepdims=True)
    y: Array = centred / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + eps) * weight + bias
    return y


def _layer_norm_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, weight, _ = record.inputs
    if not weight.size:
        return [g, g, g]
    axes = list(range(len(x.shape) - len(weight.shape), len(x.shape)))
    centred = x - F.mean(x, axis=axes, keepdims=True)
    scale = F.sqrt(F.mean(centred * centred, axis=axes, keepdims=True) + record.attributes.get("eps", 1e-5))
    normal = centred / scale
    dx = None
    if record.needs[0]:
        slope = g * weight
        dx = (slope - F.mean(slope, axis=axes, keepdims=True) - normal * F.mean(slope * normal, axis=axes, keepdims=True)) / scale
    return [dx, g * normal if record.needs[1] else None, g]


structured(
    name="layer_norm",
    inputs=("x", "weight", "bias"),
    forward=_layer_norm,
    vjp=_layer_norm_vjp,
    spelled=LAYER_NORM,
    analytic=True,
    latex=r"{y} = \tfrac{{{x} - \mu}}{{\sqrt{{\sigma^2 + \epsilon}}}} \odot {weight} + {bias}",
    derivatives=[
        Derivative(
            "x",
            latex=r"\tfrac{{1}}{{\sqrt{{\sigma^2 + \epsilon}}}}"
            r"\bigl(d - \overline{{d}} - \hat{{x}}\,\overline{{d \odot \hat{{x}}}}\bigr),\ d = \bar{{{y}}} \odot {weight}",
        ),
        Derivative("weight", latex=r"\textstyle\sum \bar{{{y}}} \odot \hat{{x}}"),
        Derivative("bias", latex=r"\textstyle\sum \bar{{{y}}}"),
    ],
    samples=[
        Sample((_M23, [1.5, 0.5, -1.0], [0.1, 0.2, 0.3])),
        Sample(([_M23, _M23], _M23, _M23), {"eps": 0.01}),
        Sample(([0.5, 2.0], [1.0, 1.0], [0.0, 0.5])),
        Sample(([0.5], [1.5], [0.25])),
        Sample((np.zeros((0, 3)), [1.5, 0.5, -1.0], [0.1, 0.2, 0.3])),
    ],
    errors=[Sample((_M23, [1.0, 1.0], [0.0, 0.0])), Sample((_M23, [1.0, 1.0, 1.0], [0.0])), Sample((0.5, [1.0], [0.0]))],
)


def _dropout(x: Array, mask: Array) -> Array:
    if x.shape != mask.shape:
        words = f"dropout: x has shape {x.shape} and its mask {mask.shape}; expected the same shape"
        raise ValueError(Told(words, "shapes-equal", name="dropout", shapes=shapes_of((x, mask))))
    y: Array = x * mask
    return y


structured(
    name="dropout",
    inputs=("x", "mask"),
    forward=_dropout,
    analytic=True,
    vjp=lambda F, g, record: [g * record.inputs[1] if record.needs[0] else None, g * record.inputs[0] if record.needs[1] else None],
    element=lambda index, inputs, attributes: [(0, index, float(inputs[1][index]))],
    latex=r"{y} = {x} \odot {mask}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}} \odot {mask}"), Derivative("mask", latex=r"\bar{{{y}}} \odot {x}")],
    samples=[Sample((_M23, [[2.0, 0.0, 2.0], [0.0, 2.0, 0.0]])), Sample((0.5, 1.25)), Sample(([0.5], [2.0])), Sample(([], []))],
    errors=[Sample((_M23, [2.0, 0.0, 2.0]))],
)


def _weights(F: Any, q: Any, k: Any, mask: Any, attributes: Any) -> Any:
    """The attention weights, (..., L, S); a row that sees nothing has none."""
    scores = F.matmul(q, F.transpose(k)) * _scale(q, attributes) + mask
    if attributes.get("is_causal"):
        scores = F.where(np.tri(q.shape[-2], k.shape[-2], dtype=bool), scores, -np.inf)
    blind = np.isneginf(np.max(F.array(scores).real, axis=-1, keepdims=True, initial=-np.inf))
    if not blind.any():
        return F.softmax(scores)
    return F.where(blind, 0.0, F.softmax(F.where(blind, 0.0, scores)))


def _scale(q: Any, attributes: Any) -> float:
    scale = attributes.get("scale")
    return 1 / math.sqrt(q.shape[-1]) if scale is None else float(scale)


_NUMPY = NumpyNamespace()


def _attention(
    q: Array, k: Array, v: Array, mask: Array, *, is_causal: bool = False, scale: float | None = None
) -> tuple[Array, Array]:  # the weights are kept for the way back
    _check_attention(q, k, v, mask)
    weights = _weights(_NUMPY, q, k, mask, {"is_causal": is_causal, "scale": scale})
    if weights.dtype != q.dtype and q.dtype.kind == "f" and weights.dtype.kind == "f":
        weights = weights.astype(q.dtype)  # a float64 mask must not widen float32
    return np.matmul(weights, v), weights


def _check_attention(q: Array, k: Array, v: Array, mask: Array) -> None:
    op = "scaled_dot_product_attention"
    if min(q.ndim, k.ndim, v.ndim) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2] or not q.shape[-1]:
        words = f"{op}: q has shape {q.shape}, k {k.shape}, v {v.shape}; expected (..., L, E), (..., S, E) and (..., S, Ev)"
        needed = "(..., L, E), (..., S, E), (..., S, Ev)"
        raise ValueError(Told(words, "shapes-needed", name=op, given=shapes_of((q, k, v)), needed=needed))
    try:
        batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    except ValueError:
        words = f"{op}: the batches of q {q.shape}, k {k.shape} and v {v.shape} do not broadcast"
        raise ValueError(Told(words, "shapes-broadcast", name=op, shapes=shapes_of((q, k, v)))) from None
    if not mask.ndim:
        return
    scores = (*batch, q.shape[-2], k.shape[-2])
    try:
        fits = np.broadcast_shapes(scores, mask.shape)[-2:] == scores[-2:] and mask.dtype.kind == "f"
    except ValueError:
        fits = False
    if not fits and mask.dtype.kind != "c":
        given = f"the mask has shape {mask.shape} and dtype {mask.dtype}"
        words = f"{op}: {given}; expected numbers to add (0, or -inf where hidden) that broadcast to the scores {scores}"
        raise ValueError(Told(words, "shapes-stretch", name=op, shape=str(mask.shape), wanted=str(scores)))


def _attention_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    q, k, v, mask = record.inputs
    needs, scale = record.needs, _scale(q, record.attributes)
    p = record.residuals if F.arrays else _weights(F, q, k, mask, record.attributes)
    dq = dk = ds = None
    if needs[0] or needs[1] or needs[3]:
        dp = F.matmul(g, F.transpose(v))
        ds = p * (dp - F.sum(dp * p, axis=-1, keepdims=True))
        scaled = ds * scale
        dq = F.matmul(scaled, k) if needs[0] else None
        dk = F.matmul(F.transpose(scaled), q) if needs[1] else None
    return [dq, dk, F.matmul(F.transpose(p), g) if needs[2] else None, ds if needs[3] else None]


def _attention_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    q, k, v, mask = inputs
    weights = _attention(q, k, v, mask, **attributes)[1]
    row, lead = index[-2], index[:-2]

    def batch(x: Array) -> tuple[int, ...]:  # the batch dimensions broadcast
        sizes = x.shape[:-2]
        return tuple(0 if n == 1 else i for n, i in zip(sizes, lead[len(lead) - len(sizes) :], strict=True))

    return [(2, (*batch(v), s, index[-1]), float(weights[(*batch(weights), row, s)])) for s in range(k.shape[-2])]


structured(
    name="scaled_dot_product_attention",
    inputs=("q", "k", "v", "mask"),
    forward=_attention,
    vjp=_attention_vjp,
    element=_attention_element,
    analytic=True,
    latex=r"{y} = \mathrm{{softmax}}\bigl(\tfrac{{1}}{{\sqrt{{d}}}}\,{q}\,{k}^{{\top}} + {mask}\bigr)\,{v}",
    derivatives=[
        Derivative("q", latex=r"\tfrac{{1}}{{\sqrt{{d}}}}\,\bar{{S}}\,{k}"),
        Derivative("k", latex=r"\tfrac{{1}}{{\sqrt{{d}}}}\,\bar{{S}}^{{\top}}{q}"),
        Derivative("v", latex=r"P^{{\top}}\bar{{{y}}}"),
        Derivative("mask", latex=r"\bar{{S}}"),
    ],
    samples=[
        Sample((_Q, _K, _V, 0.0)),
        Sample((_Q, _K, _V, 0.0), {"is_causal": True}),
        Sample((_Q, _K, _V, 0.0), {"scale": 0.3}),
        Sample((_Q[0], _K[0], _V[0], _MASK)),
        Sample((_Q, _K[:1], _V, _MASK)),
        Sample(([[0.5]], [[0.3]], [[2.0]], 0.0)),
        Sample((_Q[:0], _K[:0], _V[:0], 0.0)),
        Sample((_Q[:, :0], _K, _V, 0.0)),
    ],
    errors=[
        Sample((_Q, _Q[..., :2], _V, 0.0)),
        Sample((_Q, _K, _V, [0.0, 1.0])),
        Sample((_Q[:, :1], _K, _V, _MASK)),
        Sample((_Q, _K, np.concatenate([_V, _V[:1]]), 0.0)),
    ],
)


def _windows(length: int, kernel: int, stride: int, padding: int, dilation: int) -> Array:
    """The padded positions that each output reads, (outputs, kernel)."""
    outputs = (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    return np.arange(max(0, outputs))[:, None] * stride + np.arange(kernel)[None, :] * dilation


def _conv_options(attributes: Any) -> tuple[int, int, int, int]:
    return attributes.get("stride", 1), attributes.get("padding", 0), attributes.get("dilation", 1), attributes.get("groups", 1)


def _conv1d(x: Array, weight: Array, *, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1) -> Array:
    if not all(isinstance(n, int | np.integer) for n in (stride, padding, dilation, groups)):
        words = f"conv1d: {stride=}, {padding=}, {dilation=}, {groups=}; expected whole numbers"
        raise TypeError(Told(words, "operation-refused", name="conv1d", shapes=shapes_of((x, weight))))
    fits = x.ndim == weight.ndim == 3 and min(stride, dilation, groups) >= 1 and padding >= 0
    if not fits or x.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        given = f"x has shape {x.shape}, weight {weight.shape}, stride={stride}, padding={padding}, dilation={dilation}, groups={groups}"
        words = f"conv1d: {given}; expected x (batch, in, length) and weight (out, in / groups, kernel), out a multiple of groups"
        raise ValueError(Told(words, "operation-refused", name="conv1d", shapes=shapes_of((x, weight))))
    windows = _windows(x.shape[2], weight.shape[2], stride, padding, dilation)
    if not len(windows):
        padded = x.shape[2] + 2 * padding
        words = f"conv1d: a kernel of {weight.shape[2]} with dilation={dilation} is longer than the {padded} padded positions"
        raise ValueError(Told(words, "operation-refused", name="conv1d", shapes=shapes_of((x, weight))))
    y: Array = _convolve(_NUMPY, x, weight, windows, padding, groups)
    return y


def _patches(F: Any, x: Any, windows: Array, padding: int, groups: int) -> Any:
    """What each output reads: (groups, batch * outputs, in / groups * kernel)."""
    batch, channels, _ = x.shape
    outputs, kernel = windows.shape
    padded = F.pad(x, widths=[[0, 0], [0, 0], [padding, padding]]) if padding else x
    # (batch, in, outputs, kernel):
    read = padded[:, :, windows] if F.arrays else F.index(padded, index=["...", ["array", windows.tolist()]])
    read = F.reshape(read, shape=(batch, groups, channels // groups, outputs, kernel))
    return F.reshape(F.permute(read, axes=[1, 0, 3, 2, 4]), shape=(groups, batch * outputs, channels // groups * kernel))


def _convolve(F: Any, x: Any, weight: Any, windows: Array, padding: int, groups: int) -> Any:
    filters = F.reshape(weight, shape=(groups, weight.shape[0] // groups, weight.shape[1] * weight.shape[2]))
    product = F.matmul(_patches(F, x, windows, padding, groups), F.transpose(filters))  # (groups, batch * outputs, out / groups)
    apart = F.reshape(product, shape=(groups, x.shape[0], len(windows), weight.shape[0] // groups))
    return F.reshape(F.permute(apart, axes=[1, 0, 3, 2]), shape=(x.shape[0], weight.shape[0], len(windows)))


def _conv1d_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, weight = record.inputs
    stride, padding, dilation, groups = _conv_options(record.attributes)
    windows = _windows(x.shape[2], weight.shape[2], stride, padding, dilation)
    batch, channels, length = x.shape
    outputs, kernel = windows.shape
    apart = F.permute(F.reshape(g, shape=(batch, groups, weight.shape[0] // groups, outputs)), axes=[1, 0, 3, 2])
    flat = F.reshape(apart, shape=(groups, batch * outputs, weight.shape[0] // groups))
    dx = dw = None
    if record.needs[0]:
        filters = F.reshape(weight, shape=(groups, weight.shape[0] // groups, channels // groups * kernel))
        read = F.reshape(F.matmul(flat, filters), shape=(groups, batch, outputs, channels // groups, kernel))
        read = F.reshape(F.permute(read, axes=[1, 0, 3, 2, 4]), shape=(batch, channels, outputs, kernel))
        sizes = [batch, channels, length + 2 * padding]
        if F.arrays:  # a position of the kernel at a time: there no two outputs read the same number
            padded = np.zeros(sizes, read.dtype)
            for k in range(kernel):
                start = int(windows[0, k])
                padded[:, :, start : start + stride * outputs : stride] += read[..., k]
        else:
            padded = F.index_set(read, shape=sizes, index=["...", ["array", windows.tolist()]])
        dx = F.index(padded, index=["...", ["slice", padding, padding + length, None]])
    if record.needs[1]:
        dw = F.reshape(F.matmul(F.transpose(flat), _patches(F, x, windows, padding, groups)), shape=weight.shape)
    return [dx, dw]


def _conv1d_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    x, weight = inputs
    stride, padding, dilation, groups = _conv_options(attributes)
    n, out, t = index
    first = out // (weight.shape[0] // groups) * weight.shape[1]
    terms: list[tuple[int, tuple[int, ...], float]] = []
    for c in range(weight.shape[1]):
        for k in range(weight.shape[2]):
            at = t * stride + k * dilation - padding
            if 0 <= at < x.shape[2]:
                terms.append((0, (n, first + c, at), float(weight[out, c, k])))
    return terms


structured(
    name="conv1d",
    inputs=("x", "weight"),
    forward=_conv1d,
    vjp=_conv1d_vjp,
    element=_conv1d_element,
    analytic=True,
    latex=r"{y}_{{o,t}} = \textstyle\sum_{{c,k}} {weight}_{{o,c,k}}\,{x}_{{c,t + k}}",
    derivatives=[
        Derivative("x", latex=r"\textstyle\sum_{{o,k}} {weight}_{{o,c,k}}\,\bar{{{y}}}_{{o,t - k}}"),
        Derivative("weight", latex=r"\textstyle\sum_t \bar{{{y}}}_{{o,t}}\,{x}_{{c,t + k}}"),
    ],
    samples=[
        Sample((_SERIES[:, :2], _FILTERS[:3])),
        Sample((_SERIES, _FILTERS), {"groups": 2, "padding": 1, "stride": 2}),
        Sample((_SERIES[:1, :2], _FILTERS[:1]), {"dilation": 2, "padding": 2}),
        Sample(([[[0.5, -1.0, 2.0]]], [[[1.5]]])),
        Sample((_SERIES[:0, :2], _FILTERS[:3])),
    ],
    errors=[Sample((_SERIES, _FILTERS)), Sample((_SERIES[0], _FILTERS)), Sample((_SERIES[:, :2, :2], _FILTERS)), Sample((0.5, _FILTERS))],
)
