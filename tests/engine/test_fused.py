"""The fused recurrent kernels: equal to the cells' primitive steps in every number, blind to padding, the same when repeated."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor
from engine.gradcheck import gradcheck
from engine.ops import fused_memory, fused_plan
from engine.ops.fused import counts_of
from engine.ops.op import REGISTRY
from engine.tensor import apply

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("rnn", {"nonlinearity": "tanh"}),
    "rnn-relu": ("rnn", {"nonlinearity": "relu"}),
    "lstm": ("lstm", {}),
    "gru": ("gru", {"reset_after": True}),
    "gru-before": ("gru", {"reset_after": False}),
}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
BATCHES: list[tuple[int, int, list[int] | None]] = [
    (5, 3, None), (6, 1, None), (1, 2, None), (6, 4, [6, 4, 4, 1]), (6, 3, [4, 3, 1]), (6, 1, [3]), (9, 40, None)
]  # fmt: skip


def inputs_of(kind: str, time: int, batch: int, lengths: list[int] | None, dtype: str = "float64", padding: float = 0.0,
              hidden: int = 5) -> list[Tensor]:  # fmt: skip
    """x, the initial states and the four parameters, all wanting gradients."""
    cell, random = KINDS[kind][0], np.random.default_rng(0)
    x = random.standard_normal((time, batch, 3))
    for row, n in enumerate(lengths or ()):
        x[n:, row] = padding
    rows = GATES[cell] * hidden
    shapes = [(batch, hidden)] * (2 if cell == "lstm" else 1) + [(rows, 3), (rows, hidden), (rows,), (rows,)]
    arrays = [x, *(0.4 * random.standard_normal(shape) for shape in shapes)]
    return [Tensor(a, requires_grad=True, dtype=dtype) for a in arrays]


def fused(kind: str, tensors: list[Tensor], **attributes: Any) -> Tensor:
    cell, options = KINDS[kind]
    return apply(f"{cell}_fused", *tensors, **options, **attributes)


def primitive(kind: str, tensors: list[Tensor], **attributes: Any) -> Tensor:
    cell, options = KINDS[kind]
    unrolled = REGISTRY[f"{cell}_fused"].primitive
    assert unrolled is not None
    result: Tensor = unrolled(*tensors, **options, **attributes)
    return result


def numbers(make: Any, kind: str, tensors: list[Tensor], level: Any, **attributes: Any) -> list[np.ndarray]:
    """The output and the gradients of all inputs, from a gradient of the output that differs everywhere."""
    with Tape(level):
        output = make(kind, tensors, **attributes)
        run = output.backward(np.cos(np.arange(output.size)).reshape(output.shape))
    return [np.asarray(output.data), *(run[t] if t in run else np.zeros_like(t.data) for t in tensors)]


def assert_equal(ours: list[np.ndarray], theirs: list[np.ndarray], tolerance: float) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.fixture(params=["whole", "in pieces"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sequences long enough to be cut into blocks, without being long."""
    if request.param == "in pieces":
        monkeypatch.setattr(fused_plan, "CACHED", 5 * 8 * 8)
    fused_plan.plan_of.cache_clear()
    yield
    fused_plan.plan_of.cache_clear()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.usefixtures("pieces")
