"""An export as work for a worker process."""

from __future__ import annotations

import numpy as np

from engine.trace import Document, from_bytes
from server.export import FORMATS
from server.export.html import ORIGINAL_BYTES
from server.export.html import write as write_film
from server.jobs.processor_time import processor_time
from server.store.trace_file import TraceFile
from server.tasks import NAMES, load


def write_export(trace: TraceFile, name: str, seconds: float, original: TraceFile | None = None) -> bytes:
    """The trace in a format, within `seconds` of processor time. Raises ExportError for what the format cannot hold.

    original: what a film is an edit of; it comes along unless it is large.
    """
    write = FORMATS[name].writer()  # its libraries are read first, which is nobody's computation
    if name == "html" and trace.program.get("task") in NAMES:
        load(trace.program["task"], trace.program.get("length"))  # so are the task's data, where this process has not read them yet
    with processor_time(seconds), np.errstate(all="ignore"):
        document = Document(from_bytes(trace.text()))
        if original is not None and original.size <= ORIGINAL_BYTES:
            return write_film(document, Document(from_bytes(original.text())))
        return write(document)
