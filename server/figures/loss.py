"""The loss curve of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from server.figures.style import BLUE, ORANGE, go, lay_out, note, to_json, with_gaps
from server.figures.words import Language, words


def smoothed(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """An exponential moving average over about a thirtieth of the run, without the pull of a first value (as Adam's bias correction).

    losses: all finite.
    """
    keep = 1 - 1 / max(1.0, len(losses) / 30)
    sums = np.array(list(accumulate((1 - keep) * losses, lambda total, new: keep * total + new)), dtype=np.float64)
    return sums / (1 - keep ** np.arange(1, len(losses) + 1))


def loss_figure(losses: Sequence[float], validation: Sequence[Mapping[str, Any]], language: Language) -> str:
    """The figure as JSON. losses: entry i is step i + 1. validation: of a run."""
    text, values = words(language), np.array(losses, dtype=np.float64)
    finite = np.isfinite(values)
    smooth = np.full_like(values, np.nan)
    smooth[finite] = smoothed(values[finite])
    steps = np.arange(1, len(values) + 1, dtype=np.int32)
    figure = go.Figure()
    figure.add_scatter(x=steps, y=with_gaps(values), mode="lines", name=text["raw"], line={"color": BLUE, "width": 1}, opacity=0.35)
    figure.add_scatter(x=steps, y=with_gaps(smooth), mode="lines", name=text["smooth"], line={"color": BLUE, "width": 2.5})
    figure.add_scatter(
        x=[point["step"] for point in validation], y=with_gaps([float(point["loss"]) for point in validation]), mode="markers",
        name=text["validation"], marker={"color": ORANGE, "size": 9, "symbol": "diamond"},
    )  # fmt: skip
    lay_out(figure, text["training_step"], text["loss"], xaxis={"rangemode": "tozero"})
    if not finite.all():
        note(figure, text["gaps"].format(count=int((~finite).sum()), steps=len(values), first=int(np.argmin(finite)) + 1))
    return to_json(figure)
