"""The numbers of the losses and of layer normalisation written out, as `engine.ops.spelled` has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.ops.formula import Tree
from engine.ops.op import Array
from engine.ops.spelled import Asked, Attributes, Index, Spelled, UnwrittenError, exp, log, over, share, times, total

Each = Callable[[float, float, Attributes], Tree]  # of a prediction and its target


def _count(x: Array, attributes: Attributes) -> float:
    """What a reduction divides by."""
    reduction = attributes.get("reduction", "mean")
    return x.size if reduction == "mean" else x.shape[0] if reduction == "batchmean" and x.ndim else 1


def pairs(each: Each, *slopes: Each) -> Spelled:
    """A loss of predictions and targets of one shape. each: the loss of one pair. slopes: its derivative by the one and by the other."""

    def forward(index: Index, inputs: Sequence[Array], attributes: Attributes) -> Tree:
        x, target = inputs
        if attributes.get("reduction") == "none":
            return each(float(x[index]), float(target[index]), attributes)
        summed = total(each(float(x[at]), float(target[at]), attributes) for at in np.ndindex(x.shape))
        return over(summed, _count(x, attributes))

    def backward(port: int, index: Index, asked: Asked) -> Tree:
        x, target = asked.inputs
        incoming = float(asked.incoming[index] if asked.attributes.get("reduction") == "none" else asked.incoming)
        slope = slopes[port](float(x[index]), float(target[index]), asked.attributes)
        return times(over(incoming, _count(x, asked.attributes)), slope)

    return Spelled(forward, backward)


def _distance(x: float, target: float, attributes: Attributes) -> Tree:
    return ["sub", x, target]


def _negative(slope: Each) -> Each:
    return lambda x, target, attributes: ["neg", slope(x, target, attributes)]


def _twice(x: float, target: float, attributes: Attributes) -> Tree:
    return ["mul", 2, ["sub", x, target]]


def _sign(x: float, target: float, attributes: Attributes) -> Tree:
    return ["call", "sign", ["sub", x, target]]


MSE = pairs(lambda x, target, attributes: ["pow", ["sub", x, target], 2], _twice, _negative(_twice))
L1 = pairs(lambda x, target, attributes: ["call", "abs", ["sub", x, target]], _sign, _negative(_sign))


def _huber(x: float, target: float, attributes: Attributes) -> Tree:
    delta = attributes.get("delta", 1.0)
    if abs(x - target) <= delta:
        return ["mul", 0.5, ["pow", ["sub", x, target], 2]]
    return times(delta, ["sub", ["call", "abs", ["sub", x, target]], times(delta, 0.5)])


def _huber_slope(x: float, target: float, attributes: Attributes) -> Tree:
    delta = attributes.get("delta", 1.0)
    return ["call", "minimum", ["call", "maximum", ["sub", x, target], ["neg", delta]], delta]


HUBER = pairs(_huber, _huber_slope, _negative(_huber_slope))


def _sigmoid(x: float) -> Tree:
    if not abs(x) < 30:  # its logarithm has no digits left on one side
        raise UnwrittenError
    return ["call", "sigmoid", x]


def _bce(z: float, target: float, attributes: Attributes) -> Tree:
    right = times(float(attributes.get("pos_weight", 1.0)), ["mul", target, log(_sigmoid(z))])
    return ["neg", ["add", right, ["mul", ["sub", 1, target], log(_sigmoid(-z))]]]


def _plain(attributes: Attributes) -> None:
    if attributes.get("pos_weight", 1.0) != 1.0:
        raise UnwrittenError


def _bce_slope(z: float, target: float, attributes: Attributes) -> Tree:
    _plain(attributes)
    return ["sub", _sigmoid(z), target]


def _bce_target(z: float, target: float, attributes: Attributes) -> Tree:
    _plain(attributes)
    return -z


BCE = pairs(_bce, _bce_slope, _bce_target)


def _kl(x: float, target: float, attributes: Attributes) -> Tree:
    if attributes.get("log_target"):
        return ["mul", exp(target), ["sub", target, x]]
    return 0 if target == 0 else ["mul", target, ["sub", log(target), x]]


def _kl_slope(x: float, target: float, attributes: Attributes) -> Tree:
    return ["neg", exp(target) if attributes.get("log_target") else target]


def _kl_target(x: float, target: float, attributes: Attributes) -> Tree:
    if attributes.get("log_target"):
        return ["mul", exp(target), ["add", ["sub", target, x], 1]]
    return 0 if target == 0 else ["add", ["sub", log(target), x], 1]


KL = pairs(_kl, _kl_slope, _kl_target)


# classes


def _weight(target: Array, row: int, attributes: Attributes) -> float:
    """What a row counts: the weight of its class, 0 where it is ignored."""
    if attributes.get("label_smoothing"):
        raise UnwrittenError
    label, weights = int(target[row]), attributes.get("weight")
    return 0.0 if label == attributes.get("ignore_index", -100) else 1.0 if weights is None else float(weights[label])


def _rows(target: Array, attributes: Attributes) -> float:
    """What the mean divides by."""
    if attributes.get("reduction", "mean") != "mean":
        return 1.0
    count = sum(_weight(target, row, attributes) for row in range(len(target)))
    if not count:
        raise UnwrittenError
    return count


def classes(minus_log: Callable[[Array, int], Tree], slope: Callable[[Array, int, int], Tree]) -> Spelled:
    """A loss of rows and class numbers. minus_log: of a row's class. slope: by the k-th number of a row, given its class."""

    def forward(index: Index, inputs: Sequence[Array], attributes: Attributes) -> Tree:
        x, target = inputs
        rows = [index[0]] if attributes.get("reduction") == "none" else range(len(target))
        weights = {row: _weight(target, row, attributes) for row in rows}
        each = (times(w, minus_log(x[row], int(target[row]))) for row, w in weights.items() if w)
        return over(total(each), _rows(target, attributes))

    def backward(port: int, index: Index, asked: Asked) -> Tree:
        (x, target), row = asked.inputs, index[0]
        weight = _weight(target, row, asked.attributes)
        local = slope(x[row], int(target[row]), index[1]) if weight else 0
        if port or local == 0:
            return 0
        incoming = float(asked.incoming[row] if asked.attributes.get("reduction") == "none" else asked.incoming)
        return times(over(times(weight, incoming), _rows(target, asked.attributes)), local)

    return Spelled(forward, backward)


def _cross_entropy(row: Array, label: int) -> Tree:
    return ["sub", log(total(exp(float(v)) for v in row)), float(row[label])]


def _cross_entropy_slope(row: Array, label: int, k: int) -> Tree:
    probability = share([float(v) for v in row], k)
    return ["sub", probability, 1] if k == label else probability


CROSS_ENTROPY = classes(_cross_entropy, _cross_entropy_slope)
NLL = classes(lambda row, label: -float(row[label]), lambda row, label, k: -1.0 if k == label else 0)


# layer normalisation


def _layer_norm(index: Index, inputs: Sequence[Array], attributes: Attributes) -> Tree:
    x, weight, bias = inputs
    lead = x.ndim - weight.ndim
    row: Any = x[index[:lead]]
    inner = index[lead:]
    spread = ["call", "sqrt", ["add", float(row.var()), attributes.get("eps", 1e-5)]]
    normal = ["div", ["sub", float(x[index]), float(row.mean())], spread]
    return ["add", times(float(weight[inner]), normal), float(bias[inner])]


def _layer_norm_back(port: int, index: Index, asked: Asked) -> Tree:
    raise UnwrittenError  # the sum over local derivatives says it as shortly


LAYER_NORM = Spelled(_layer_norm, _layer_norm_back)
