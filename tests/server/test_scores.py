"""Scores of predictions: against numbers written out by hand, and against scikit-learn's own functions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from server.evaluation.scores import classification_scores, cross_entropies, pieces, probabilities, regression_scores

# Three classes of four: c is never predicted, d does not occur and is predicted once, and nobody speaks of e.
TARGETS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 3, 0])


def test_a_small_classification_by_hand() -> None:
    scores = classification_scores(TARGETS, PREDICTED, 5)
    assert scores["confusion"] == [[2, 1, 0, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    a, b, c, d, e = scores["classes"]
    assert a == {"precision": 2 / 3, "recall": 2 / 3, "f1": pytest.approx(2 / 3), "support": 3, "predicted": 3, "undefined": []}
    assert b == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2, "predicted": 2, "undefined": []}
    assert c == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1, "predicted": 0, "undefined": ["precision"]}
    assert d == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0, "predicted": 1, "undefined": ["recall"]}
    assert e == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0, "predicted": 0, "undefined": ["precision", "recall", "f1"]}
    # e counts for nothing: four classes occur
    expected = {"precision": (2 / 3 + 0.5) / 4, "recall": (2 / 3 + 0.5) / 4, "f1": (2 / 3 + 0.5) / 4, "classes": 4}
    assert scores["macro"] == pytest.approx(expected)


def test_the_means_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    targets, predicted = random.integers(0, 6, 200), random.integers(0, 6, 200)
    scores = classification_scores(targets, predicted, 7)
    for name, measure in (("precision", metrics.precision_score), ("recall", metrics.recall_score), ("f1", metrics.f1_score)):
        assert scores["macro"][name] == pytest.approx(measure(targets, predicted, average="macro", zero_division=0), rel=1e-14)
        each = measure(targets, predicted, average=None, labels=range(7), zero_division=0)
        assert [one[name] for one in scores["classes"]] == each.tolist()
    assert scores["confusion"] == metrics.confusion_matrix(targets, predicted, labels=range(7)).tolist()
    assert sum(one["support"] for one in scores["classes"]) == 200


def test_a_small_regression_by_hand() -> None:
    targets, predicted, naive = (np.array([values]).T for values in ([1.0, 2.0, 4.0], [1.0, 3.0, 2.0], [0.0, 1.0, 2.0]))
    scores = regression_scores(targets, predicted, naive)
    assert scores["mae"] == pytest.approx((0 + 1 + 2) / 3)
    assert scores["naive"] == {"rmse": pytest.approx(((1 + 1 + 4) / 3) ** 0.5), "mae": pytest.approx((1 + 1 + 2) / 3)}


def test_what_diverged_has_no_figures() -> None:
    targets = np.zeros((2, 1))
    scores = regression_scores(targets, np.array([[1.0], [np.inf]]), targets)
    assert np.isnan(scores["mae"])
    assert scores["naive"] == {"rmse": 0.0, "mae": 0.0}


def test_probabilities_and_cross_entropies_by_hand() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    assert probabilities(logits) == pytest.approx(np.exp(logits))
    assert cross_entropies(logits + 1000, np.array([1, 2])) == pytest.approx(-np.log([0.25, 0.8]))


def test_what_is_packed_is_split() -> None:
    assert [piece.tolist() for piece in pieces(np.arange(6), [3, 1, 2])] == [[0, 1, 2], [3], [4, 5]]
