"""When a run is validated, which of its validations is the best, and why its training ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Reason = Literal["steps", "cancelled", "patience", "target", "seconds", "diverged"]
_GREATER_IS_BETTER = {"accuracy"}


def usual_interval(examples: int, batch_size: int) -> int:
    """After how many steps a run is validated unless told otherwise: an epoch, but at least 50 steps and at most 500."""
    return min(500, max(50, examples // min(batch_size, examples)))


def score(figures: Mapping[str, Any]) -> tuple[str, float]:
    """The figure that a validation is judged by, and its name: perplexity where there is one, else accuracy, else rmse."""
    metric = next(name for name in ("perplexity", "accuracy", "rmse", "loss") if figures.get(name) is not None)
    return metric, float(figures[metric])  # NaN and infinities are stored as strings, which float() reads


def gain(metric: str, value: float, before: float) -> float:
    """By how much a figure is better than an earlier one; not above 0 where it is not, or is NaN."""
    if not math.isfinite(value):
        return -math.inf
    if not math.isfinite(before):
        return math.inf
    return value - before if metric in _GREATER_IS_BETTER else before - value


def better(best: Mapping[str, Any] | None, step: int, figures: Mapping[str, Any]) -> dict[str, Any] | None:
    """The best validation so far, with the one after `step`; the earlier one of equals. None where none has a finite figure."""
    metric, value = score(figures)
    before = math.nan if best is None else float(best["value"])
    return {"step": step, "metric": metric, "value": value} if gain(metric, value, before) > 0 else None if best is None else dict(best)


def goal(run: Mapping[str, Any]) -> int:
    """The step at which the training of a run ends at the latest."""
    steps = run["stop"]["steps"]
    return int(run["requested_step"] if steps is None else min(run["requested_step"], steps))


def is_out_of_time(run: Mapping[str, Any]) -> bool:
    """Whether the training has taken the seconds that it may."""
    seconds = run["stop"]["seconds"]
    return seconds is not None and run["seconds"] - run["since"]["seconds"] >= seconds


def is_due(run: Mapping[str, Any]) -> bool:
    """Whether a validation comes before the next step."""
    step = run["step"]
    if step == 0 or any(validation["step"] == step for validation in run["validation"]):
        return False
    return bool(step % run["validate_every"] == 0 or step >= goal(run) or is_out_of_time(run))


def steps_to_validation(run: Mapping[str, Any]) -> int:
    """How many steps the next slice may do at most."""
    every = run["validate_every"]
    return int(min(goal(run) - run["step"], every - run["step"] % every))


def reason_to_stop(run: Mapping[str, Any]) -> Reason | None:
    """Why the training ends at the step where it is, once that is validated where it has to be; None where it goes on."""
    if run["step"] >= goal(run):
        return "steps"
    stop, since = run["stop"], run["since"]["step"]
    later = [validation for validation in run["validation"] if validation["step"] > since]
    if stop["target"] is not None and any(_reaches(validation, stop["target"]) for validation in later):
        return "target"
    if stop["patience"] is not None and _without_gain(run, later, stop["min_delta"] or 0.0) >= stop["patience"]:
        return "patience"
    return "seconds" if is_out_of_time(run) else None


def _reaches(validation: Mapping[str, Any], target: float) -> bool:
    metric, value = score(validation)
    return value >= target if metric in _GREATER_IS_BETTER else value <= target


def _without_gain(run: Mapping[str, Any], validations: Sequence[Mapping[str, Any]], least: float) -> int:
    """How many validations at their regular steps have passed since one was better than all before it by more than `least`.

    Those at the end of a request for steps do not count: how steps were asked for changes nothing.
    """
    passed, best = 0, math.nan
    for validation in validations:
        if validation["step"] % run["validate_every"]:
            continue
        metric, value = score(validation)
        if gain(metric, value, best) > (least if math.isfinite(best) else 0):
            passed, best = 0, value
        else:
            passed += 1
    return passed
