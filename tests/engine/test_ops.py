"""Every operation of the table, tested from its own definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from engine import Tape, Tensor, apply
from engine.gradcheck import gradcheck
from engine.ops import REGISTRY, Op, catalogue
from engine.ops.formula import walk
from engine.ops.latex import to_latex
from engine.ops.op import Sample
from engine.ops.spelled import Asked, contribution_in_numbers, element_in_numbers, worked_out

SHOWN = {name: op for name, op in REGISTRY.items() if not op.hidden}


FLOATING = {name: op for name, op in SHOWN.items() if name not in ("lt", "le", "gt", "ge", "eq")}


def cases(kind: str, ops: Mapping[str, Op] = SHOWN) -> list[Any]:
    return [pytest.param(op, sample, id=f"{name}-{number}") for name, op in ops.items() for number, sample in enumerate(getattr(op, kind))]


def tensors(sample: Sample) -> list[Tensor]:
    arrays = [np.asarray(x) for x in sample.inputs]
    return [Tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]


@pytest.mark.parametrize("op", SHOWN.values(), ids=SHOWN)
def test_a_definition_is_complete(op: Op) -> None:
    assert op.samples, f"{op.name} has no samples"
    assert [d.input for d in op.derivatives] == list(op.inputs)
    if op.kind == "elementwise":
        assert op.formula is not None
        assert all(d.formula is not None for d in op.derivatives)
        assert len(op.inputs) == 1 or op.errors, f"{op.name} takes several inputs and shows no misfit"
    else:
        assert op.latex
        assert all(d.latex for d in op.derivatives)
        assert op.errors, f"{op.name} shows no error"


# Of these an element is no sum of factor times input; they are written out in numbers by `engine.ops.spelled`.
NO_SUMS = {"bce_with_logits", "cross_entropy", "huber_loss", "kl_div", "l1_loss", "layer_norm", "log_softmax", "logsumexp", "max", "min",
           "mse_loss", "nll_loss", "norm", "prod", "softmax", "std", "var"}  # fmt: skip


@pytest.mark.parametrize("op", SHOWN.values(), ids=SHOWN)
def test_an_element_is_a_sum_of_terms_or_is_written_out_another_way(op: Op) -> None:
    if op.kind == "elementwise":
        assert op.element is None
        assert op.spelled is None
    elif op.name in NO_SUMS:
        assert op.element is None
        assert op.spelled is not None, f"{op.name} does not say what one element is in numbers"
    else:
        assert op.element is not None, f"{op.name} is a sum of terms and does not name them; or it belongs to those that are none"


# Where the formula has a choice, and yet no point is without a derivative.
SMOOTH = {"softplus", "elu", "where", "lt", "le", "gt", "ge", "eq"}
CHOICES = {"abs", "sign", "maximum", "minimum", "where"}


@pytest.mark.parametrize("op", [op for op in SHOWN.values() if op.kind == "elementwise"], ids=lambda op: op.name)
def test_a_formula_with_a_choice_states_its_kinks(op: Op) -> None:
    called = {tree[1] for tree in walk(op.formula) if isinstance(tree, list) and tree[0] == "call"}
    slopes = {tree[1] for d in op.derivatives for tree in walk(d.formula) if isinstance(tree, list) and tree[0] == "call"}
    if op.name in SMOOTH:
        assert not op.kinks
    elif (called | slopes) & CHOICES:
        assert op.kinks, f"{op.name} chooses between formulas and states no kink"
    assert all(len(kink.at) == len(kink.subgradient) == len(op.inputs) and kink.why for kink in op.kinks)


@pytest.mark.parametrize("op", [op for op in SHOWN.values() if op.kind == "structured"], ids=lambda op: op.name)
def test_the_numbers_that_are_written_out_make_the_values_and_the_gradients(op: Op) -> None:
    outputs, contributions = 0, {port: 0 for port, d in enumerate(op.derivatives) if d.latex != "0"}
    for sample in op.samples:
        arrays, leaves = [np.asarray(x) for x in sample.inputs], tensors(sample)
        output = apply(op.name, *leaves, **sample.attributes)
        value = np.asarray(output.data)
        incoming = np.asarray(np.cos(np.arange(output.size)).reshape(output.shape) + 1.5)
        for index in np.ndindex(value.shape):
            tree = element_in_numbers(op, index, arrays, sample.attributes)
            if tree is not None:
                outputs += 1
                assert to_latex(tree)
                assert worked_out(tree) == pytest.approx(float(value[index]), rel=1e-9, abs=1e-12)
        run = output.backward(incoming)
        for port, x in enumerate(leaves):
            for index in np.ndindex(x.shape) if x.requires_grad else ():
                tree = contribution_in_numbers(op, port, index, Asked(arrays, value, sample.attributes, incoming))
                if tree is not None:
                    contributions[min(port, len(op.derivatives) - 1)] += 1
                    assert worked_out(tree) == pytest.approx(float(run[x][index]) if x in run else 0.0, rel=1e-9, abs=1e-12)
    assert outputs, f"{op.name}: no element of its samples can be written out in numbers"
    assert all(contributions.values()), f"{op.name}: contributions in numbers by input: {contributions}"


def test_the_catalogue_lists_every_shown_op_once() -> None:
    assert [entry["name"] for entry in catalogue()] == sorted(SHOWN)
    assert all(entry["latex"] and all(d["latex"] for d in entry["derivatives"]) for entry in catalogue())


@pytest.mark.parametrize(("op", "sample"), cases("samples", FLOATING))
def test_first_and_second_derivatives_equal_finite_differences(op: Op, sample: Sample) -> None:
    inputs = tensors(sample)
    found = gradcheck(lambda *xs: apply(op.name, *xs, **sample.attributes), inputs, order=2, rtol=1e-5, atol=1e-7)
    assert [str(mismatch) for mismatch in found] == []


@pytest.mark.parametrize(("op", "sample"), [case for case in cases("samples", FLOATING) if case.values[0].analytic])
def test_gradients_equal_the_complex_step_to_the_last_digits(op: Op, sample: Sample) -> None:
    inputs = tensors(sample)
    output = apply(op.name, *inputs, **sample.attributes)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, output.shape)
    run = output.backward(weights)
    arrays = [np.asarray(x) for x in sample.inputs]
    for port, x in enumerate(inputs):
        if not x.requires_grad:
            continue
        for index in np.ndindex(x.shape):
            moved = arrays[port].astype(np.complex128)
            moved[index] += 1e-30j
            result = op.forward(*[moved if i == port else a for i, a in enumerate(arrays)], **sample.attributes)
            stepped = result[0] if isinstance(result, tuple) else result
            assert run[x][index] == pytest.approx(float((weights * stepped.imag).sum()) / 1e-30, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq"])
def test_comparisons_give_booleans_without_a_gradient(name: str) -> None:
    a, b = Tensor([1.0, 2.0, 3.0], requires_grad=True), Tensor([2.0, 2.0, 2.0], requires_grad=True)
    answer = apply(name, a, b)
    assert answer.dtype == bool
    assert not answer.requires_grad
    expected = {"lt": a.data < b.data, "le": a.data <= b.data, "gt": a.data > b.data, "ge": a.data >= b.data, "eq": a.data == b.data}
    np.testing.assert_array_equal(answer.data, expected[name])
    assert (a > b).data.tolist() == [False, False, True]


@pytest.mark.parametrize(("op", "sample"), cases("samples", FLOATING))
def test_the_memory_layout_of_the_inputs_does_not_matter(op: Op, sample: Sample) -> None:
    arrays = [np.asarray(x) for x in sample.inputs]
    scattered = []
    for x in arrays:
        if not x.ndim:
            scattered.append(x)
            continue
        spread = np.zeros(tuple(2 * n for n in x.shape), x.dtype)[tuple(slice(None, None, -2) for _ in x.shape)]
        spread[...] = x
        scattered.append(spread)
    straight, crooked = (op.forward(*given, **sample.attributes) for given in (arrays, scattered))
    for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (straight, crooked)), strict=True):
        if isinstance(a, np.ndarray | np.generic):
            np.testing.assert_allclose(b, a, rtol=1e-14, atol=1e-15)


ELEMENTWISE = [op for op in FLOATING.values() if op.kind == "elementwise" and op.name != "where"]


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_elementwise_ops_broadcast_as_numpy_and_send_back_gradients_of_their_inputs_shapes(op: Op, data: st.DataObject) -> None:
    shapes = data.draw(mutually_broadcastable_shapes(num_shapes=len(op.inputs), max_dims=3, max_side=3, min_side=0))
    random = np.random.default_rng(0)
    xs = [Tensor(random.uniform(0.2, 0.9, shape), requires_grad=True) for shape in shapes.input_shapes]
    output = apply(op.name, *xs)
    assert output.shape == shapes.result_shape
    run = output.backward(np.ones(output.shape))
    for x in xs:
        assert run[x].shape == x.shape
        assert np.isfinite(run[x]).all()
    first = tuple(0 for _ in output.shape)
    if output.size:
        alone = op.forward(*[np.broadcast_to(x.data, output.shape)[first] for x in xs])
        assert output.data[first] == pytest.approx(float(alone), rel=1e-14)


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_integers_and_booleans_are_taken_as_numpy_takes_them_or_refused_by_name(op: Op) -> None:
    for data in ([1, 2], [True, False]):
        xs = [Tensor(data) for _ in op.inputs]
        try:
            with np.errstate(all="ignore"):
                op.forward(*[x.data.astype(np.float64) if op.fractional and x.dtype == bool else x.data for x in xs])
        except TypeError:
            with pytest.raises(TypeError, match=rf"^{op.name}: not for shapes \(2,\)"):
                apply(op.name, *xs)
        else:
            with np.errstate(all="ignore"):
                assert not apply(op.name, *xs).requires_grad


@pytest.mark.parametrize(("op", "sample"), cases("errors"))
def test_errors_name_the_op(op: Op, sample: Sample) -> None:
    with pytest.raises((ValueError, IndexError), match=f"^{op.name}: "):
        apply(op.name, *tensors(sample), **sample.attributes)


@pytest.mark.parametrize(("op", "sample"), cases("samples", FLOATING))
def test_float32_stays_float32(op: Op, sample: Sample) -> None:
    inputs = [Tensor(x.data.astype(np.float32), requires_grad=True) if x.requires_grad else x for x in tensors(sample)]
    output = apply(op.name, *inputs, **sample.attributes)
    run = output.backward(np.ones(output.shape))
    assert output.dtype == np.float32
    assert all(run[x].dtype == np.float32 for x in inputs if x.requires_grad and x in run)


@pytest.mark.parametrize(("op", "sample"), [case for case in cases("samples") if case.values[0].element])
def test_the_terms_of_an_element_make_it(op: Op, sample: Sample) -> None:
    arrays = [np.asarray(x) for x in sample.inputs]
    output = apply(op.name, *tensors(sample), **sample.attributes).data
    assert op.element is not None
    for index in np.ndindex(output.shape):
        terms = op.element(index, arrays, sample.attributes)
        if not terms:  # made of no input: padding, a mask's filling
            unit = np.zeros(output.shape)
            unit[index] = 1
            leaves = tensors(sample)
            run = apply(op.name, *leaves, **sample.attributes).backward(unit)
            assert not any(np.any(run[x]) for x in leaves if x.requires_grad and x in run)
        else:
            assert sum(factor * arrays[port][at] for port, at, factor in terms) == pytest.approx(output[index], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("op", [op for op in SHOWN.values() if op.kinks], ids=lambda op: op.name)
def test_the_stated_subgradient_is_used_at_a_kink(op: Op) -> None:
    for kink in op.kinks:
        inputs = [Tensor(x, requires_grad=True) for x in kink.at]
        run = apply(op.name, *inputs).backward()
        assert tuple(float(run[x]) for x in inputs) == kink.subgradient


def test_the_same_input_twice_has_two_edges() -> None:
    x = Tensor(3.0, requires_grad=True)
    with Tape("TRACE") as tape:
        run = (x * x).backward()
    assert tape.inputs[1] == (0, 0)
    assert run[x] == 6.0
    assert [event[0] for event in tape.log] == ["forward", "seed", "vjp", "vjp", "accumulate"]


@pytest.mark.parametrize("x", [-1000.0, 1000.0, -30.0])
def test_the_sigmoid_keeps_its_tail(x: float) -> None:
    for dtype in (np.float32, np.float64):
        y = Tensor(x, dtype=dtype).sigmoid().item()
        assert y == pytest.approx(float(np.exp(min(0.0, np.float64(x))) / (1 + np.exp(-abs(np.float64(x))))), rel=1e-6, abs=0.0)


def test_softmax_and_cross_entropy_of_large_logits_are_finite() -> None:
    z = Tensor([[1000.0, -1000.0, 0.0]], requires_grad=True)
    loss = apply("cross_entropy", z, np.array([1]))
    run = loss.backward()
    assert loss.item() == 2000.0
    np.testing.assert_allclose(run[z], [[1.0, -1.0, 0.0]], atol=1e-300)


@pytest.mark.parametrize(
    ("name", "inputs", "attributes"),
    [
        ("sum", [np.zeros((0, 3))], {}),
        ("rows", [np.ones((2, 3))], {"rows": []}),
        ("concat", [np.zeros((0, 3)), np.ones((2, 3))], {}),
        ("linear", [np.zeros((0, 3)), np.ones((2, 3))], {}),
        ("matmul", [np.zeros((2, 0)), np.zeros((0, 3))], {}),
    ],
)
def test_empty_arrays_have_gradients_of_their_shape(name: str, inputs: list[Any], attributes: dict[str, Any]) -> None:
    tensors = [Tensor(x, requires_grad=True) for x in inputs]
    run = apply(name, *tensors, **attributes).sum().backward()
    for x in tensors:
        assert x not in run or run[x].shape == x.shape


@pytest.mark.parametrize("name", ["mean", "mse_loss"])
def test_the_mean_of_nothing_is_no_number_and_no_crash(name: str) -> None:
    inputs = [Tensor(np.zeros((0,)), requires_grad=True) for _ in range(1 if name == "mean" else 2)]
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning):
        loss = apply(name, *inputs)
    assert np.isnan(loss.item())
    assert loss.backward()[inputs[0]].shape == (0,)


@pytest.mark.parametrize(("name", "axis"), [("concat", None), ("stack", 10**20), ("concat", 1.5), ("sum", 1.5), ("mean", "x")])
def test_an_axis_that_is_none_is_refused_by_name(name: str, axis: Any) -> None:
    inputs = [Tensor([1.0, 2.0])] * (1 if name in ("sum", "mean") else 2)
    with pytest.raises(ValueError, match=f"^{name}: axis"):
        apply(name, *inputs, axis=axis)
