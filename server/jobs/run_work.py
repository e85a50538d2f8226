"""What workers compute of runs. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.trace.serial import plain
from engine.training import Slice, Training
from server import limits
from server.jobs.stopping import better, is_due, reason_to_stop, steps_to_validation
from server.jobs.work import at_hand, in_unit, validate
from server.tasks import ArrayTask

# What a stretch has to know of its run (server/store/runs.py) beside the program, and what it is worthless without.
_KNOWN = ("step", "requested_step", "stop", "validate_every", "validation", "best", "seconds", "since", "edits")


def known(run: Mapping[str, Any]) -> dict[str, Any]:
    """What a stretch has to know of its run."""
    return {name: run[name] for name in _KNOWN}


@dataclass(frozen=True)
class Stretch:
    """Some steps of a run, with the validations between and after them, as its conditions want them.

    done: all the steps as one slice; none, where nothing but a validation was due. validations: {step, loss, ...} as they are stored.
    checkpoints: of steps before the last, those that may be wanted. seconds: that the steps took. run: what is known of it after them.
    """

    done: Slice
    validations: list[dict[str, Any]]
    checkpoints: dict[int, bytes]
    seconds: float
    run: Mapping[str, Any]


_last: dict[str, Stretch] = {}  # the one that this process did last, by its mark


def advance(program: Mapping[str, Any], checkpoint: bytes | None, run: Mapping[str, Any], seconds: float, mark: str = "") -> Stretch:
    """More steps and validations of a run for about `seconds`, at least one of either; fewer where the training ends.

    The last step is the first whose loss is not finite, where there is one. run: what is `known` of it. mark: by which `go_on` finds it.
    """
    _last.clear()
    with at_hand(program, checkpoint) as (task, training):
        under_way = _UnderWay(task, training, run)
        end = time.monotonic() + seconds
        while under_way.one_more(end) and time.monotonic() < end:
            pass
        made = _last[mark] = under_way.stretch()
    return made


def go_on(program: Mapping[str, Any], before: str, seconds: float, mark: str) -> Stretch | None:
    """What `advance` does of a run from where the stretch `before` left it. None where that is not what this process did last, and where
    the training ended with it."""
    made = _last.get(before)
    if made is None or not goes_on(made.run, made.done):
        return None
    return advance(program, made.done.checkpoint, made.run, seconds, mark)


def goes_on(run: Mapping[str, Any], done: Slice) -> bool:
    """Whether there is more to do of a run after the steps that were done."""
    return bool(np.isfinite(done.losses).all()) and (is_due(run) or reason_to_stop(run) is None)


@dataclass
class _UnderWay:
    """A stretch in the making."""

    task: ArrayTask
    training: Training
    run: Mapping[str, Any]
    slices: list[Slice] = field(default_factory=list)
    validations: list[dict[str, Any]] = field(default_factory=list)
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._began = self.run
        self._spaced = self.run["step"]  # the last step of those of which a checkpoint is kept for replays
        self._best: tuple[int, bytes] | None = None

    def one_more(self, end: float) -> bool:
        """A validation, or the steps up to the next one or to the time `end`. False when the training has ended."""
        if is_due(self.run):
            self._validate()
            return True
        if reason_to_stop(self.run) is not None:
            return False
        return self._train(end)

    def _validate(self) -> None:
        step, checkpoint = self.run["step"], self.training.checkpoint
        figures = plain(validate(self.task, self.training))
        self.validations.append({"step": step, **figures})
        best = better(self.run["best"], step, figures)
        self.run = {**self.run, "validation": [*self.run["validation"], self.validations[-1]], "best": best}
        if checkpoint is not None and best is not None and best["step"] == step:
            self._best = step, checkpoint

    def _train(self, end: float) -> bool:
        began, before = time.monotonic(), self.training.checkpoint
        done = self.training.go_on(steps_to_validation(self.run), max(0.0, end - began))
        finite = np.isfinite(done.losses)
        if not finite.all():
            done = self._up_to_the_first(done, before, int(np.argmin(finite)))
        self.slices.append(done)
        self.seconds += time.monotonic() - began
        self.run = {**self.run, "step": done.step, "seconds": self._began["seconds"] + self.seconds}  # as it is added when it is stored
        if done.step - self._spaced >= limits.CHECKPOINT_SPACING:
            self._spaced = done.step
            self.checkpoints[done.step] = done.checkpoint
        return bool(finite.all())

    def _up_to_the_first(self, done: Slice, before: bytes | None, good: int) -> Slice:
        """A slice up to its first loss that is not finite, before which there were `good` others; the state before that step is kept."""
        again, first = Training(self.task, self.training.settings, before), done.step - len(done.losses)
        if good:
            again.go_on(good)
        if again.checkpoint is not None:
            self.checkpoints[first + good] = again.checkpoint
        again.go_on(1)
        assert again.checkpoint is not None
        losses, norms, rates = (numbers[: good + 1] for numbers in (done.losses, done.gradient_norms, done.learning_rates))
        seen = [observation for observation in done.observations if observation["step"] <= first + good + 1]
        return Slice(again.checkpoint, first + good + 1, losses, norms, rates, seen)

    def stretch(self) -> Stretch:
        first, step = self._began["step"], self.run["step"]
        if self._best is not None:
            self.checkpoints[self._best[0]] = self._best[1]
        checkpoints = {at: checkpoint for at, checkpoint in self.checkpoints.items() if first < at < step}
        whole = Slice(self.slices[-1].checkpoint if self.slices else self.training.checkpoint or b"", step, [], [], [], [])
        for one in self.slices:
            whole.losses.extend(one.losses)
            whole.gradient_norms.extend(one.gradient_norms)
            whole.learning_rates.extend(one.learning_rates)
            whole.observations.extend(one.observations)
        return Stretch(in_unit(self.task, whole), self.validations, checkpoints, self.seconds, self.run)
