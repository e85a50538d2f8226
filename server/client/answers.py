"""What the server answers, as far as this client gives it types; docs/api.md has all of it. Fields that are newer than the client stay."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from server.client.arrays import FloatField, Floats
from server.client.errors import UnexpectedAnswerError


class Answer(BaseModel):
    """An object that was answered. Numbers that JSON lacks come as NaN and infinities."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _without_version(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if name != "schema_version"} if isinstance(given, dict) else given

    @classmethod
    def read(cls, answer: Any) -> Self:
        """Of what was answered. Raises UnexpectedAnswerError for anything else."""
        try:
            return cls.model_validate(answer)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise UnexpectedAnswerError(
                f"this answer is no {cls.__name__} ({where}: {first['msg']}); is the server of another version?"
            ) from None


class Task(Answer):
    """A data set with its question, as GET /tasks has it."""

    name: str
    title: dict[str, str]
    question: dict[str, str]
    kind: str
    readout: str
    input_size: int
    output_size: int
    classes: list[str] | None
    sizes: dict[str, int]
    lengths: dict[str, int]
    metrics: list[str]
    baseline: dict[str, Any]
    suggested: dict[str, Any]
    source: str
    license: str


class Validation(Answer):
    """Figures on the validation part after a step. Which there are goes by the task."""

    step: int
    loss: float
    accuracy: float | None = None
    rmse: float | None = None
    perplexity: float | None = None
    recalled: float | None = None


class Best(Answer):
    """The best validation, by its score."""

    step: int
    metric: str
    value: float


class RateEdit(Answer):
    """Another learning rate, from a step on."""

    step: int
    lr: float


class RunState(Answer):
    """A run, how far it has gone and what came of it.

    status: idle, training, paused or failed. reason: why the training ended. seconds: that it has trained.
    """

    id: str
    name: str | None
    status: str
    error: str | None
    reason: str | None
    step: int
    requested_step: int
    created: str
    stop: dict[str, float | None]
    validate_every: int
    best: Best | None
    edits: list[RateEdit]
    seconds: float
    steps_per_second: float | None
    seconds_left: float | None
    sweep: str | None
    program: dict[str, Any]
    validation: list[Validation]
    tested: dict[str, Any] | None


class TraceSize(Answer):
    """About what a trace would hold. elements: numbers; bytes: of its document. fits: whether it is sent whole."""

    nodes: int
    elements: int
    bytes: int
    fits: bool


class StepExample(Answer):
    """An example of a step's batch. index: its number in the training part. fits: whether the trace of it alone is sent whole."""

    index: int
    length: int
    text: str
    fits: bool


class StepBatch(Answer):
    """The batch of a step of a run, the longest example first. whole: of the trace of all of them."""

    run: str
    step: int
    whole: TraceSize
    examples: list[StepExample]


