"""Copy memory (Hochreiter and Schmidhuber, 1997): letters are read, nothing follows for a while, then the letters are to be said again.

Generated: every word of `COPIED` letters of `ALPHABET` once, then blanks, then as many question marks as there were letters. A prediction
is made at every step: nothing until the first question mark, then the letters in their order. The longer the blanks, the farther the
gradient has to travel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.training.task import Part
from server.tasks.base import ArrayTask, Baseline, Examples, LengthChoice, Suggestion, Text, permutation, tenths

ALPHABET = "abcdefgh"
COPIED = 4
BLANK, ASKED = "·", "?"
USUAL = 16
SEED = 20264


class CopyMemory(ArrayTask):
    """Letters, blanks, question marks -> the letters, one at each question mark."""

    name = "copy-memory"
    kind = "classification"
    readout = "every"
    display = "letters"
    title = Text("Letters → the same, later", "字母 → 稍后复述")
    question = Text("Which letters were there at the start?", "开头是哪些字母？")
    source = "Generated; after a task of S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997"
    license = "MIT"
    classes = (*(Text(letter, letter) for letter in ALPHABET), Text("nothing", "无"))
    features = (*ALPHABET, BLANK, ASKED)
    idle = len(ALPHABET)
    metrics = ("accuracy", "recalled", "perplexity")
    length = LengthChoice(10, 200, USUAL, "all")
    suggested = Suggestion("gru", 64, steps=1000, lr=0.02)

    def __init__(self, length: int | None = None) -> None:
        length = USUAL if length is None else length
        words = np.indices((len(ALPHABET),) * COPIED).reshape(COPIED, -1).T  # every word of so many letters
        words = words[permutation(len(words), SEED)]
        self.parts = {part: _written_out(words[chosen], length) for part, chosen in tenths(len(words)).items()}
        right = (length - COPIED + COPIED / len(ALPHABET)) / length  # nothing while nothing is asked for, then one letter of eight
        self.baseline = Baseline("uniform_guess", "accuracy", right)

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        return [self.features[place] for place in inputs.argmax(axis=1)]

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        return "".join(self.tokens(inputs)[:COPIED])


def _written_out(words: npt.NDArray[np.int64], length: int) -> Examples:
    """Sequences of `length` steps that begin with the words, (n, COPIED) places in the alphabet."""
    symbols = np.full((len(words), length), len(ALPHABET))  # blanks
    symbols[:, :COPIED] = words
    symbols[:, -COPIED:] = len(ALPHABET) + 1
    targets = np.full((len(words), length), len(ALPHABET))  # nothing
    targets[:, -COPIED:] = words
    inputs = np.eye(len(ALPHABET) + 2, dtype=np.uint8)[symbols]
    return Examples(inputs, np.full(len(words), length), targets)
