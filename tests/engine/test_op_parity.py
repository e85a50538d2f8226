"""Every operation that PyTorch has too gives PyTorch's numbers, at kinks as well: stored figures, made anew where torch is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Tensor, apply
from engine.ops import REGISTRY
from engine.ops.op import Sample

ROOT = Path(__file__).resolve().parents[2]
FIGURES: dict[str, list[dict[str, Any]]] = json.loads((ROOT / "tests" / "fixtures" / "ops" / "pytorch.json").read_text())
# PyTorch has no operation of this meaning under one name; their tests are those of the definitions.
OURS_ALONE = {"broadcast_to", "concat", "dropout", "index", "index_set", "pad", "reshape", "rows", "split", "squeeze", "stack", "transpose",
              "unsqueeze", "lt", "le", "gt", "ge", "eq"}  # fmt: skip


def test_no_operation_is_left_out() -> None:
    assert {name for name, op in REGISTRY.items() if not op.hidden} == set(FIGURES) | OURS_ALONE


@pytest.mark.parametrize("name", FIGURES)
def test_values_and_gradients_are_pytorchs(name: str) -> None:
    op = REGISTRY[name]
    samples = [*op.samples, *(Sample(kink.at) for kink in op.kinks)]
    assert len(samples) == len(FIGURES[name]), "the definition has other samples than the stored figures: run scripts/make_op_figures.py"
    for sample, figures in zip(samples, FIGURES[name], strict=True):
        arrays = [np.asarray(x) for x in sample.inputs]
        inputs = [Tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
        output = apply(name, *inputs, **sample.attributes)
        assert list(output.shape) == figures["shape"]
        np.testing.assert_allclose(output.data, np.reshape(figures["output"], output.shape), rtol=1e-12, atol=1e-14)
        run = output.backward(np.cos(np.arange(output.size)).reshape(output.shape) + 1.5)  # as the script has it
        for x, expected in zip(inputs, figures["gradients"], strict=True):
            if expected is not None and x in run:
                np.testing.assert_allclose(run[x], np.reshape(expected, x.shape), rtol=1e-11, atol=1e-13)
            elif expected is not None:
                assert not np.any(expected)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed: the stored figures stand for it")
def test_the_stored_figures_are_what_pytorch_computes() -> None:
    done = subprocess.run([sys.executable, "scripts/make_op_figures.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
