"""Operations of networks in ONNX: softmax, layers, losses."""

from __future__ import annotations

import math

import numpy as np

from engine.ops.axes import axis_of
from server.export.onnx_structured import Call, writes


@writes("softmax")
def _softmax(call: Call) -> str:
    return call.add("Softmax", call.inputs[0], axis=axis_of("softmax", call.attributes.get("axis", -1), call.output.ndim))


@writes("log_softmax")
def _log_softmax(call: Call) -> str:
    return call.graph.log_softmax(call.inputs[0], axis_of("log_softmax", call.attributes.get("axis", -1), call.output.ndim))


@writes("layer_norm")
def _layer_norm(call: Call) -> str:
    graph, (x, weight, bias) = call.graph, call.inputs
    ndim = call.arrays[0].ndim
    axes = range(ndim - call.arrays[1].ndim, ndim)
    centred = call.add("Sub", x, graph.reduce("ReduceMean", x, axes, keepdims=True))
    variance = graph.reduce("ReduceMean", call.add("Mul", centred, centred), axes, keepdims=True)
    scale = call.add("Sqrt", call.add("Add", variance, graph.constant(call.attributes.get("eps", 1e-5))))
    return call.add("Add", call.add("Mul", call.add("Div", centred, scale), weight), bias)


@writes("scaled_dot_product_attention")
def _attention(call: Call) -> str:
    graph, (q, k, v, mask) = call.graph, call.inputs
    (*_, rows, width), keys = call.arrays[0].shape, call.arrays[1]
    scale = call.attributes.get("scale")
    turned = call.add("Transpose", k, perm=[*range(keys.ndim - 2), keys.ndim - 1, keys.ndim - 2])
    scores = call.add("Mul", call.add("MatMul", q, turned), graph.constant(1 / math.sqrt(width) if scale is None else scale))
    scores = call.add("Add", scores, mask)
    if call.attributes.get("is_causal"):
        hidden = np.where(np.tri(rows, keys.shape[-2], dtype=bool), 0.0, -np.inf)
        scores = call.add("Add", scores, graph.constant(hidden))
    return call.add("MatMul", _weights(call, scores), v)


def _weights(call: Call, scores: str) -> str:
    """Softmax over the keys; a row that sees none has no weights at all."""
    graph = call.graph
    blind = call.add("Equal", graph.reduce("ReduceMax", scores, [-1], keepdims=True), graph.constant(-np.inf))
    nothing = graph.constant(0)
    return call.add("Where", blind, nothing, call.add("Softmax", call.add("Where", blind, nothing, scores), axis=-1))


@writes("conv1d")
def _conv1d(call: Call) -> str:
    options = call.attributes
    padding = options.get("padding", 0)
    return call.add(
        "Conv", *call.inputs, kernel_shape=[call.arrays[1].shape[2]], strides=[options.get("stride", 1)], pads=[padding, padding],
        dilations=[options.get("dilation", 1)], group=options.get("groups", 1),
    )  # fmt: skip


# -- losses -----------------------------------------------------------------------------------------


@writes("cross_entropy")
def _cross_entropy(call: Call) -> str:
    return _class_loss(call, call.graph.log_softmax(call.inputs[0], 1), call.attributes.get("label_smoothing", 0.0))


@writes("nll_loss")
def _nll_loss(call: Call) -> str:
    return _class_loss(call, call.inputs[0], 0.0)


def _class_loss(call: Call, logs: str, smoothing: float) -> str:
    """The weighted negative log-probabilities of the targets, ignored ones left out (torch.nn.functional.cross_entropy)."""
    graph, classes = call.graph, call.arrays[0].shape[1]
    given = call.attributes.get("weight")
    weights = graph.constant([1.0] * classes if given is None else given)
    target = call.add("Unsqueeze", call.inputs[1], graph.integers([1]))
    dtype = call.arrays[1].dtype
    ignored = call.add("Equal", target, graph.constant(call.attributes.get("ignore_index", -100), dtype))
    chosen = call.add("Equal", target, graph.constant(np.arange(classes), dtype))
    nothing = graph.constant(0)
    rows = call.add("Where", ignored, nothing, graph.reduce("ReduceSum", call.add("Where", chosen, weights, nothing), [1], keepdims=True))
    share = call.add("Where", chosen, call.add("Mul", rows, graph.constant(smoothing - 1)), nothing)
    if smoothing:
        spread = call.add("Mul", weights, graph.constant(smoothing / classes))
        share = call.add("Sub", share, call.add("Where", ignored, nothing, spread))
    product = call.add("Where", call.add("Equal", share, nothing), nothing, call.add("Mul", share, logs))
    each = graph.reduce("ReduceSum", product, [1])
    if call.attributes.get("reduction", "mean") != "mean":
        return _reduced(call, each, 1)
    return call.add("Div", graph.reduce("ReduceSum", each, [0]), graph.reduce("ReduceSum", rows, [0, 1]))


def _reduced(call: Call, each: str, ndim: int | None = None) -> str:
    """The losses of all elements, or their mean or sum."""
    axes = list(range(call.arrays[0].ndim if ndim is None else ndim))
    reduction = call.attributes.get("reduction", "mean")
    if reduction == "none":
        return each
    if reduction == "batchmean":
        count = call.arrays[0].shape[0] if call.arrays[0].ndim else 1
        return call.add("Div", call.graph.reduce("ReduceSum", each, axes), call.graph.constant(max(1, count)))
    return call.graph.reduce("ReduceMean" if reduction == "mean" else "ReduceSum", each, axes)


@writes("mse_loss")
def _mse_loss(call: Call) -> str:
    distance = call.add("Sub", *call.inputs)
    return _reduced(call, call.add("Mul", distance, distance))


@writes("l1_loss")
def _l1_loss(call: Call) -> str:
    return _reduced(call, call.add("Abs", call.add("Sub", *call.inputs)))


@writes("huber_loss")
def _huber_loss(call: Call) -> str:
    size = call.add("Abs", call.add("Sub", *call.inputs))
    bent = call.add("Min", size, call.graph.constant(call.attributes.get("delta", 1.0)))  # the square's part of the distance
    return _reduced(call, call.add("Mul", bent, call.add("Sub", size, call.add("Mul", bent, call.graph.constant(0.5)))))


@writes("bce_with_logits")
def _bce_with_logits(call: Call) -> str:
    graph, (z, target) = call.graph, call.inputs
    one, nothing = graph.constant(1), graph.constant(0)
    weight = call.add("Add", one, call.add("Mul", target, graph.constant(call.attributes.get("pos_weight", 1.0) - 1)))
    small = graph.log1p(call.add("Exp", call.add("Neg", call.add("Abs", z))))
    softplus = call.add("Add", call.add("Max", call.add("Neg", z), nothing), small)  # of -z
    return _reduced(call, call.add("Add", call.add("Mul", call.add("Sub", one, target), z), call.add("Mul", weight, softplus)))


@writes("kl_div")
def _kl_div(call: Call) -> str:
    graph, (logs, target) = call.graph, call.inputs
    if call.attributes.get("log_target"):
        return _reduced(call, call.add("Mul", call.add("Exp", target), call.add("Sub", target, logs)))
    nothing = graph.constant(0)
    positive = call.add("Greater", target, nothing)
    log = call.add("Log", call.add("Where", positive, target, graph.constant(1)))
    return _reduced(call, call.add("Where", positive, call.add("Mul", target, call.add("Sub", log, logs)), nothing))
