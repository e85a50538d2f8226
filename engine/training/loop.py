"""Training at full speed, in slices from checkpoint to checkpoint."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from engine.ops.op import Array
from engine.optim import clip_grad_norm_
from engine.tape import Tape
from engine.training.checkpoint import State, generator, pack, restore
from engine.training.settings import Settings
from engine.training.task import Batch, Part, Task

_EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Slice:
    """Some steps of a training. losses and gradient_norms (before clipping) have one entry a step done here; `step` is the last of them."""

    checkpoint: bytes
    step: int
    losses: list[float]
    gradient_norms: list[float]


class BatchOrder:
    """Which training examples step k takes: each epoch a permutation keyed by (seed, epoch), cut into whole batches."""

    def __init__(self, size: int, batch_size: int, seed: int) -> None:
        self.size, self.batch_size, self.seed = size, min(batch_size, size), seed
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def indices(self, step: int) -> Array:
        """The examples of step `step` (from 1)."""
        epoch, position = divmod(step - 1, self.size // self.batch_size)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, generator(self.seed, 1 + epoch).permutation(self.size)
        return self._order[position * self.batch_size : (position + 1) * self.batch_size]


def train(task: Task, settings: Settings, checkpoint: bytes | None, steps: int, seconds: float | None = None) -> Slice:
    """Goes on from a checkpoint (None: from the initial network) for `steps` steps, or until `seconds` have passed.

    At least one step is done. The result depends on task, settings, checkpoint and the number of steps alone.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1")
    state = restore(task, settings, checkpoint)
    order = BatchOrder(task.size("train"), settings.batch_size, settings.seed)
    losses, norms = [], []
    end = None if seconds is None else time.monotonic() + seconds
    for _ in range(steps):
        batch = task.batch("train", order.indices(state.step + 1)).by_falling_length()
        loss, norm = train_step(state, settings, batch)
        losses.append(loss)
        norms.append(norm)
        if end is not None and time.monotonic() >= end:
            break
    return Slice(pack(state), state.step, losses, norms)


def train_step(state: State, settings: Settings, batch: Batch) -> tuple[float, float]:
    """One step: forward, loss, backward, clip, update. Gives the loss and the gradient's norm before clipping."""
    output, _ = state.model(batch)
    loss = state.model.loss(output, batch.targets)
    state.optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(state.optimizer.params, math.inf if settings.clip_norm is None else settings.clip_norm)
    state.optimizer.step()
    state.step += 1
    return float(loss.item()), norm


def evaluate(task: Task, settings: Settings, checkpoint: bytes | None, part: Part) -> dict[str, float]:
    """Mean loss over a part, and accuracy (classification) or root mean squared error in the targets' units (regression)."""
    model, size = restore(task, settings, checkpoint).model, task.size(part)
    loss = score = 0.0
    with Tape("OFF"):
        for start in range(0, size, _EVALUATION_BATCH):
            batch = task.batch(part, np.arange(start, min(size, start + _EVALUATION_BATCH))).by_falling_length()
            output, _ = model(batch)
            count = len(batch.lengths)
            loss += float(model.loss(output, batch.targets).item()) * count
            if task.kind == "classification":
                score += float((output.data.argmax(axis=1) == batch.targets).sum())
            else:
                score += float(np.square(output.data - batch.targets).mean()) * count
    if task.kind == "classification":
        return {"loss": loss / size, "accuracy": score / size}
    return {"loss": loss / size, "rmse": float(np.sqrt(score / size))}
