"""What a network makes of a part of its task: figures, and the examples that it gets wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.training import Part, Predictions, Settings, evaluate, predictions
from server import limits
from server.encoding import dumps
from server.evaluation.naive import naive_forecast
from server.evaluation.scores import classification_scores, cross_entropies, pieces, probabilities, regression_scores
from server.tasks import ArrayTask


@dataclass(frozen=True)
class Evaluation:
    """metrics: as docs/api.md has them. mistakes: the worst first, at most `limits.MISTAKES`; wrong: how many there are in all.

    classes: their names in both languages; None for a regression. size: bytes of it all as JSON, by which it is kept.
    """

    metrics: dict[str, Any]
    mistakes: list[dict[str, Any]]
    wrong: int
    classes: list[dict[str, str]] | None
    size: int


def evaluate_part(task: ArrayTask, settings: Settings, checkpoint: bytes | None, part: Part) -> Evaluation:
    """Figures and mistakes of the network in a checkpoint (None: the initial one).

    Loss, accuracy, what is recalled, root mean squared error and perplexity are those that `engine.training.evaluate` reports, to the last
    bit. Of a classification at every step every step counts as a prediction, and an example is wrong where one of its steps is.
    """
    figures = evaluate(task, settings, checkpoint, part)
    if task.kind == "regression":
        figures["rmse"] *= task.scale
    made = predictions(task, settings, checkpoint, part)
    about = {"examples": len(made.indices), "predictions": len(made.targets), "nonfinite": _nonfinite(made.outputs), **figures}
    classes = None
    if task.kind == "classification":
        predicted = made.outputs.argmax(axis=1)
        scores = classification_scores(made.targets, predicted, task.output_size)
        classes = [_title(task, k) for k in range(task.output_size)]
        rows = [{"title": title, **row} for title, row in zip(classes, scores["classes"], strict=True)]
        metrics = {**about, "classification": {**scores, "classes": rows}, "regression": None}
        wrong, losses = predicted != made.targets, cross_entropies(made.outputs, made.targets)
    else:
        name, naive = _naive(task, part, made)
        scores = regression_scores(made.targets * task.scale, made.outputs * task.scale, naive * task.scale)
        scores["naive"] = {"name": name, **scores["naive"]}
        metrics = {**about, "classification": None, "regression": {"rmse": figures["rmse"], **scores}}
        wrong, losses = np.ones(len(made.targets), dtype=bool), np.square(made.outputs - made.targets).mean(axis=-1)
    baseline = {"name": task.baseline.name, "metric": task.baseline.metric, "value": task.baseline.value}
    mistakes, count = _mistakes(task, part, made, wrong, losses)
    metrics = {**metrics, "baseline": baseline}
    return Evaluation(metrics, mistakes, count, classes, len(dumps([metrics, mistakes, classes])))


def _mistakes(task: ArrayTask, part: Part, made: Predictions, wrong: Array, losses: Array) -> tuple[list[dict[str, Any]], int]:
    """The examples with something wrong, the greatest loss first (one that is no number before all others), and how many there are."""
    own_losses = np.array([piece.mean() for piece in _by_example(task, made, losses)])
    own_wrong = np.array([piece.any() for piece in _by_example(task, made, wrong)])
    chosen = np.flatnonzero(own_wrong)
    order = chosen[np.lexsort((made.indices[chosen], -np.nan_to_num(own_losses[chosen], nan=np.inf)))]
    order = order[: limits.MISTAKES]
    if not order.size:
        return [], 0
    batch = task.batch(part, made.indices[order])
    described = task.describe(batch, part)["examples"]
    outputs, targets = _by_example(task, made, made.outputs), _by_example(task, made, made.targets)
    items = [
        {"index": int(made.indices[place]), "length": about["length"], "text": about["text"], "loss": float(own_losses[place]),
         **_answers(task, outputs[place], targets[place])}
        for place, about in zip(order, described, strict=True)
    ]  # fmt: skip
    return items, int(chosen.size)


def _answers(task: ArrayTask, outputs: Array, targets: Array) -> dict[str, Any]:
    """Target and prediction of one example, (steps, …) of each: numbers in the data's unit, classes with their probabilities."""
    if task.kind == "regression":
        target, prediction = (values * task.scale + task.offset for values in (targets, outputs))
        columns: dict[str, Any] = {"target": target, "prediction": prediction, "p": None, "p_target": None}
    else:
        p, predicted, rows = probabilities(outputs), outputs.argmax(axis=1), np.arange(len(targets))
        columns = {"target": targets, "prediction": predicted, "p": p[rows, predicted], "p_target": p[rows, targets]}
    alone = task.readout == "last"
    return {name: None if column is None else (column[0] if alone else column).tolist() for name, column in columns.items()}


def _by_example(task: ArrayTask, made: Predictions, values: Array) -> list[Array]:
    """A piece an example: one row where the last state is read, else a row a step."""
    return pieces(values, made.lengths if task.readout == "every" else np.ones(len(made.indices), dtype=np.int64))


def _naive(task: ArrayTask, part: Part, made: Predictions) -> tuple[str, Array]:
    """The naive forecast for the same examples, in the same order and shape as the predictions."""
    batch = task.batch(part, made.indices)
    name, forecast = naive_forecast(task, batch)
    if task.readout == "last":
        return name, forecast
    return name, np.concatenate([row[:length] for row, length in zip(forecast, batch.lengths, strict=True)])


def _title(task: ArrayTask, number: int) -> dict[str, str]:
    return {"en": str(number), "zh": str(number)} if task.classes is None else task.classes[number].to_json()


def _nonfinite(outputs: Array) -> int:
    """How many predictions hold something that is no finite number."""
    return int((~np.isfinite(outputs).all(axis=-1)).sum())
