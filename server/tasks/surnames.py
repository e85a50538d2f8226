"""Surnames and the language they come from: names as sequences of letters, read one a step.

The names are Faker's lists of last names, as they stand (nothing is generated). They are normalised to NFC and lower case.
Diacritics stay: they belong to the names, and a reader uses them too. Kept are names of 2 to 14 letters that are all in
`ALPHABET` (a letter outside it occurs in at most four names) and that belong to one language only; of each language a fixed
choice of at most `LARGEST` names, so that none prevails. Each language is split alike, so a name stands in one part alone.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from faker.providers.person import de_AT, de_DE, en_GB, es_ES, fi_FI, fr_FR, hr_HR, it_IT, nl_NL, pl_PL, sk_SK, sv_SE

from engine.training.task import Part
from server.tasks.base import CLASS_METRICS, PARTS, ArrayTask, Examples, Suggestion, Text, majority, permutation, tenths

ALPHABET = "abcdefghijklmnopqrstuvwxyzßàáäåèéíñóôöúüýąćčďęľłńňśšťźżž"
SHORTEST, LONGEST, LARGEST = 2, 14, 400
SEED = 20261
LANGUAGES: Mapping[Text, tuple[ModuleType, ...]] = {
    Text("Croatian", "克罗地亚语"): (hr_HR,),
    Text("Dutch", "荷兰语"): (nl_NL,),
    Text("English", "英语"): (en_GB,),
    Text("Finnish", "芬兰语"): (fi_FI,),
    Text("French", "法语"): (fr_FR,),
    Text("German", "德语"): (de_DE, de_AT),
    Text("Italian", "意大利语"): (it_IT,),
    Text("Polish", "波兰语"): (pl_PL,),
    Text("Slovak", "斯洛伐克语"): (sk_SK,),
    Text("Spanish", "西班牙语"): (es_ES,),
    Text("Swedish", "瑞典语"): (sv_SE,),
}
_LISTS = ("last_names", "male_last_names", "unisex_last_names")  # the lists' names differ from locale to locale; some are weighted


class Surnames(ArrayTask):
    """Surname -> language, from its letters as one-hot vectors."""

    name = "surnames"
    kind = "classification"
    readout = "last"
    display = "letters"
    title = Text("Surname → language", "姓氏 → 语言")
    question = Text("Which language?", "这是哪种语言的姓氏？")
    source = f"Faker, lists of last names: {', '.join(m.__name__.rpartition('.')[2] for ms in LANGUAGES.values() for m in ms)}"
    license = "MIT"
    classes = tuple(LANGUAGES)
    features = tuple(ALPHABET)
    metrics = CLASS_METRICS
    suggested = Suggestion(
        "gru", 64, steps=2000, lr=0.005, bidirectional=True, dropout=0.4, schedule={"name": "cosine", "T_max": 2000, "eta_min": 0.0}
    )

    def __init__(self) -> None:
        split: dict[Part, list[tuple[str, int]]] = {part: [] for part in PARTS}
        for label, names in enumerate(own_names()):
            order = permutation(len(names), SEED + label)[:LARGEST]
            for part, chosen in tenths(len(order)).items():
                split[part] += [(names[i], label) for i in order[chosen]]
        self.parts = {part: _encode(split[part]) for part in PARTS}
        self.baseline = majority(self.parts)

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        return [ALPHABET[i] for i in inputs.argmax(axis=1)]

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        return "".join(self.tokens(inputs))


def own_names() -> list[list[str]]:
    """For each language the names that no other of them has, sorted."""
    found = [{name for locale in locales for name in _names(locale)} for locales in LANGUAGES.values()]
    languages = Counter(name for names in found for name in names)
    return [sorted(name for name in names if languages[name] == 1) for names in found]


def _names(locale: ModuleType) -> set[str]:
    provider = locale.Provider
    names = (unicodedata.normalize("NFC", name).lower() for key in _LISTS for name in getattr(provider, key, ()))
    return {name for name in names if SHORTEST <= len(name) <= LONGEST and set(name) <= set(ALPHABET)}


def _encode(pairs: Sequence[tuple[str, int]]) -> Examples:
    """Names and labels as arrays, the languages mixed in a fixed order."""
    pairs = [pairs[i] for i in permutation(len(pairs), SEED)]
    inputs = np.zeros((len(pairs), LONGEST, len(ALPHABET)), dtype=np.uint8)
    for row, (name, _) in enumerate(pairs):
        inputs[row, range(len(name)), [ALPHABET.index(letter) for letter in name]] = 1
    return Examples(inputs, np.array([len(name) for name, _ in pairs]), np.array([label for _, label in pairs]))
