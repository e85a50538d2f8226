"""Training at full speed, in slices from checkpoint to checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.ops.op import Array
from engine.optim import clip_grad_norm_
from engine.tape import Tape
from engine.training.checkpoint import State, generator, pack, restore
from engine.training.model import SequenceModel, packed
from engine.training.observation import Observation, Observer, Watch, answers, observed
from engine.training.settings import Settings
from engine.training.task import Batch, Part, Task

_EVALUATION_BATCH = 256
_AHEAD, _AHEAD_BYTES = 64, 2**18  # batches that are taken from the data at once, and their inputs together


@dataclass(frozen=True)
class Slice:
    """Some steps of a training; `step` is the last of them.

    losses, gradient_norms (before clipping) and learning_rates have one entry a step done here; observations are those of the observed
    steps among them.
    """

    checkpoint: bytes
    step: int
    losses: list[float]
    gradient_norms: list[float]
    learning_rates: list[float]
    observations: list[Observation]


@dataclass(frozen=True)
class Predictions:
    """What a network says of a part, examples in the part's order.

    outputs: logits or predictions, (n, outputs); with read-out "every" packed, (sum of lengths, outputs), one example after the other, so
    that ``np.split(outputs, np.cumsum(lengths)[:-1])`` gives each its own. targets: as outputs, without the last axis for classes.
    lengths, indices: int64 (n,).
    """

    outputs: Array
    targets: Array
    lengths: Array
    indices: Array


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


class Training:
    """A training under way, which goes on from slice to slice. checkpoint: the state that it is in, as bytes."""

    def __init__(self, task: Task, settings: Settings, checkpoint: bytes | None) -> None:
        self.task, self.settings, self.checkpoint = task, settings, checkpoint
        self._state = restore(task, settings, checkpoint)
        self._order = BatchOrder(task.size("train"), settings.batch_size, settings.seed)
        self._observer = Observer(task, settings)
        self._ready: dict[int, Batch] = {}  # by step
        self._at_once = 1  # batches that are taken from the data together; the first tells how large they are

    def go_on(self, steps: int, seconds: float | None = None) -> Slice:
        """`steps` more steps, or fewer when `seconds` have passed; at least one. Raises ValueError for fewer than one."""
        if steps < 1:
            raise ValueError(f"steps is {steps}; expected at least 1")
        state, settings = self._state, self.settings
        losses, norms, rates, observations = [], [], [], []
        end = None if seconds is None else time.monotonic() + seconds
        for _ in range(steps):
            batch = self._batch(state.step + 1)
            if observed(state.step + 1):
                watch = Watch(state)
                loss, norm, rate = train_step(state, settings, batch, watch)
                observations.append(self._observer.observation(state, watch))
            else:
                loss, norm, rate = train_step(state, settings, batch)
            losses.append(loss)
            norms.append(norm)
            rates.append(rate)
            if end is not None and time.monotonic() >= end:
                break
        self.checkpoint = pack(state)
        return Slice(self.checkpoint, state.step, losses, norms, rates, observations)

    def _batch(self, step: int) -> Batch:
        """The batch of a step. Some are taken at once: each alone, after a step that filled the caches, takes ten times as long."""
        if step not in self._ready:
            steps = range(step, step + self._at_once)
            taken = self.task.batch("train", np.concatenate([self._order.indices(later) for later in steps]))
            self._ready = dict(zip(steps, taken.cut(len(steps)), strict=True))
            self._at_once = min(_AHEAD, max(1, _AHEAD_BYTES * len(steps) // max(1, taken.inputs.nbytes)))
        return self._ready.pop(step)

    def evaluate(self, part: Part, stop: int | None = None) -> dict[str, float]:
        """What `evaluate` says of the state that the training is in; it goes on as if nothing had been asked."""
        figures = _figures(self._state.model, self.task, part, stop)
        self._state.model.train()
        return figures


def train(task: Task, settings: Settings, checkpoint: bytes | None, steps: int, seconds: float | None = None) -> Slice:
    """Goes on from a checkpoint (None: from the initial network) for `steps` steps, or until `seconds` have passed.

    At least one step is done. The result depends on task, settings, checkpoint and the number of steps alone: however a training is cut
    into slices, and whether its state was kept or read from a checkpoint, its losses, parameters and observations are the same.
    """
    return Training(task, settings, checkpoint).go_on(steps, seconds)


def train_step(state: State, settings: Settings, batch: Batch, watch: Watch | None = None) -> tuple[float, float, float]:
    """One step: forward, loss, backward, clip, update. Gives the loss, the gradient's norm before clipping, and the learning rate."""
    rate = prepare(state, settings)
    output, unrolled = state.model(batch)
    loss = state.model.loss(output, batch)
    if watch is not None:
        watch.forward(unrolled)
    state.optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(state.optimizer.params, math.inf if settings.clip_norm is None else settings.clip_norm)
    state.optimizer.step()
    state.step += 1
    return float(loss.item()), norm, rate


