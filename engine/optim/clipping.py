"""Clipping of gradients, by their global norm and by value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.events import locked
from engine.ops.op import Array
from engine.optim.rule import Term
from engine.tape import Clipping, Tape, tracing
from engine.tensor import Tensor

_NORM = ("coefficient", "c", "{0}*{1}")
_VALUE = ("clip_value", r"g_{\max}", "minimum(maximum({1}, -{0}), {0})")


@dataclass(frozen=True)
class _Stage:
    """One clipping of one gradient. kind: name, symbol and formula of its number, {0} being the number and {1} the gradient before."""

    kind: tuple[str, str, str]
    number: float
    before: Array
    after: Array


@dataclass(frozen=True)
class Clipped(Clipping):
    """What clippings did to each gradient since the gradients were zeroed, by leaf node and in order."""

    stages: Mapping[int, tuple[_Stage, ...]]


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float) -> float:
    """Scales all gradients by one coefficient so that their joint 2-norm is at most `max_norm`; returns the norm before.

    The coefficient is min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. Directions stay as they are. An infinite
    `max_norm` measures and changes nothing. Frozen parameters do not count. Raises ValueError for one that is not above 0.
    """
    limit = _above_zero("max_norm", max_norm)
    clipped, gradients = _with_gradient(parameters)
    total = 0.0
    for g in gradients:
        flat = g.ravel()
        total += float(flat.dot(flat))
    norm = math.sqrt(total) if total >= 0 else total  # a NaN stays what it is
    coefficient = 1.0 if math.isinf(limit) else limit / (norm + 1e-6)
    if coefficient > 1:  # not min(): a norm that is no number must show in every gradient
        coefficient = 1.0
    tape = tracing()
    if tape is None and coefficient == 1:
        return norm
    for parameter, gradient in zip(clipped, gradients, strict=True):
        parameter.grad = gradient * coefficient
    if tape is not None:
        _record(tape, clipped, gradients, _NORM, coefficient, {"norm": norm, "max_norm": limit, "coefficient": coefficient})
    return norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Moves every element of every gradient into -clip_value..clip_value, as torch.nn.utils.clip_grad_value_.

    Directions change. Frozen parameters stay. Raises ValueError for a `clip_value` that is not above 0.
    """
    limit = _above_zero("clip_value", clip_value)
    clipped, gradients = _with_gradient(parameters)
    for parameter, gradient in zip(clipped, gradients, strict=True):
        parameter.grad = np.minimum(np.maximum(gradient, -limit), limit)
    if (tape := tracing()) is not None:
        outside = sum(int(np.count_nonzero(np.abs(g) > limit)) for g in gradients)
        terms = {"clip_value": limit, "outside": outside, "elements": sum(g.size for g in gradients)}
        _record(tape, clipped, gradients, _VALUE, limit, terms)


def stages_of(tape: Tape, node: int, gradient: Array) -> tuple[list[Term], dict[str, Any]]:
    """The terms that lead from a leaf's gradient to `gradient`, which the optimizer is given, and their values.

    The result of the last is called ``clipped``, those before it ``clipped_1``, ``clipped_2``. Where nothing was clipped there is no term.
    """
    stages = tape.clipping.stages.get(node, ()) if isinstance(tape.clipping, Clipped) else ()
    if not stages or stages[-1].after is not gradient:  # nothing, or another backward run's
        return [], {"gradient": gradient}
    terms: list[Term] = []
    values: dict[str, Any] = {"gradient": stages[0].before}
    before = "gradient"
    for count, stage in enumerate(stages, 1):
        name, symbol, formula = stage.kind
        if name in values:
            name, symbol = f"{name}_{count}", f"{symbol}^{{({count})}}"
        last = count == len(stages)
        after = "clipped" if last else f"clipped_{count}"
        terms += [Term(name, symbol), Term(after, r"\tilde{g}" if last else rf"\tilde{{g}}^{{({count})}}", formula.format(name, before))]
        values[name], values[after] = stage.number, stage.after
        before = after
    return terms, values


def _above_zero(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not number > 0:
        raise ValueError(f"{name} is {value!r}; expected a number above 0")
    return number


def _with_gradient(parameters: Tensor | Iterable[Tensor]) -> tuple[list[Tensor], list[Array]]:
    clipped, gradients = [], []
    for p in (parameters,) if isinstance(parameters, Tensor) else parameters:
        gradient = p.grad
        if gradient is not None and p.requires_grad:
            clipped.append(p)
            gradients.append(gradient)
    return clipped, gradients


def _record(
    tape: Tape, clipped: list[Tensor], gradients: list[Array], kind: tuple[str, str, str], number: float, terms: Mapping[str, float]
) -> None:
    before = tape.clipping.stages if isinstance(tape.clipping, Clipped) else {}
    stages, first = dict(before), {}
    for parameter, gradient in zip(clipped, gradients, strict=True):
        node, after = tape.leaf(parameter), parameter.grad
        assert after is not None  # it was set just now
        earlier = before.get(node, ())
        if earlier and earlier[-1].after is not gradient:
            earlier = ()  # of another backward run
        stages[node] = (*earlier, _Stage(kind, number, gradient, locked(after)))
        first[node] = stages[node][0].before
    tape.clipping = Clipped(number if kind is _NORM else 1.0, first, stages)
    tape.note("clip", "update", terms={name: np.asarray(value, dtype=np.float64) for name, value in terms.items()})
