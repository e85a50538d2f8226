"""What the API answers about tasks, runs and itself: the shapes that OpenAPI names. Routes answer these as plain dictionaries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from server.schemas.network import RunProgram
from server.schemas.optimizers import Optimizer, RateEdit, Schedule

Number = float | Literal["NaN", "Infinity", "-Infinity"]  # numbers that JSON lacks are strings
Cursor = Annotated[int | None, Field(description="`after` of the next page; null where this is the last")]


class Answer(BaseModel):
    """Every object that is answered. Fields that are not named here may be added; a reader of version 1 passes over them."""

    schema_version: Literal[1]


class Localised(BaseModel):
    """A text in the languages of the page."""

    en: str
    zh: str


class Sizes(BaseModel):
    """How many examples each part of a task has."""

    train: int
    validation: int
    test: int


class Lengths(BaseModel):
    """How long the sequences of a task are."""

    min: int
    max: int


class Baseline(BaseModel):
    """What is reached without learning anything."""

    name: Literal["majority", "mean", "last_value", "uniform_guess", "letter_frequencies"]
    value: float
    metric: Literal["accuracy", "rmse", "perplexity"]


class LengthChoice(BaseModel):
    """The lengths that a program may ask of a task that can have others. default: null where the task mixes lengths.

    of: whether all sequences are so long, or the longest of them.
    """

    min: int
    max: int
    default: int | None
    of: Literal["all", "longest"]


class Suggestion(BaseModel):
    """Settings with which a task is learnt, and after how many steps. patience: with which the run may stop before."""

    cell: Literal["rnn", "lstm", "gru"]
    hidden_size: int
    steps: int
    lr: float
    optimizer: Literal["adamw"]
    batch_size: int
    length: int | None
    bidirectional: bool
    forget_bias: float | None
    dropout: float
    schedule: Schedule | None
    patience: int | None


class Task(BaseModel):
    """A data set with its question. metrics: those that are told of a network on it, the chief one first."""

    name: str
    title: Localised
    question: Localised
    kind: Literal["classification", "regression"]
    display: Literal["letters", "rows", "series", "pairs"]
    readout: Literal["last", "every"]
    input_size: int
    output_size: int
    classes: list[str] | None
    class_titles: dict[str, list[str]] | None
    sizes: Sizes
    lengths: Lengths
    length: LengthChoice | None
    metrics: list[Literal["accuracy", "precision", "recall", "f1", "confusion", "rmse", "mae", "perplexity", "recalled"]]
    baseline: Baseline
    suggested: Suggestion
    source: str
    license: str


class TaskOfLength(Task, Answer):
    """A task with sequences of the length that was asked for."""


class TaskList(Answer):
    """Every task."""

    items: list[Task]


class Example(BaseModel):
    """One sequence of a task. tokens: what stands in each column; target: a class, numbers, or lists of numbers, one a step."""

    index: int
    length: int
    tokens: list[str | float | list[float]]
    text: str
    target: int | list[float | list[float]]


class ExamplePage(Answer):
    """Examples of a part of a task."""

    items: list[Example]
    next: Cursor


class OpDerivative(BaseModel):
    """A local derivative. formula: a tree (docs/trace-format.md), null for structured operations."""

    input: str
    formula: Any
    latex: str


class OpKink(BaseModel):
    """A point without a derivative, and the subgradient used there."""

    at: list[float]
    subgradient: list[float]
    why: str


class OpAttribute(BaseModel):
    """A keyword of an operation. types: JSON's, `integer[]` a list of them, `index` as docs/trace-format.md has it.

    default: null where there is none.
    """

    name: str
    types: list[Literal["integer", "number", "boolean", "string", "null", "integer[]", "number[]", "integer[][]", "index"]]
    required: bool
    default: Any
    meaning: str


class Operation(BaseModel):
    """An operation with its formula, local derivatives and attributes."""

    name: str
    kind: Literal["elementwise", "structured"]
    inputs: list[str]
    formula: Any
    latex: str
    derivatives: list[OpDerivative]
    kinks: list[OpKink]
    attributes: list[OpAttribute]


class OperationList(Answer):
    """Every operation that a trace may hold."""

    items: list[Operation]


class WrittenRunProgram(RunProgram):
    """A run's program with every default, and the version of its data, written out."""

    task: str
    data: str
    optimizer: Optimizer


