"""Schedules by values worked out by hand, their terms, their state, and what they refuse. Equality with PyTorch: test_optim_parity.py."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, optim
from engine.ops.formula import compile_tree
from engine.optim.schedules import FUNCTIONS


def optimizer(lr: float = 0.8, groups: int = 1) -> optim.SGD:
    return optim.SGD([{"params": [Tensor([1.0], requires_grad=True)], "lr": lr / (i + 1)} for i in range(groups)], lr=lr)


MAKERS: dict[str, Any] = {
    "constant": lambda o: optim.ConstantLR(o, factor=0.5, total_iters=2),
    "step": lambda o: optim.StepLR(o, step_size=2, gamma=0.5),
    "exponential": lambda o: optim.ExponentialLR(o, gamma=0.5),
    "cosine": lambda o: optim.CosineAnnealingLR(o, T_max=4),
    "linear": lambda o: optim.LinearLR(o, start_factor=0.5, end_factor=1.0, total_iters=2),
    "warmup": lambda o: optim.LinearWarmupLR(o, warmup_iters=2, total_iters=4),
    "sequential": lambda o: optim.SequentialLR(o, [optim.ConstantLR(o, 0.5, 9), optim.ExponentialLR(o, 0.5)], [2]),
}
RATES = {
    "constant": [0.4, 0.4, 0.8, 0.8, 0.8, 0.8],
    "step": [0.8, 0.8, 0.4, 0.4, 0.2, 0.2],
    "exponential": [0.8, 0.4, 0.2, 0.1, 0.05, 0.025],
    "cosine": [0.8, 0.4 * (1 + math.sqrt(0.5)), 0.4, 0.4 * (1 - math.sqrt(0.5)), 0.0, 0.4 * (1 - math.sqrt(0.5))],
    "linear": [0.4, 0.6, 0.8, 0.8, 0.8, 0.8],
    "warmup": [0.0, 0.4, 0.8, 0.4, 0.0, 0.0],
    "sequential": [0.4, 0.4, 0.8, 0.4, 0.2, 0.1],
}


def rates(schedule: Any, count: int) -> list[list[float]]:
    seen = [schedule.get_last_lr()]
    for _ in range(count):
        schedule.step()
        seen.append(schedule.get_last_lr())
    return seen


@pytest.mark.parametrize("name", MAKERS)
def test_rates_are_those_worked_out_by_hand(name: str) -> None:
    seen = np.array(rates(MAKERS[name](optimizer(groups=2)), 5))
    np.testing.assert_allclose(seen[:, 0], RATES[name], rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(seen[:, 1], np.array(RATES[name]) / 2, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "sequential"])
def test_the_rate_is_a_function_of_the_step_alone(name: str) -> None:
    schedule = MAKERS[name](optimizer())
    backwards = [schedule.rate(epoch, 0.8).values["lr"] for epoch in range(5, -1, -1)][::-1]
    assert backwards == [rate for (rate,) in rates(schedule, 5)]


@pytest.mark.parametrize("name", MAKERS)
def test_state_goes_out_and_in(name: str) -> None:
    first = MAKERS[name](optimizer(groups=2))
    rates(first, 3)
    second = MAKERS[name](optimizer(lr=0.3, groups=2))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.get_last_lr() == first.get_last_lr()
    assert rates(second, 3) == rates(first, 3)
    other = next(n for n in MAKERS if n != name)
    with pytest.raises(ValueError, match="this state is of"):
        MAKERS[other](optimizer(groups=2)).load_state_dict(first.state_dict())
    with pytest.raises(ValueError, match="2 groups; expected"):
        MAKERS["step"](optimizer()).load_state_dict(MAKERS["step"](optimizer(groups=2)).state_dict())


@pytest.mark.parametrize("name", MAKERS)
def test_an_update_shows_how_its_rate_came_about(name: str) -> None:
    w = Tensor([3.0, -4.0], requires_grad=True, name="w")
    moved = optim.SGD([w], lr=0.8)
    schedule = MAKERS[name](moved)
    schedule.step()
    with Tape("TRACE") as tape:
        (w * w).sum().backward()
        moved.step()
    terms = tape.log[-1][-1]
    (rule,) = tape.rules.values()
    assert set(rule["symbols"]) == set(terms)
    assert terms["initial_lr"] == 0.8
    assert terms["lr"] == pytest.approx(RATES[name][1], rel=1e-14)
    formulas = {term["name"]: term["formula"] for term in rule["terms"]}
    order = [term["name"] for term in rule["terms"]]
    assert order.index("lr") < order.index("delta")
    for term, tree in formulas.items():
        if tree is not None:
            functions = FUNCTIONS if terms[term].ndim == 0 else {}
            value = compile_tree(tree, list(terms), functions)(**terms)
            np.testing.assert_allclose(value, terms[term], rtol=1e-15, err_msg=term)


def test_a_rate_set_by_hand_has_no_formula() -> None:
    moved = optimizer()
    schedule = optim.ExponentialLR(moved, 0.5)
    (group,) = moved.param_groups
    assert group.rate is not None
    group["lr"] = 0.3
    assert group.rate is None
    schedule.step()
    assert group["lr"] == 0.4


def test_a_group_added_later_has_its_own_start() -> None:
    moved = optimizer()
    schedule = optim.ExponentialLR(moved, 0.5)
    schedule.step()
    moved.add_param_group({"params": [Tensor([1.0], requires_grad=True)], "lr": 1.6})
    schedule.step()
    assert schedule.get_last_lr() == [0.2, 0.4]


def test_two_schedules_are_joined_or_refused() -> None:
    moved = optimizer()
    first = optim.ExponentialLR(moved, 0.5)
    second = optim.StepLR(moved, 2)
    second.step()
    with pytest.raises(ValueError, match="StepLR sets this optimizer's rates now; join"):
        first.step()


def test_plateau_by_hand() -> None:
    schedule = optim.ReduceLROnPlateau(optimizer(), factor=0.5, patience=1, threshold=0.1, cooldown=1)
    seen = []
    for metric in [1.0, 0.95, 0.94, 0.93, 0.92, 0.91, 0.5]:
        schedule.step(metric)
        seen.append(schedule.get_last_lr()[0])
    # 0.95 and 0.94 are less than 10 % better than 1: bad, bad -> halved; 0.93 falls into the cooldown; 0.92 bad, 0.91 bad -> halved
    assert seen == [0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]
    assert schedule.best == 0.5


@pytest.mark.parametrize("mode", ["min", "max"])
def test_plateau_that_has_not_measured_yet_takes_anything_for_better(mode: str) -> None:
    schedule = optim.ReduceLROnPlateau(optimizer(), mode, patience=0, threshold_mode="abs")
    schedule.step(Tensor(5.0))
    assert schedule.best == 5.0
    assert schedule.get_last_lr() == [0.8]


def test_plateau_keeps_to_its_lowest_rates_and_leaves_small_changes_out() -> None:
    schedule = optim.ReduceLROnPlateau(optimizer(groups=2), factor=0.5, patience=0, min_lr=[0.3, 0.1])
    for _ in range(5):
        schedule.step(1.0)
    assert schedule.get_last_lr() == [0.3, 0.1]
    still = optim.ReduceLROnPlateau(optimizer(), factor=0.9, patience=0, eps=0.1)
    for _ in range(3):
        still.step(1.0)
    assert still.get_last_lr() == [0.8]


def test_plateau_state_goes_out_and_in() -> None:
    first = optim.ReduceLROnPlateau(optimizer(), factor=0.5, patience=1)
    for metric in (1.0, 1.0, 1.0, 1.0):
        first.step(metric)
    second = optim.ReduceLROnPlateau(optimizer(lr=7.0), factor=0.1)
    second.load_state_dict(first.state_dict())
    for _ in range(4):
        first.step(1.0)
        second.step(1.0)
        assert second.get_last_lr() == first.get_last_lr()
    assert first.get_last_lr()[0] < 0.4
    with pytest.raises(ValueError, match="this state is of StepLR"):
        second.load_state_dict(optim.StepLR(optimizer(), 2).state_dict())


@pytest.mark.parametrize("arguments", [("ConstantLR", {"factor": 2.0}), ("ConstantLR", {"total_iters": 1.5}), ("StepLR", {"step_size": 0}),
                                       ("ExponentialLR", {"gamma": -1}), ("CosineAnnealingLR", {"T_max": 0}),
                                       ("CosineAnnealingLR", {"T_max": 4, "eta_min": -1}), ("LinearLR", {"start_factor": 0}),
                                       ("LinearLR", {"end_factor": 1.5}), ("LinearLR", {"total_iters": 0}),
                                       ("LinearWarmupLR", {"warmup_iters": 4, "total_iters": 4}),
                                       ("ReduceLROnPlateau", {"mode": "least"}), ("ReduceLROnPlateau", {"factor": 1}),
                                       ("ReduceLROnPlateau", {"min_lr": [0.1, 0.1]}), ("ReduceLROnPlateau", {"threshold_mode": "x"}),
                                       ("ReduceLROnPlateau", {"patience": -1})])  # fmt: skip
def test_settings_are_checked(arguments: tuple[str, dict[str, Any]]) -> None:
    name, settings = arguments
    with pytest.raises(ValueError, match=rf"{list(settings)[-1]} (is|has) .*expected"):
        getattr(optim, name)(optimizer(), **settings)


def test_what_a_schedule_is_made_for_is_checked() -> None:
    wrong: Any = [Tensor(1.0)]
    with pytest.raises(TypeError, match="StepLR takes an optimizer; given list"):
        optim.StepLR(wrong, 2)
    moved, other = optimizer(), optimizer()
    parts = [optim.StepLR(moved, 2), optim.StepLR(moved, 3)]
    with pytest.raises(ValueError, match="made for the same optimizer"):
        optim.SequentialLR(other, parts, [3])
    for milestones in ([], [0], [4, 2]):
        with pytest.raises(ValueError, match="milestones are"):
            optim.SequentialLR(moved, parts, milestones)
