"""Clipping by the global norm."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from engine.tape import Clipping, tracing
from engine.tensor import Tensor


def clip_grad_norm_(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scales all gradients by one coefficient so that their joint 2-norm is at most `max_norm`; returns the norm before.

    The coefficient is min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. Directions stay as they are. An infinite
    `max_norm` measures and changes nothing. Raises ValueError for one that is not above 0.
    """
    limit = float(max_norm)
    if not limit > 0:
        raise ValueError(f"max_norm is {max_norm!r}; expected a number above 0")
    clipped = [p for p in parameters if p.grad is not None]
    gradients = [p.grad for p in clipped if p.grad is not None]
    norm = float(np.sqrt(sum(float(np.vdot(g, g)) for g in gradients)))
    coefficient = 1.0 if math.isinf(limit) else limit / (norm + 1e-6)
    if coefficient > 1:  # not min(): a norm that is no number must show in every gradient
        coefficient = 1.0
    if (tape := tracing()) is not None:
        tape.clipping = Clipping(coefficient, {tape.leaf(p): g for p, g in zip(clipped, gradients, strict=True)})
        terms = {"norm": np.asarray(norm), "max_norm": np.asarray(limit), "coefficient": np.asarray(coefficient)}
        tape.log.append(("clip", "update", -1, -1, -1, None, terms))
    for parameter, gradient in zip(clipped, gradients, strict=True):
        parameter.grad = gradient * coefficient
    return norm
