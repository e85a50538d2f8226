"""A network, its data and its training, as a request gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.training.settings import OPTIMIZERS
from server import limits
from server.schemas.sequences import Sequences
from server.schemas.start import Start
from server.tasks.own import NAME

_ADAMW: Mapping[str, Any] = OPTIMIZERS["adamw"]
_SGD: Mapping[str, Any] = OPTIMIZERS["sgd"]
Rate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
Beta = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class AdamW(BaseModel):
    """Adam with decoupled weight decay."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["adamw"] = "adamw"
    lr: Rate = _ADAMW["lr"]
    betas: Annotated[list[Beta], Field(min_length=2, max_length=2)] = list(_ADAMW["betas"])
    eps: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = _ADAMW["eps"]
    weight_decay: Decay = _ADAMW["weight_decay"]


class Sgd(BaseModel):
    """Stochastic gradient descent."""

    model_config = ConfigDict(extra="forbid")

    name: Literal["sgd"]
    lr: Rate = _SGD["lr"]
    momentum: Beta = _SGD["momentum"]
    weight_decay: Decay = _SGD["weight_decay"]


class TrainingProgram(BaseModel):
    """What fixes a training, but for its examples."""

    data: Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="version of the task's examples; today's unless given")] | None = None
    length: Annotated[
        int | None,
        Field(ge=1, le=limits.SEQUENCE_STEPS, description="steps of a sequence, of tasks that are generated; theirs unless given"),
    ] = None
    cell: Literal["rnn", "lstm", "gru"] = "gru"
    hidden_size: Annotated[int, Field(ge=1, le=limits.HIDDEN_SIZE)] = 16
    layers: Annotated[int, Field(ge=1, le=limits.LAYERS, description="recurrent layers, one above the other")] = 1
    bidirectional: Annotated[bool, Field(description="each layer reads the sequence in both directions")] = False
    truncation: Annotated[
        int | None,
        Field(
            ge=1,
            le=limits.SEQUENCE_STEPS,
            description="no gradient goes back over the border after every so many steps; null for no truncation",
        ),
    ] = None
    optimizer: Annotated[AdamW | Sgd, Field(discriminator="name")] = AdamW()
    clip_norm: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = 1.0
    batch_size: Annotated[int, Field(ge=1, le=limits.BATCH_SIZE)] = 32
    seed: Annotated[int, Field(ge=0, le=limits.SEED)] = 0


class RunProgram(TrainingProgram):
    """A training on the examples of a task."""

    model_config = ConfigDict(extra="forbid")

    task: Annotated[str, Field(max_length=100)]


class NetworkProgram(TrainingProgram):
    """One step of a training: step `step` on its own batch, or on one example of the training part alone.

    It learns the examples of a task, or sequences that the program brings along. start: the parameters that it starts from, where they are
    not those that its seed draws; step 1 is the first from there.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"kind": "network", "cell": "gru", "hidden_size": 16, "task": "surnames", "example": 3, "seed": 0},
        {"kind": "network", "cell": "rnn", "hidden_size": 4, "sequences": {
            "kind": "classification", "examples": [{"tokens": ["a", "b"], "target": 0}, {"tokens": ["b", "b", "a"], "target": 1}]}},
    ]})  # fmt: skip

    kind: Literal["network"] = "network"
    task: Annotated[str, Field(max_length=100)] | None = None
    sequences: Sequences | None = None
    start: Start | None = None
    step: Annotated[int, Field(ge=1, le=limits.TRACE_STEP)] = 1
    example: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> NetworkProgram:
        if self.sequences is None and self.task is None:
            raise ValueError("a network learns a task or its own sequences; give one of them")
        if self.sequences is not None:
            if self.task not in (None, NAME):
                raise ValueError("give a task or sequences, not both")
            if self.length is not None:
                raise ValueError("sequences have the lengths they have; leave length out")
            self.task = NAME
        return self
