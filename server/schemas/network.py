"""A network, its data and its training, as a request gives them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.told import Told
from engine.training.task import Part
from server import limits
from server.schemas.data_choice import DatasetChoice
from server.schemas.optimizers import AdamW, Optimizer, RateEdit, Schedule
from server.schemas.sequences import Sequences
from server.schemas.start import Start
from server.tasks.own import NAME
from server.tasks.own_data import NAME as OWN_DATA


class TrainingProgram(BaseModel):
    """What fixes a training, but for its examples."""

    data: Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="version of the task's examples; today's unless given")] | None = None
    length: Annotated[
        int | None,
        Field(ge=1, le=limits.SEQUENCE_STEPS, description="steps of a sequence, of tasks that can have others than theirs"),
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
    initialisation: Annotated[
        Literal["pytorch", "orthogonal"],
        Field(description="of the recurrent layers: PyTorch's, or orthogonal recurrent matrices and biases 0"),
    ] = "pytorch"
    forget_bias: Annotated[
        float | None, Field(ge=-100, le=100, allow_inf_nan=False, description="what an LSTM's forget gates start with; null: as the others")
    ] = None
    dropout: Annotated[
        float,
        Field(ge=0, lt=1, allow_inf_nan=False, description="share of what layers above the first and the read-out read that is dropped"),
    ] = 0.0
    optimizer: Optimizer = AdamW()
    schedule: Annotated[Schedule | None, Field(description="of the learning rate; null for a constant one")] = None
    edits: Annotated[list[RateEdit], Field(max_length=limits.RUN_EDITS, description="changes of the base learning rate on the way")] = []
    clip_norm: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = 1.0
    batch_size: Annotated[int, Field(ge=1, le=limits.BATCH_SIZE)] = 32
    seed: Annotated[int, Field(ge=0, le=limits.SEED)] = 0


def check_own_data(program: RunProgram | NetworkProgram) -> None:
    """Names the task of a program that chooses a data set. Raises ValueError where it chooses something else as well."""
    if program.dataset is None:
        return
    if program.task not in (None, OWN_DATA):
        raise ValueError(Told("give a task or a data set, not both", "source-twice"))
    if program.length is not None:
        raise ValueError(Told("a data set has the lengths it has; leave length out", "length-own"))
    program.task = OWN_DATA


class RunProgram(TrainingProgram):
    """A training on the examples of a task, or on a data set of the visitor's own."""

    model_config = ConfigDict(extra="forbid")

    task: Annotated[str, Field(max_length=100)] | None = None
    dataset: DatasetChoice | None = None

    @model_validator(mode="after")
    def _one_source(self) -> RunProgram:
        if self.task is None and self.dataset is None:
            raise ValueError(Told("a run learns a task or a data set of your own; give one of them", "source-none"))
        check_own_data(self)
        return self


class NetworkProgram(TrainingProgram):
    """One step of a training: step `step` on its own batch, or on one example alone.

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
    dataset: DatasetChoice | None = None
    sequences: Sequences | None = None
    start: Start | None = None
    step: Annotated[int, Field(ge=1, le=limits.TRACE_STEP)] = 1
    example: Annotated[int, Field(ge=0)] | None = None
    part: Annotated[
        Part, Field(description="that the example is of; another than `train`: as if the step were done on it, without dropout")
    ] = "train"

    @model_validator(mode="after")
    def _one_source(self) -> NetworkProgram:
        if self.sequences is None and self.task is None and self.dataset is None:
            raise ValueError(Told("a network learns a task or its own sequences; give one of them", "source-none"))
        if self.sequences is not None and self.dataset is not None:
            raise ValueError(Told("give sequences or a data set, not both", "source-twice"))
        check_own_data(self)
        if self.sequences is not None:
            if self.task not in (None, NAME):
                raise ValueError(Told("give a task or sequences, not both", "source-twice"))
            if self.length is not None:
                raise ValueError(Told("sequences have the lengths they have; leave length out", "length-own"))
            self.task = NAME
        if self.part != "train" and self.example is None:
            words = f"the {self.part} part is seen one example at a time; give an example, or leave part out"
            raise ValueError(Told(words, "part-whole"))
        return self
