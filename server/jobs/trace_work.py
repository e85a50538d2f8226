"""What workers compute of stored traces. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

import numpy as np

from engine.trace import Document, from_bytes, itemise, part_of, to_bytes
from engine.trace.part import Detail, Range
from server import limits
from server.encoding import dumps
from server.jobs.processor_time import processor_time
from server.store.traces import TraceFile


def itemise_trace(trace: TraceFile, row: int | None, parameter: int | None, seconds: float = limits.COMPUTE_SECONDS) -> bytes:
    """The itemised back-propagation of a trace, as JSON, within `seconds` of processor time. Raises what `itemise` does."""
    with processor_time(seconds), np.errstate(all="ignore"):
        return dumps(itemise(document_of(trace), row, parameter))


def cut_part(trace: TraceFile, tensors: Detail, scope: str | None, events: Range | None) -> bytes:
    """A part of a trace, as JSON. Raises what `part_of` does."""
    return to_bytes(part_of(document_of(trace), tensors, scope, events))


def document_of(trace: TraceFile) -> Document:
    """The trace, decoded."""
    return Document(from_bytes(trace.text()))
