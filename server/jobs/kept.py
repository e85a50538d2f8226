"""Trainings that a worker has at hand from the slice before, so that it need not read a checkpoint to go on with one.

Workers stay stateless: what is kept is what the checkpoint that comes in holds, byte for byte, or it is not used.
"""

from __future__ import annotations

from engine.training import Settings, Training
from server.tasks import ArrayTask

MOST, MOST_BYTES = 8, 2**26  # trainings, and their checkpoints together


class KeptTrainings:
    """The latest few trainings of a process; the oldest go."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self.most, self.most_bytes = most, most_bytes
        self._kept: list[Training] = []  # the latest last

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, task: ArrayTask, settings: Settings, checkpoint: bytes | None) -> Training:
        """The training in the state of a checkpoint (None: its initial one), kept or made; kept no longer until it is given to `keep`."""
        for place in range(len(self._kept) - 1, -1, -1):
            kept = self._kept[place]
            if checkpoint is not None and kept.checkpoint == checkpoint and kept.task is task and kept.settings == settings:
                return self._kept.pop(place)
        return Training(task, settings, checkpoint)

    def keep(self, training: Training) -> None:
        """Keeps a training that stands where its checkpoint says."""
        self._kept.append(training)
        while self._kept and (len(self._kept) > self.most or self._size() > self.most_bytes):
            del self._kept[0]

    def _size(self) -> int:
        return sum(len(training.checkpoint or b"") for training in self._kept)
