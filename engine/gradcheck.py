"""Gradients checked against central finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.tape import Tape
from engine.tensor import Tensor


@dataclass(frozen=True)
class Mismatch:
    """One element whose gradient is not what finite differences say."""

    input: int
    index: tuple[int, ...]
    gradient: float
    finite_difference: float

    def __str__(self) -> str:
        return f"input {self.input}{list(self.index)}: gradient {self.gradient:.9g}, finite difference {self.finite_difference:.9g}"


def gradcheck(
    f: Callable[..., Tensor], inputs: Sequence[Tensor], *, eps: float = 6e-6, rtol: float = 1e-6, atol: float = 1e-8
) -> list[Mismatch]:
    """The elements whose gradients are off; an empty list when all agree.

    f: from the inputs to one tensor of any shape; a fixed random weighting makes it a scalar. inputs: tensors; float64 leaves with
    requires_grad are checked. Raises ValueError when there is none.
    """
    checked = [k for k, x in enumerate(inputs) if x.requires_grad]
    if not checked or any(inputs[k].dtype != np.float64 for k in checked):
        raise ValueError("gradcheck needs at least one input with requires_grad=True, each of dtype float64")
    with Tape("OFF"):
        shape = f(*inputs).shape
    weights = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    with Tape("GRAD"):
        run = f(*inputs).backward(weights)

    def value(k: int, data: np.ndarray) -> float:
        with Tape("OFF"):
            moved = [Tensor(data) if i == k else x for i, x in enumerate(inputs)]
            return float((f(*moved).data * weights).sum())

    found = []
    for k in checked:
        base = inputs[k].numpy()
        gradient = run[inputs[k]] if inputs[k] in run else np.zeros_like(base)
        for index in np.ndindex(base.shape):
            high, low = base.copy(), base.copy()
            high[index] += eps
            low[index] -= eps
            estimate = (value(k, high) - value(k, low)) / (float(high[index]) - float(low[index]))
            if not np.isclose(gradient[index], estimate, rtol=rtol, atol=atol):
                found.append(Mismatch(k, index, float(gradient[index]), estimate))
    return found
