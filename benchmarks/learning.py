"""What is learnt, in how much time: the product's tasks with settings that were chosen on the validation part."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report import Goal, Section, Table
from engine.training import Settings, evaluate, train
from server.tasks import load
from server.tasks.base import root_mean_square

EVERY = 100  # steps from one validation to the next
LONG = 100  # steps of the adding problem
ADDING: Mapping[str, dict[str, Any]] = {
    "gru": {"cell": "gru", "hidden_size": 32, "optimizer": {"name": "adamw", "lr": 0.01}},
    "lstm": {"cell": "lstm", "hidden_size": 32, "forget_bias": 1.0, "optimizer": {"name": "adamw", "lr": 0.01}},
    "rnn": {"cell": "rnn", "hidden_size": 32, "optimizer": {"name": "adamw", "lr": 0.001}},
}
ADDING_STEPS, SOLVED, WITHIN = 3000, 0.01, {"gru": 20.0, "lstm": 40.0}
DIGITS = {"cell": "gru", "hidden_size": 32, "optimizer": {"name": "adamw", "lr": 0.01}}
SURNAMES = {"cell": "gru", "hidden_size": 64, "bidirectional": True, "dropout": 0.4, "optimizer": {"name": "adamw", "lr": 0.005},
            "schedule": {"name": "cosine", "T_max": 2000}}  # fmt: skip
SUNSPOTS = {"cell": "lstm", "hidden_size": 16, "dropout": 0.2, "optimizer": {"name": "adamw", "lr": 0.005}}
TEXT = f"""\
Trainings in float64 from seed 0, validated every {EVERY} steps. Seconds are those of one processor, validations not counted. The settings
were chosen by the validation part; the test part is read once, at the step of the best validation (of the adding problem: at the first
under {SOLVED:g}). On the adding problem of {LONG} steps ([picture](images/adding.svg)) the LSTM starts with its forget gates open, a bias
of 1."""


@dataclass(frozen=True)
class Point:
    """A validation: after how many steps and seconds, and how good."""

    step: int
    seconds: float
    score: float


@dataclass(frozen=True)
class Learnt:
    """A training's validations, the one at which the test part was read, and what was found there."""

    points: list[Point]
    chosen: Point
    test: dict[str, float]


def learn(task: Any, settings: Settings, steps: int, target: float | None = None) -> Learnt:
    """Trains and validates. Tested is the network of the best validation, or of the first at or below `target` (the last where none is)."""
    checkpoint, seconds = None, 0.0
    points, kept = [], []
    lower = task.kind == "regression"
    for _ in range(steps // EVERY):
        began = time.process_time()
        done = train(task, settings, checkpoint, EVERY)
        seconds += time.process_time() - began
        checkpoint, figures = done.checkpoint, evaluate(task, settings, done.checkpoint, "validation")
        points.append(Point(done.step, seconds, figures["rmse"] ** 2 if lower else figures["accuracy"]))
        kept.append(checkpoint)
    if target is None:
        best = (min if lower else max)(range(len(points)), key=lambda i: points[i].score)
    else:
        best = next((i for i, point in enumerate(points) if point.score <= target), len(points) - 1)
    return Learnt(points, points[best], evaluate(task, settings, kept[best], "test"))


def measure() -> tuple[Section, dict[str, list[Point]]]:
    """All tasks; and the validations of the adding problem by cell, for the picture."""
    long, rows, goals = load("adding", LONG), [], []
    adding = {cell: learn(long, Settings(**settings), ADDING_STEPS, SOLVED) for cell, settings in ADDING.items()}
    for cell, found in adding.items():
        solved = found.chosen.score <= SOLVED
        rows.append(_row(f"adding {LONG}, {cell} 32", found, f"MSE {found.chosen.score:.2g}", f"MSE {found.test['rmse'] ** 2:.2g}"))
        if cell == "rnn":
            goals.append(Goal(f"adding {LONG}, rnn: test MSE after {ADDING_STEPS:,} steps", found.test["rmse"] ** 2, 0.05, "", least=True))
            continue
        seconds = found.chosen.seconds if solved else float("inf")
        goals.append(Goal(f"adding {LONG}, {cell}: time to a validation MSE under {SOLVED:g}", seconds, WITHIN[cell], "s"))
        goals.append(Goal(f"adding {LONG}, {cell}: test MSE then", found.test["rmse"] ** 2, SOLVED, ""))
    for name, settings, steps, least, most in (("digits", DIGITS, 1000, 0.96, 10.0), ("surnames", SURNAMES, 2000, 0.68, 30.0)):
        found = learn(load(name), Settings(**settings), steps)
        both = " in both directions" if settings.get("bidirectional") else ""
        what = f"{name}, {settings['cell']} {settings['hidden_size']}{both}"
        rows.append(_row(what, found, f"accuracy {found.chosen.score:.3f}", f"accuracy {found.test['accuracy']:.3f}"))
        goals += [Goal(f"{what}: test accuracy", found.test["accuracy"], least, "", least=True),
                  Goal(f"{what}: time of all {steps:,} steps", found.points[-1].seconds, most, "s")]  # fmt: skip
    sunspots = load("sunspots")
    found = learn(sunspots, Settings(**SUNSPOTS), 3000)
    test = sunspots.parts["test"]
    naive = root_mean_square(test.targets - test.inputs)
    ratio, validated = found.test["rmse"] / naive, found.chosen.score**0.5 / sunspots.baseline.value
    rows.append(_row("sunspots, lstm 16", found, f"{validated:.2f} x persistence", f"{ratio:.2f} x persistence"))
    goals.append(Goal("sunspots, lstm 16: test RMSE / persistence", ratio, 0.65))
    table = Table(("", "step", "seconds", "validation", "test"), rows)
    return Section("What is learnt", TEXT, [table], goals), {cell: found.points for cell, found in adding.items()}


def _row(what: str, found: Learnt, validation: str, test: str) -> list[str]:
    return [what, f"{found.chosen.step:,}", f"{found.chosen.seconds:.1f}", validation, test]
