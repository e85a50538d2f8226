"""What every peer computes: the same step from the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp

Array = npt.NDArray[Any]

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
CLASSES = 10


class Workload(NamedTuple):
    """Sizes: batch, time steps, input features, hidden units."""

    B: int
    T: int
    I: int  # noqa: E741 - the field's letter
    H: int

    def __str__(self) -> str:
        return "({}, {}, {}, {})".format(*self)


WORKLOADS = (Workload(1, 16, 8, 16), Workload(8, 20, 16, 32), Workload(16, 50, 16, 64), Workload(32, 100, 32, 128))


class Weights(NamedTuple):
    """The parameters, in PyTorch's shapes and gate order; the last two are the linear head's."""

    W_ih: Array  # (gates * H, I)
    W_hh: Array  # (gates * H, H)
    b_ih: Array  # (gates * H,)
    b_hh: Array  # (gates * H,)
    W: Array  # (classes, H)
    b: Array  # (classes,)


@dataclass(frozen=True)
class Problem:
    """One training step: a recurrent layer, a linear head on its last output, softmax cross-entropy (mean over the batch), SGD.

    x: (B, T, I) float32. targets: (B,) int64. weights: where every peer starts; peers copy them.
    """

    cell: str
    workload: Workload
    learning_rate: float = 0.01

    @cached_property
    def _generator(self) -> np.random.Generator:
        return np.random.default_rng([GATES[self.cell], *self.workload])

    @cached_property
    def weights(self) -> Weights:
        (_, _, I, H), rows = self.workload, GATES[self.cell] * self.workload.H  # noqa: E741
        shapes = ((rows, I), (rows, H), (rows,), (rows,), (CLASSES, H), (CLASSES,))
        bound = 1 / np.sqrt(H)
        return Weights(*(self._generator.uniform(-bound, bound, shape).astype(np.float32) for shape in shapes))

    @cached_property
    def x(self) -> Array:
        B, T, I, _ = self.workload  # noqa: E741
        return np.random.default_rng([7, *self.workload]).standard_normal((B, T, I)).astype(np.float32)

    @cached_property
    def targets(self) -> Array:
        return np.random.default_rng([11, *self.workload]).integers(0, CLASSES, self.workload.B)

    @cached_property
    def first_loss(self) -> float:
        """The loss before the first update, in float64 by a plain loop that belongs to no peer."""
        W_ih, W_hh, b_ih, b_hh, W, b = (w.astype(np.float64) for w in self.weights)
        h = c = np.zeros((self.workload.B, self.workload.H))
        for x in self.x.astype(np.float64).swapaxes(0, 1):
            gi, gh = x @ W_ih.T + b_ih, h @ W_hh.T + b_hh
            if self.cell == "rnn":
                h = np.tanh(gi + gh)
            elif self.cell == "lstm":
                i, f, g, o = np.split(gi + gh, 4, axis=1)
                c = expit(f) * c + expit(i) * np.tanh(g)
                h = expit(o) * np.tanh(c)
            else:
                (ri, zi, ni), (rh, zh, nh) = np.split(gi, 3, axis=1), np.split(gh, 3, axis=1)
                z = expit(zi + zh)
                h = (1 - z) * np.tanh(ni + expit(ri + rh) * nh) + z * h
        logits = h @ W.T + b
        chosen = logits[np.arange(len(logits)), self.targets]
        return float((logsumexp(logits, axis=1) - chosen).mean())
