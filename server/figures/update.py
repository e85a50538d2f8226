"""How far each parameter moves, and by what."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.ops.op import Array
from engine.trace import Document
from server.figures.gradients import NoFigureError
from server.figures.style import BLUE, GREEN, GREY, ORANGE, go, lay_out, plain_text, to_json, with_gaps
from server.figures.words import Language, words


def update_figure(document: Document, language: Language) -> str:
    """For each parameter the norms of its gradient, of the clipped gradient and of the step, and the step relative to the parameter."""
    text, updates = words(language), updates_of(document)
    if not updates:
        raise NoFigureError("the trace has no update; an expression is differentiated and not trained")
    names = [plain_text(path) for path in updates]
    bars = {
        "gradient": [_norm(terms["gradient"]) for terms in updates.values()],
        "clipped": [_norm(terms["clipped"]) if "clipped" in terms else float("nan") for terms in updates.values()],
        "delta": [_norm(terms["delta"]) for terms in updates.values()],
        "ratio": [_norm(terms["delta"]) / _norm(terms["old"]) if _norm(terms["old"]) else float("nan") for terms in updates.values()],
    }
    figure = go.Figure()
    for (key, values), colour in zip(bars.items(), (BLUE, GREEN, ORANGE, GREY), strict=True):
        if not np.isnan(values).all():
            figure.add_bar(x=names, y=with_gaps(values, above_zero=True), name=text[key], marker={"color": colour})
    lay_out(figure, text["parameter"], text["norm"], barmode="group", yaxis={"type": "log", "exponentformat": "power"})
    return to_json(figure)


def updates_of(document: Document) -> Mapping[str, Mapping[str, Array]]:
    """The terms of each parameter's update, by the parameter's path."""
    events = document.doc["events"]
    return {
        document.nodes[events["node"][int(event)]]["path"]: {name: document.tensor(reference) for name, reference in about["terms"].items()}
        for event, about in events["details"].items() if events["node"][int(event)] >= 0
    }  # fmt: skip


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array.astype(np.float64)))
