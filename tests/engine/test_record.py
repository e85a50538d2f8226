"""What a tape holds, and what its gradients are, whatever happens around it: mixed dtypes, failed sweeps, frozen leaves, shared memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, nn

_random = np.random.default_rng(0)


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
@pytest.mark.parametrize("uses", [1, 2, 3])
def test_a_large_float32_weight_beside_float64_inputs_has_a_float32_gradient(level: Any, uses: int) -> None:
    W = Tensor(_random.standard_normal((90, 80)), requires_grad=True, dtype=np.float32)
    xs = [_random.standard_normal((5, 80)) for _ in range(uses)]
    with Tape(level) as tape:
        y = Tensor(xs[0]).linear(W)
        for x in xs[1:]:
            y = y + Tensor(x).linear(W)
        run = y.sum().backward()
    assert run[W].dtype == np.float32
    np.testing.assert_allclose(run[W], np.broadcast_to(sum(x.sum(axis=0) for x in xs), W.shape), rtol=1e-5, atol=1e-5)
    node = tape.leaf(W)
    sent = [array for kind, *_, target, array, _ in tape.log if kind == "vjp" and target == node]
    assert all((array.whole() if hasattr(array, "whole") else array).dtype == np.float32 for array in sent)


def test_operands_of_small_integers_cost_no_digits() -> None:
    x, small = Tensor([1.0, 2.0], requires_grad=True), Tensor(np.array([3, 7], np.uint8))
    (x / small).sum().backward()
    np.testing.assert_allclose(x.grad, [1 / 3, 1 / 7], rtol=1e-15)
    (small**x).sum().backward()
    np.testing.assert_allclose(x.grad, [3 * np.log(3), 49 * np.log(7)], rtol=1e-15)
    one = Tensor(0.7, requires_grad=True)
    for base, exponent, expected in ((0.7, 0, 0.0), (0.7, 3, 3 * 0.7**2)):
        one.data = np.float64(base)
        (one ** Tensor(np.uint8(exponent))).backward()
        np.testing.assert_allclose(one.grad, expected, rtol=1e-15)


def test_a_sweep_that_an_error_ended_has_the_events_up_to_it() -> None:
    with Tape("TRACE") as tape:
        x = Tensor([0.5, 1.0], requires_grad=True)
        y = (x.log() * 0.0).sqrt()
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            y.sum().backward()
        assert [kind for kind, *_ in tape.log] == ["forward"] * 4 + ["seed", "vjp"]
        (x * 2.0).sum().backward()
    assert [kind for kind, *_ in tape.log][6:] == ["forward", "forward", "seed", "vjp", "vjp"]


def test_a_gradient_too_large_for_float32_is_named() -> None:
    x = Tensor(np.array([1e30], np.float32), requires_grad=True)
    with np.errstate(over="ignore"):
        run = (x * Tensor([1e30])).sum().backward(1e10)
    found = run.first_nonfinite()
    assert found is not None
    assert (found.op, found.port, found.values) == ("mul", 0, (np.inf,))


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_a_parameter_thawed_while_a_tape_is_open_has_its_whole_gradient_from_then_on(level: Any) -> None:
    p = nn.Parameter([0.5, -2.0], requires_grad=False)
    x = Tensor([3.0, 4.0], requires_grad=True)
    with Tape(level):
        before = x * p
        p.requires_grad_(True)
        (before + p * p).sum().backward()
        np.testing.assert_array_equal(p.grad, [1.0, -4.0])
        after = x * p
        p.requires_grad_(False)
        (after + p * x).sum().backward()
    assert p.grad is None
    np.testing.assert_array_equal(x.grad, [1.0, -4.0])
