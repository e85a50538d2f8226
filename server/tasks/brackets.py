"""Balanced brackets: does every bracket close the one that it should?

Generated: half of the strings are balanced, drawn evenly from all those of their length, in two kinds of brackets. The others come of
balanced ones by one small change: a bracket becomes another, or two change places; so counting the brackets is not enough. No string occurs
twice. Lengths are even, as those of balanced strings are, and spread from `SHORTEST` to the longest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.training.task import Part
from server.tasks.base import CLASS_METRICS, ArrayTask, Examples, LengthChoice, Suggestion, Text, majority, permutation, tenths

BRACKETS = "()[]"
PAIRS = {")": "(", "]": "["}
SHORTEST, USUAL = 4, 16
OF_EACH = 2000
SEED = 20265


class Brackets(ArrayTask):
    """String of brackets -> balanced or not."""

    name = "brackets"
    kind = "classification"
    readout = "last"
    display = "letters"
    title = Text("Brackets → balanced?", "括号 → 是否匹配")
    question = Text("Does every bracket have its partner?", "每个括号都配对了吗？")
    source = "Generated; the bracket languages are those of W. von Dyck and N. Chomsky"
    license = "MIT"
    classes = (Text("not balanced", "不匹配"), Text("balanced", "匹配"))
    features = tuple(BRACKETS)
    metrics = CLASS_METRICS
    length = LengthChoice(12, 100, USUAL, "longest")
    suggested = Suggestion("gru", 32, steps=1000)

    def __init__(self, length: int | None = None) -> None:
        strings = _strings(USUAL if length is None else length)
        order = permutation(len(strings), SEED)
        self.parts = {part: _encode([strings[i] for i in order[chosen]]) for part, chosen in tenths(len(order)).items()}
        self.baseline = majority(self.parts)

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        return [BRACKETS[place] for place in inputs.argmax(axis=1)]

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        return "".join(self.tokens(inputs))


def balanced(string: str) -> bool:
    """Whether every bracket closes the last one that is open, and none stays open."""
    open_ones: list[str] = []
    for bracket in string:
        if bracket not in PAIRS:
            open_ones.append(bracket)
        elif not open_ones or open_ones.pop() != PAIRS[bracket]:
            return False
    return not open_ones


def _strings(longest: int) -> list[str]:
    """As many balanced as other strings, each once."""
    random = np.random.Generator(np.random.Philox(key=SEED + longest))
    right: dict[str, None] = {}  # in the order in which they were drawn
    wrong: dict[str, None] = {}
    while len(right) < OF_EACH or len(wrong) < OF_EACH:
        string = _drawn(2 * int(random.integers(SHORTEST // 2, longest // 2 + 1)), random)
        if len(right) < OF_EACH:
            right[string] = None
        changed = _changed(string, random)
        if len(wrong) < OF_EACH and not balanced(changed):
            wrong[changed] = None
    return [*right, *wrong]


def _drawn(length: int, random: np.random.Generator) -> str:
    """A balanced string, each of its length as likely as any other."""
    string, open_ones = "", list[str]()
    for left in range(length, 0, -1):
        depth = len(open_ones)
        opens = (left - depth) * (depth + 2) / (2 * left * (depth + 1))  # the share of the ways to go on that open a bracket here
        if random.random() < opens:
            open_ones.append("()" if random.random() < 0.5 else "[]")
            string += open_ones[-1][0]
        else:
            string += open_ones.pop()[1]
    return string


def _changed(string: str, random: np.random.Generator) -> str:
    """One bracket drawn anew, or two that change places."""
    one, other = (int(place) for place in random.integers(0, len(string), 2))
    brackets = list(string)
    if random.random() < 0.5:
        brackets[one] = BRACKETS[int(random.integers(0, len(BRACKETS)))]
    else:
        brackets[one], brackets[other] = brackets[other], brackets[one]
    return "".join(brackets)


def _encode(strings: list[str]) -> Examples:
    longest = max(len(string) for string in strings)
    inputs = np.zeros((len(strings), longest, len(BRACKETS)), dtype=np.uint8)
    for row, string in enumerate(strings):
        inputs[row, range(len(string)), [BRACKETS.index(bracket) for bracket in string]] = 1
    lengths = np.array([len(string) for string in strings])
    return Examples(inputs, lengths, np.array([int(balanced(string)) for string in strings]))
