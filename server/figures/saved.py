"""The figures that a film saved as a file brings along."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, get_args

from engine.trace import Document
from engine.trace.bptt import NotItemisedError
from server.figures.gradients import NoFigureError, histogram, matrix, recurrent, through_time
from server.figures.update import update_figure
from server.figures.words import Language


def saved_figures(document: Document) -> Mapping[str, Mapping[str, Any]]:
    """Every figure that the trace has, by name and language, as GET …/figures answers it. `jacobian` is `bptt` with `of=jacobian`."""
    drawings: dict[str, Callable[[Language], str]] = {}
    try:
        itemised = recurrent(document, None)
    except (NoFigureError, NotItemisedError):
        pass  # such as of an expression
    else:
        drawings["gradient-through-time"] = lambda language: through_time(itemised, language)
        drawings["bptt"] = lambda language: matrix(itemised, "loss", language)
        drawings["jacobian"] = lambda language: matrix(itemised, "jacobian", language)
    drawings["gradient-histogram"] = lambda language: histogram(document, language)
    drawings["update"] = lambda language: update_figure(document, language)
    figures = {}
    for name, draw in drawings.items():
        try:
            figures[name] = {language: json.loads(draw(language)) for language in get_args(Language)}
        except NoFigureError:
            continue  # such as the update of an expression
    return figures
