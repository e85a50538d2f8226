"""Operations of whole layers: layer normalisation, dropout, attention, convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.op import Array, Derivative, NumpyNamespace, Record, Sample, structured

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_random = np.random.default_rng(0)
_Q, _K, _V = (_random.standard_normal(shape).round(2) for shape in ((2, 3, 4), (2, 5, 4), (2, 5, 2)))
_MASK = _random.standard_normal((3, 5)).round(2)
_SERIES, _FILTERS = _random.standard_normal((2, 4, 7)).round(2), _random.standard_normal((6, 2, 3)).round(2)


def _layer_norm(x: Array, weight: Array, bias: Array, *, eps: float = 1e-5) -> Array:
    if weight.shape != bias.shape or not weight.ndim or x.shape[x.ndim - weight.ndim :] != weight.shape:
        raise ValueError(
            f"layer_norm: x has shape {x.shape}, weight {weight.shape} and bias {bias.shape}; expected weight and bias of the shape of x's "
            "last axes"
        )
    axes = tuple(range(x.ndim - weight.ndim, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    y: Array = centred / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + eps) * weight + bias
    return y


def _layer_norm_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, weight, _ = record.inputs
    axes = list(range(len(x.shape) - len(weight.shape), len(x.shape)))
    centred = x - F.mean(x, axis=axes, keepdims=True)
    scale = F.sqrt(F.mean(centred * centred, axis=axes, keepdims=True) + record.attributes.get("eps", 1e-5))
    normal = centred / scale
    slope = g * weight
    inner = slope - F.mean(slope, axis=axes, keepdims=True) - normal * F.mean(slope * normal, axis=axes, keepdims=True)
    return [inner / scale, g * normal, g]


structured(
    name="layer_norm",
    inputs=("x", "weight", "bias"),
    forward=_layer_norm,
    vjp=_layer_norm_vjp,
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
    ],
    errors=[Sample((_M23, [1.0, 1.0], [0.0, 0.0])), Sample((_M23, [1.0, 1.0, 1.0], [0.0]))],
)


def _dropout(x: Array, mask: Array) -> Array:
    if x.shape != mask.shape:
        raise ValueError(f"dropout: x has shape {x.shape} and its mask {mask.shape}; expected the same shape")
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
    samples=[Sample((_M23, [[2.0, 0.0, 2.0], [0.0, 2.0, 0.0]])), Sample((0.5, 1.25))],
    errors=[Sample((_M23, [2.0, 0.0, 2.0]))],
)


def _weights(F: Any, q: Any, k: Any, mask: Any, attributes: Any) -> Any:
    """The attention weights, (..., L, S); a row that sees nothing has none."""
    L, S = q.shape[-2], k.shape[-2]
    scale = attributes.get("scale")
    scores = F.matmul(q, F.transpose(k)) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale) + mask
    if attributes.get("is_causal"):
        scores = F.where(np.tril(np.ones((L, S), dtype=bool)), scores, -np.inf)
    blind = np.all(F.array(scores) == -np.inf, axis=-1, keepdims=True)
    return F.where(blind, 0.0, F.softmax(F.where(blind, 0.0, scores)))


def _attention(q: Array, k: Array, v: Array, mask: Array, *, is_causal: bool = False, scale: float | None = None) -> Any:
    if min(q.ndim, k.ndim, v.ndim) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ValueError(
            f"scaled_dot_product_attention: q has shape {q.shape}, k {k.shape}, v {v.shape}; "
            "expected (..., L, E), (..., S, E) and (..., S, Ev)"
        )
    F = NumpyNamespace()
    try:
        weights = _weights(F, q, k, mask, {"is_causal": is_causal, "scale": scale})
    except ValueError:
        raise ValueError(
            f"scaled_dot_product_attention: the mask of shape {mask.shape} does not broadcast to the scores "
            f"(..., {q.shape[-2]}, {k.shape[-2]})"
        ) from None
    return (weights @ v).astype(q.dtype, copy=False)


def _attention_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    q, k, v, mask = record.inputs
    scale = record.attributes.get("scale")
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    p = _weights(F, q, k, mask, record.attributes)
    dp = F.matmul(g, F.transpose(v))
    ds = p * (dp - F.sum(dp * p, axis=-1, keepdims=True))
    return [F.matmul(ds, k) * factor, F.matmul(F.transpose(ds), q) * factor, F.matmul(F.transpose(p), g), ds if record.needs[3] else None]


structured(
    name="scaled_dot_product_attention",
    inputs=("q", "k", "v", "mask"),
    forward=_attention,
    vjp=_attention_vjp,
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
    ],
    errors=[Sample((_Q, _Q[..., :2], _V, 0.0)), Sample((_Q, _K, _V, [0.0, 1.0]))],
)


def _windows(length: int, kernel: int, stride: int, padding: int, dilation: int) -> Array:
    """The padded positions that each output reads, (outputs, kernel)."""
    outputs = (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    return np.arange(max(0, outputs))[:, None] * stride + np.arange(kernel)[None, :] * dilation


def _conv_options(attributes: Any) -> tuple[int, int, int, int]:
    return attributes.get("stride", 1), attributes.get("padding", 0), attributes.get("dilation", 1), attributes.get("groups", 1)


def _conv1d(x: Array, weight: Array, *, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1) -> Array:
    fits = x.ndim == weight.ndim == 3 and min(stride, dilation, groups) >= 1 and padding >= 0
    if not fits or x.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        raise ValueError(
            f"conv1d: x has shape {x.shape}, weight {weight.shape}, stride={stride}, padding={padding}, dilation={dilation}, "
            f"groups={groups}; expected x (batch, in, length) and weight (out, in / groups, kernel), out a multiple of groups"
        )
    windows = _windows(x.shape[2], weight.shape[2], stride, padding, dilation)
    if not len(windows):
        padded = x.shape[2] + 2 * padding
        raise ValueError(f"conv1d: a kernel of {weight.shape[2]} with dilation={dilation} is longer than the {padded} padded positions")
    y: Array = _convolve(NumpyNamespace(), x, weight, windows, padding, groups)
    return y


def _patches(F: Any, x: Any, windows: Array, padding: int, groups: int) -> Any:
    """What each output reads: (groups, batch * outputs, in / groups * kernel)."""
    batch, channels, _ = x.shape
    outputs, kernel = windows.shape
    padded = F.pad(x, widths=[[0, 0], [0, 0], [padding, padding]]) if padding else x
    read = F.index(padded, index=["...", ["array", windows.tolist()]])  # (batch, in, outputs, kernel)
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
        padded = F.index_set(read, shape=[batch, channels, length + 2 * padding], index=["...", ["array", windows.tolist()]])
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
    ],
    errors=[Sample((_SERIES, _FILTERS)), Sample((_SERIES[0], _FILTERS)), Sample((_SERIES[:, :2, :2], _FILTERS))],
)
