"""The adding problem (Hochreiter and Schmidhuber, 1997): two of the numbers in a sequence are marked; what is their sum?

Generated: numbers uniform in 0..1, lengths uniform between a shortest and a longest, one marker in each half of the sequence: short
sequences to read, `LONG` steps, over which the gradient of a plain RNN vanishes, or all of a length that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.training.task import Part
from server.tasks.base import NUMBER_METRICS, ArrayTask, Baseline, Examples, LengthChoice, Suggestion, Text, root_mean_square

SHORTEST, LONGEST = 8, 16
LONG = 50
SIZES: Mapping[Part, int] = {"train": 4000, "validation": 500, "test": 500}
SEED = 20263


class Adding(ArrayTask):
    """Pairs of value and marker -> the sum of the two marked values."""

    name = "adding"
    kind = "regression"
    readout = "last"
    display = "pairs"
    title = Text("Marked numbers → their sum", "带标记的数 → 两数之和")
    question = Text("What is the sum of the two marked numbers?", "两个带标记的数之和是多少？")
    source = "Generated; the adding problem of S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997"
    license = "MIT"
    features = ("value", "marker")
    length: LengthChoice | None = LengthChoice(10, 200, None, "all")
    metrics = NUMBER_METRICS
    suggested = Suggestion("gru", 32, steps=600)

    def __init__(self, length: int | None = None) -> None:
        shortest, longest = (SHORTEST, LONGEST) if length is None else (length, length)
        self.parts = {part: _generate(size, SEED + key, shortest, longest) for key, (part, size) in enumerate(SIZES.items())}
        mean = self.parts["train"].targets.mean()
        self.baseline = Baseline("mean", "rmse", root_mean_square(self.parts["validation"].targets - mean))

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        return [[value, int(marker)] for value, marker in inputs.tolist()]

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        return " + ".join(f"{value:.3f}" for value, marker in inputs if marker)


class LongAdding(Adding):
    """The same over `LONG` steps."""

    name = "adding-50"
    title = Text("Marked numbers, 50 steps → their sum", "带标记的数，50 步 → 两数之和")
    length = None
    suggested = Suggestion("gru", 32, steps=600)

    def __init__(self) -> None:
        super().__init__(LONG)


def _generate(size: int, seed: int, shortest: int, longest: int) -> Examples:
    random = np.random.Generator(np.random.Philox(key=seed))
    lengths = random.integers(shortest, longest + 1, size)
    halves = lengths // 2
    marked = np.stack([random.integers(0, halves), random.integers(halves, lengths)], axis=1)
    inputs = np.zeros((size, longest, 2))
    inputs[:, :, 0] = random.random((size, longest)) * (np.arange(longest) < lengths[:, None])
    np.put_along_axis(inputs[:, :, 1], marked, 1.0, axis=1)
    return Examples(inputs, lengths, (inputs[:, :, 0] * inputs[:, :, 1]).sum(axis=1, keepdims=True))
