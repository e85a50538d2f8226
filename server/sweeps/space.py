"""The ranges and choices of a sweep: as Optuna knows them, and as they change a run's program."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from engine.training.settings import OPTIMIZERS

Parameter = Literal[
    "lr", "weight_decay", "momentum", "clip_norm", "dropout", "hidden_size", "layers", "batch_size", "truncation", "length", "seed",
    "cell", "optimizer", "bidirectional", "initialisation",
]  # fmt: skip
NAMES: tuple[str, ...] = get_args(Parameter)
WHOLE = ("hidden_size", "layers", "batch_size", "truncation", "length", "seed")
NAMED = ("cell", "optimizer", "bidirectional", "initialisation")
OF_THE_OPTIMIZER = ("lr", "weight_decay", "momentum")


def distributions(space: Mapping[str, Mapping[str, Any]]) -> dict[str, BaseDistribution]:
    """What Optuna draws from, by name; each {"low", "high", "log"} or {"choices"}. Raises ValueError for what Optuna cannot draw from."""
    return {name: _distribution(name, part) for name, part in space.items()}


def _distribution(name: str, part: Mapping[str, Any]) -> BaseDistribution:
    if "choices" in part:
        return CategoricalDistribution(part["choices"])
    if name in WHOLE:
        return IntDistribution(int(part["low"]), int(part["high"]), log=part["log"])
    return FloatDistribution(float(part["low"]), float(part["high"]), log=part["log"])


def grid(space: Mapping[str, Mapping[str, Any]], points: int) -> dict[str, list[Any]]:
    """The values of a grid: the choices, and of each range at most `points` of it, evenly apart (in the logarithm where it is one)."""
    return {name: _grid_values(name, part, points) for name, part in space.items()}


def _grid_values(name: str, part: Mapping[str, Any], points: int) -> list[Any]:
    if "choices" in part:
        return list(part["choices"])
    low, high = part["low"], part["high"]
    shares = [k / max(1, points - 1) for k in range(points)]
    values = [low * (high / low) ** share if part["log"] else low + (high - low) * share for share in shares]
    values[-1] = high if points > 1 else low
    return list(dict.fromkeys(round(value) if name in WHOLE else value for value in values))


def combinations(grid: Mapping[str, list[Any]], seed: int) -> list[dict[str, Any]]:
    """Every combination of a grid's values once, in an order that the seed fixes: a search that is cut short has seen all of the grid."""
    every = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    return [every[place] for place in np.random.default_rng(seed).permutation(len(every))]


def size(grid: Mapping[str, list[Any]]) -> int:
    """How many trials a grid has."""
    return math.prod([len(values) for values in grid.values()])


def applied(program: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """A run's program with the values of a trial in their places.

    Another optimizer comes with its own numbers; the rate, the decay and the momentum of a trial go to the optimizer that it has.
    """
    optimizer = dict(program["optimizer"])
    if params.get("optimizer", optimizer["name"]) != optimizer["name"]:
        optimizer = {"name": params["optimizer"], "lr": OPTIMIZERS[params["optimizer"]]["lr"]}
    optimizer |= {name: params[name] for name in OF_THE_OPTIMIZER if name in params}
    others = {name: value for name, value in params.items() if name not in OF_THE_OPTIMIZER and name != "optimizer"}
    return {**program, **others, "optimizer": optimizer}
