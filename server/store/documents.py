"""The traces that are being looked at, ready to answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future

from engine.trace import Document, from_bytes
from server.store.trace_file import TraceFile

KEPT = 4


class Documents:
    """The latest few traces, decoded; asking why about one number after another decodes once. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._documents: OrderedDict[str, Future[Document]] = OrderedDict()

    def of(self, trace: TraceFile) -> Document:
        """The decoded trace. Those who ask for the one that is being decoded wait for it; others do not."""
        with self._lock:
            known = self._documents.get(trace.id)
            future = known or self._documents.setdefault(trace.id, Future())
            self._documents.move_to_end(trace.id)
            while len(self._documents) > KEPT:
                self._documents.popitem(last=False)
        if known is None:
            try:
                future.set_result(Document(from_bytes(trace.text())))
            except Exception as error:
                future.set_exception(error)
                with self._lock:
                    self._documents.pop(trace.id, None)
        return future.result()
