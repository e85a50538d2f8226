"""Parameter groups, frozen parameters, steps of each parameter, and the state of an optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, optim

MAKERS: dict[str, Any] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "sgd_dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
    "sgd_nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.1, momentum=0.5, centered=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "adam": lambda p: optim.Adam(p, lr=0.1, amsgrad=True, weight_decay=0.1),
    "adamw": lambda p: optim.AdamW(p, lr=0.1, amsgrad=True),
}


def vector(*values: float) -> Tensor:
    return Tensor(values or (3.0, -4.0), requires_grad=True)


def steps(optimizer: optim.Optimizer, count: int) -> None:
    for k in range(count):
        for p in optimizer.params:
            p.grad = p.data * 0.3 + k * 0.1
        optimizer.step()


def test_groups_are_read_and_changed() -> None:
    a, b = vector(), vector()
    optimizer = optim.SGD([{"params": [a], "lr": 0.5, "name": "head"}, {"params": b}], lr=0.1)
    first, second = optimizer.param_groups
    assert (first["params"], first["lr"], first["name"]) == ([a], 0.5, "head")
    assert (second["params"], second["lr"]) == ([b], 0.1)
    assert set(second) == {"params", "lr", "momentum", "dampening", "weight_decay", "nesterov"}
    assert len(second) == 6
    assert "lr=0.5" in repr(first)
    second["lr"] = 0.0
    a.grad, b.grad = np.ones(2), np.ones(2)
    optimizer.step()
    np.testing.assert_array_equal(a.data, [2.5, -4.5])
    np.testing.assert_array_equal(b.data, [3.0, -4.0])
    second.update(lr=1.0)
    optimizer.step()
    np.testing.assert_array_equal(b.data, [2.0, -5.0])


def test_a_group_is_added_later() -> None:
    a, b = vector(), vector()
    optimizer = optim.AdamW([a], lr=0.1)
    steps(optimizer, 2)
    optimizer.add_param_group({"params": [b], "weight_decay": 0.0})
    assert optimizer.param_groups[1]["lr"] == 0.1
    steps(optimizer, 1)
    assert optimizer.counts == [3, 1]
    assert optimizer.steps == 3


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("lr", -1, "lr is -1; expected"), ("lr", "much", "lr is 'much'"), ("rate", 1, "have no 'rate'; they have lr"),
     ("nesterov", True, "nesterov asks for a momentum"), ("params", [], "add_param_group"), ("momentum", float("nan"), "momentum is nan")],
)  # fmt: skip
def test_a_wrong_change_of_a_group_is_refused_and_changes_nothing(key: str, value: Any, message: str) -> None:
    (group,) = optim.SGD([vector()], lr=0.1).param_groups
    before = dict(group)
    with pytest.raises(ValueError, match=message):
        group[key] = value
    assert dict(group) == before
    with pytest.raises(ValueError, match="'lr' can be changed"):
        del group["lr"]


def test_wrong_groups_are_refused() -> None:
    a, whole = vector(), Tensor([1, 2])
    for given, message in (
        ([{"lr": 0.1}], "a group needs 'params'; given 'lr'"),
        ([{"params": []}], "at least one a group"),
        ([{"params": [a], "alpha": 0.1}], "SGD has no 'alpha'"),
        ([{"params": [a]}, {"params": [a]}], "given twice"),
        ([{"params": [whole]}], "floating point"),
        ([{"params": [a * 2.0]}], "leaf tensors"),
        ([{"params": [a]}, a], "leaf tensors"),
    ):
        wrong: Any = given
        with pytest.raises(ValueError, match=message):
            optim.SGD(wrong, lr=0.1)


@pytest.mark.parametrize("name", MAKERS)
def test_frozen_parameters_stay_and_do_not_count(name: str) -> None:
    a, frozen = vector(), Tensor([3.0, -4.0])
    optimizer = MAKERS[name]([a, frozen])
    a.grad, frozen.grad = np.ones(2), np.full(2, 100.0)
    assert optim.clip_grad_norm_(optimizer.params, 1e9) == pytest.approx(2**0.5)
    optim.clip_grad_value_(optimizer.params, 0.5)
    optimizer.step()
    np.testing.assert_array_equal(frozen.data, [3.0, -4.0])
    np.testing.assert_array_equal(frozen.grad, [100.0, 100.0])
    assert not np.array_equal(a.data, [3.0, -4.0])
    assert optimizer.counts == [1, 0]


@pytest.mark.parametrize("name", MAKERS)
def test_a_parameter_whose_gradient_comes_late_starts_then(name: str) -> None:
    early, late, alone = vector(), vector(), vector()
    optimizer, other = MAKERS[name]([early, late]), MAKERS[name]([alone])
    early.grad = np.ones(2)
    optimizer.step()
    for k in range(3):
        late.grad = alone.grad = np.array([0.5 + k, -1.0])
        optimizer.step()
        other.step()
    np.testing.assert_array_equal(late.data, alone.data)
    assert optimizer.counts == [4, 3]


def test_the_first_momentum_is_the_gradient_itself() -> None:
    w = vector()
    optimizer = optim.SGD([w], lr=1.0, momentum=0.5, dampening=0.75)
    w.grad = np.array([1.0, 2.0])
    optimizer.step()
    np.testing.assert_array_equal(w.data, [2.0, -6.0])
    optimizer.step()  # u = 0.5 u + 0.25 g
    np.testing.assert_array_equal(w.data, [1.25, -7.5])


def test_momentum_that_is_switched_on_starts_then() -> None:
    w = vector()
    optimizer = optim.SGD([w], lr=1.0)
    w.grad = np.array([1.0, 2.0])
    optimizer.step()
    optimizer.param_groups[0].update(momentum=0.5, dampening=0.75)
    optimizer.step()
    np.testing.assert_array_equal(w.data, [1.0, -8.0])
    optimizer.step()
    np.testing.assert_array_equal(w.data, [0.25, -9.5])


@pytest.mark.parametrize("name", MAKERS)
def test_the_state_of_groups_goes_out_and_in(name: str) -> None:
    def make() -> Any:
        return MAKERS[name]([{"params": [vector()], "lr": 0.05}, {"params": [vector(), vector(1.0)]}])

    first, second = make(), make()
    first.param_groups[1]["lr"] = 0.02
    steps(first, 3)
    second.load_state_dict(first.state_dict())
    for ours, theirs in zip(second.params, first.params, strict=True):
        ours.data = theirs.numpy()
    assert second.param_groups[1]["lr"] == 0.02
    assert second.counts == [3, 3, 3]
    steps(first, 2)
    steps(second, 2)
    for ours, theirs in zip(second.params, first.params, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)


def test_a_state_is_a_copy() -> None:
    optimizer = MAKERS["adam"]([vector()])
    steps(optimizer, 1)
    kept = optimizer.state_dict()
    before = kept["state"][0]["exp_avg"].copy()
    steps(optimizer, 1)
    np.testing.assert_array_equal(kept["state"][0]["exp_avg"], before)


@pytest.mark.parametrize("name", MAKERS)
def test_the_state_of_another_is_refused(name: str) -> None:
    optimizer = MAKERS[name]([vector(), vector()])
    for other in MAKERS:
        if other.split("_")[0] != name.split("_")[0]:
            with pytest.raises(ValueError, match=f"not of {type(optimizer).__name__} with 2 parameters"):
                optimizer.load_state_dict(MAKERS[other]([vector(), vector()]).state_dict())
    for params in ([vector()], [vector(), vector(1.0, 2.0, 3.0)], [{"params": [vector()]}, {"params": [vector()]}]):
        other_model = MAKERS[name](params)
        if name == "sgd" and len(params) == 2 and isinstance(params[1], Tensor):
            continue  # it keeps nothing, so nothing could be of another shape
        with pytest.raises(ValueError, match="is not of"):
            optimizer.load_state_dict(other_model.state_dict())


def test_a_state_without_groups_gives_the_numbers_of_the_formulas() -> None:
    first, second = optim.Adam([vector()], lr=0.1, betas=(0.8, 0.9)), optim.Adam([vector()], lr=0.2)
    steps(first, 2)
    state = first.state_dict()
    second.load_state_dict({"steps": 2, "hyper": first.hyper, "state": state["state"]})
    assert second.param_groups[0]["betas"] == (0.8, 0.9)
    assert second.counts == [2]
    second.load_state_dict({"steps": 5, "state": state["state"]})
    assert second.counts == [5]
    with pytest.raises(ValueError, match="is not of Adam"):
        second.load_state_dict({"steps": 2, "hyper": {"lr": 0.1}, "state": state["state"]})


def test_groups_that_differ_in_their_terms_have_rules_of_their_own() -> None:
    a, b = Tensor([3.0], requires_grad=True, name="a"), Tensor([3.0], requires_grad=True, name="b")
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "weight_decay": 0.1}], lr=0.1)
    with Tape("TRACE") as tape:
        (a * b).sum().backward()
        optimizer.step()
    assert set(tape.rules) == {"sgd", "sgd/2"}
    for event in tape.log[-2:]:
        names = set(event[-1])
        fitting = [rule for rule in tape.rules.values() if {term["name"] for term in rule["terms"]} <= names]
        assert set(fitting[0]["symbols"]) == names  # the first that fits is the right one


@pytest.mark.parametrize("name", MAKERS)
def test_what_was_recorded_stays_when_training_goes_on(name: str) -> None:
    w = vector()
    optimizer = MAKERS[name]([w])
    with Tape("TRACE") as tape:
        (w * w).sum().backward()
        optimizer.step()
    kept = {key: np.array(value) for key, value in tape.log[-1][-1].items()}
    steps(optimizer, 3)
    for key, value in tape.log[-1][-1].items():
        np.testing.assert_array_equal(value, kept[key], err_msg=key)


@pytest.mark.parametrize("name", MAKERS)
def test_float32_stays_float32_and_agrees_bit_for_bit_at_every_level(name: str) -> None:
    start = np.array([[0.3, -4.0], [1e-3, 7.0]], dtype=np.float32)
    quick, recorded = Tensor(start, requires_grad=True), Tensor(start, requires_grad=True)
    for w, level in ((quick, "GRAD"), (recorded, "TRACE")):
        optimizer = MAKERS[name]([w])
        for _ in range(5):
            with Tape(level):  # type: ignore[arg-type]
                (w * w).sum().backward()
                optimizer.step()
        assert w.data.dtype == np.float32
        assert all(array.dtype == np.float32 for array in optimizer.state[0].values())
    np.testing.assert_array_equal(quick.data, recorded.data)


def test_a_step_leaves_gradients_and_earlier_values_alone() -> None:
    for make in MAKERS.values():
        w = vector()
        optimizer = make([w])
        steps(optimizer, 1)
        gradient, before = np.array([1.0, 2.0]), w.data
        kept = before.copy()
        w.grad = gradient
        optimizer.step()
        np.testing.assert_array_equal(gradient, [1.0, 2.0])
        np.testing.assert_array_equal(before, kept)
