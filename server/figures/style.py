"""What all figures look like, in colours that are seen well on the light and on the dark page alike."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]  # plotly publishes no types
from plotly.io.json import to_json_plotly  # type: ignore[import-untyped]  # the same

from server.encoding import SCHEMA_VERSION

BLUE, ORANGE, GREEN, GREY, GRID = "#3E8EDB", "#D9822B", "#3FA66B", "#8A8F98", "rgba(138,143,152,0.25)"
COLOURS = (BLUE, ORANGE, GREEN, "#B565C9", "#C9506B", "#5AA7A7", "#A08A3C", "#7C83DB")


def lay_out(figure: Any, x: str, y: str, *, hovermode: str = "x unified", **more: Any) -> None:
    """Titles of the axes and the common look. more: of Plotly's layout; what is said of an axis is added to the look of the axis."""
    axis = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": GREY}
    axes = {
        "xaxis": {"title": {"text": x}, **axis, **more.pop("xaxis", {})},
        "yaxis": {"title": {"text": y}, **axis, **more.pop("yaxis", {})},
    }
    figure.update_layout(
        **axes, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"color": GREY},
        margin={"l": 56, "r": 16, "t": 28, "b": 44}, hovermode=hovermode, **more,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
    )  # fmt: skip


def note(figure: Any, text: str) -> None:
    """A remark at the upper left, within the axes: the legend is above them."""
    figure.add_annotation(text=text, showarrow=False, xref="paper", yref="paper", x=0.01, y=1, xanchor="left", yanchor="top")


def to_json(figure: Any) -> str:
    """The figure as JSON, without Plotly's default look: it is larger than the figure, and the page has its own.

    It says its schema's version beside `data` and `layout`, where Plotly passes over it.
    """
    document = {"schema_version": SCHEMA_VERSION, **figure.to_plotly_json()}
    document["layout"].pop("template", None)
    return str(to_json_plotly(document))


def with_gaps(values: Iterable[float], *, above_zero: bool = False) -> list[float | None]:
    """Numbers as JSON has them: what is not finite is null, which Plotly leaves out. above_zero: as a logarithmic axis shows them."""
    return [float(value) if np.isfinite(value) and (value > 0 or not above_zero) else None for value in values]


def plain_text(text: str) -> str:
    """A name that others chose, which Plotly would read as markup."""
    return html.escape(text, quote=False)


__all__ = ["BLUE", "COLOURS", "GREEN", "GREY", "GRID", "ORANGE", "go", "lay_out", "note", "plain_text", "to_json", "with_gaps"]
