"""What is seen of a training while it runs: of some of its steps, how far each parameter went, the gradient on its way back through time,
and what the network makes of a few fixed examples. Looking changes nothing: the steps are bit for bit those of a training unseen.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol, TypedDict

import numpy as np
from scipy.special import softmax

from engine.nn.unrolled import Fused, Stacked, Unrolled
from engine.ops.op import Array
from engine.tape import Tape
from engine.training.checkpoint import State
from engine.training.settings import Settings
from engine.training.task import Batch, Part, Task
from engine.training.writing import Writer

EACH, FURTHEST = 20, 50  # steps up to which every one is observed; the most steps from one observation to the next
FIXED, UNITS = 8, 32  # fixed examples, where the task does not name its own; hidden units that are shown
DECIMALS = 4  # of hidden states


class Observation(TypedDict):
    """Step `step`, in floats and lists.

    update_ratios: by parameter ||new - old|| / ||old||. gradient_through_time: ||dL/dh_t|| for t = 1 ... T of the step's batch, all that
    comes back to the hidden states of the top layer's forward direction. The rest is of the network after the step: hidden, the states of
    those (time x units, at most 32 of them, to 4 decimals) on the first fixed example; predictions on the fixed examples, {index, text,
    target, prediction} and, of classes, p, how probable the prediction is held to be; of every step lists. samples: what the network
    writes, where the task asks for that.
    """

    step: int
    update_ratios: dict[str, float]
    gradient_through_time: list[float]
    hidden: list[list[float]]
    predictions: list[dict[str, Any]]
    samples: list[str]


def observed(step: int) -> bool:
    """Whether step `step` (from 1) is observed: each of the first, then every second, later every 20th, in the long run every 50th."""
    if step <= EACH:
        return True
    apart = int(10 ** (len(str(step)) - 1)) // 5
    return step % min(FURTHEST, max(1, apart)) == 0


class Watched(Protocol):
    """Where the fused kernel puts the gradients of hidden states."""

    watched: list[Array] | None


class Watch:
    """One step that is observed."""

    def __init__(self, state: State) -> None:
        self._before = [(name, parameter, parameter.data) for name, parameter in state.model.named_parameters()]
        self._kept: Watched | None = None

    def forward(self, unrolled: Unrolled) -> None:
        """Takes note of the states of the step's forward pass, before its backward pass."""
        top = unrolled.runs[0] if isinstance(unrolled, Stacked) else unrolled
        assert isinstance(top, Fused)  # steps that are trained are
        self._kept = top.watch()

    def update_ratios(self) -> dict[str, float]:
        """||new - old|| / ||old|| of each parameter, when the step has been done."""
        moved = np.sqrt([_square(parameter.data - old) for _, parameter, old in self._before])
        ratios = moved / np.sqrt([_square(old) for _, _, old in self._before])
        return {name: ratio for (name, _, _), ratio in zip(self._before, ratios.tolist(), strict=True)}

    def gradient_through_time(self) -> list[float]:
        """||dL/dh_t||, when the backward pass has been."""
        parts = [] if self._kept is None or self._kept.watched is None else self._kept.watched
        return [float(norm) for part in reversed(parts) for norm in np.sqrt(np.square(part).sum(axis=(1, 2)))]


class Observer:
    """Looks at the steps of one training."""

    def __init__(self, task: Task, settings: Settings) -> None:
        self.task, self.settings = task, settings

    def observation(self, state: State, watch: Watch) -> Observation:
        """What is seen of the step that was just done."""
        model = state.model
        with Tape("OFF"), np.errstate(all="ignore"):
            ratios = watch.update_ratios()
            if self.settings.dropout:  # a mode is nothing to anything else, and to set it costs a walk through the modules
                model.eval()
            unrolled = model.states(self.batch)
            hidden = (unrolled.runs[0] if isinstance(unrolled, Stacked) else unrolled).output().data
            predictions = self._predictions(model.answer(unrolled, self.batch).data)
            samples = self._samples(state)
            if self.settings.dropout:
                model.train()
        first = self._rows[0]
        shown = np.round(hidden[first, : self.batch.lengths[first], :UNITS].astype(np.float64), DECIMALS)
        return {"step": state.step, "update_ratios": ratios, "gradient_through_time": watch.gradient_through_time(),
                "hidden": shown.tolist(), "predictions": predictions, "samples": samples}  # fmt: skip

    @cached_property
    def part(self) -> Part:
        """The part that the fixed examples are of."""
        return "validation" if self.task.size("validation") else "train"

    @cached_property
    def batch(self) -> Batch:
        """The fixed examples, longest first."""
        size = self.task.size(self.part)
        chosen = getattr(self.task, "fixed", None)
        indices = [i for i in (range(FIXED) if chosen is None else chosen) if i < size]
        given = self.task.batch(self.part, indices)
        self._rows = np.argsort(np.argsort(-given.lengths, kind="stable"), kind="stable").tolist()  # where each stands then
        return given.by_falling_length()

    @cached_property
    def _about(self) -> list[dict[str, Any]]:
        """The fixed examples as people see them, in the order of the batch."""
        described: list[dict[str, Any]] = self.task.describe(self.batch, self.part)["examples"]
        return described

    def _predictions(self, output: Array) -> list[dict[str, Any]]:
        each = answers(output, self.batch, self.task)
        found = []
        for row in self._rows:
            about, said = self._about[row], each[row]
            one = {"index": about["index"], "text": about["text"], "target": about["target"]}
            if self.task.kind == "regression":
                found.append({**one, "prediction": said.astype(np.float64).tolist()})
                continue
            p = softmax(said.astype(np.float64), axis=-1)
            best = p.argmax(axis=-1)
            found.append({**one, "prediction": best.tolist(), "p": np.take_along_axis(p, best[..., None], axis=-1)[..., 0].tolist()})
        return found

    def _samples(self, state: State) -> list[str]:
        write = getattr(self.task, "samples", None)
        if write is None or self.settings.bidirectional:
            return []
        texts: list[str] = write(Writer(state.model, self.settings.seed, state.step))
        return texts


def _square(array: Array) -> float:
    """The square of an array's 2-norm."""
    flat = array.ravel()
    return float(flat.dot(flat))


def answers(output: Array, batch: Batch, task: Task) -> list[Array]:
    """What the read-out gave, row by row of the batch: (outputs,), with read-out "every" (length, outputs)."""
    if task.readout == "last":
        return list(output)
    if output.ndim == 3:
        return [one[:length] for one, length in zip(output, batch.lengths, strict=True)]
    steps = np.arange(int(batch.lengths.max()))[:, None]
    there = steps < batch.lengths
    places = np.zeros(there.shape, dtype=np.int64)
    places[there] = np.arange(there.sum())
    return [output[places[:length, row]] for row, length in enumerate(batch.lengths)]