class History(Answer):
    """What every step did; entry i of each array is of `steps[i]`. clipped_norm: the gradient's norm after clipping."""

    first: int
    loss: FloatField | None = None
    gradient_norm: FloatField | None = None
    clipped_norm: FloatField | None = None
    lr: FloatField | None = None

    @property
    def steps(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The numbers of the steps."""
        columns = (self.loss, self.gradient_norm, self.clipped_norm, self.lr)
        return np.arange(self.first, self.first + next((len(column) for column in columns if column is not None), 0))


class Observation(Answer):
    """What was seen of a step. update_ratios: the update's norm through the weight's, by parameter. gradient_through_time: (time,) norms.

    hidden: (time, units), the states of the first fixed example. predictions: of the fixed examples.
    """

    step: int
    update_ratios: dict[str, float]
    gradient_through_time: FloatField
    hidden: FloatField
    predictions: list[dict[str, Any]]
    samples: list[str] | None = None


class Observations(tuple[Observation, ...]):
    """Observations in the order of their steps, and what they hold as arrays."""

    __slots__ = ()

    @property
    def steps(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(observations,)"""
        return np.array([seen.step for seen in self], dtype=np.int64)

    @property
    def update_ratios(self) -> dict[str, Floats]:
        """(observations,) of each parameter."""
        names = self[0].update_ratios if self else {}
        return {name: np.array([seen.update_ratios[name] for seen in self]) for name in names}

    @property
    def gradient_through_time(self) -> Floats:
        """(observations, time): ‖dL/dh_t‖; NaN where the sequences of a step's batch were shorter than others'."""
        longest = max((len(seen.gradient_through_time) for seen in self), default=0)
        table = np.full((len(self), longest), np.nan)
        for row, seen in zip(table, self, strict=True):
            row[: len(seen.gradient_through_time)] = seen.gradient_through_time
        return table


class Classification(Answer):
    """Scores by class. macro: plain means over the classes. confusion: (classes, classes), a row a target, a column a prediction."""

    macro: dict[str, float]
    classes: list[dict[str, Any]]
    confusion: list[list[int]]

    @property
    def confusion_matrix(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """`confusion` as an array."""
        return np.array(self.confusion, dtype=np.int64)


class Scores(Answer):
    """Figures of a network on a part. Which there are goes by the task; baseline: what is reached without learning anything."""

    examples: int
    predictions: int
    nonfinite: int
    loss: float
    accuracy: float | None = None
    perplexity: float | None = None
    recalled: float | None = None
    rmse: float | None = None
    classification: Classification | None = None
    regression: dict[str, Any] | None = None
    baseline: dict[str, Any]


class Metrics(Answer):
    """Figures of a run's network, as it was after a step."""

    run: str
    part: str
    step: int
    metrics: Scores


class FinalTest(Metrics):
    """The figures on the test part, computed once. steps_since: how many steps the run has trained since."""

    reached: int
    at: str
    steps_since: int


class Mistake(Answer):
    """An example that the network gets wrong.

    target, prediction: a class's number, or numbers; one a step where every step is predicted.
    """

    index: int
    length: int
    text: str
    target: Any
    prediction: Any
    p: Any
    p_target: Any
    loss: float


class Trial(Answer):
    """One try of a sweep. value: its best validation. curve: [step, validation] pairs."""

    number: int
    state: str
    params: dict[str, Any]
    value: float | None
    run: str | None
    error: str | None
    curve: list[tuple[int, float]]


class BestTrial(Answer):
    """The trial that did best, and its run."""

    number: int
    run: str
    value: float
    params: dict[str, Any]


class SweepState(Answer):
    """A sweep. status: running, finished, cancelled or failed. importances: how much of the difference each setting explains."""

    id: str
    name: str | None
    created: str
    status: str
    reason: str | None
    error: str | None
    program: dict[str, Any]
    space: dict[str, dict[str, Any]]
    steps: int
    budget: dict[str, float | None]
    metric: str
    direction: str
    trials: list[Trial] = []
    best: BestTrial | None = None
    importances: dict[str, float] | None = None


class DatasetState(Answer):
    """Data of one's own, how they were read and what is wrong with which row.

    suggestion: what could be learnt of them. expires: seconds until they go, None while a run uses them or they are kept.
    """

    id: str
    created: str
    bytes: int
    rows: int
    kept: bool
    runs: int
    expires: float | None
    columns: list[dict[str, Any]]
    preview: list[list[str]] = []
    problems: list[dict[str, Any]] = []
    problem_count: int = 0
    suggestion: dict[str, Any] | None = None


class LandscapePath(Answer):
    """The way of a run over a landscape: after which steps, where, (networks,) each; and the loss of the network itself.

    in_plane: how much of the way lies in the plane, from 0 to 1.
    """

    run: str
    steps: list[int]
    x: FloatField
    y: FloatField
    loss: FloatField
    in_plane: float


class LandscapeState(Answer):
    """A landscape and how far it has come, `done` of `points`. loss: (y, x). What is not known yet is None.

    seconds_left: about, while it is computed.
    """

    id: str
    status: str
    error: str | None
    done: int
    points: int
    seconds_left: float | None = None
    directions: dict[str, Any] | None = None
    x: FloatField | None = None
    y: FloatField | None = None
    loss: FloatField | None = None
    paths: list[LandscapePath] | None = None