def test_fused_is_the_cells_step_after_step(kind: str, batch: tuple[int, int, list[int] | None], reverse: bool) -> None:
    time, rows, lengths = batch
    for output in ("all", "states", "last"):
        attributes: dict[str, Any] = {"lengths": lengths, "reverse": reverse, "output": output}
        tensors = inputs_of(kind, time, rows, lengths)
        assert_equal(numbers(fused, kind, tensors, "GRAD", **attributes), numbers(primitive, kind, tensors, "TRACE", **attributes), 1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
@pytest.mark.parametrize("truncate", [1, 2, 4])
@pytest.mark.usefixtures("pieces")
def test_a_truncated_kernel_is_the_cells_cut_after_every_so_many_steps(
    kind: str, batch: tuple[int, int, list[int] | None], truncate: int
) -> None:
    time, rows, lengths = batch
    tensors = inputs_of(kind, time, rows, lengths)
    for output in ("all", "states", "last"):
        attributes: dict[str, Any] = {"lengths": lengths, "output": output}
        whole = numbers(fused, kind, tensors, "GRAD", **attributes)
        cut = numbers(fused, kind, tensors, "GRAD", **attributes, truncate=truncate)
        assert_equal(cut, numbers(primitive, kind, tensors, "TRACE", **attributes, truncate=truncate), 1e-10)
        np.testing.assert_allclose(cut[0], whole[0], rtol=0, atol=1e-14)  # the state goes on
        longest = max(lengths or [time])
        assert (np.abs(cut[-3] - whole[-3]).max() > 1e-6) == (longest > truncate)  # dL/dW_hh does not


def test_a_kernel_says_why_it_cannot_truncate() -> None:
    tensors = inputs_of("rnn", 4, 2, None)
    with pytest.raises(ValueError, match="truncate is 0; expected a number of steps from 1"):
        fused("rnn", tensors, truncate=0)
    with pytest.raises(ValueError, match="both directions"):
        fused("rnn", tensors, truncate=2, reverse=True)


# Three times in a hundred runs numpy reported this here, of products of finite numbers whose results were right.
@pytest.mark.filterwarnings("ignore:invalid value encountered in (dot|matmul):RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_in_float32_too(kind: str, batch: tuple[int, int, list[int] | None]) -> None:
    time, rows, lengths = batch
    tensors = inputs_of(kind, time, rows, lengths, "float32")
    ours, theirs = (numbers(make, kind, tensors, "GRAD", lengths=lengths) for make in (fused, primitive))
    assert {a.dtype.name for a in ours} == {"float32"}
    assert_equal(ours, theirs, 2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_output_holds(kind: str) -> None:
    lengths, states = [4, 2, 1], 2 if kind == "lstm" else 1
    tensors = inputs_of(kind, 4, 3, lengths)
    full = fused(kind, tensors, lengths=lengths).data
    assert full.shape == (4 + states, 3, 5)
    np.testing.assert_array_equal(full[4], [full[n - 1, row] for row, n in enumerate(lengths)])
    assert not any(full[n:4, row].any() for row, n in enumerate(lengths))
    np.testing.assert_array_equal(fused(kind, tensors, lengths=lengths, output="states").data, full[4:])
    np.testing.assert_array_equal(fused(kind, tensors, lengths=lengths, output="last").data, full[4])
    backwards = fused(kind, tensors, lengths=lengths, reverse=True).data
    np.testing.assert_array_equal(backwards[4], backwards[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [None, [4, 2, 1]], ids=str)
def test_reverse_is_forward_on_sequences_turned_around(kind: str, lengths: list[int] | None) -> None:
    x, *rest = inputs_of(kind, 4, 3, lengths)
    turned = x.data.copy()
    for row, n in enumerate(lengths or [4] * 3):
        turned[:n, row] = x.data[:n, row][::-1]
    there = fused(kind, [x, *rest], lengths=lengths, reverse=True).data
    back = fused(kind, [Tensor(turned), *rest], lengths=lengths).data
    for row, n in enumerate(lengths or [4] * 3):
        np.testing.assert_array_equal(there[:n, row], back[:n, row][::-1])
    np.testing.assert_array_equal(there[4:], back[4:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("make", [fused, primitive], ids=lambda make: make.__name__)
def test_padding_reaches_nothing(kind: str, reverse: bool, make: Any) -> None:
    lengths = [6, 4, 4, 1]
    clean, dirty = (
        numbers(make, kind, inputs_of(kind, 6, 4, lengths, padding=value), "GRAD", lengths=lengths, reverse=reverse)
        for value in (0.0, np.nan)
    )
    for a, b in zip(clean, dirty, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not any(dirty[1][n:, row].any() for row, n in enumerate(lengths))


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_in_the_padding_reaches_nothing(kind: str) -> None:
    lengths, tensors = [4, 2], inputs_of(kind, 4, 2, [4, 2])
    found = []
    for value in (0.0, np.nan):
        with Tape("GRAD"):
            output = fused(kind, tensors, lengths=lengths)
            gradient = np.ones(output.shape)
            gradient[2:4, 1] = value
            run = output.backward(gradient)
        found.append([run[t] for t in tensors])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_equal_finite_differences(kind: str, reverse: bool) -> None:
    tensors = inputs_of(kind, 3, 2, [3, 2], hidden=2)
    assert gradcheck(lambda *given: fused(kind, list(given), lengths=[3, 2], reverse=reverse), tensors) == []


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_asked_for_gets_a_gradient(kind: str) -> None:
    tensors = inputs_of(kind, 4, 3, None)
    everything = numbers(fused, kind, tensors, "GRAD")[1:]
    for wanted in range(len(tensors)):
        alone = [Tensor(t.data, requires_grad=i == wanted) for i, t in enumerate(tensors)]
        with Tape("GRAD"):
            output = fused(kind, alone)
            run = output.backward(np.cos(np.arange(output.size)).reshape(output.shape))
        np.testing.assert_array_equal(run[alone[wanted]], everything[wanted])
        assert [t in run for t in alone] == [i == wanted for i in range(len(alone))]


@pytest.mark.parametrize("kind", KINDS)
def test_batch_first_is_the_same_input(kind: str) -> None:
    x, *rest = inputs_of(kind, 4, 3, [4, 3, 1])
    ours = numbers(fused, kind, [x, *rest], "GRAD", lengths=[4, 3, 1])
    first = Tensor(x.data.transpose(1, 0, 2), requires_grad=True)
    theirs = numbers(fused, kind, [first, *rest], "GRAD", lengths=[4, 3, 1], batch_first=True)
    theirs[1] = theirs[1].transpose(1, 0, 2)
    assert_equal(ours, theirs, 0)
    unrolled = numbers(primitive, kind, [first, *rest], "GRAD", lengths=[4, 3, 1], batch_first=True)
    assert_equal(theirs[:1], unrolled[:1], 1e-10)


@pytest.mark.parametrize("kind", ["lstm", "gru", "gru-before"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 60], ids=["few", "many"])
def test_the_logistic_function_keeps_its_tails(kind: str, dtype: str, batch: int) -> None:
    x, *rest = inputs_of(kind, 2, batch, None, dtype)
    for scale in (30.0, 1000.0):  # far into the tails; beyond what exp can hold
        tensors = [Tensor(scale * x.data, requires_grad=True, dtype=dtype), *rest]
        ours, theirs = (numbers(make, kind, tensors, "GRAD")[0] for make in (fused, primitive))
        assert np.isfinite(ours).all()
        np.testing.assert_allclose(ours, theirs, rtol=1e-3 if dtype == "float32" else 1e-10, atol=1e-30)


@pytest.mark.parametrize("kind", KINDS)
def test_memory_used_again_changes_nothing(kind: str) -> None:
    tensors, others = inputs_of(kind, 4, 3, None), inputs_of(kind, 4, 3, None, padding=1.0)
    expected = numbers(fused, kind, tensors, "GRAD")
    with Tape("GRAD"):  # two outputs alive at once, each with memory of its own, and each backward twice
        output, other = fused(kind, tensors), fused(kind, [Tensor(3 * t.data, requires_grad=True) for t in others])
        gradient = np.cos(np.arange(output.size)).reshape(output.shape)
        other.backward(np.ones(other.shape))
        first = output.backward(gradient)
        other.backward(np.ones(other.shape))
        second = output.backward(gradient)
    for array, tensor in zip(expected[1:], tensors, strict=True):
        np.testing.assert_array_equal(first[tensor], array)
        np.testing.assert_array_equal(second[tensor], array)
    kept, values = output.data, output.data.copy()
    del output, other, first, second
    for _ in range(3):
        numbers(fused, kind, others, "GRAD")
    np.testing.assert_array_equal(kept, values)


def test_idle_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_memory, "IDLE", 4000)
    for batch in range(1, 12):
        numbers(fused, "lstm", inputs_of("lstm", 3, batch, None), "GRAD")
        assert fused_memory.idle_bytes() <= 4000


def test_threads_have_their_own_memory() -> None:
    tensors, results = inputs_of("lstm", 6, 4, None), {}
    expected = numbers(fused, "lstm", tensors, "GRAD")

    def work(name: int) -> None:
        own = [Tensor(t.data, requires_grad=True) for t in tensors]
        results[name] = [numbers(fused, "lstm", own, "GRAD") for _ in range(20)][-1]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(8))
    for found in results.values():
        assert_equal(found, expected, 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_an_empty_batch(kind: str, reverse: bool) -> None:
    tensors = inputs_of(kind, 4, 0, None)
    values, *gradients = numbers(fused, kind, tensors, "GRAD", reverse=reverse)
    assert values.shape == (6 if kind == "lstm" else 5, 0, 5)
    assert [g.shape for g in gradients] == [t.shape for t in tensors]
    assert not any(g.any() for g in gradients)


def test_dtypes_mix_as_numpy_mixes_them() -> None:
    x, *rest = inputs_of("gru", 4, 3, None)
    narrow = [Tensor(t.data, dtype="float32", requires_grad=True) for t in rest]
    values, *gradients = numbers(fused, "gru", [x, *narrow], "GRAD")
    assert values.dtype == np.float64
    assert [g.dtype.name for g in gradients] == ["float64"] + ["float32"] * 5


def test_lengths_fall_and_fit() -> None:
    assert counts_of([3, 2, 2], 4, 3) == [3, 3, 1, 0]
    for lengths in ([2, 3, 1], [5, 1, 1], [3, 0, 0], [3, 2]):
        with pytest.raises(ValueError, match=r"expected 3 falling lengths in 1\.\.4"):
            fused("gru", inputs_of("gru", 4, 3, None), lengths=lengths)


def test_errors_say_what_was_given() -> None:
    x, *rest = inputs_of("gru", 4, 3, None)
    with pytest.raises(ValueError, match=r"gru_fused: output is 'first'; expected 'all', 'states' or 'last'"):
        fused("gru", [x, *rest], output="first")
    with pytest.raises(ValueError, match=r"gru_fused: x has shape \(4, 3\); expected \(time, batch, 3\)"):
        fused("gru", [Tensor(np.zeros((4, 3))), *rest])
    with pytest.raises(ValueError, match=r"gru_fused: W_hh has shape \(15, 4\); expected \(15, 5\)"):
        fused("gru", [x, *rest[:2], Tensor(np.zeros((15, 4))), *rest[3:]])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rnn-relu"])
def test_second_derivatives_go_through_the_primitive_steps(kind: str) -> None:
    tensors = inputs_of(kind, 2, 2, [2, 1], hidden=2)
    assert gradcheck(lambda *given: fused(kind, list(given), lengths=[2, 1]), tensors, order=2) == []
