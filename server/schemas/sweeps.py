"""Sweeps, as requests give them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from engine.told import Told
from server import limits
from server.schemas.body import Body
from server.schemas.network import RunProgram
from server.schemas.requests import Interval, Name, Stop
from server.sweeps.space import NAMED, OF_THE_OPTIMIZER, WHOLE, Parameter, applied, grid, size

Value = bool | int | float | Annotated[str, Field(max_length=40)] | None
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]


class Range(BaseModel):
    """Numbers from low to high, both included; whole ones where the setting is a count. log: drawn evenly in the logarithm."""

    model_config = ConfigDict(extra="forbid")

    low: Finite
    high: Finite
    log: bool = False

    @model_validator(mode="after")
    def _ascending(self) -> Range:
        if self.low > self.high:
            words = f"low is {self.low:g} and high is {self.high:g}; give the smaller one first"
            raise ValueError(Told(words, "range-order", low=self.low, high=self.high))
        if self.log and self.low <= 0:
            raise ValueError(Told(f"low is {self.low:g}; a range in the logarithm begins above 0", "range-log", low=self.low))
        return self


class Choices(BaseModel):
    """Some values, in no order."""

    model_config = ConfigDict(extra="forbid")

    choices: Annotated[list[Value], Field(min_length=1, max_length=limits.SWEEP_CHOICES)]

    @model_validator(mode="after")
    def _different(self) -> Choices:
        if len({(type(value), value) for value in self.choices}) < len(self.choices):
            raise ValueError(Told("choices holds a value twice; give each once", "choices-twice"))
        return self


def _which(value: Any) -> str:
    names = value if isinstance(value, dict) else vars(value) if isinstance(value, BaseModel) else ()
    return "choices" if "choices" in names else "range"


Dimension = Annotated[Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_which)]


def _refused(name: str, value: Any, optimizer: str | None, first: Mapping[str, Any]) -> Told:
    """Why a program cannot have this value of a setting. first: the first thing that is wrong with it."""
    beside = "" if optimizer is None else f" of the optimizer {optimizer}"
    words = f"{name}{beside} cannot be {value!r}: {first['msg']}"
    if optimizer is not None and first["type"] == "extra_forbidden":
        return Told(words, "setting-optimizer", name=name, optimizer=optimizer)
    return Told(words, "setting-value", name=name, value=str(value))


class SweepRequest(Body):
    """Search for the settings of a run that do best on the validation part.

    program: what stays as it is. space: what varies, and how far. steps: of each trial; stop ends one earlier, as it does a run.
    trials, seconds: when the search ends, whichever comes first. sampler: how values are chosen: `tpe` learns from the trials before.
    pruner: `median` ends a trial whose validation is worse than that of half of the others at the same step.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "program": {"task": "digits", "cell": "gru"}, "space": {"lr": {"low": 0.001, "high": 0.1, "log": True},
        "hidden_size": {"choices": [8, 16, 32]}}, "steps": 200, "trials": 12}]})  # fmt: skip

    program: RunProgram
    space: Annotated[dict[Parameter, Dimension], Field(min_length=1, max_length=limits.SWEEP_DIMENSIONS)]
    steps: Annotated[int, Field(ge=1, le=limits.STEPS_PER_REQUEST)] = 500
    trials: Annotated[int, Field(ge=1, le=limits.SWEEP_TRIALS)] = 20
    seconds: Annotated[float, Field(gt=0, le=limits.SWEEP_SECONDS, allow_inf_nan=False)] | None = None
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    pruner: Literal["median", "none"] = "median"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="of the sampler")] = 0
    name: Name | None = None
    stop: Stop = Stop()
    validate_every: Interval | None = None

    @model_validator(mode="after")
    def _fits(self) -> SweepRequest:
        for name, dimension in self.space.items():
            self._check(name, dimension)
        return self

    def _check(self, name: str, dimension: Range | Choices) -> None:
        """Raises ValueError where a value at the ends of a range, or a choice, makes no program."""
        if isinstance(dimension, Range):
            if name in NAMED:
                words = f"{name} is one of some words; give its choices, not a range"
                raise ValueError(Told(words, "setting-choices", name=name))
            if name in WHOLE and (dimension.low % 1 or dimension.high % 1):
                raise ValueError(Told(f"{name} is a whole number; give low and high as such", "setting-whole", name=name))
            values: list[Any] = [dimension.low, dimension.high]
            values = [int(value) for value in values] if name in WHOLE else values
        else:
            values = list(dimension.choices)
            if any(isinstance(value, float) and not math.isfinite(value) for value in values):
                raise ValueError(Told(f"the choices of {name} are finite numbers", "setting-finite", name=name))
        optimizers = self._optimizers() if name in OF_THE_OPTIMIZER else [None]
        for value in values:
            for optimizer in optimizers:
                params = {name: value} if optimizer is None else {name: value, "optimizer": optimizer}
                try:
                    RunProgram.model_validate(applied(self.program.model_dump(), params))
                except ValidationError as error:
                    raise ValueError(_refused(name, value, optimizer, error.errors(include_url=False)[0])) from None

    def _optimizers(self) -> list[str]:
        """The names of the optimizers that a trial may have."""
        chosen = self.space.get("optimizer")
        return [str(value) for value in chosen.choices] if isinstance(chosen, Choices) else [self.program.optimizer.name]

    def grid(self) -> dict[str, list[Any]]:
        """The grid that `trials` has room for."""
        space: dict[str, Any] = {name: dimension.model_dump() for name, dimension in self.space.items()}
        points = limits.SWEEP_TRIALS
        while points > 2 and size(grid(space, points)) > self.trials:
            points -= 1
        return grid(space, points)
