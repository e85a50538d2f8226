"""The adding problem: two markers, one in each half, and the sum of what they mark."""

from __future__ import annotations

import math

import pytest

from server.tasks import PARTS, load
from server.tasks.adding import LONG, LONGEST, SHORTEST, Adding

TASK = load("adding")
LISTED = {part: TASK.describe(TASK.batch(part, range(TASK.size(part))), part)["examples"] for part in PARTS}


def test_the_target_is_the_sum_of_the_two_marked_numbers() -> None:
    for part in PARTS:
        for example in LISTED[part]:
            marked = [value for value, marker in example["tokens"] if marker == 1]
            assert len(marked) == 2
            assert {marker for _, marker in example["tokens"]} == {0, 1}
            assert example["target"] == [pytest.approx(sum(marked), rel=1e-15)]
            assert example["text"] == f"{marked[0]:.3f} + {marked[1]:.3f}"


def test_one_marker_stands_in_each_half() -> None:
    for example in LISTED["train"]:
        places = [place for place, (_, marker) in enumerate(example["tokens"]) if marker]
        assert places[0] < example["length"] // 2 <= places[1]


def test_lengths_and_numbers_cover_their_range() -> None:
    assert {example["length"] for example in LISTED["train"]} == set(range(SHORTEST, LONGEST + 1))
    values = [value for example in LISTED["train"] for value, _ in example["tokens"]]
    assert 0 <= min(values) < 0.001
    assert 0.999 < max(values) < 1
    assert sum(values) / len(values) == pytest.approx(0.5, abs=0.01)


def test_the_baseline_predicts_the_mean() -> None:
    mean = sum(example["target"][0] for example in LISTED["train"]) / len(LISTED["train"])
    errors = [example["target"][0] - mean for example in LISTED["validation"]]
    assert TASK.baseline.value == pytest.approx(math.sqrt(sum(e * e for e in errors) / len(errors)), rel=1e-12)
    assert TASK.baseline.value == pytest.approx(math.sqrt(1 / 6), rel=0.1)  # two uniform numbers


def test_it_is_generated_alike_every_time() -> None:
    again = Adding()
    for part in PARTS:
        assert again.parts[part].inputs.tobytes() == TASK.parts[part].inputs.tobytes()


def test_the_long_sequences_are_the_same_problem_over_fifty_steps() -> None:
    task = load("adding-50")
    assert {int(n) for part in PARTS for n in task.parts[part].lengths} == {LONG} == {50}
    for example in task.describe(task.batch("train", range(200)), "train")["examples"]:
        places = [place for place, (_, marker) in enumerate(example["tokens"]) if marker]
        assert len(places) == 2
        assert places[0] < LONG // 2 <= places[1]
        assert example["target"] == [pytest.approx(sum(example["tokens"][place][0] for place in places), rel=1e-15)]
