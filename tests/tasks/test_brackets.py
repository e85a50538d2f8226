"""Balanced brackets: half of the strings are, and no length tells which."""

from __future__ import annotations

from collections import Counter

import pytest

from server.tasks import PARTS, load
from server.tasks.brackets import OF_EACH, SHORTEST, USUAL, balanced

TASK = load("brackets")
LISTED = [example for part in PARTS for example in TASK.describe(TASK.batch(part, range(TASK.size(part))), part)["examples"]]


@pytest.mark.parametrize("string", ["", "()", "[()]", "()[]", "[([])()]"])
def test_what_is_balanced(string: str) -> None:
    assert balanced(string)


@pytest.mark.parametrize("string", ["(", ")", "(]", "([)]", ")(", "[[]", "())"])
def test_what_is_not(string: str) -> None:
    assert not balanced(string)


def test_targets_say_what_is_so() -> None:
    for example in LISTED:
        assert example["text"] == "".join(example["tokens"])
        assert example["target"] == int(balanced(example["text"]))


def test_both_answers_are_as_frequent_and_no_string_comes_twice() -> None:
    assert Counter(example["target"] for example in LISTED) == {0: OF_EACH, 1: OF_EACH}
    assert len({example["text"] for example in LISTED}) == 2 * OF_EACH


def test_counting_is_not_enough() -> None:
    def counted(text: str) -> bool:
        return text.count("(") == text.count(")") and text.count("[") == text.count("]")

    deceptive = [example for example in LISTED if not example["target"] and counted(example["text"])]
    assert len(deceptive) > OF_EACH / 4


def test_lengths_are_even_and_reach_the_longest() -> None:
    lengths = {example["length"] for example in LISTED}
    assert lengths == set(range(SHORTEST, USUAL + 1, 2))
    assert {int(n) for n in load("brackets", 31).parts["train"].lengths} == set(range(SHORTEST, 31, 2))
