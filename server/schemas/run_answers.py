"""What evaluations of runs answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from server.schemas.answers import Answer, Baseline, Cursor, Localised, Number

EvaluatedPart = Literal["train", "validation"]


class MacroScores(BaseModel):
    """Plain means over the classes that occur among the targets or the predictions; classes: how many these are."""

    precision: float
    recall: float
    f1: float
    classes: int


class ClassScores(BaseModel):
    """One class. support: how often it is the target; predicted: how often it is predicted.

    undefined: the figures that are 0 for want of anything to divide by: a class that is never predicted has no precision.
    """

    title: Localised
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int
    undefined: list[Literal["precision", "recall", "f1"]]


class ClassificationScores(BaseModel):
    """Scores by class. confusion: a row a target, a column a prediction, in the order of `classes`."""

    macro: MacroScores
    classes: list[ClassScores]
    confusion: list[list[int]]


class NaiveScores(BaseModel):
    """What a forecast that learns nothing reaches on the same part: the value read last, or the mean of the training part's targets."""

    name: Literal["last_value", "mean"]
    rmse: Number
    mae: Number


class RegressionScores(BaseModel):
    """Root mean squared and mean absolute error in the targets' units."""

    rmse: Number
    mae: Number
    naive: NaiveScores


class Scores(BaseModel):
    """Figures of a network on a part. predictions: one an example, or one a step where every step is predicted.

    nonfinite: how many predictions hold no finite number, as those of a network that diverged. loss, accuracy, perplexity and rmse are the
    run's own validation figures, to the last bit. recalled: the accuracy at the steps that ask for something, of a task most of
    whose steps do not. baseline: what is reached on the validation part without learning anything.
    """

    examples: int
    predictions: int
    nonfinite: int
    loss: Number
    accuracy: Number | None = None
    perplexity: Number | None = None
    recalled: Number | None = None
    rmse: Number | None = None
    classification: ClassificationScores | None
    regression: RegressionScores | None
    baseline: Baseline


class RunMetrics(Answer):
    """Figures of a run's network, as it was after a step."""

    run: str
    part: EvaluatedPart
    step: int
    metrics: Scores


class TestedRun(Answer):
    """The figures on the test part, computed once. step: whose network it is; reached: how far the run had gone when it was tested.

    steps_since: how many steps it has trained since. Where there are any, someone may have chosen knowing the test.
    """

    run: str
    part: Literal["test"]
    step: int
    reached: int
    at: str
    steps_since: int
    metrics: Scores


_Answer = int | float | Literal["NaN", "Infinity", "-Infinity"]
_Answers = _Answer | list[_Answer | list[_Answer]]


class Mistake(BaseModel):
    """An example that the network gets wrong. target, prediction: a class's number, or numbers; where every step is predicted, one a step.

    p: the probability of what is predicted, p_target: that of the target; null for a regression. loss: of this example alone.
    """

    index: int
    length: int
    text: str
    target: _Answers
    prediction: _Answers
    p: Number | list[Number] | None
    p_target: Number | list[Number] | None
    loss: Number


class MistakePage(Answer):
    """Mistakes, the worst first. wrong: how many there are in all, of which the worst are listed; of a regression every example is one.

    classes: what the classes' numbers stand for; null for a regression.
    """

    run: str
    part: EvaluatedPart
    step: int
    examples: int
    wrong: int
    classes: list[Localised] | None
    items: list[Mistake]
    next: Cursor
