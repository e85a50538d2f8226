"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from server.figures.style import go, lay_out, plain_text, to_json
from server.figures.words import Language, words


def confusion_figure(scores: Mapping[str, Any], language: Language) -> str:
    """A row a target, a column a prediction, coloured by the share of the row; the counts stand in the cells. scores: `classification`."""
    text = words(language)
    counts = np.array(scores["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    # two classes may have one name, and an axis of names would merge them
    names = [plain_text(one["title"][language]) for one in scores["classes"]]
    places = list(range(len(names)))
    figure = go.Figure()
    figure.add_heatmap(
        x=places, y=places, z=shares.tolist(), text=counts.tolist(), texttemplate="%{text}" if len(names) <= 20 else "",
        customdata=[[[one, other] for other in names] for one in names], colorscale="Blues", zmin=0, zmax=1, showscale=False,
        hovertemplate="%{customdata[0]} → %{customdata[1]}: %{text}<extra></extra>",
    )  # fmt: skip
    ticks = {"tickvals": places, "ticktext": names}
    lay_out(
        figure, text["predicted"], text["target"], hovermode="closest", xaxis={**ticks, "automargin": True},
        yaxis={**ticks, "autorange": "reversed", "automargin": True},
    )  # fmt: skip
    return to_json(figure)
