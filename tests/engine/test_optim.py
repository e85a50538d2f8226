"""Update rules: their terms, clipping, and what an optimizer refuses. Equality with PyTorch: test_optim_parity.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, optim
from engine.ops.formula import compile_tree
from engine.ops.functions import FUNCTIONS

MAKERS: dict[str, Any] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
    "rmsprop_all": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.9, weight_decay=0.1, centered=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.01),
    "adagrad_all": lambda p: optim.Adagrad(p, lr=0.01, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.1),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "adam_all": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "adamw_amsgrad": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
}


def stepped(name: str, max_norm: float | None) -> tuple[Tape, Tensor]:
    w = Tensor([3.0, -4.0], requires_grad=True, name="w")
    optimizer = MAKERS[name]([w])
    for _ in range(2):
        with Tape("TRACE") as tape:
            optimizer.zero_grad()
            (w * w).sum().backward()
            if max_norm is not None:
                optim.clip_grad_norm_([w], max_norm)
            optimizer.step()
    return tape, w


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("max_norm", [None, 1.0, 1e6])
def test_the_recorded_terms_follow_from_each_other_by_the_rule(name: str, max_norm: float | None) -> None:
    tape, w = stepped(name, max_norm)
    kind, _, node, *_, terms = tape.log[-1]
    assert kind == "update"
    assert tape.leaves[node] is w
    (rule,) = tape.rules.values()
    assert [t["name"] for t in rule["terms"]] == [n for n in terms if n in {t["name"] for t in rule["terms"]}]
    assert ("clipped" in terms) == (max_norm is not None)
    for term in rule["terms"]:
        if term["formula"] is not None:
            value = compile_tree(term["formula"], list(terms), FUNCTIONS)(**terms)
            np.testing.assert_array_equal(value, terms[term["name"]], err_msg=term["name"])
    assert set(rule["symbols"]) == set(terms)
    np.testing.assert_array_equal(terms["new"], w.data)
    np.testing.assert_array_equal(terms["gradient"], 2 * tape.values[node])
    np.testing.assert_array_equal(terms["old"] + terms["delta"], terms["new"])


def test_only_what_the_settings_call_for_is_in_the_rule() -> None:
    tape, _ = stepped("sgd", None)
    assert list(tape.log[-1][-1]) == ["gradient", "old", "delta", "new", "lr"]
    tape, _ = stepped("adamw", 1.0)
    assert list(tape.log[-1][-1]) == [
        "gradient", "coefficient", "clipped", "exp_avg_prev", "exp_avg_sq_prev", "old", "exp_avg", "exp_avg_sq", "exp_avg_hat",
        "exp_avg_sq_hat", "adaptive_step", "decay", "delta", "new", "lr", "beta1", "beta2", "eps", "weight_decay", "step",
    ]  # fmt: skip


def test_below_trace_nothing_is_recorded() -> None:
    w = Tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    with Tape("GRAD") as tape:
        (w * w).sum().backward()
        optimizer.step()
    assert tape.log == []
    assert w.item() == pytest.approx(2.4, rel=1e-15)


def test_clipping_scales_all_gradients_by_one_coefficient() -> None:
    a, b = Tensor([3.0], requires_grad=True), Tensor([4.0], requires_grad=True)
    (a * 3.0 + b * 4.0).sum().backward()
    assert optim.clip_grad_norm_([a, b], 1.0) == 5.0
    assert a.grad is not None
    assert b.grad is not None
    assert a.grad[0] / b.grad[0] == pytest.approx(0.75, rel=1e-15)
    assert np.hypot(a.grad[0], b.grad[0]) == pytest.approx(1.0, rel=1e-6)
    assert optim.clip_grad_norm_([a, b], float("inf")) == pytest.approx(1.0, rel=1e-6)
    with pytest.raises(ValueError, match="max_norm is 0"):
        optim.clip_grad_norm_([a, b], 0)


def test_a_parameter_without_gradient_stays() -> None:
    a, b = Tensor([3.0], requires_grad=True), Tensor([4.0], requires_grad=True)
    optimizer = optim.AdamW([a, b], lr=0.1)
    a.sum().backward()
    optimizer.step()
    assert b.item() == 4.0
    assert a.item() < 3.0
    optimizer.zero_grad()
    assert a.grad is None


@pytest.mark.parametrize("name", MAKERS)
def test_state_goes_out_and_in(name: str) -> None:
    def steps(optimizer: Any, w: Tensor, count: int) -> None:
        for _ in range(count):
            (w * w).sum().backward()
            optimizer.step()

    w = Tensor([3.0, -4.0], requires_grad=True)
    optimizer = MAKERS[name]([w])
    steps(optimizer, w, 2)
    other = Tensor(w.data, requires_grad=True)
    resumed = MAKERS[name]([other])
    resumed.load_state_dict(optimizer.state_dict())
    steps(optimizer, w, 3)
    steps(resumed, other, 3)
    np.testing.assert_array_equal(w.data, other.data)
    with pytest.raises(ValueError, match="is not of"):
        MAKERS["sgd" if name.startswith("adamw") else "adamw"]([w]).load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize(
    "options", [{"lr": 0}, {"lr": float("nan")}, {"lr": float("inf")}, {"lr": 0.1, "betas": (0.9, 1.0)}, {"lr": 0.1, "eps": -1}]
)
def test_hyper_parameters_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"lr is|betas are|eps is"):
        optim.AdamW([Tensor(1.0, requires_grad=True)], **options)


def test_an_optimizer_takes_leaves_that_want_gradients() -> None:
    with pytest.raises(ValueError, match=r"model\.parameters"):
        optim.SGD([Tensor(1.0)], lr=0.1)
    with pytest.raises(ValueError, match="at least one"):
        optim.SGD([], lr=0.1)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_a_scalar_parameter_is_trained_like_any_other(name: str, level: Any) -> None:
    scalar, vector = Tensor(3.0, requires_grad=True), Tensor([3.0], requires_grad=True)
    for w in (scalar, vector):
        optimizer = MAKERS[name]([w])
        for _ in range(3):
            with Tape(level):
                (w * w).sum().backward()
                optimizer.step()
    assert scalar.data.shape == ()
    assert scalar.item() == vector.item()


def test_a_norm_that_is_no_number_is_not_hidden_by_clipping() -> None:
    a, b = Tensor(1.0, requires_grad=True), Tensor(1.0, requires_grad=True)
    a.grad, b.grad = np.array(np.nan), np.array(1e6)
    assert np.isnan(optim.clip_grad_norm_([a, b], 1.0))
    assert b.grad is not None
    assert np.isnan(b.grad)


def test_a_parameter_is_given_once() -> None:
    w = Tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="given twice"):
        optim.SGD([w, w], lr=0.1)


def update_of(*clippings: tuple[Any, float]) -> tuple[Tape, dict[str, Any]]:
    """One step of SGD on the gradient (6, -8) after these clippings: the tape, and the terms of the update."""
    w = Tensor([3.0, -4.0], requires_grad=True, name="w")
    optimizer = optim.SGD([w], lr=0.5)
    with Tape("TRACE") as tape:
        (w * w).sum().backward()
        for clip, limit in clippings:
            clip([w], limit)
        optimizer.step()
    terms = tape.log[-1][-1]
    np.testing.assert_array_equal(terms["new"], w.data)
    (rule,) = tape.rules.values()
    assert set(rule["symbols"]) == set(terms)
    for term in rule["terms"]:
        if term["formula"] is not None:
            value = compile_tree(term["formula"], list(terms), FUNCTIONS)(**terms)
            np.testing.assert_array_equal(value, terms[term["name"]], err_msg=term["name"])
    return tape, terms


def test_clipping_by_value_is_a_term_of_the_update() -> None:
    tape, terms = update_of((optim.clip_grad_value_, 7.0))
    np.testing.assert_array_equal(terms["gradient"], [6.0, -8.0])
    np.testing.assert_array_equal(terms["clipped"], [6.0, -7.0])
    assert list(terms) == ["gradient", "clip_value", "clipped", "old", "delta", "new", "lr"]
    kind, phase, *_, found = tape.log[-2]
    assert (kind, phase) == ("clip", "update")
    assert {name: float(value) for name, value in found.items()} == {"clip_value": 7.0, "outside": 1, "elements": 2}


@pytest.mark.parametrize("by_value_first", [True, False])
def test_clippings_follow_one_another(by_value_first: bool) -> None:
    by_value, by_norm = (optim.clip_grad_value_, 6.0), (optim.clip_grad_norm_, 8.0)
    _, terms = update_of(*((by_value, by_norm) if by_value_first else (by_norm, by_value)))
    np.testing.assert_array_equal(terms["gradient"], [6.0, -8.0])
    assert list(terms)[:5] == (
        ["gradient", "clip_value", "clipped_1", "coefficient", "clipped"] if by_value_first
        else ["gradient", "coefficient", "clipped_1", "clip_value", "clipped"]
    )  # fmt: skip
    np.testing.assert_allclose(terms["clipped"], np.array([6, -6]) * 8 / 72**0.5 if by_value_first else [4.8, -6.0], rtol=1e-6)


def test_clipping_twice_by_the_norm_has_two_coefficients() -> None:
    _, terms = update_of((optim.clip_grad_norm_, 8.0), (optim.clip_grad_norm_, 4.0))
    assert list(terms)[:5] == ["gradient", "coefficient", "clipped_1", "coefficient_2", "clipped"]
    np.testing.assert_array_equal(terms["gradient"], [6.0, -8.0])


def test_a_gradient_that_came_after_the_clipping_was_not_clipped() -> None:
    w = Tensor([3.0, -4.0], requires_grad=True, name="w")
    optimizer = optim.SGD([w], lr=0.5)
    with Tape("TRACE") as tape:
        (w * w).sum().backward()
        optim.clip_grad_norm_(w, 1.0)
        (w * w).sum().backward()
        optimizer.step()
    assert "clipped" not in tape.log[-1][-1]
    np.testing.assert_array_equal(tape.log[-1][-1]["gradient"], [6.0, -8.0])


def test_clipping_by_value_keeps_what_is_no_number_and_checks_its_limit() -> None:
    a = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    a.grad = np.array([np.nan, np.inf, -0.5])
    optim.clip_grad_value_(a, 1)
    np.testing.assert_array_equal(a.grad, [np.nan, 1.0, -0.5])
    for wrong in (0, -1, float("nan"), "x"):
        given: Any = wrong
        with pytest.raises(ValueError, match=r"clip_value is .*; expected a number above 0"):
            optim.clip_grad_value_(a, given)


def test_clipping_that_changes_nothing_leaves_the_gradients_untouched() -> None:
    a = Tensor([1.0, 2.0], requires_grad=True)
    a.grad = gradient = np.array([0.1, 0.2])
    optim.clip_grad_norm_(a, 1.0)
    assert a.grad is gradient


@pytest.mark.parametrize("options", [{"momentum": 0.9, "dampening": 0.1}, {}])
def test_nesterov_asks_for_momentum_without_dampening(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="nesterov asks for a momentum above 0 and no dampening; given momentum"):
        optim.SGD([Tensor(1.0, requires_grad=True)], lr=0.1, nesterov=True, **options)


def test_other_settings_are_checked() -> None:
    w = Tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="alpha is 2"):
        optim.RMSprop([w], alpha=2)
    with pytest.raises(ValueError, match="initial_accumulator_value is -1"):
        optim.Adagrad([w], initial_accumulator_value=-1)
    with pytest.raises(ValueError, match="dampening is -1"):
        optim.SGD([w], lr=0.1, dampening=-1)
    wrong: Any = 0.9
    with pytest.raises(ValueError, match=r"betas are 0\.9; expected two"):
        optim.Adam([w], betas=wrong)
