"""What is learnt, in how much time: the product's tasks with settings that were chosen on the validation part."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report import Goal, Progress, Section, Table
from engine.training import Settings, Training, evaluate
from server.jobs.stopping import better, reason_to_stop, score, usual_interval
from server.tasks import load
from server.tasks.base import root_mean_square

LONG = 100  # steps of the adding problem
ADDING: Mapping[str, dict[str, Any]] = {
    "gru": {"cell": "gru", "hidden_size": 32, "optimizer": {"name": "adamw", "lr": 0.01}},
    "lstm": {"cell": "lstm", "hidden_size": 32, "forget_bias": 1.0, "optimizer": {"name": "adamw", "lr": 0.01}},
    "rnn": {"cell": "rnn", "hidden_size": 32, "optimizer": {"name": "adamw", "lr": 0.001}},
}
PATIENCE = 8  # validations without a better one, of a task that suggests none
ADDING_STEPS, SOLVED, WITHIN = 3000, 0.01, {"gru": 20.0, "lstm": 40.0}
DIGITS = {"cell": "gru", "hidden_size": 32, "optimizer": {"name": "adamw", "lr": 0.01}}
SURNAMES = {"cell": "gru", "hidden_size": 64, "bidirectional": True, "dropout": 0.4, "optimizer": {"name": "adamw", "lr": 0.005},
            "schedule": {"name": "cosine", "T_max": 2000}}  # fmt: skip
SUNSPOTS = {"cell": "lstm", "hidden_size": 16, "dropout": 0.2, "optimizer": {"name": "adamw", "lr": 0.005}}
TEXT = f"""\
Trainings in float64 from seed 0 as runs of the product train: validated as often as usual, ended by the product's own rules of when to
stop, tested once, at the step of the best validation until then. Seconds are those of one processor from the first step to the end of the
training, validations and the steps after the best one counted. The adding problem of {LONG} steps ([picture](images/adding.svg)) ends
when the validation is under {SOLVED:g} (a run's `target`), or after {ADDING_STEPS:,} steps, its LSTM starting with its forget gates open, a
bias of 1; the others end after a patience of {PATIENCE} validations or the one that the task suggests, or at the last step of their
schedule. Their settings were chosen by the validation part."""


@dataclass(frozen=True)
class Point:
    """A validation: after how many steps and seconds, and how good."""

    step: int
    seconds: float
    score: float


@dataclass(frozen=True)
class Learnt:
    """A training's validations, the best of them, at which the test part was read, why the training ended with the last, and the test."""

    points: list[Point]
    chosen: Point
    reason: str
    test: dict[str, float]

    @property
    def last(self) -> Point:
        return self.points[-1]


def learn(task: Any, settings: Settings, steps: int, target: float | None = None) -> Learnt:
    """Trains as a run of at most `steps` steps does and tests the best network.

    target: ends at a validation this good (mean squared error), in place of a patience.
    """
    every = usual_interval(task.size("train"), settings.batch_size)
    patience = None if target is not None else task.suggested.patience or PATIENCE
    stop = {"steps": None, "seconds": None, "patience": patience, "min_delta": None, "target": None if target is None else target**0.5}
    run: dict[str, Any] = {"step": 0, "requested_step": steps, "seconds": 0.0, "since": {"step": 0, "seconds": 0.0},
                           "stop": stop, "validate_every": every, "validation": []}  # fmt: skip
    began, points = time.process_time(), []
    training, best, network, reason = Training(task, settings, None), None, None, None
    while reason is None:
        done = training.go_on(min(every, steps - run["step"]))
        figures = training.evaluate("validation")
        points.append(Point(done.step, time.process_time() - began, figures["rmse"] ** 2 if "rmse" in figures else score(figures)[1]))
        run["step"] = done.step
        run["validation"].append({"step": done.step, **figures})
        best = better(best, done.step, figures)
        if best is not None and best["step"] == done.step:
            network = done.checkpoint
        reason = reason_to_stop(run)
    chosen = next((point for point in points if best is not None and point.step == best["step"]), points[-1])
    return Learnt(points, chosen, reason, evaluate(task, settings, network, "test"))


def measure(progress: Progress, quick: bool = False) -> tuple[Section, dict[str, list[Point]]]:
    """All tasks; and the validations of the adding problem by cell, for the picture. quick: a tenth of the steps, to see that it works."""
    long, rows, goals = load("adding", LONG), [], []
    share = 10 if quick else 1
    adding = {}
    for cell, settings in ADDING.items():
        progress(f"adding {LONG}, {cell}")
        adding[cell] = learn(long, Settings(**settings), ADDING_STEPS // share, SOLVED)
    for cell, found in adding.items():
        rows.append(_row(f"adding {LONG}, {cell} 32", found, f"MSE {found.chosen.score:.2g}", f"MSE {found.test['rmse'] ** 2:.2g}"))
        if cell == "rnn":
            goals.append(
                Goal(f"adding {LONG}, rnn: test MSE after {ADDING_STEPS // share:,} steps", found.test["rmse"] ** 2, 0.05, "", least=True)
            )
            continue
        seconds = found.last.seconds if found.reason == "target" else float("inf")
        goals.append(Goal(f"adding {LONG}, {cell}: time to a validation MSE under {SOLVED:g}", seconds, WITHIN[cell], "s"))
        goals.append(Goal(f"adding {LONG}, {cell}: test MSE then", found.test["rmse"] ** 2, SOLVED, ""))
    for name, settings, steps, least, most in (("digits", DIGITS, 1000, 0.96, 10.0), ("surnames", SURNAMES, 2000, 0.68, 30.0)):
        progress(name)
        found = learn(load(name), Settings(**settings), steps // share)
        both = " in both directions" if settings.get("bidirectional") else ""
        what = f"{name}, {settings['cell']} {settings['hidden_size']}{both}"
        rows.append(_row(what, found, f"accuracy {found.chosen.score:.3f}", f"accuracy {found.test['accuracy']:.3f}"))
        goals += [Goal(f"{what}: test accuracy", found.test["accuracy"], least, "", least=True),
                  Goal(f"{what}: time of the whole training", found.last.seconds, most, "s")]  # fmt: skip
    progress("sunspots")
    sunspots = load("sunspots")
    found = learn(sunspots, Settings(**SUNSPOTS), 3000 // share)
    test = sunspots.parts["test"]
    naive = root_mean_square(test.targets - test.inputs)
    ratio, validated = found.test["rmse"] / naive, found.chosen.score**0.5 / sunspots.baseline.value
    rows.append(_row("sunspots, lstm 16", found, f"{validated:.2f} x persistence", f"{ratio:.2f} x persistence"))
    goals.append(Goal("sunspots, lstm 16: test RMSE / persistence at the early-stopped step", ratio, 0.65))
    table = Table(("", "ended after", "because of", "seconds", "best after", "validation", "test"), rows)
    return Section("What is learnt", TEXT, [table], goals), {cell: found.points for cell, found in adding.items()}


def _row(what: str, found: Learnt, validation: str, test: str) -> list[str]:
    return [what, f"{found.last.step:,}", found.reason, f"{found.last.seconds:.1f}", f"{found.chosen.step:,}", validation, test]
