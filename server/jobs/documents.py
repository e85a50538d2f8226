"""The traces that are being looked at, ready to answer."""

from __future__ import annotations

import threading
from collections import OrderedDict

from engine.trace import Document, from_bytes
from server.store.traces import TraceFile

KEPT = 4


class Documents:
    """The latest few traces, decoded; asking why about one number after another decodes once. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._documents: OrderedDict[str, Document] = OrderedDict()

    def of(self, trace: TraceFile) -> Document:
        with self._lock:
            document = self._documents.get(trace.id)
            if document is None:
                document = self._documents[trace.id] = Document(from_bytes(trace.text()))
            self._documents.move_to_end(trace.id)
            while len(self._documents) > KEPT:
                self._documents.popitem(last=False)
        return document
