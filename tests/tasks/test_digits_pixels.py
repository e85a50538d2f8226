"""Digits by pixels: the digits by rows, one pixel after the other."""

from __future__ import annotations

import numpy as np

from server.tasks import PARTS, load

ROWS, PIXELS = load("digits"), load("digits-pixels")


def test_they_are_the_same_images_in_the_same_parts() -> None:
    for part in PARTS:
        rows, pixels = (task.batch(part, range(task.size(part))) for task in (ROWS, PIXELS))
        assert pixels.inputs.shape[1:] == (64, 1)
        np.testing.assert_array_equal(pixels.inputs.reshape(rows.inputs.shape), rows.inputs)
        np.testing.assert_array_equal(pixels.targets, rows.targets)
        assert set(pixels.lengths.tolist()) == {64}
    assert PIXELS.baseline == ROWS.baseline
    assert ROWS.parts["train"].inputs.shape[1:] == (8, 8)
