"""Evaluations that were asked for lately: the figures and the mistakes of a step are read one after the other, page by page."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from engine.training import Part

if TYPE_CHECKING:
    from server.evaluation.part import Evaluation

MOST = 64
Key = tuple[str, Part, int]


class KeptEvaluations:
    """The latest evaluations by run, part and step. They stay right for as long as they are kept: a step's network never changes."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._kept: OrderedDict[Key, Evaluation] = OrderedDict()
        self._lock = Lock()

    def get(self, run_id: str, part: Part, step: int) -> Evaluation | None:
        with self._lock:
            kept = self._kept.get((run_id, part, step))
            if kept is not None:
                self._kept.move_to_end((run_id, part, step))
            return kept

    def put(self, run_id: str, part: Part, step: int, evaluation: Evaluation) -> None:
        """Keeps one; beyond the most that are kept, the one that nobody asked for the longest goes."""
        with self._lock:
            self._kept[run_id, part, step] = evaluation
            self._kept.move_to_end((run_id, part, step))
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
