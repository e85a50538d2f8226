"""Losses, with the meaning they have in torch.nn.functional: ``reduction`` "none", "mean" or "sum" throughout."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from engine.ops import spelled_losses
from engine.ops.network import log_softmax, ones, shifted
from engine.ops.op import Array, Derivative, Kink, Record, Sample, structured
from engine.told import Told

_Z = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_Y = [[0.1, 0.2, 0.35], [0.45, 0.5, 0.6]]
_NO_ROWS = np.zeros((0, 3))
_NONE, _SUM = {"reduction": "none"}, {"reduction": "sum"}
_PAIR = (
    Sample((_Z, _Y)),
    Sample((0.5, 1.7)),
    Sample((_Z, _Y), _NONE),
    Sample((_Z, _Y), _SUM),
    Sample(([0.5], [1.7])),
    Sample(([], []), _SUM),
)
_PAIR_ERRORS = (Sample((_Z, [[0.1, 0.2, 0.3]])), Sample((_Z, _Y), {"reduction": "max"}))


def _reduced(op: str, each: Array, reduction: str) -> Any:
    """The losses of all elements, or their mean or sum. Raises ValueError for another reduction."""
    if reduction == "mean":
        return each.mean()
    if reduction == "sum":
        return each.sum()
    if reduction == "none":
        return each
    words = f"{op}: reduction is {reduction!r}; expected 'none', 'mean' or 'sum'"
    raise ValueError(Told(words, "keyword-choice", name=op, keyword="reduction", options="none, mean, sum"))


def _same_shape(op: str, x: Array, target: Array) -> None:
    if x.shape != target.shape:
        words = f"{op}: prediction has shape {x.shape} and target {target.shape}; expected the same shape"
        raise ValueError(Told(words, "shapes-equal", name=op, shapes=f"{x.shape}, {target.shape}"))
    if x.dtype.kind in "bu":
        words = f"{op}: predictions have dtype {x.dtype}, whose differences would wrap around; expected floating point numbers"
        raise TypeError(Told(words, "operation-refused", name=op, shapes=f"{x.shape}, {target.shape}"))


def _share(record: Record) -> float:
    """What the reduction makes of one element's loss."""
    return 1 / max(1, record.inputs[0].size) if record.attributes.get("reduction", "mean") == "mean" else 1.0


def _mse_loss(x: Array, target: Array, *, reduction: str = "mean") -> Any:
    _same_shape("mse_loss", x, target)
    return _reduced("mse_loss", np.square(x - target), reduction)


def _mse_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, target = record.inputs
    slope = F.mul(g, F.sub(x, target) * (2 * _share(record)))
    return [slope if record.needs[0] else None, -slope if record.needs[1] else None]


structured(
    name="mse_loss",
    inputs=("x", "target"),
    forward=_mse_loss,
    vjp=_mse_vjp,
    spelled=spelled_losses.MSE,
    analytic=True,
    latex=r"{y} = \tfrac{{1}}{{n}}\textstyle\sum ({x} - {target})^2",
    derivatives=[
        Derivative("x", latex=r"\bar{{{y}}}\,\tfrac{{2}}{{n}}({x} - {target})"),
        Derivative("target", latex=r"-\bar{{{y}}}\,\tfrac{{2}}{{n}}({x} - {target})"),
    ],
    samples=_PAIR,
    errors=_PAIR_ERRORS,
)


def _l1_loss(x: Array, target: Array, *, reduction: str = "mean") -> Any:
    _same_shape("l1_loss", x, target)
    return _reduced("l1_loss", np.abs(x - target), reduction)


def _l1_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, target = record.inputs
    slope = g * (F.sign(x - target) * _share(record))
    return [slope, -slope]


