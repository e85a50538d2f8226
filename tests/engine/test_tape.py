"""The tape and the reverse sweep: what is recorded, whose the gradients are, and what cannot be mixed."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from engine import Tape, TapeError, Tensor, grad, losses


def neuron() -> tuple[Tensor, Tensor, Tensor]:
    return Tensor(0.5, requires_grad=True, name="w"), Tensor([1.0, 2.0], name="x"), Tensor(0.0, requires_grad=True, name="b")


def test_a_neuron_has_the_closed_form_gradient() -> None:
    w, x, b = neuron()
    run = (w * x + b).tanh().sum().backward()
    slope = 1 - np.tanh(0.5 * x.data) ** 2
    assert run[w] == pytest.approx((slope * x.data).sum(), rel=1e-15)
    assert run[b] == pytest.approx(slope.sum(), rel=1e-15)
    assert w.grad == run[w]
    assert x not in run


def test_a_trace_holds_events_in_order_with_the_broadcast_undone_in_the_open() -> None:
    w, x, b = neuron()
    with Tape("TRACE") as tape:
        run = (w * x + b).tanh().sum().backward()
    kinds = [event[0] for event in tape.log]
    assert kinds == ["forward"] * 4 + ["seed", "vjp", "vjp", "vjp", "vjp", "unbroadcast", "vjp", "unbroadcast"]
    summed = [event for event in tape.log if event[0] == "unbroadcast"]
    assert {event[4] for event in summed} == {tape.leaf(w), tape.leaf(b)}
    assert all(np.shape(event[5]) == () for event in summed)
    assert run.gradient(tape.leaf(w)) == run[w]


def test_backward_again_replaces_and_accumulate_adds_visibly() -> None:
    w, x, b = neuron()
    with Tape("TRACE") as tape:
        loss = (w * x + b).sum()
        first = loss.backward()
        assert first[w] == 3.0
        again = loss.backward()
        assert again[w] == 3.0
        assert w.grad == 3.0
        added = loss.backward(accumulate=True)
    assert added[w] == 6.0
    assert w.grad == 6.0
    assert first[w] == 3.0
    assert [e[4] for e in tape.log if e[0] == "accumulate" and e[2] == -1] == [tape.leaf(w), tape.leaf(b)]


def test_an_implicit_tape_closes_at_backward_and_is_not_pinned() -> None:
    w, x, _ = neuron()
    y = w * x
    tape = y.tape
    assert tape is not None
    assert tape.level == "GRAD"
    y.sum().backward()
    z = w * x
    assert z.tape is not tape
    with pytest.raises(TapeError, match="cannot be mixed"):
        y + z
    gone = weakref.ref(tape)
    del y, tape
    gc.disable()  # reference counts alone must do: no cycles
    try:
        assert gone() is None
    finally:
        gc.enable()


def test_off_records_nothing() -> None:
    w, x, _ = neuron()
    with Tape("OFF"):
        y = w * x
    assert y.tape is None
    assert not y.requires_grad
    with pytest.raises(TapeError, match="nothing to differentiate"):
        y.sum().backward()


def test_recorded_arrays_are_read_only() -> None:
    w, x, _ = neuron()
    with Tape("TRACE"):
        y = w * x
        y.sum().backward()
    assert w.grad is not None
    for array in (w.data, x.data, y.data, w.grad):
        with pytest.raises((ValueError, TypeError), match=r"read-only|assignment"):  # one number is numpy's own scalar
            array[...] = 1.0


def test_replay_computes_again_with_some_values_changed() -> None:
    w, x, b = neuron()
    with Tape("TRACE") as tape:
        y = (w * x + b).tanh()
    values = tape.replay({w: 2.0})
    np.testing.assert_array_equal(values[y.node], np.tanh(2.0 * x.data))
    np.testing.assert_array_equal(y.data, np.tanh(0.5 * x.data))
    with pytest.raises(ValueError, match="node 1 has shape"):
        tape.replay({tape.leaf(x): [1.0]})


def test_scopes_times_labels_and_source_lines() -> None:
    w, x, _ = neuron()
    with Tape("TRACE") as tape, tape.scope("gru/t=3", time=3), tape.scope("z"):
        y = tape.label(w * x, "z")
    assert (tape.scopes[y.node], tape.times[y.node], tape.labels[y.node]) == ("gru/t=3/z", 3, "z")
    assert tape.scopes[tape.leaf(w)] == ""
    source = tape.source(y.node)
    assert source is not None
    assert source.startswith(f"{__name__}:")


def test_probes_have_no_events_and_no_gradient() -> None:
    w, x, _ = neuron()
    with Tape("TRACE") as tape:
        with tape.probe():
            looked_at = w * x
        run = (w * x).sum().backward()
    assert tape.roles[looked_at.node] == "probe"
    assert all(event[2] != looked_at.node for event in tape.log)
    assert looked_at not in run


def test_threads_have_tapes_of_their_own() -> None:
    levels: list[object] = []

    def other() -> None:
        w, x, _ = neuron()
        levels.append((w * x).tape)

    with Tape("TRACE") as tape:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert levels[0] is not tape
    assert len(tape) == 0


def _work(seed: int, level: Any) -> tuple[list[Any], list[str]]:
    """A recurrent step, a loss and its gradients, several times over; the numbers, and what the last tape holds."""
    random = np.random.default_rng(seed)
    weights = [Tensor(random.standard_normal((6, 6)), requires_grad=True) for _ in range(2)]
    x, numbers = Tensor(random.standard_normal((4, 6))), []
    names: list[str] = []
    for k in range(6):
        with Tape(level) as tape:
            h = x
            with tape.scope(f"own/{seed}", k + 1):
                for W in weights:
                    h = (h @ W).tanh() * (1.0 + seed)
            loss = losses.cross_entropy(h, np.array([0, 1, 2, 3]))
            run = loss.backward()
            (again,) = grad((weights[0] ** 3).mean(), [weights[0]])
        numbers += [loss.item(), *(run[W] for W in weights), again.data]
        names = [op.name if op is not None else "leaf" for op in tape.ops]
        names += [str(tape.scopes[n]) for n in range(len(tape))] if tape.tracing else []
    return numbers, names


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_eight_threads_on_eight_tapes_give_what_one_gives(level: Any) -> None:
    alone = [_work(seed, level) for seed in range(8)]
    start, found = threading.Barrier(8), {}

    def one(seed: int) -> None:
        start.wait()
        found[seed] = _work(seed, level)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that they really take turns
    try:
        threads = [threading.Thread(target=one, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for seed, (numbers, names) in enumerate(alone):
        assert found[seed][1] == names
        for own, expected in zip(found[seed][0], numbers, strict=True):
            np.testing.assert_array_equal(own, expected)


def test_errors_say_what_to_do() -> None:
    w, x, _ = neuron()
    with pytest.raises(TapeError, match=r"needs a gradient of that shape, or sum it first"):
        (w * x).backward()
    with pytest.raises(ValueError, match=r"add: shapes \(2,\) and \(3,\) do not broadcast"):
        x + Tensor([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="only floating point"):
        Tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="real numbers"):
        Tensor(["a"])
    with pytest.raises(ValueError, match="expected one element"):
        x.item()
    with pytest.raises(ValueError, match="expected 'OFF', 'GRAD' or 'TRACE'"):
        Tape("trace")  # type: ignore[arg-type]


def test_a_long_chain_needs_no_recursion() -> None:
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(5000):
        y = y + 1
    assert y.backward()[x] == 1.0
    del y  # freeing the tape must not recurse either


def test_numpy_leaves_mixed_operations_to_tensors() -> None:
    t = Tensor([3.0, 4.0], requires_grad=True)
    with Tape("GRAD"):
        for result in (np.array([1.0, 2.0]) * t, np.float64(2.0) * t, np.array([[1.0, 2.0]]) @ t, np.array([1.0, 2.0]) - t):
            assert type(result) is Tensor
            assert result.sum().backward()[t].shape == (2,)


def test_accumulating_in_one_tape_after_the_data_were_replaced_counts_the_old_gradient_once() -> None:
    w = Tensor(1.0, requires_grad=True)
    with Tape("TRACE"):
        (w * 2).backward()
        w.data = np.array(5.0)
        (w * 3).backward(accumulate=True)
    assert w.grad == 5.0


def test_a_leaf_that_the_latest_run_does_not_reach_has_no_gradient() -> None:
    a, b = Tensor(1.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    with Tape("GRAD"):
        both, one = a * b, a * 3
        both.backward()
        assert b.grad == 1.0
        one.backward()
    assert b.grad is None
    assert a.grad == 3.0


def test_replay_after_the_data_were_replaced_starts_from_what_was_recorded() -> None:
    w = Tensor([2.0], requires_grad=True, name="w")
    with Tape("TRACE") as tape:
        y = w * w
        w.data = np.array([7.0])
        assert tape.replay({w: [10.0]})[y.node] == 100.0
        assert len(tape) == 2
    for stranger in (Tensor([1.0], name="v"), -1, 2):
        with pytest.raises(TapeError, match="not on this tape"):
            tape.replay({stranger: [1.0]})


def test_a_view_handed_in_as_data_cannot_change_the_record() -> None:
    base = np.array([[1.0, 2.0]])
    w = Tensor([0.0, 0.0], requires_grad=True)
    w.data = base[0]
    with Tape("TRACE"):
        loss = (w * w).sum()
        base[:] = 100.0
        run = loss.backward()
    np.testing.assert_array_equal(run[w], [2.0, 4.0])


def test_truth_and_numbers_of_one_element() -> None:
    assert not Tensor([0.0])
    assert Tensor(0.5)
    assert float(Tensor([[2.5]])) == 2.5
    with pytest.raises(ValueError, match="expected one element"):
        bool(Tensor([1.0, 2.0]))
    for odd in (np.float16(1.0), np.uint32(1), 1j):
        with pytest.raises(TypeError, match="given dtype"):
            Tensor(odd)


def test_ops_are_methods_by_name() -> None:
    a, b = Tensor([[1.0, 2.0], [3.0, 0.5]]), Tensor([2.0, 1.0])
    np.testing.assert_array_equal(a.maximum(b).data, [[2.0, 2.0], [3.0, 1.0]])
    np.testing.assert_array_equal(a.matmul(b).data, a.data @ b.data)
    np.testing.assert_array_equal(a.rows(rows=[1]).data, [[3.0, 0.5]])


def test_a_float32_leaf_beside_float64_numbers_keeps_its_gradient_in_float32() -> None:
    w = Tensor(np.ones(2, np.float32), requires_grad=True)
    run = (w * np.array([1.0, 2.0])).sum().backward()
    assert run[w].dtype == np.float32


def test_the_first_operation_that_makes_a_nan_is_named() -> None:
    x = Tensor([-1.0, 2.0], name="x")
    with Tape("TRACE") as tape, np.errstate(invalid="ignore"), tape.scope("cell/t=2", time=2):
        y = x.log()
        (y * 2.0).sum()
    found = tape.first_nonfinite()
    assert found is not None
    assert (found.node, found.op, found.scope, found.time, found.count) == (y.node, "log", "cell/t=2", 2, 1)
    assert found.source is not None
    assert "test_tape:" in found.source
    assert str(found).startswith("log made 1 number that is not finite (nan) in cell/t=2 at ")
    with Tape("TRACE") as tape:
        x.exp()
    assert tape.first_nonfinite() is None


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_the_first_gradient_that_is_no_number_is_named(level: Any) -> None:
    x, shift = Tensor([0.0, 4.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    with Tape(level) as tape, np.errstate(all="ignore"):
        with tape.scope("root"):
            root = (x * x).sqrt()
        run = ((root + shift) * 2.0).sum().backward()
        fine = (x * shift).sum().backward()
    assert tape.first_nonfinite() is None  # every value is a number
    assert np.isnan(run[x][0])
    found = run.first_nonfinite()
    assert found is not None
    assert (found.op, found.port, found.count, found.values) == ("sqrt", 0, 1, (np.inf,))
    assert str(found).startswith("the gradient of sqrt for its input 0 made 1 number that is not finite (inf)")
    if level == "TRACE":
        assert found.scope == "root"
        assert found.source is not None
        assert "test_tape:" in found.source
    later = run.first_nonfinite(infinities=False)
    assert later is not None
    assert (later.op, later.count) == ("mul", 1)
    assert fine.first_nonfinite() is None
    with np.errstate(all="ignore"):
        unasked = (x * x).sqrt().sum().backward().first_nonfinite()  # on the implicit tape
    assert unasked is not None
    assert unasked.op == "sqrt"


def test_a_mask_of_infinities_is_passed_over_when_only_nan_is_looked_for() -> None:
    with Tape("GRAD") as tape, np.errstate(all="ignore"):
        z = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True) + np.array([[0.0, -np.inf], [-np.inf, -np.inf]])
        z.softmax()
    first, nan = tape.first_nonfinite(), tape.first_nonfinite(infinities=False)
    assert first is not None
    assert nan is not None
    assert (first.op, nan.op, nan.count) == (None, "softmax", 2)


def test_a_leaf_that_came_with_an_infinity_is_named_as_such() -> None:
    with Tape("GRAD") as tape:
        Tensor([1.0, np.inf, np.nan], requires_grad=True) * 2.0
    found = tape.first_nonfinite()
    assert found is not None
    assert found.op is None
    assert str(found) == "a leaf came with 2 numbers that are not finite (inf, nan) (node 0)"
