"""Figures, which a notebook draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MEDIA_TYPE = "application/vnd.plotly.v1+json"


class Figure:
    """A figure of Plotly's. A notebook draws it; plotly itself is not needed.

    data, layout: as plotly.js has them. `plotly.graph_objects.Figure(figure.to_dict())` makes it one that can be changed.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.data: list[dict[str, Any]] = list(answer["data"])
        self.layout: dict[str, Any] = dict(answer["layout"])

    def to_dict(self) -> dict[str, Any]:
        """The figure as plotly.js takes it."""
        return {"data": self.data, "layout": self.layout}

    def __repr__(self) -> str:
        title = self.layout.get("title", "")
        text = title.get("text", "") if isinstance(title, Mapping) else title
        shown = ", ".join(str(trace.get("name") or trace.get("type", "scatter")) for trace in self.data)
        return f"<Figure {text}: {shown}>" if text else f"<Figure: {shown}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook shows: the figure, or in words where it cannot draw."""
        return {MEDIA_TYPE: {**self.to_dict(), "config": {"responsive": True}}, "text/plain": repr(self)}
