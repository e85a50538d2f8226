"""What a tape holds, and what its gradients are, whatever happens around it: mixed dtypes, failed sweeps, frozen leaves, shared memory."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest

from engine import F, Tape, TapeError, Tensor, nn, optim
from engine.ops.op import TABLE, Record, elementwise

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


def test_a_tensor_computed_without_a_tape_cannot_change_what_it_shows_a_part_of() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with Tape("OFF"):
        flat = x.reshape(4)
    squares = (x * x).sum()
    with pytest.raises(ValueError, match="read-only"):
        flat.data[0] = 100.0
    squares.backward()
    np.testing.assert_array_equal(x.grad, 2 * x.data)


def test_the_memory_behind_a_recorded_view_is_read_only_too() -> None:
    whole = Tensor([1.0, 2.0, 3.0])
    part = whole[:2]
    with Tape("TRACE") as tape:
        column = part.reshape(2, 1)
    with pytest.raises(ValueError, match="read-only"):
        whole.data[0] = 100.0
    np.testing.assert_array_equal(tape.values[column.node], [[1.0], [2.0]])


def test_replaced_data_are_the_tensors_own_where_they_are_a_view() -> None:
    base = np.array([1.0, 2.0, 3.0])
    w = Tensor([0.0, 0.0], requires_grad=True)
    w.data = base[:2]
    column = w.reshape(2, 1)
    base[0] = 100.0
    (column * column).sum().backward()
    np.testing.assert_array_equal(w.grad, [2.0, 4.0])


def test_data_are_replaced_by_numbers_lists_and_tensors_and_an_intermediates_not_at_all() -> None:
    w = Tensor([0.0, 0.0], requires_grad=True, dtype=np.float32)
    for data in ([1, 2], (1.0, 2.0), Tensor(np.array([1.0, 2.0], np.float32))):
        w.data = data
        assert w.dtype == np.float32
        np.testing.assert_array_equal(w.data, [1.0, 2.0])
    one = Tensor(0.0)
    one.data = 3.0
    assert one.item() == 3.0
    y = w * 2.0
    with pytest.raises(TapeError, match="intermediate"):
        y.data = np.zeros(2, np.float32)


@pytest.mark.parametrize("shape", [(1,), (2,), ()])
def test_gradients_of_a_leaf_whose_data_got_another_shape_are_not_added(shape: tuple[int, ...]) -> None:
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True, name="w")
    with Tape():
        before = (w * w).sum()
        w.data = np.ones(shape)
        after = (w * w).sum()
        with pytest.raises(TapeError, match=r"w had shape \(3,\)"):
            (before + after).backward()
        after.backward()
    np.testing.assert_array_equal(w.grad, np.full(shape, 2.0))


def test_a_list_given_to_reshape_may_be_changed_afterwards() -> None:
    shape = [2, 3]
    with Tape("TRACE") as tape:
        y = Tensor(np.arange(6.0)).reshape(shape)
    shape[:] = [3, 2]
    assert tape.attributes[y.node] == {"shape": [2, 3]}
    with pytest.raises(TypeError, match="whole numbers"):
        Tensor(np.arange(6.0)).reshape(np.array([2, 3]))


def test_replay_widens_small_integers_as_recording_does() -> None:
    with Tape("TRACE") as tape:
        x = Tensor(np.array([1, 2], np.uint8))
        y = x.exp()
    again = tape.replay({x: [2, 1]})[y.node]
    assert again.dtype == np.float64
    np.testing.assert_array_equal(again, y.data[::-1])


def test_no_array_that_a_recording_hands_out_can_be_changed() -> None:
    layer = nn.Linear(3, 4)
    with Tape("TRACE") as tape:
        x = Tensor(_random.standard_normal((5, 3)))
        loss = layer(x)[:, 1:].softmax().sum()
        optimizer = optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
        run = loss.backward()
        optim.clip_grad_norm_(layer.parameters(), 1e-9)
        clipped = layer.weight.grad
        optimizer.step()
    found: list[Any] = [*tape.values, *tape.residuals, *(run.gradient(node) for node in range(len(tape))), clipped, layer.weight.data]
    for *_, array, terms in tape.log:
        found += [getattr(array, "part", array), *(terms or {}).values()]
    arrays = [array for array in found if type(array) is np.ndarray and array.ndim]
    assert len(arrays) > 30
    assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize("level", ["OFF", "GRAD", "TRACE"])
def test_a_probe_has_no_gradient_at_any_level(level: Any) -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with Tape(level) as tape:
        with tape.probe():
            seen = (x * 2.0).sum()
        assert not seen.requires_grad
        if level != "OFF":
            ((x * 3.0).sum() + seen).backward()
            np.testing.assert_array_equal(x.grad, [3.0, 3.0])


def test_threads_that_differentiate_an_op_twice_for_the_first_time_do_not_disturb_each_other() -> None:
    names = [f"first_time_{k}" for k in range(60)]
    ops = [elementwise(name, "tanh(x)", {"x": "1 - y**2"}, samples=()) for name in names]
    start, interval = threading.Barrier(6), sys.getswitchinterval()

    def differentiate() -> None:
        x = Tensor([0.5])
        for op in ops:
            start.wait()
            op.vjp(F, x, Record([x], x, {}, None, [True]))

    threads = [threading.Thread(target=differentiate, daemon=True) for _ in range(6)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        sys.setswitchinterval(interval)
        for name in names:
            del TABLE[name]
    x = Tensor([0.5])
    for op in ops:
        (sent,) = op.vjp(F, x, Record([x], x, {}, None, [True]))
        np.testing.assert_array_equal(sent.data, [0.5 * 0.75])
