"""Surnames: one language a name, one part a name, letters that decode to it, and a network that learns them."""

from __future__ import annotations

from collections import Counter
from importlib import import_module

import pytest

from engine.training import Settings, evaluate, train
from server.tasks import PARTS, load
from server.tasks.surnames import ALPHABET, LANGUAGES, LARGEST

TASK = load("surnames")


def pairs(part: str) -> list[tuple[str, int]]:
    """Text and label of every example of a part, decoded from its one-hot letters."""
    batch = TASK.batch(part, range(TASK.size(part)))  # type: ignore[arg-type]  # a part by its name
    assert (batch.inputs.sum(axis=2).sum(axis=1) == batch.lengths).all()  # one letter a step, none after the end
    names = ["".join(ALPHABET[i] for i in row[:length].argmax(axis=1)) for row, length in zip(batch.inputs, batch.lengths, strict=True)]
    return list(zip(names, batch.targets.tolist(), strict=True))


EVERY = [pair for part in PARTS for pair in pairs(part)]


def test_there_are_at_least_eight_languages_and_few_letters() -> None:
    assert TASK.output_size == len(LANGUAGES) == 11
    assert TASK.input_size == len(ALPHABET) == len(set(ALPHABET)) <= 60
    assert {letter for name, _ in EVERY for letter in name} == set(ALPHABET)


def test_a_name_stands_once_in_all_the_parts() -> None:
    names = [name for name, _ in EVERY]
    assert len(names) == len(set(names)) == sum(TASK.size(part) for part in PARTS)
    assert all(2 <= len(name) <= 14 for name in names)


def test_every_name_is_in_the_lists_of_its_language_and_of_no_other() -> None:
    lists = []
    for modules in LANGUAGES.values():
        providers = [import_module(module.__name__).Provider for module in modules]
        lists.append({name.lower() for provider in providers for key in dir(provider) if key.endswith("last_names")
                      for name in getattr(provider, key)})  # fmt: skip
    for name, label in EVERY:
        assert [i for i, names in enumerate(lists) if name in names] == [label], name


def test_no_language_prevails() -> None:
    counts = Counter(label for _, label in EVERY)
    assert max(counts.values()) == LARGEST
    assert min(counts.values()) > 0.75 * LARGEST
    for part in PARTS:
        share = Counter(label for _, label in pairs(part))
        assert max(share.values()) / TASK.size(part) < 0.1


def test_the_baseline_is_the_usual_language() -> None:
    usual = Counter(label for _, label in sorted(pairs("train"), key=lambda pair: pair[1])).most_common(1)[0][0]
    validation = [label for _, label in pairs("validation")]
    assert TASK.baseline.name == "majority"
    assert TASK.baseline.value == pytest.approx(validation.count(usual) / len(validation), abs=1e-15)


def test_an_example_reads_as_its_name() -> None:
    example = TASK.describe(TASK.batch("validation", [7]), "validation")["examples"][0]
    name, label = pairs("validation")[7]
    assert (example["text"], "".join(example["tokens"]), example["target"]) == (name, name, label)


def test_a_gru_learns_the_languages() -> None:
    settings = Settings(cell="gru", hidden_size=32, optimizer={"name": "adamw", "lr": 0.01}, batch_size=32, seed=0)
    done = train(TASK, settings, None, 500)
    accuracy = evaluate(TASK, settings, done.checkpoint, "validation")["accuracy"]
    assert accuracy >= 0.55
    assert accuracy > 4 * TASK.baseline.value
