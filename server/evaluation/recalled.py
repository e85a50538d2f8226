"""The accuracy at the steps that ask for something, of a task most of whose steps do not."""

from __future__ import annotations

from engine.training import Predictions
from server.tasks import ArrayTask


def recalled(task: ArrayTask, made: Predictions) -> float | None:
    """The share of the targets other than the task's `idle` class that are predicted; None for a task that asks at every step."""
    if task.idle is None:
        return None
    asked = made.targets != task.idle
    return float((made.outputs.argmax(axis=1) == made.targets)[asked].mean())
