"""The losses as functions: PyTorch's names, reductions and options, from their definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, losses

RANDOM = np.random.default_rng(0)
Z, Y = RANDOM.standard_normal((4, 3)), RANDOM.uniform(0.1, 0.9, (4, 3))
CLASSES = np.array([2, 0, -100, 1])
LOGS = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
WEIGHT = [0.5, 2.0, 3.0]

EACH: dict[str, tuple[Callable[..., Tensor], Any]] = {
    "mse": (losses.mse_loss, (Z - Y) ** 2),
    "l1": (losses.l1_loss, np.abs(Z - Y)),
    "huber": (losses.huber_loss, np.where(np.abs(Z - Y) <= 1, (Z - Y) ** 2 / 2, np.abs(Z - Y) - 0.5)),
    "bce": (losses.binary_cross_entropy_with_logits, np.log1p(np.exp(Z)) - Y * Z),
    "kl": (losses.kl_div, Y * (np.log(Y) - Z)),
}


@pytest.mark.parametrize("name", EACH)
def test_reductions_of_the_elementwise_losses(name: str) -> None:
    loss, each = EACH[name]
    np.testing.assert_allclose(loss(Tensor(Z), Y, reduction="none").data, each, rtol=1e-12)
    assert loss(Tensor(Z), Y, reduction="sum").item() == pytest.approx(each.sum(), rel=1e-12)
    assert loss(Tensor(Z), Y).item() == pytest.approx(each.mean(), rel=1e-12)
    with pytest.raises(ValueError, match="reduction is 'most'; expected"):
        loss(Tensor(Z), Y, reduction="most")


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_cross_entropy_with_ignored_rows_class_weights_and_smoothing(smoothing: float, weight: list[float] | None) -> None:
    each_class = np.ones(3) if weight is None else np.array(weight)
    each = np.zeros(4)
    for row, target in enumerate(CLASSES):
        if target >= 0:
            each[row] = -(1 - smoothing) * each_class[target] * LOGS[row, target] - smoothing / 3 * (each_class * LOGS[row]).sum()
    total = sum(each_class[target] for target in CLASSES if target >= 0)
    options: dict[str, Any] = {"weight": weight, "label_smoothing": smoothing}
    np.testing.assert_allclose(losses.cross_entropy(Tensor(Z), CLASSES, reduction="none", **options).data, each, rtol=1e-12)
    assert losses.cross_entropy(Tensor(Z), CLASSES, reduction="sum", **options).item() == pytest.approx(each.sum(), rel=1e-12)
    assert losses.cross_entropy(Tensor(Z), CLASSES, **options).item() == pytest.approx(each.sum() / total, rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_the_usual_cross_entropy_is_the_weighted_one_with_equal_weights(dtype: str, kind: Any) -> None:
    far = np.concatenate([Z, 300 * Z, [[-np.inf, 0.0, 1.0]]])
    targets = np.array([2, 0, 1, 1, 0, 2, 1, 0, 2], kind)
    found = []
    for weight in (None, [1.0, 1.0, 1.0]):
        z = Tensor(far, requires_grad=True, dtype=dtype)
        loss = losses.cross_entropy(z, targets, weight)
        found.append((loss, loss.backward()[z], loss.backward()[z]))
    (usual, once, twice), (general, expected, _) = found
    assert usual.dtype == general.dtype == once.dtype == np.dtype(dtype)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    assert usual.item() == pytest.approx(general.item(), rel=tolerance)
    np.testing.assert_allclose(once, expected, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(once, twice)


def test_logits_that_are_all_impossible_have_no_loss() -> None:
    z = Tensor([[-np.inf, -np.inf], [0.0, 1.0]], requires_grad=True)
    loss = losses.cross_entropy(z, np.array([0, 1]))
    assert np.isnan(loss.item())
    np.testing.assert_array_equal(np.isnan(loss.backward()[z]), [[True, True], [False, False]])


def test_an_ignored_row_gets_no_gradient() -> None:
    z = Tensor(Z, requires_grad=True)
    gradient = losses.cross_entropy(z, CLASSES).backward()[z]
    np.testing.assert_array_equal(gradient[2], 0.0)
    probabilities = np.exp(LOGS)
    np.testing.assert_allclose(gradient[1], (probabilities[1] - [1.0, 0.0, 0.0]) / 3, rtol=1e-12)


def test_another_class_may_be_the_ignored_one() -> None:
    z, targets = Tensor(Z), np.array([2, 0, 1, 1])
    expected = -(LOGS[0, 2] + LOGS[1, 0]) / 2
    assert losses.cross_entropy(z, targets, ignore_index=1).item() == pytest.approx(expected, rel=1e-12)
    assert losses.nll_loss(Tensor(LOGS), targets, ignore_index=1).item() == pytest.approx(expected, rel=1e-12)


def test_the_likelihood_of_log_probabilities_is_the_cross_entropy_of_logits() -> None:
    for options in ({}, {"weight": WEIGHT}, {"reduction": "sum"}, {"reduction": "none"}):
        by_logits = losses.cross_entropy(Tensor(Z), CLASSES, **options).data
        np.testing.assert_allclose(losses.nll_loss(Tensor(LOGS), CLASSES, **options).data, by_logits, rtol=1e-12)


def test_class_losses_of_one_example_and_of_images() -> None:
    one = losses.cross_entropy(Tensor(Z[0]), 2)
    assert one.shape == ()
    assert one.item() == pytest.approx(-LOGS[0, 2], rel=1e-12)
    logs = np.moveaxis(LOGS.reshape(2, 2, 3), -1, 1)  # (batch, classes, width)
    targets = CLASSES.reshape(2, 2)
    z = Tensor(logs, requires_grad=True)
    for loss in (losses.cross_entropy, losses.nll_loss):
        expected = loss(Tensor(LOGS), CLASSES, reduction="none").data.reshape(2, 2)
        np.testing.assert_allclose(loss(z, targets, reduction="none").data, expected, rtol=1e-12)
        mean = loss(z, targets)
        assert mean.item() == pytest.approx(expected.sum() / 3, rel=1e-12)
        assert mean.backward()[z].shape == logs.shape
        with pytest.raises(ValueError, match=f"^{loss.__name__}: .*expected"):
            loss(z, targets[:, :1])


def test_huber_bends_at_delta_and_is_far_from_overflow() -> None:
    x = Tensor([0.1, -3.0, 1e200], requires_grad=True)
    loss = losses.huber_loss(x, np.zeros(3), reduction="none", delta=0.5)
    np.testing.assert_allclose(loss.data, [0.005, 0.5 * (3 - 0.25), 0.5e200], rtol=1e-12)
    np.testing.assert_allclose(loss.backward(np.ones(3))[x], [0.1, -0.5, 0.5], rtol=1e-12)


def test_positive_examples_may_weigh_more() -> None:
    expected = -(3.0 * Y * np.log(1 / (1 + np.exp(-Z))) + (1 - Y) * np.log(1 / (1 + np.exp(Z))))
    actual = losses.binary_cross_entropy_with_logits(Tensor(Z), Y, pos_weight=3.0, reduction="none")
    np.testing.assert_allclose(actual.data, expected, rtol=1e-12)


def test_divergence_by_the_batch_and_of_log_targets() -> None:
    each = Y * (np.log(Y) - Z)
    assert losses.kl_div(Tensor(Z), Y, reduction="batchmean").item() == pytest.approx(each.sum() / 4, rel=1e-12)
    assert losses.kl_div(Tensor(Z), np.log(Y), log_target=True).item() == pytest.approx(each.mean(), rel=1e-12)
    with pytest.raises(ValueError, match=r"^kl_div: probabilities from -1\.0; expected at least 0"):
        losses.kl_div(Tensor([0.5]), [-1.0])


def test_defaults_are_not_written_into_the_record() -> None:
    z = Tensor(Z, requires_grad=True)
    with Tape() as tape:
        losses.cross_entropy(z, CLASSES)
        losses.huber_loss(z, Y, delta=2.0)
    recorded = [dict(attributes) for op, attributes in zip(tape.ops, tape.attributes, strict=True) if op is not None]
    assert recorded == [{}, {"delta": 2.0}]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_losses_of_empty_arrays_sum_to_0(shape: tuple[int, int]) -> None:
    for loss, _ in EACH.values():
        x = Tensor(np.zeros(shape), requires_grad=True)
        total = loss(x, np.zeros(shape), reduction="sum")
        assert total.item() == 0.0
        assert total.backward()[x].shape == shape
