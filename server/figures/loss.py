"""The loss curve of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go  # type: ignore[import-untyped]  # plotly publishes no types
from plotly.io.json import to_json_plotly  # type: ignore[import-untyped]  # the same

Language = Literal["en", "zh"]
# Seen well on the light and on the dark page alike.
_BLUE, _ORANGE, _GREY, _GRID = "#3E8EDB", "#D9822B", "#8A8F98", "rgba(138,143,152,0.25)"
_TEXT: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "step": "step",
        "loss": "loss",
        "raw": "each step",
        "smooth": "smoothed",
        "validation": "validation",
        "gaps": "{count} of {steps} steps have no finite loss (the first is step {first})",
    },
    "zh": {
        "step": "步",
        "loss": "损失",
        "raw": "每一步",
        "smooth": "平滑",
        "validation": "验证集",
        "gaps": "{steps} 步中有 {count} 步的损失不是有限数（首先是第 {first} 步）",
    },
}


def smoothed(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """An exponential moving average over about a thirtieth of the run, without the pull of a first value (as Adam's bias correction).

    losses: all finite.
    """
    keep = 1 - 1 / max(1.0, len(losses) / 30)
    sums = np.array(list(accumulate((1 - keep) * losses, lambda total, new: keep * total + new)), dtype=np.float64)
    return sums / (1 - keep ** np.arange(1, len(losses) + 1))


def loss_figure(losses: Sequence[float], validation: Sequence[Mapping[str, Any]], language: Language) -> str:
    """The figure as JSON. losses: entry i is step i + 1. validation: of a run."""
    text, values = _TEXT[language], np.array(losses, dtype=np.float64)
    finite = np.isfinite(values)
    smooth = np.full_like(values, np.nan)
    smooth[finite] = smoothed(values[finite])
    steps = np.arange(1, len(values) + 1, dtype=np.int32)
    figure = go.Figure()
    figure.add_scatter(x=steps, y=_with_gaps(values), mode="lines", name=text["raw"], line={"color": _BLUE, "width": 1}, opacity=0.35)
    figure.add_scatter(x=steps, y=_with_gaps(smooth), mode="lines", name=text["smooth"], line={"color": _BLUE, "width": 2.5})
    figure.add_scatter(
        x=[point["step"] for point in validation], y=_with_gaps([float(point["loss"]) for point in validation]), mode="markers",
        name=text["validation"], marker={"color": _ORANGE, "size": 9, "symbol": "diamond"},
    )  # fmt: skip
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID, "linecolor": _GREY}
    figure.update_layout(
        xaxis={"title": {"text": text["step"]}, "rangemode": "tozero", **axis}, yaxis={"title": {"text": text["loss"]}, **axis},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"color": _GREY}, margin={"l": 56, "r": 16, "t": 16, "b": 44},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"}, hovermode="x unified",
    )  # fmt: skip
    if not finite.all():
        gaps = text["gaps"].format(count=int((~finite).sum()), steps=len(values), first=int(np.argmin(finite)) + 1)
        figure.add_annotation(text=gaps, showarrow=False, xref="paper", yref="paper", x=0, y=1, xanchor="left", yanchor="top")
    document = figure.to_plotly_json()
    del document["layout"]["template"]  # Plotly's default look: larger than the figure, and the page has its own
    return str(to_json_plotly(document))


def _with_gaps(values: Iterable[float]) -> list[float | None]:
    """Numbers as JSON has them: what is not finite is null, which Plotly leaves out of a line."""
    return [float(value) if np.isfinite(value) else None for value in values]
