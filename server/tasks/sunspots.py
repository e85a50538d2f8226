"""Yearly sunspot numbers, 1700 to 2008: from some years, twenty unless asked for otherwise, the following one, predicted at every step.

Inputs and targets are in hundreds of sunspots, and so is the root mean squared error. The parts are stretches of years that
share none: no window reaches from one into the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.training.task import Part
from server.tasks.base import NUMBER_METRICS, ArrayTask, Baseline, Examples, LengthChoice, Suggestion, Text, root_mean_square

WINDOW = 20  # years, unless a length is asked for
SHORTEST, LONGEST = 5, 40  # half a cycle of the sun; what leaves a dozen windows or more in each part
UNIT = 100.0  # sunspots
YEARS: Mapping[Part, tuple[int, int]] = {"train": (1700, 1899), "validation": (1900, 1954), "test": (1955, 2008)}  # first and last


class Sunspots(ArrayTask):
    """The sunspot number of a year -> that of the next, in windows of some years."""

    name = "sunspots"
    kind = "regression"
    readout = "every"
    display = "series"
    title = Text("Sunspots → next year", "太阳黑子 → 次年")
    question = Text("How many sunspots next year (in hundreds)?", "下一年的太阳黑子数是多少（以百计）？")
    source = "Yearly (1700-2008) sunspot numbers, National Geophysical Data Center; figures as in the sunspots data set of statsmodels"
    license = "Public domain"
    features = ("sunspots / 100",)
    length = LengthChoice(SHORTEST, LONGEST, WINDOW, "all")
    metrics = NUMBER_METRICS
    suggested = Suggestion("lstm", 16, steps=1500, lr=0.005, dropout=0.2, patience=8)

    def __init__(self, length: int | None = None) -> None:
        figures = yearly_figures()
        self.parts = {part: _windows(np.array([figures[year] for year in range(first, last + 1)]) / UNIT, length or WINDOW)
                      for part, (first, last) in YEARS.items()}  # fmt: skip
        validation = self.parts["validation"]
        self.baseline = Baseline("last_value", "rmse", root_mean_square(validation.targets - validation.inputs))

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        series: list[Any] = inputs[:, 0].tolist()
        return series

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        first = YEARS[part][0] + index
        return f"{first}–{first + len(inputs) - 1}"


def yearly_figures() -> dict[int, float]:
    """Year -> mean sunspot number, from the table beside this file."""
    text = resources.files("server.tasks").joinpath("sunspots.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")][1:]
    return {int(year): float(number) for year, number in rows}


def _windows(series: npt.NDArray[np.float64], window: int) -> Examples:
    windows = np.lib.stride_tricks.sliding_window_view(series, window + 1)[:, :, None]
    return Examples(windows[:, :-1].copy(), np.full(len(windows), window), windows[:, 1:].copy())