structured(
    name="l1_loss",
    inputs=("x", "target"),
    forward=_l1_loss,
    vjp=_l1_vjp,
    spelled=spelled_losses.L1,
    latex=r"{y} = \tfrac{{1}}{{n}}\textstyle\sum \left|{x} - {target}\right|",
    derivatives=[
        Derivative("x", latex=r"\bar{{{y}}}\,\tfrac{{1}}{{n}}\operatorname{{sign}}({x} - {target})"),
        Derivative("target", latex=r"-\bar{{{y}}}\,\tfrac{{1}}{{n}}\operatorname{{sign}}({x} - {target})"),
    ],
    samples=_PAIR,
    errors=_PAIR_ERRORS,
    kinks=[Kink((1.0, 1.0), (0.0, 0.0), "the middle of the subgradients -1 to 1, as PyTorch")],
)


def _huber_loss(x: Array, target: Array, *, delta: float = 1.0, reduction: str = "mean") -> Any:
    _same_shape("huber_loss", x, target)
    if not delta > 0:
        words = f"huber_loss: delta is {delta!r}; expected a number above 0"
        raise ValueError(Told(words, "keyword-refused", name="huber_loss", keyword="delta", given=str(delta)))
    size = np.abs(x - target)
    bent = np.minimum(size, delta)  # the square's part of the distance
    return _reduced("huber_loss", bent * (size - 0.5 * bent), reduction)


def _huber_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, target = record.inputs
    delta = float(record.attributes.get("delta", 1.0))
    slope = g * (F.clip(x - target, low=-delta, high=delta) * _share(record))
    return [slope, -slope]


structured(
    name="huber_loss",
    inputs=("x", "target"),
    forward=_huber_loss,
    vjp=_huber_vjp,
    spelled=spelled_losses.HUBER,
    latex=r"{y} = \tfrac{{1}}{{n}}\textstyle\sum \begin{{cases}}\tfrac{{1}}{{2}}d^2 & |d| \le \delta \\ "
    r"\delta(|d| - \tfrac{{1}}{{2}}\delta) & |d| > \delta\end{{cases}},\ d = {x} - {target}",
    derivatives=[
        Derivative("x", latex=r"\bar{{{y}}}\,\tfrac{{1}}{{n}}\max(-\delta, \min(\delta, {x} - {target}))"),
        Derivative("target", latex=r"-\bar{{{y}}}\,\tfrac{{1}}{{n}}\max(-\delta, \min(\delta, {x} - {target}))"),
    ],
    samples=[*_PAIR, Sample((_Z, _Y), {"delta": 0.6})],
    errors=[*_PAIR_ERRORS, Sample((_Z, _Y), {"delta": 0.0})],
)


def _classes(op: str, z: Array, target: Array, ignore_index: int, weight: Sequence[float] | None) -> tuple[Array, Array, Array]:
    """Targets with ignored ones as 0, the weight of each row's loss, the classes' weights. Raises ValueError naming the op."""
    if z.ndim != 2 or target.shape != z.shape[:1] or target.dtype.kind not in "iu":
        what = "logits" if op == "cross_entropy" else "log-probabilities"
        given = f"{what} have shape {z.shape}, targets shape {target.shape} and dtype {target.dtype}"
        words = f"{op}: {given}; expected {what} (batch, classes) and integer class numbers (batch,)"
        raise ValueError(Told(words, "operation-refused", name=op, shapes=f"{z.shape}, {target.shape}"))
    counted = target != ignore_index
    seen = target[counted]
    if seen.size and (seen.min() < 0 or seen.max() >= z.shape[1]):
        least, most, last = int(seen.min()), int(seen.max()), z.shape[1] - 1
        words = f"{op}: class numbers {least}..{most}; expected 0..{last}"
        raise ValueError(Told(words, "index-outside", name=op, least=least, most=most, last=last))
    if weight is not None and len(weight) != z.shape[1]:
        words = f"{op}: {len(weight)} class weights; expected {z.shape[1]}, one a class"
        raise ValueError(Told(words, "keyword-refused", name=op, keyword="weight", given=str(list(weight))))
    weights = np.ones(z.shape[1], z.dtype) if weight is None else np.asarray(weight, z.dtype)
    chosen = np.where(counted, target, 0)
    return chosen, weights[chosen] * counted, weights


