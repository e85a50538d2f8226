"""What workers compute of stored traces. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.trace import Document, diff, from_bytes, itemise, part_of, to_bytes
from engine.trace.part import Detail, Range
from server import limits
from server.encoding import answer
from server.jobs.processor_time import processor_time
from server.jobs.work import serialise
from server.programs.what_if import trace_with_edits
from server.store.trace_file import TraceFile


def itemise_trace(
    trace: TraceFile, row: int | None, parameter: int | None, cell: str | None, seconds: float = limits.COMPUTE_SECONDS
) -> bytes:
    """The itemised back-propagation of a trace, as JSON, within `seconds` of processor time. Raises what `itemise` does."""
    with processor_time(seconds), np.errstate(all="ignore"):
        return answer(itemise(document_of(trace), row, parameter, cell))


def cut_part(trace: TraceFile, tensors: Detail, scope: str | None, events: Range | None) -> bytes:
    """A part of a trace, as JSON. Raises what `part_of` does."""
    return to_bytes(part_of(document_of(trace), tensors, scope, events))


def edit_trace(trace: TraceFile, edits: Sequence[Mapping[str, Any]], seconds: float = limits.COMPUTE_SECONDS) -> TraceFile:
    """The trace that comes of edits, within `seconds` of processor time. Raises ProgramError for edits that the trace cannot take."""
    with processor_time(seconds):
        doc = trace_with_edits(document_of(trace), edits, "/edits")
        return TraceFile.pack(doc["id"], doc["program"], serialise(doc))


def compare_traces(one: TraceFile, other: TraceFile) -> bytes:
    """What differs between two traces, as JSON."""
    return answer(diff(document_of(one), document_of(other)))


def document_of(trace: TraceFile) -> Document:
    """The trace, decoded."""
    return Document(from_bytes(trace.text()))
