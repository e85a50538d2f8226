"""Optimizers, and schedules of the learning rate, as a request gives them. Names and defaults are the engine's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.told import Told
from engine.training.rates import parameters_of
from engine.training.settings import OPTIMIZERS
from server import limits

Rate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
Beta = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Betas = Annotated[list[Beta], Field(min_length=2, max_length=2)]
Epsilon = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Steps = Annotated[int, Field(ge=1, le=limits.RUN_STEPS)]
Factor = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _usual(optimizer: str) -> Any:
    """The default of a field of an optimizer, by the field's name."""
    return lambda field: OPTIMIZERS[optimizer][field]


_ADAMW, _ADAM, _SGD, _RMSPROP, _ADAGRAD = (_usual(name) for name in ("adamw", "adam", "sgd", "rmsprop", "adagrad"))


class AdamW(BaseModel):
    """Adam with decoupled weight decay."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["adamw"] = "adamw"
    lr: Rate = _ADAMW("lr")
    betas: Betas = list(_ADAMW("betas"))
    eps: Epsilon = _ADAMW("eps")
    weight_decay: Decay = _ADAMW("weight_decay")
    amsgrad: bool = _ADAMW("amsgrad")


class Adam(BaseModel):
    """Adam; weight decay is added to the gradient."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["adam"]
    lr: Rate = _ADAM("lr")
    betas: Betas = list(_ADAM("betas"))
    eps: Epsilon = _ADAM("eps")
    weight_decay: Decay = _ADAM("weight_decay")
    amsgrad: bool = _ADAM("amsgrad")


class Sgd(BaseModel):
    """Stochastic gradient descent. nesterov: asks for a momentum."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["sgd"]
    lr: Rate = _SGD("lr")
    momentum: Beta = _SGD("momentum")
    weight_decay: Decay = _SGD("weight_decay")
    nesterov: bool = _SGD("nesterov")


class RMSprop(BaseModel):
    """The gradient by the root of its mean square."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["rmsprop"]
    lr: Rate = _RMSPROP("lr")
    alpha: Factor = _RMSPROP("alpha")
    eps: Epsilon = _RMSPROP("eps")
    weight_decay: Decay = _RMSPROP("weight_decay")
    momentum: Beta = _RMSPROP("momentum")
    centered: bool = _RMSPROP("centered")


class Adagrad(BaseModel):
    """The gradient by the root of the sum of all its squares."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["adagrad"]
    lr: Rate = _ADAGRAD("lr")
    lr_decay: Decay = _ADAGRAD("lr_decay")
    weight_decay: Decay = _ADAGRAD("weight_decay")
    initial_accumulator_value: Decay = _ADAGRAD("initial_accumulator_value")
    eps: Epsilon = _ADAGRAD("eps")


Optimizer = Annotated[AdamW | Adam | Sgd | RMSprop | Adagrad, Field(discriminator="name")]


class StepSchedule(BaseModel):
    """Times gamma after every step_size steps."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["step"]
    step_size: Steps
    gamma: Factor = parameters_of("step")["gamma"]


class ExponentialSchedule(BaseModel):
    """Times gamma after every step."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["exponential"]
    gamma: Factor


class CosineSchedule(BaseModel):
    """Down to eta_min along half a cosine of T_max steps, and on along the wave."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["cosine"]
    T_max: Steps
    eta_min: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = parameters_of("cosine")["eta_min"]


class LinearSchedule(BaseModel):
    """From start_factor of the rate to end_factor of it in total_iters equal steps: a warm-up, or a decay."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["linear"]
    start_factor: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = parameters_of("linear")["start_factor"]
    end_factor: Factor = parameters_of("linear")["end_factor"]
    total_iters: Steps = parameters_of("linear")["total_iters"]


class WarmupCosineSchedule(BaseModel):
    """Up from start_factor of the rate in warmup_iters steps, along half a cosine down to eta_min at total_iters, and no further."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["warmup_cosine"]
    warmup_iters: Annotated[int, Field(ge=0, le=limits.RUN_STEPS)]
    total_iters: Steps
    start_factor: Factor = parameters_of("warmup_cosine")["start_factor"]
    eta_min: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = parameters_of("warmup_cosine")["eta_min"]

    @model_validator(mode="after")
    def _in_order(self) -> WarmupCosineSchedule:
        if self.total_iters <= self.warmup_iters:
            words = f"total_iters is {self.total_iters}; expected more than warmup_iters, {self.warmup_iters}"
            raise ValueError(Told(words, "schedule-short", given=self.total_iters, warmup=self.warmup_iters))
        return self


Schedule = Annotated[
    StepSchedule | ExponentialSchedule | CosineSchedule | LinearSchedule | WarmupCosineSchedule, Field(discriminator="name")
]


class RateEdit(BaseModel):
    """From step `step` on, the step that is done with it, the base learning rate is `lr`."""

    model_config = ConfigDict(extra="forbid")

    step: Annotated[int, Field(ge=1, le=limits.RUN_STEPS)]
    lr: Rate
