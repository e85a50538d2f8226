"""Writing names: at every letter of a given name, which letter comes next? A network that knows can write names that nobody has.

The names are Faker's lists of given names of ten countries, as they stand: in lower case, of 2 to 12 of the letters a to z, each once.
A sequence begins with `START`, which asks for the first letter, and the target of its last letter is the end of the name.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt
from faker.providers.person import de_DE, en_GB, en_US, es_ES, fi_FI, fr_FR, it_IT, nl_NL, pl_PL, sv_SE

from engine.training.task import Generate, Part
from server.tasks.base import ArrayTask, Baseline, Examples, Suggestion, Text, permutation, tenths

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
START, END = "<", ">"
SHORTEST, LONGEST = 2, 12
SEED = 20266
COUNTRIES = (de_DE, en_GB, en_US, es_ES, fi_FI, fr_FR, it_IT, nl_NL, pl_PL, sv_SE)
_LISTS = ("first_names", "first_names_male", "first_names_female")


class Names(ArrayTask):
    """The letters of a name so far -> the next one."""

    name = "names"
    kind = "classification"
    readout = "every"
    display = "letters"
    title = Text("Letters of a name → next letter", "名字的字母 → 下一个字母")
    question = Text("Which letter comes next?", "下一个字母是什么？")
    source = f"Faker, lists of given names: {', '.join(module.__name__.rpartition('.')[2] for module in COUNTRIES)}"
    license = "MIT"
    classes = (*(Text(letter, letter) for letter in ALPHABET), Text(f"{END} end", f"{END} 结束"))
    features = (START, *ALPHABET)
    metrics = ("perplexity", "accuracy")
    suggested = Suggestion("gru", 64, steps=1000)

    def __init__(self) -> None:
        names = given_names()
        order = permutation(len(names), SEED)
        self.parts = {part: _encode([names[i] for i in order[chosen]]) for part, chosen in tenths(len(order)).items()}
        self.baseline = Baseline("letter_frequencies", "perplexity", _perplexity(self.parts["train"], self.parts["validation"]))

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        return [self.features[place] for place in inputs.argmax(axis=1)]

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        return "".join(self.tokens(inputs)[1:])

    def samples(self, generate: Generate) -> list[str]:
        """Names that the network writes."""
        read = np.eye(len(self.features))
        following = np.vstack([read[1:], read[:1]])  # the row of the end is never read: what comes after it is cut off
        return ["".join(ALPHABET[letter] for letter in name) for name in generate(read[0], following, len(ALPHABET), most=2 * LONGEST)]


def given_names() -> list[str]:
    """All names, sorted."""
    given = (name for module in COUNTRIES for key in _LISTS for name in getattr(module.Provider, key, ()))
    plain = {unicodedata.normalize("NFC", name).lower() for name in given}
    return sorted(name for name in plain if SHORTEST <= len(name) <= LONGEST and set(name) <= set(ALPHABET))


def _encode(names: list[str]) -> Examples:
    inputs = np.zeros((len(names), LONGEST + 1, 1 + len(ALPHABET)), dtype=np.uint8)
    targets = np.zeros((len(names), LONGEST + 1), dtype=np.int64)
    for row, name in enumerate(names):
        letters = [ALPHABET.index(letter) for letter in name]
        inputs[row, range(len(name) + 1), [0, *(1 + letter for letter in letters)]] = 1
        targets[row, : len(name) + 1] = [*letters, len(ALPHABET)]
    return Examples(inputs, np.array([len(name) + 1 for name in names]), targets)


def _perplexity(train: Examples, validation: Examples) -> float:
    """Of saying each letter as often as it occurs in the training part, whatever stood before."""
    counts = np.bincount(_targets(train), minlength=1 + len(ALPHABET)) + 1.0  # one each besides: no letter is impossible
    return float(np.exp(-np.log(counts / counts.sum())[_targets(validation)].mean()))


def _targets(examples: Examples) -> npt.NDArray[np.int64]:
    """Those of all steps that there are."""
    there = np.arange(examples.targets.shape[1]) < examples.lengths[:, None]
    targets: npt.NDArray[np.int64] = examples.targets[there]
    return targets
