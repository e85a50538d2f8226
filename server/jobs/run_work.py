"""What workers compute of runs. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.training import Slice
from server.jobs.work import train_slice


@dataclass(frozen=True)
class Advance:
    """A slice of a run, and how many seconds it took.

    entering: the checkpoint before the slice's last step, where the loss of that step is the first that is not finite; else None.
    """

    slice: Slice
    seconds: float
    entering: bytes | None = None


def advance(program: Mapping[str, Any], checkpoint: bytes | None, steps: int, seconds: float) -> Advance:
    """At most `steps` more steps of a run, stopped after `seconds`, and with the first step whose loss is not finite."""
    began = time.perf_counter()
    done, entering = train_slice(program, checkpoint, steps, seconds), None
    finite = np.isfinite(done.losses)
    if not finite.all():
        good = int(np.argmin(finite))
        entering = train_slice(program, checkpoint, good, None).checkpoint if good else None
        if good + 1 < len(done.losses):
            done = train_slice(program, checkpoint, good + 1, None)
    return Advance(done, time.perf_counter() - began, entering)
