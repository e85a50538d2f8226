"""Scores of predictions, by scikit-learn.

Classes that are never predicted have no precision, classes that do not occur have no recall: such a figure is 0, and `undefined` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import (  # type: ignore[import-untyped]  # scikit-learn publishes no types
    confusion_matrix,
    mean_absolute_error,
    precision_recall_fscore_support,
    root_mean_squared_error,
)

from engine.ops.op import Array


def classification_scores(targets: Array, predicted: Array, classes: int) -> dict[str, Any]:
    """Precision, recall and F1 of every class, their plain means, and the confusion matrix (row: the target, column: the prediction).

    targets, predicted: class numbers from 0 to below `classes`, (n,) each, n at least 1. The means (macro) are over the classes that occur
    among targets or predictions, as scikit-learn has it. Without accuracy, which `engine.training.evaluate` reports.
    """
    every = range(classes)
    matrix = confusion_matrix(targets, predicted, labels=every)
    columns = precision_recall_fscore_support(targets, predicted, labels=every, zero_division=0)
    support, called = matrix.sum(axis=1), matrix.sum(axis=0)
    occurs = (support + called) > 0
    precision, recall, f1 = (np.asarray(column, dtype=np.float64) for column in columns[:3])
    macro = {name: float(column[occurs].mean()) for name, column in (("precision", precision), ("recall", recall), ("f1", f1))}
    per_class = [
        {"precision": float(precision[k]), "recall": float(recall[k]), "f1": float(f1[k]), "support": int(support[k]),
         "predicted": int(called[k]), "undefined": _undefined(int(support[k]), int(called[k]))}
        for k in every
    ]  # fmt: skip
    return {"macro": {**macro, "classes": int(occurs.sum())}, "classes": per_class, "confusion": matrix.tolist()}


def _undefined(support: int, predicted: int) -> list[str]:
    """Which figures of a class are 0 for want of anything to divide by."""
    return ["precision"] * (not predicted) + ["recall"] * (not support) + ["f1"] * (not support and not predicted)


def regression_scores(targets: Array, predicted: Array, naive: Array) -> dict[str, Any]:
    """Mean absolute error of the predictions, and both errors of the naive forecast, in the targets' units.

    Three arrays of one shape. Figures of predictions that are not finite are NaN. Without the root mean squared error of the predictions,
    which `engine.training.evaluate` reports.
    """
    reached = {"rmse": _error(root_mean_squared_error, targets, naive), "mae": _error(mean_absolute_error, targets, naive)}
    return {"mae": _error(mean_absolute_error, targets, predicted), "naive": reached}


def _error(measure: Any, targets: Array, predicted: Array) -> float:
    if not np.isfinite(predicted).all():
        return float("nan")  # which scikit-learn refuses
    return float(measure(targets.ravel(), predicted.ravel()))


def probabilities(logits: Array) -> Array:
    """The softmax of each row; (n, classes)."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def cross_entropies(logits: Array, targets: Array) -> Array:
    """-log p of each row's target; logits: (n, classes), targets: (n,) class numbers."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(shifted).sum(axis=-1)) - shifted[np.arange(len(targets)), targets])


def pieces(values: Array, lengths: Sequence[int] | Array) -> list[Array]:
    """What stands packed one sequence after the other, a piece a sequence."""
    return list(np.split(values, np.cumsum(lengths)[:-1]))
