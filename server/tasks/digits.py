"""Handwritten digits, read from the top: eight rows of eight pixels, one row a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # scikit-learn publishes no types

from engine.training.task import Part
from server.tasks.base import CLASS_METRICS, ArrayTask, Examples, Suggestion, Text, majority, permutation, tenths

SEED = 20262
_BRIGHTEST = 16  # the pixels are counts from 0 to 16


class Digits(ArrayTask):
    """Image -> digit, pixels in 0..1."""

    name = "digits"
    kind = "classification"
    readout = "last"
    display = "rows"
    title = Text("Image rows → digit", "图像各行 → 数字")
    question = Text("Which digit?", "这是哪个数字？")
    source = (
        "scikit-learn load_digits: test part of the Optical Recognition of Handwritten Digits data set, "
        "E. Alpaydin and C. Kaynak, UCI Machine Learning Repository (1998)"
    )
    license = "CC BY 4.0"
    classes = tuple(Text(str(digit), str(digit)) for digit in range(10))
    features = tuple(f"pixel {column}" for column in range(1, 9))
    metrics = CLASS_METRICS
    suggested = Suggestion("gru", 32, steps=300)

    def __init__(self) -> None:
        images, labels = load_digits(return_X_y=True)
        order = permutation(len(labels), SEED)
        rows = images.reshape(-1, 8, 8)[order] / _BRIGHTEST
        targets = labels[order].astype(np.int64)
        self.parts = {
            part: Examples(rows[chosen].copy(), np.full(len(targets[chosen]), 8), targets[chosen].copy())
            for part, chosen in tenths(len(order)).items()
        }
        self.baseline = majority(self.parts)

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        rows: list[Any] = inputs.tolist()
        return rows

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        return f"#{index}"
