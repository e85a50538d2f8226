"""Each task end to end, by seed: a small network learns it better than its baseline does, and writes what it should."""

from __future__ import annotations

import pytest

from engine.training import Settings, evaluate, train
from server.tasks import NAMES, load

STEPS = {"surnames": 150, "names": 100, "digits": 100, "digits-pixels": 250, "sunspots": 100, "adding": 200, "adding-50": 400,
         "copy-memory": 400, "brackets": 300}  # fmt: skip


def learnt(name: str, steps: int, length: int | None = None) -> tuple[float, float]:
    """The task's chief figure on the validation part after so many steps with what it suggests, and that of its baseline."""
    task = load(name, length)
    settings = Settings(**task.suggested.settings(), seed=0)
    done = train(task, settings, None, steps)
    texts = [text for observation in done.observations for text in observation["samples"]]
    assert bool(texts) == hasattr(task, "samples")
    return evaluate(task, settings, done.checkpoint, "validation")[task.baseline.metric], task.baseline.value


@pytest.mark.parametrize("name", NAMES)
def test_a_task_is_learnt_better_than_by_its_baseline(name: str) -> None:
    reached, baseline = learnt(name, STEPS[name])
    if load(name).baseline.metric == "accuracy":
        assert reached > baseline + 0.3 * (1 - baseline)
    else:
        assert reached < 0.8 * baseline


@pytest.mark.parametrize(("name", "length", "steps"), [("adding", 30, 500), ("brackets", 24, 600), ("copy-memory", 10, 400)])
def test_a_length_that_is_asked_for_is_learnt_too(name: str, length: int, steps: int) -> None:
    reached, baseline = learnt(name, steps, length)
    assert reached < baseline / 2 if name == "adding" else reached > baseline + 0.05
