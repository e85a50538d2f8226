"""The forecast that learns nothing, which a trained one has to beat."""

from __future__ import annotations

import numpy as np

from engine.ops.op import Array
from engine.training import Batch
from server.tasks import ArrayTask


def naive_forecast(task: ArrayTask, batch: Batch) -> tuple[str, Array]:
    """Its name, as the task's baseline has it, and what it predicts for a batch, in the shape of the targets of a regression.

    "last_value": what a step predicts is the value that it reads last. "mean": the mean of the training part's targets, always.
    """
    outputs = batch.targets.shape[-1]
    if task.baseline.name == "last_value":
        read = batch.inputs[:, :, :outputs]
        last: Array = read if task.readout == "every" else read[np.arange(len(batch.lengths)), batch.lengths - 1]
        return "last_value", last
    examples = task.parts["train"]
    if task.readout == "every":
        known = np.arange(examples.targets.shape[1]) < examples.lengths[:, None]
        mean = examples.targets[known].mean(axis=0)
    else:
        mean = examples.targets.mean(axis=0)
    return "mean", np.broadcast_to(mean, batch.targets.shape)
