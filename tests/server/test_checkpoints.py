"""Which checkpoints are kept."""

from __future__ import annotations

import pytest

from server import limits
from server.store.checkpoints import superfluous


def kept(steps: list[int], size: int = 1) -> list[int]:
    gone = set(superfluous(steps, size))
    return [step for step in steps if step not in gone]


def test_the_latest_is_always_kept() -> None:
    assert kept([1]) == [1]
    assert kept([1, 2, 3]) == [3]


def test_one_every_fifty_steps_is_kept() -> None:
    steps: list[int] = []
    for step in range(7, 1000, 7):
        steps = kept([*steps, step])
    assert steps[-1] == 994
    assert max(b - a for a, b in zip([0, *steps], steps, strict=False)) < 2 * limits.CHECKPOINT_SPACING
    assert len(steps) <= 994 // limits.CHECKPOINT_SPACING + 1


@pytest.mark.parametrize("most", [2, 8, 30])
def test_large_checkpoints_are_kept_further_apart(most: int) -> None:
    size, steps = limits.CHECKPOINT_BYTES // most, []
    for step in range(50, limits.RUN_STEPS + 1, 50):
        steps = kept([*steps, step], size)
        assert len(steps) <= most
        assert steps[-1] == step
    assert len(steps) >= most // 2
