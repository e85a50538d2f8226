"""Twenty steps of trainings in many settings beside PyTorch's: its stored figures, and PyTorch itself where it is installed."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import numpy as np
import pytest

from engine.training import train
from engine.training.checkpoint import restore
from scripts.make_training_figures import CASES, FILE, STEPS, of_case, trained

STORED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["cases"]


def compare(name: str, theirs: dict[str, Any]) -> None:
    task, settings = of_case(name)
    done = train(task, settings, None, STEPS)
    for mine, key in ((done.losses, "losses"), (done.gradient_norms, "norms"), (done.learning_rates, "rates")):
        np.testing.assert_allclose(mine, theirs[key], rtol=0, atol=1e-10, err_msg=key)
    after = restore(task, settings, done.checkpoint).model.state_dict()
    assert set(after) == set(theirs["parameters"])
    for key, value in after.items():
        np.testing.assert_allclose(value, theirs["parameters"][key], rtol=0, atol=1e-10, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_a_training_is_the_one_that_pytorch_did(name: str) -> None:
    compare(name, STORED[name])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
def test_a_training_is_the_one_that_pytorch_does(name: str) -> None:
    compare(name, trained(name))