def prepare(state: State, settings: Settings) -> float:
    """Sets what the next step draws and the rate with which it is done; gives the rate."""
    if settings.dropout:
        state.model.seed_(settings.seed, state.step + 1)
    return state.rates.set(state.step + 1)


def evaluate(task: Task, settings: Settings, checkpoint: bytes | None, part: Part, stop: int | None = None) -> dict[str, float]:
    """Mean loss over a part, and how good the predictions are. stop: over the part's examples before that number alone.

    Classification: accuracy, with read-out "every" the perplexity, exp(loss), and of a task with an ``idle`` class `recalled`, the accuracy
    where another is asked for. Regression: root mean squared error in the targets'
    units. With read-out "every" each step counts alike, however long its sequence.
    """
    return _figures(restore(task, settings, checkpoint).model, task, part, stop)


def _figures(model: SequenceModel, task: Task, part: Part, stop: int | None) -> dict[str, float]:
    """What `evaluate` says of a network."""
    loss = score = 0.0
    total = asked = recalled = 0
    idle = getattr(task, "idle", None)
    for batch, output, batch_loss in _answered(model, task, part, stop):
        targets = packed(batch.targets, batch) if task.readout == "every" and output.ndim == 2 else batch.targets
        count = int(batch.lengths.sum()) if task.readout == "every" else len(batch.lengths)
        loss += batch_loss * count
        total += count
        if task.kind == "classification":
            right = output.argmax(axis=1) == targets
            score += float(right.sum())
            if idle is not None:
                asked += int((targets != idle).sum())
                recalled += int(right[targets != idle].sum())
        else:
            score += float(np.square(output - targets).mean()) * count
    if task.kind == "regression":
        return {"loss": loss / total, "rmse": float(np.sqrt(score / total))}
    figures = {"loss": loss / total, "accuracy": score / total}
    if asked:
        figures["recalled"] = recalled / asked
    return figures if task.readout == "last" else {**figures, "perplexity": float(np.exp(loss / total))}


def predictions(task: Task, settings: Settings, checkpoint: bytes | None, part: Part, stop: int | None = None) -> Predictions:
    """What the network of a checkpoint says of every example of a part. stop: of those before that number alone."""
    outputs, targets, lengths, indices = [], [], [], []
    for batch, output, _ in _answered(restore(task, settings, checkpoint).model, task, part, stop):
        back = np.argsort(batch.indices)
        each = answers(output, batch, task)
        outputs += [each[row] for row in back]
        targets += [batch.targets[row] if task.readout == "last" else batch.targets[row][: batch.lengths[row]] for row in back]
        lengths += batch.lengths[back].tolist()
        indices += batch.indices[back].tolist()
    together = np.stack if task.readout == "last" else np.concatenate
    return Predictions(together(outputs), together(targets), np.array(lengths, dtype=np.int64), np.array(indices, dtype=np.int64))


def _answered(model: SequenceModel, task: Task, part: Part, stop: int | None) -> Iterator[tuple[Batch, Array, float]]:
    """Batch by batch of a part: the examples, what the network says of them, and its mean loss. Raises ValueError for an empty part."""
    size = task.size(part) if stop is None else min(stop, task.size(part))
    if size < 1:
        raise ValueError(f"there are no examples to evaluate: the {part} part of {task.name} has {task.size(part)}, stop is {stop}")
    model.eval()
    for start in range(0, size, _EVALUATION_BATCH):
        batch = task.batch(part, np.arange(start, min(size, start + _EVALUATION_BATCH))).by_falling_length()
        with Tape("OFF"):
            output, _ = model(batch)
            loss = float(model.loss(output, batch).item())
        yield batch, output.data, loss
