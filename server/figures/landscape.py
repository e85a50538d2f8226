"""The loss over a plane, with the ways of trainings upon it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from server.figures.style import COLOURS, go, lay_out, note, plain_text, to_json, with_gaps
from server.figures.words import Language, words


def landscape_figure(landscape: Mapping[str, Any], language: Language) -> str:
    """Contours of log₁₀ of the loss, and a line with points for each run. landscape: as the API has it, done."""
    text = words(language)
    with np.errstate(all="ignore"):
        z = [with_gaps(row) for row in np.log10(np.array(landscape["loss"], dtype=np.float64))]
    figure = go.Figure()
    figure.add_contour(
        x=landscape["x"], y=landscape["y"], z=z, colorscale="Viridis", contours={"showlines": True}, line={"width": 0.5}, ncontours=24,
        colorbar={"title": {"text": f"{text['logarithm']} L"}}, hovertemplate="%{x:.3g}, %{y:.3g}: 10<sup>%{z:.2f}</sup><extra></extra>",
    )  # fmt: skip
    for number, path in enumerate(landscape["paths"]):
        hover = [f"{text['training_step']} {step}, L = {float(loss):.4g}" for step, loss in zip(path["steps"], path["loss"], strict=True)]
        figure.add_scatter(
            x=with_gaps(map(float, path["x"])), y=with_gaps(map(float, path["y"])), mode="lines+markers", name=plain_text(path["run"]),
            text=hover, hovertemplate="%{text}<extra></extra>",
            line={"color": COLOURS[(number + 1) % len(COLOURS)], "width": 2}, marker={"size": 6, "line": {"width": 1, "color": "white"}},
        )  # fmt: skip
    directions = landscape["directions"]
    shares = [f" ({100 * share:.3g} %)" for share in directions.get("explained", ())] or ["", ""]
    names = [name + share for name, share in zip(directions["names"], shares, strict=True)]
    lay_out(figure, plain_text(names[0]), plain_text(names[1]), hovermode="closest")
    within = ", ".join(f"{100 * float(path['in_plane']):.0f} %" for path in landscape["paths"])
    note(figure, text["in_plane"].format(shares=within))
    return to_json(figure)
