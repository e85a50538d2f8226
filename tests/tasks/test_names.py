"""Writing names: the next letter at every letter, and names that are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from server.tasks import PARTS, load
from server.tasks.names import ALPHABET, END, LONGEST, START, Names, given_names

TASK = load("names")


def test_the_target_is_the_name_itself_one_letter_on() -> None:
    assert TASK.classes is not None
    for part in PARTS:
        for example in TASK.describe(TASK.batch(part, range(100)), part)["examples"]:
            name = example["text"]
            assert example["tokens"] == [START, *name]
            assert example["target"] == [*(ALPHABET.index(letter) for letter in name), len(ALPHABET)]
    assert TASK.classes[-1].en == f"{END} end"


def test_every_name_stands_in_one_part() -> None:
    names = [example["text"] for part in PARTS for example in TASK.describe(TASK.batch(part, range(TASK.size(part))), part)["examples"]]
    assert sorted(names) == given_names()
    assert len(set(names)) == len(names) > 3000
    assert all(2 <= len(name) <= LONGEST and set(name) <= set(ALPHABET) for name in names)


def test_the_baseline_knows_how_frequent_letters_are() -> None:
    assert len(ALPHABET) / 2 < TASK.baseline.value < 1 + len(ALPHABET)


def test_samples_are_the_letters_that_are_drawn() -> None:
    assert isinstance(TASK, Names)
    asked: dict[str, Any] = {}

    def generate(start: Any, inputs: Any, stop: int | None, *, count: int = 8, most: int = 20, temperature: float = 0.8) -> list[list[int]]:
        asked.update(start=start, inputs=inputs, stop=stop, most=most)
        return [[0, 13, 13, 0], []]

    assert TASK.samples(generate) == ["anna", ""]
    assert asked["stop"] == len(ALPHABET)
    assert asked["start"].tolist() == np.eye(27)[0].tolist()  # of START
    for letter in range(len(ALPHABET)):
        assert TASK.features[int(np.argmax(asked["inputs"][letter]))] == ALPHABET[letter]
    assert asked["inputs"].shape == (27, 27)


@pytest.mark.parametrize("part", PARTS)
def test_padding_is_no_letter(part: Any) -> None:
    batch = TASK.batch(part, range(TASK.size(part)))
    there = np.arange(batch.inputs.shape[1]) < batch.lengths[:, None]
    np.testing.assert_array_equal(batch.inputs.sum(axis=2), there)