class Validation(BaseModel):
    """Figures on the validation part: a classification has an accuracy, one of every step a perplexity, a regression an rmse.

    recalled: the accuracy at the steps that ask for something, of a task most of whose steps do not.
    """

    step: int
    loss: Number
    accuracy: Number | None = None
    rmse: Number | None = None
    perplexity: Number | None = None
    recalled: Number | None = None


class StopConditions(BaseModel):
    """What ends the training beside the requested steps; null: that does not."""

    steps: int | None
    patience: int | None
    min_delta: float | None
    target: float | None
    seconds: float | None


class Best(BaseModel):
    """The best validation, by its score: perplexity where there is one, else accuracy or rmse."""

    step: int
    metric: str
    value: float


class Tested(BaseModel):
    """What a network of the run reached on the test part. step: of that network; reached: how far the run had gone; at: when."""

    step: int
    reached: int
    at: str
    metrics: dict[str, Number]


class RunStatus(BaseModel):
    """How far a training has gone, without its program and its validations: what a `status` event tells."""

    id: str
    name: str | None
    status: Literal["idle", "training", "paused", "failed"]
    error: str | None
    reason: Annotated[
        Literal["steps", "cancelled", "patience", "target", "seconds", "diverged"] | None, Field(description="why the training ended")
    ]
    step: int
    requested_step: int
    created: str
    stop: StopConditions
    validate_every: int
    best: Best | None
    edits: list[RateEdit]
    seconds: Annotated[float, Field(description="that it has trained")]
    steps_per_second: Annotated[float | None, Field(description="lately; null where it does not train")]
    seconds_left: float | None
    sweep: Annotated[str | None, Field(description="that it is a trial of")]


class RunSummary(RunStatus):
    """A training, how far it has gone, and what came of it."""

    program: WrittenRunProgram
    validation: list[Validation]
    tested: Tested | None


class RunState(RunSummary, Answer):
    """A run without its history."""


class History(BaseModel):
    """Of every step; entry i is step i + 1."""

    loss: list[Number]
    gradient_norm: list[Number]


class Run(RunSummary, Answer):
    """A run with the loss of every step."""

    history: History


class HeldByTrace(BaseModel):
    """About what a trace would hold, by its shapes. fits: it is within the server's limits, and sent whole."""

    nodes: int
    elements: int
    bytes: int
    fits: bool


class StepExample(BaseModel):
    """An example of a step's batch. fits: so is the trace of it alone."""

    index: int
    length: int
    text: str
    fits: bool


class RunStep(Answer):
    """The batch of a step. whole: the trace of all its examples; examples: in the order in which that has them."""

    run: str
    step: int
    whole: HeldByTrace
    examples: list[StepExample]


class Edited(RateEdit, Answer):
    """A change of the learning rate."""


class RunHistory(Answer):
    """Columns of what each step did; entry i is step `first` + i. clipped_norm: the gradient's norm after clipping."""

    first: int
    loss: list[Number] | None = None
    gradient_norm: list[Number] | None = None
    clipped_norm: list[Number] | None = None
    lr: list[Number] | None = None


class Observation(BaseModel):
    """What was seen of a step. Numbers that JSON lacks are strings here too.

    update_ratios: the update's norm through the weight's, by parameter. gradient_through_time: the norm of dL/dh_t of the top layer,
    t = 1 … T. hidden: the states of the first fixed example, time by units. predictions: of the fixed examples.
    """

    model_config = ConfigDict(extra="allow")

    step: int
    update_ratios: dict[str, Number]
    gradient_through_time: list[Number]
    hidden: list[list[Number]]
    predictions: list[dict[str, Any]]


class ObservationPage(Answer):
    """What was observed of steps, in order; `next` is the `after` of the following ones."""

    items: list[Observation]
    next: Cursor


class RunPage(Answer):
    """Runs, newest first, without their histories."""

    items: list[RunSummary]
    next: Cursor


class Figure(Answer):
    """A figure for Plotly, which passes over `schema_version`."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class Link(Answer):
    """A state of the page under a short name."""

    id: str
    state: dict[str, Any]


class Limits(Answer):
    """Every limit in force by its name."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": {"type": "number"}})


class Health(Answer):
    """That the server answers, and everything is ready."""

    status: Literal["ok"]