def _class_loss(
    op: str, logs: Array, target: Array, smoothing: float, ignore_index: int, weight: Sequence[float] | None, reduction: str
) -> tuple[Any, Array]:
    """The loss, and its derivative with respect to each log-probability (before the incoming gradient)."""
    chosen, rows, weights = _classes(op, logs, target, ignore_index, weight)
    slope = np.zeros(logs.shape, logs.dtype)
    slope[np.arange(len(chosen)), chosen] = -(1 - smoothing) * rows
    if smoothing:
        slope -= (smoothing / logs.shape[1]) * weights * (target != ignore_index)[:, None]
    with np.errstate(invalid="ignore"):
        each = np.where(slope == 0, 0, slope * logs).sum(axis=1).astype(logs.dtype)
    if reduction == "mean":
        total = rows.sum()
        share = 1 / total if total else np.nan if logs.shape[0] else 0.0
        loss = each.mean() if weight is None and total == len(rows) else each.sum() * share if logs.shape[0] else each.mean()
        return loss, slope * np.asarray(share, logs.dtype)
    return _reduced(op, each, reduction), slope


def _cross_entropy(
    z: Array,
    target: Array,
    *,
    ignore_index: int = -100,
    weight: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> tuple[Any, Any]:
    if ignore_index == -100 and weight is None and not label_smoothing and reduction == "mean":
        usual = _usual_cross_entropy(z, target)
        if usual is not None:
            return usual
    if not 0 <= label_smoothing <= 1:
        words = f"cross_entropy: label_smoothing is {label_smoothing!r}; expected 0 to 1"
        raise ValueError(Told(words, "keyword-refused", name="cross_entropy", keyword="label_smoothing", given=str(label_smoothing)))
    if z.ndim != 2:
        _classes("cross_entropy", z, target, ignore_index, weight)  # which refuses it
    return _class_loss("cross_entropy", log_softmax(z), target, label_smoothing, ignore_index, weight, reduction)


class _Usual(NamedTuple):
    """What the usual cross-entropy keeps: exp(z) but for a factor a row, its sums over the rows, and where the targets are."""

    exps: Array
    sums: Array
    chosen: Array


def _usual_cross_entropy(z: Array, target: Array) -> tuple[Any, _Usual] | None:
    """The mean over all rows by the shortest way. None where a row has no class of the logits, for whatever reason."""
    if z.ndim != 2 or target.ndim != 1 or target.dtype.kind not in "iu":
        return None
    chosen = target[:, None] == _class_numbers(z.shape[1])
    count = z.shape[0]
    if not count or chosen.shape != z.shape or np.count_nonzero(chosen) != count:
        return None
    below = shifted(z, 1)
    exps = np.exp(below)
    sums = exps.dot(ones(z.shape[1], z.dtype))  # as a product, which is quicker than a sum
    each = np.log(sums) - below[chosen]
    return each.dot(ones(count, z.dtype)) / count, _Usual(exps, sums, chosen)


@lru_cache(maxsize=64)
def _class_numbers(count: int) -> Array:
    numbers = np.arange(count)
    numbers.flags.writeable = False
    return numbers


def _cross_entropy_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    if not record.needs[0]:
        return [None, None]
    z, kept = record.inputs[0], record.residuals
    if type(kept) is _Usual:
        if not F.arrays:
            return [(F.softmax(z) - kept.chosen.astype(z.dtype)) * (g * (1 / z.shape[0])), None]
        slope = kept.exps / kept.sums[:, None]
        slope -= kept.chosen
        slope *= g * (1 / len(slope))
        return [slope, None]
    total = kept.sum(axis=-1, keepdims=True)
    each = F.reshape(g, shape=(*g.shape, 1)) if len(g.shape) else g  # reduction "none": one gradient a row
    return [each * (kept - F.softmax(z) * total), None]


structured(
    name="cross_entropy",
    inputs=("z", "target"),
    forward=_cross_entropy,
    vjp=_cross_entropy_vjp,
    spelled=spelled_losses.CROSS_ENTROPY,
    latex=r"{y} = -\tfrac{{1}}{{B}}\textstyle\sum_b \log \mathrm{{softmax}}({z}_b)[{target}_b]",
    derivatives=[
        Derivative("z", latex=r"\bar{{{y}}}\,\tfrac{{1}}{{B}}\bigl(\mathrm{{softmax}}({z})_k - [k = {target}]\bigr)"),
        Derivative("target", latex="0"),
    ],
    samples=[
        Sample((_Z, np.array([2, 0]))),
        Sample(([[700.0, -800.0]], np.array([1]))),
        Sample((_Z, np.array([2, 0])), _NONE),
        Sample((_Z, np.array([2, 0])), _SUM),
        Sample((_Z, np.array([2, -100]))),
        Sample((_Z, np.array([1, 0])), {"ignore_index": 1}),
        Sample((_Z, np.array([2, 0])), {"weight": [0.5, 2.0, 3.0]}),
        Sample((_Z, np.array([2, 0])), {"label_smoothing": 0.1}),
        Sample((_Z, np.array([2, -100])), {"weight": [0.5, 2.0, 3.0], "label_smoothing": 0.2, "reduction": "none"}),
        Sample((_NO_ROWS, np.zeros(0, int)), _SUM),
    ],
    errors=[
        Sample((_Z, np.array([3, 0]))),
        Sample((_Z, np.array([0.0, 1.0]))),
        Sample((_Z, np.array([0]))),
        Sample((_Z, np.array([0, 1])), {"weight": [1.0]}),
        Sample((_Z, np.array([0, 1])), {"label_smoothing": 2.0}),
        Sample((0.5, np.array([0]))),
    ],
)


def _nll_loss(
    logs: Array, target: Array, *, ignore_index: int = -100, weight: Sequence[float] | None = None, reduction: str = "mean"
) -> tuple[Any, Array]:
    return _class_loss("nll_loss", logs, target, 0.0, ignore_index, weight, reduction)


def _nll_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    each = F.reshape(g, shape=(*g.shape, 1)) if len(g.shape) else g
    return [each * record.residuals if record.needs[0] else None, None]


structured(
    name="nll_loss",
    inputs=("logs", "target"),
    forward=_nll_loss,
    vjp=_nll_vjp,
    spelled=spelled_losses.NLL,
    latex=r"{y} = -\tfrac{{1}}{{B}}\textstyle\sum_b {logs}_b[{target}_b]",
    derivatives=[Derivative("logs", latex=r"-\bar{{{y}}}\,\tfrac{{1}}{{B}}[k = {target}]"), Derivative("target", latex="0")],
    samples=[
        Sample((_Z, np.array([2, 0]))),
        Sample((_Z, np.array([2, 0])), _NONE),
        Sample((_Z, np.array([2, 0])), _SUM),
        Sample((_Z, np.array([2, -100])), {"weight": [0.5, 2.0, 3.0]}),
        Sample(([[0.5]], np.array([0]))),
        Sample((_NO_ROWS, np.zeros(0, int)), _SUM),
    ],
    errors=[
        Sample((_Z, np.array([3, 0]))),
        Sample((0.5, np.array([0]))),
        Sample((_Z, np.array([0.0, 1.0]))),
        Sample((_Z, np.array([0, 1])), {"reduction": "max"}),
    ],
)


def _bce_with_logits(z: Array, target: Array, *, pos_weight: float = 1.0, reduction: str = "mean") -> Any:
    _same_shape("bce_with_logits", z, target)
    # softplus(-z) = -log sigmoid(z), finite on both sides
    weight = 1 + (pos_weight - 1) * target
    each = (1 - target) * z + weight * (np.maximum(-z, 0) + np.log1p(np.exp(-np.abs(z))))
    return _reduced("bce_with_logits", each, reduction)


def _bce_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    z, target = record.inputs
    pos_weight = float(record.attributes.get("pos_weight", 1.0))
    share = _share(record)
    return [  # both sigmoids, because 1 minus the one would lose the other's tail
        g * (((1 - target) * F.sigmoid(z) - pos_weight * target * F.sigmoid(-z)) * share) if record.needs[0] else None,
        g * (((pos_weight - 1) * F.softplus(-z) - z) * share) if record.needs[1] else None,
    ]


structured(
    name="bce_with_logits",
    inputs=("z", "target"),
    forward=_bce_with_logits,
    vjp=_bce_vjp,
    spelled=spelled_losses.BCE,
    latex=r"{y} = -\tfrac{{1}}{{n}}\textstyle\sum {target}\log\sigma({z}) + (1 - {target})\log\sigma(-{z})",
    derivatives=[
        Derivative("z", latex=r"\bar{{{y}}}\,\tfrac{{1}}{{n}}(\sigma({z}) - {target})"),
        Derivative("target", latex=r"-\bar{{{y}}}\,\tfrac{{1}}{{n}}\,{z}"),
    ],
    samples=[*_PAIR, Sample((_Z, _Y), {"pos_weight": 3.0}), Sample(([900.0, -900.0], [0.2, 0.7]))],
    errors=_PAIR_ERRORS,
)


def _kl_div(logs: Array, target: Array, *, log_target: bool = False, reduction: str = "mean") -> Any:
    _same_shape("kl_div", logs, target)
    if not log_target and target.size and target.min() < 0:
        words = f"kl_div: probabilities from {target.min()}; expected at least 0, or log_target=True"
        raise ValueError(Told(words, "operation-refused", name="kl_div", shapes=f"{logs.shape}, {target.shape}"))
    if log_target:
        each = np.exp(target) * (target - logs)
    else:
        each = np.where(target > 0, target * (np.log(np.where(target > 0, target, 1)) - logs), 0).astype(logs.dtype)
    if reduction == "batchmean":
        return each.sum() / max(1, each.shape[0] if each.ndim else 1)
    return _reduced("kl_div", each, reduction)


def _kl_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    logs, target = record.inputs
    share = _share(record)
    if record.attributes.get("reduction") == "batchmean":
        share = 1 / max(1, logs.shape[0] if len(logs.shape) else 1)
    if record.attributes.get("log_target"):
        p = F.exp(target)
        return [g * (-p * share), g * (p * (target - logs + 1.0) * share)]
    positive = F.gt(target, 0.0)
    from_target = F.where(positive, F.log(F.where(positive, target, 1.0)) - logs + 1.0, 0.0)
    return [g * (-target * share), g * (from_target * share)]


structured(
    name="kl_div",
    inputs=("logs", "target"),
    forward=_kl_div,
    vjp=_kl_vjp,
    spelled=spelled_losses.KL,
    latex=r"{y} = \tfrac{{1}}{{n}}\textstyle\sum {target}\,(\log {target} - {logs})",
    derivatives=[
        Derivative("logs", latex=r"-\bar{{{y}}}\,\tfrac{{1}}{{n}}\,{target}"),
        Derivative("target", latex=r"\bar{{{y}}}\,\tfrac{{1}}{{n}}(\log {target} - {logs} + 1)"),
    ],
    samples=[
        Sample((_Z, _Y)),
        Sample((_Z, _Y), _NONE),
        Sample((_Z, _Y), _SUM),
        Sample((_Z, _Y), {"reduction": "batchmean"}),
        Sample((_Z, _Z), {"log_target": True}),
        Sample((0.5, 0.7)),
        Sample(([0.5], [0.7])),
        Sample(([], []), _NONE),
    ],
    errors=[*_PAIR_ERRORS, Sample((_Z, _Z))],
)
