"""Fifty steps of every optimizer, with groups, schedules and clipping, are PyTorch's: live where installed, else by stored figures."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, optim

ROOT = Path(__file__).resolve().parents[2]
STORED: dict[str, Any] = json.loads((ROOT / "tests" / "fixtures" / "optim" / "steps.json").read_text())
GIVEN, CASES = STORED["problem"], STORED["cases"]
HAS_TORCH = importlib.util.find_spec("torch") is not None


def make_schedule(optimizer: optim.Optimizer, name: str, arguments: dict[str, Any]) -> Any:
    if name == "SequentialLR":
        warmup = optim.LinearLR(optimizer, 0.1, 1.0, arguments["warmup"])
        return optim.SequentialLR(optimizer, [warmup, optim.CosineAnnealingLR(optimizer, arguments["T_max"])], [arguments["warmup"]])
    return getattr(optim, name)(optimizer, **arguments)


def run(case: dict[str, Any], level: Any) -> dict[str, Any]:
    """What the engine makes of a case, as the figures have it."""
    params = [Tensor(p, requires_grad=True) for p in GIVEN["start"]]
    parts: Any = params
    if case["groups"]:
        first, others = case["groups"]
        parts = [{"params": params[:1], **first}, {"params": params[1:], **others}]
    optimizer = getattr(optim, case["optimizer"])(parts, **case["settings"])
    schedule = make_schedule(optimizer, case["schedule"], case["arguments"]) if case["schedule"] else None
    rates, after = [], {}
    for k, pushes in enumerate(GIVEN["pushes"]):
        with Tape(level):
            for i, (p, push) in enumerate(zip(params, pushes, strict=True)):
                p.grad = None if i == 2 and k < GIVEN["late"] else 0.5 * p.data + np.array(push)
            if case["clip"] is not None:
                kind, limit = case["clip"]
                getattr(optim, f"clip_grad_{kind}_")(params, limit)
            optimizer.step()
        rates.append([group["lr"] for group in optimizer.param_groups])
        if isinstance(schedule, optim.ReduceLROnPlateau):
            schedule.step(GIVEN["metrics"][k])
        elif schedule is not None:
            schedule.step()
        if k + 1 in GIVEN["shown"]:
            after[str(k + 1)] = [p.data for p in params]
    return {"rates": rates if case["schedule"] else rates[:1], "after": after}


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    np.testing.assert_allclose(ours["rates"], theirs["rates"], rtol=1e-12, atol=1e-15)
    assert list(ours["after"]) == list(theirs["after"])
    for step, expected in theirs["after"].items():
        for own, p in zip(ours["after"][step], expected, strict=True):
            np.testing.assert_allclose(own, p, rtol=1e-6, atol=1e-9, err_msg=f"after step {step}")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_fifty_steps_are_those_stored(name: str, level: Any) -> None:
    same(run(CASES[name], level), CASES[name])


@pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed; the stored figures stand for it")
@pytest.mark.parametrize("name", CASES)
def test_fifty_steps_are_pytorchs(name: str) -> None:
    spec = importlib.util.spec_from_file_location("make_optimizer_figures", ROOT / "scripts" / "make_optimizer_figures.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert set(script.CASES) == set(CASES)
    case = script.CASES[name]
    same(run(case, "GRAD"), script.run(GIVEN, case))


@pytest.mark.parametrize("name", CASES)
def test_recorded_and_unrecorded_steps_agree_bit_for_bit(name: str) -> None:
    quick, recorded = run(CASES[name], "GRAD")["after"]["50"], run(CASES[name], "TRACE")["after"]["50"]
    for a, b in zip(quick, recorded, strict=True):
        np.testing.assert_array_equal(a, b)
