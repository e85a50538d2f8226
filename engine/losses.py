"""Losses, with the names, arguments and meaning that they have in torch.nn.functional.

``reduction`` is "mean" over all elements (over the rows, for classes), "sum", or "none" for one loss an element (a row).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.refusals import plain_number
from engine.tensor import Tensor, apply

__all__ = [
    "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "kl_div", "l1_loss", "mse_loss", "nll_loss",
]  # fmt: skip


def _given(**options: tuple[Any, Any]) -> dict[str, Any]:
    """The options that differ from their defaults: a trace names what somebody chose."""
    return {name: value for name, (value, default) in options.items() if value != default}


def _by_rows(op: str, input: Tensor, target: Any, options: dict[str, Any]) -> Tensor:
    """A loss of rows (rows, classes), also where the classes are the only dimension, or the second of several."""
    if not isinstance(input, Tensor) or input.ndim in (0, 2):
        return apply(op, input, target, **options)
    classes = np.asarray(target.data if isinstance(target, Tensor) else target)
    expected = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if classes.shape != expected:
        raise ValueError(f"{op}: input has shape {input.shape} and targets {classes.shape}; expected targets of shape {expected}")
    last = input.permute(0, *range(2, input.ndim), 1) if input.ndim > 1 else input
    loss = apply(op, last.reshape(classes.size, last.shape[-1]), classes.reshape(-1), **options)
    return loss.reshape(expected) if loss.ndim else loss


def cross_entropy(
    input: Tensor, target: Any, weight: Sequence[float] | None = None, *, ignore_index: int = -100, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """-log softmax(input)[target], in nats.

    input: logits (batch, classes), (classes,) or (batch, classes, d1, ...). target: integer class numbers (batch,), () or (batch, d1, ...);
    rows of class `ignore_index` do not count. weight: one a class;
    the mean is then weighted. label_smoothing: the share of the target that is spread evenly over all classes, 0 to 1.
    Raises ValueError for other shapes, for class numbers out of range, and for options that no loss has.
    """
    options: dict[str, Any] = {}
    if ignore_index != -100 or reduction != "mean" or label_smoothing:
        options = _given(ignore_index=(ignore_index, -100), reduction=(reduction, "mean"), label_smoothing=(label_smoothing, 0.0))
    if weight is not None:
        options["weight"] = [float(w) for w in weight]
    return _by_rows("cross_entropy", input, target, options)


def nll_loss(
    input: Tensor, target: Any, weight: Sequence[float] | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """-input[target] for log-probabilities (batch, classes); everything else as `cross_entropy`."""
    options = _given(ignore_index=(ignore_index, -100), reduction=(reduction, "mean"))
    if weight is not None:
        options["weight"] = [float(w) for w in weight]
    return _by_rows("nll_loss", input, target, options)


def mse_loss(input: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """(input - target)**2. Shapes must be equal."""
    return apply("mse_loss", input, target, **_given(reduction=(reduction, "mean")))


def l1_loss(input: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """|input - target|. Shapes must be equal."""
    return apply("l1_loss", input, target, **_given(reduction=(reduction, "mean")))


def huber_loss(input: Tensor, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Squared up to a distance of `delta`, linear beyond (Huber, "Robust estimation of a location parameter"). Shapes must be equal."""
    return apply(
        "huber_loss", input, target, **_given(reduction=(reduction, "mean"), delta=(plain_number("huber_loss", "delta", delta), 1.0))
    )


def binary_cross_entropy_with_logits(input: Tensor, target: Any, *, pos_weight: float = 1.0, reduction: str = "mean") -> Tensor:
    """-(target log sigmoid(input) + (1 - target) log sigmoid(-input)), finite for any logit. pos_weight: of the first term."""
    return apply(
        "bce_with_logits",
        input,
        target,
        **_given(reduction=(reduction, "mean"), pos_weight=(plain_number("bce_with_logits", "pos_weight", pos_weight), 1.0)),
    )


def kl_div(input: Tensor, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """target (log target - input), for log-probabilities; reduction "batchmean" divides by the batch, as the definition has it."""
    return apply("kl_div", input, target, **_given(reduction=(reduction, "mean"), log_target=(log_target, False)))
