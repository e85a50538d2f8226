"""The learning rate of every step: a schedule over a base rate that edits may change. A pure function of the step.

Step k is done with ``schedule(k - 1; base_k)``, base_k being the rate of the last edit whose step is at most k, and the optimizer's own
where there is none: an edit changes what the schedule starts from, and its shape goes on from where it is.
"""

from __future__ import annotations

import inspect
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from engine.optim import CosineAnnealingLR, ExponentialLR, LinearLR, Optimizer, Schedule, StepLR, WarmupCosineLR

SCHEDULES: Mapping[str, type[Schedule]] = MappingProxyType(
    {"step": StepLR, "exponential": ExponentialLR, "cosine": CosineAnnealingLR, "linear": LinearLR, "warmup_cosine": WarmupCosineLR}
)
WHOLE = frozenset({"step_size", "T_max", "total_iters", "warmup_iters"})  # parameters that count steps


class Rates:
    """Sets an optimizer's learning rate for each step.

    lr: the optimizer's own. schedule: as `complete_schedule` gives it, or None. edits: ``{"step", "lr"}`` each, steps rising.
    Raises ValueError for constants that the schedule does not take.
    """

    def __init__(self, optimizer: Optimizer, lr: float, schedule: Mapping[str, Any] | None, edits: Sequence[Mapping[str, Any]]) -> None:
        (self.group,) = optimizer.param_groups
        self._steps, self._bases = [edit["step"] for edit in edits], [lr, *(edit["lr"] for edit in edits)]
        self.schedule: Schedule | None = None
        if schedule is not None:
            constants: dict[str, Any] = {key: value for key, value in schedule.items() if key != "name"}
            self.schedule = SCHEDULES[schedule["name"]](optimizer, **constants)

    def set(self, step: int) -> float:
        """Prepares the optimizer for step `step` (from 1); gives the rate. At TRACE its update then shows how the rate came about."""
        base = self._bases[bisect_right(self._steps, step)] if self._steps else self._bases[0]
        if self.schedule is not None:
            self.schedule.govern(self.group, self.schedule.rate(step - 1, base))
        elif self._steps and self.group["lr"] != base:
            self.group["lr"] = base
        lr: float = self.group["lr"]
        return lr


def complete_schedule(schedule: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule with its defaults written out. Raises ValueError for one that there is not, or for parameters that it has not."""
    name = schedule.get("name")
    if not isinstance(name, str) or name not in SCHEDULES:
        raise ValueError(f"schedule is {name!r}; expected one of {', '.join(SCHEDULES)}")
    known = parameters_of(name)
    unknown = sorted(set(schedule) - set(known) - {"name"})
    missing = [key for key, default in known.items() if default is None and schedule.get(key) is None]
    if unknown or missing:
        wrong = f"has no {', '.join(unknown)}; it has" if unknown else f"needs {', '.join(missing)}; it has"
        raise ValueError(f"the schedule {name} {wrong} {', '.join(known)}")
    given = {key: default if schedule.get(key) is None else schedule[key] for key, default in known.items()}
    return {"name": name, **{key: value if key in WHOLE else float(value) for key, value in given.items()}}


def parameters_of(name: str) -> dict[str, Any]:
    """The parameters of a schedule with their defaults; None where there is none."""
    _, *given = inspect.signature(SCHEDULES[name]).parameters.values()
    return {p.name: None if p.default is p.empty else p.default for p in given}
