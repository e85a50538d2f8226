"""Evaluations that were asked for lately: the figures and the mistakes of a step are read one after the other, page by page."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from engine.training import Part
from server import limits

if TYPE_CHECKING:
    from server.evaluation.part import Evaluation

Key = tuple[str, Part, int]


class KeptEvaluations:
    """The latest evaluations by run, part and step, `most` of them and `most_bytes` together, as JSON.

    They stay right for as long as they are kept: a step's network never changes.
    """

    def __init__(self, most: int = limits.KEPT_EVALUATIONS, most_bytes: int = limits.KEPT_EVALUATION_BYTES) -> None:
        self.most, self.most_bytes = most, most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, Evaluation] = OrderedDict()
        self._lock = Lock()

    def get(self, run_id: str, part: Part, step: int) -> Evaluation | None:
        with self._lock:
            kept = self._kept.get((run_id, part, step))
            if kept is not None:
                self._kept.move_to_end((run_id, part, step))
            return kept

    def put(self, run_id: str, part: Part, step: int, evaluation: Evaluation) -> None:
        """Keeps one; beyond the most that are kept, those go that nobody asked for the longest, or this one, too large alone."""
        with self._lock:
            before = self._kept.pop((run_id, part, step), None)
            self._kept[run_id, part, step] = evaluation
            self._bytes += evaluation.size - (0 if before is None else before.size)
            while len(self._kept) > self.most or self._bytes > self.most_bytes:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= gone.size
