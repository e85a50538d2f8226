"""Digits: scikit-learn's images, each once, as rows of pixels in 0..1."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # scikit-learn publishes no types

from server.tasks import PARTS, load

TASK = load("digits")


def test_the_parts_are_the_images_of_scikit_learn_each_once() -> None:
    images, labels = load_digits(return_X_y=True)
    expected = Counter((image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True))
    batches = [TASK.batch(part, range(TASK.size(part))) for part in PARTS]
    found = Counter(((rows * 16).reshape(64).tobytes(), int(label)) for batch in batches
                    for rows, label in zip(batch.inputs, batch.targets, strict=True))  # fmt: skip
    assert found == expected
    assert [TASK.size(part) for part in PARTS] == [1439, 179, 179]


def test_pixels_are_in_0_to_1_and_rows_are_read_from_the_top() -> None:
    batch = TASK.batch("train", [0])
    example = TASK.describe(batch, "train")["examples"][0]
    assert batch.inputs.min() >= 0
    assert batch.inputs.max() == 1
    assert np.shape(example["tokens"]) == (8, 8)
    np.testing.assert_array_equal(example["tokens"], batch.inputs[0])
    assert example["target"] == batch.targets[0]


def test_the_baseline_is_the_usual_digit() -> None:
    train, validation = (TASK.batch(part, range(TASK.size(part))).targets.tolist() for part in ("train", "validation"))
    usual = min(range(10), key=lambda digit: (-train.count(digit), digit))
    assert TASK.baseline.value == pytest.approx(validation.count(usual) / len(validation), abs=1e-15)
