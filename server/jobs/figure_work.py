"""Figures of traces, drawn by workers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from server import limits
from server.figures.gradients import Of, histogram, matrix, recurrent, through_time, uses
from server.figures.update import update_figure
from server.figures.words import Language
from server.jobs.processor_time import processor_time
from server.jobs.trace_work import document_of
from server.store.trace_file import TraceFile

Figure = Literal["gradient-through-time", "bptt", "gradient-histogram", "update"]


def draw(
    trace: TraceFile, figure: Figure, language: Language, row: int | None, parameter: int | None, of: Of, cell: str | None,
    seconds: float = limits.COMPUTE_SECONDS,
) -> bytes:  # fmt: skip
    """A figure as JSON, within `seconds` of processor time.

    row, cell: as for `itemise`. parameter: of `bptt`, whose uses it then shows. Raises NoFigureError for a trace that has nothing to
    show, and what `itemise` raises.
    """
    with processor_time(seconds), np.errstate(all="ignore"):
        document = document_of(trace)
        match figure:
            case "gradient-through-time":
                drawn = through_time(recurrent(document, row, cell), language)
            case "bptt" if parameter is not None:
                drawn = uses(document, parameter, language)
            case "bptt":
                drawn = matrix(recurrent(document, row, cell), of, language)
            case "gradient-histogram":
                drawn = histogram(document, language)
            case "update":
                drawn = update_figure(document, language)
        return drawn.encode()
