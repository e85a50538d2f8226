"""Gradients of gradients: against closed forms, finite differences and each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import Tape, TapeError, Tensor, apply, grad, gradcheck, hvp, jacobian
from engine.ops.op import REGISTRY, TABLE, Derivative, Op, Record


def cube(x: Tensor) -> Tensor:
    return (x * x * x).sum()


def network(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return ((x @ W + b).tanh() * 0.5).sigmoid().sum(axis=1)


def inputs() -> list[Tensor]:
    random = np.random.default_rng(0)
    return [Tensor(random.standard_normal(shape), requires_grad=True) for shape in ((3, 4), (4, 2), (2,))]


def test_derivatives_of_a_cube_to_the_third_order() -> None:
    x = Tensor([0.5, -2.0], requires_grad=True)
    with Tape("GRAD"):
        first = grad(cube(x), [x], create_graph=True)[0]
        second = grad(first.sum(), [x], create_graph=True)[0]
        third = grad(second.sum(), [x])[0]
    np.testing.assert_allclose(first.data, 3 * np.square(x.data), rtol=1e-15)
    np.testing.assert_allclose(second.data, 6 * x.data, rtol=1e-15)
    np.testing.assert_allclose(third.data, [6.0, 6.0], rtol=1e-15)


def test_without_a_tape_around_it() -> None:
    x = Tensor(3.0, requires_grad=True)
    run = (x * x * x).backward(create_graph=True)
    assert run[x] == 27.0
    assert run.tensor(x).backward()[x] == 18.0


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_a_recorded_sweep_gives_the_same_gradients(level: str) -> None:
    plain, recorded = inputs(), inputs()
    with Tape(level):  # type: ignore[arg-type]
        expected = network(*plain).sum().backward()
    with Tape(level):  # type: ignore[arg-type]
        run = network(*recorded).sum().backward(create_graph=True)
    for a, b in zip(plain, recorded, strict=True):
        np.testing.assert_allclose(run[b], expected[a], rtol=1e-14)
        np.testing.assert_array_equal(run.tensor(b).data, run[b])
        assert b.grad is not None
        np.testing.assert_array_equal(b.grad, run[b])


def test_the_jacobian_of_a_softmax_is_its_closed_form() -> None:
    z = Tensor([0.3, -1.0, 2.0])
    (found,) = jacobian(lambda z: z.softmax(), [z])
    y = z.softmax().data
    np.testing.assert_allclose(found, np.diag(y) - np.outer(y, y), atol=1e-15)


def test_jacobians_have_the_shape_of_output_and_input() -> None:
    found = jacobian(lambda x, W, b: x @ W + b, inputs())
    assert [j.shape for j in found] == [(3, 2, 3, 4), (3, 2, 4, 2), (3, 2, 2)]
    assert jacobian(lambda x: Tensor([1.0]), [Tensor([2.0, 3.0])])[0].tolist() == [[0.0, 0.0]]


def test_a_hessian_vector_product_is_the_hessian_times_the_vector() -> None:
    x, v = Tensor(np.random.default_rng(1).standard_normal(4)), np.array([1.0, -2.0, 0.5, 3.0])

    def f(x: Tensor) -> Tensor:
        return ((x * x).sum() * x.tanh()).sum()

    hessian = np.array([hvp(f, [x], [unit])[0] for unit in np.eye(4)])
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-12)
    np.testing.assert_allclose(hvp(f, [x], [v])[0], hessian @ v, rtol=1e-12)


def test_hvp_of_what_has_no_curvature_is_zero() -> None:
    assert hvp(lambda x: (x * 3.0).sum(), [Tensor([1.0, 2.0])], [[1.0, 1.0]])[0].tolist() == [0.0, 0.0]
    assert hvp(lambda x: Tensor(1.0), [Tensor([1.0, 2.0])], [[1.0, 1.0]])[0].tolist() == [0.0, 0.0]


def test_what_cannot_be_differentiated_says_so() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TapeError, match="create_graph=True"):
        cube(x).backward().tensor(x)
    with pytest.raises(ValueError, match="hvp: vectors have shapes"):
        hvp(cube, [x], [np.ones(3)])
    with pytest.raises(ValueError, match="one element"):
        hvp(lambda x: x * 2.0, [x], [np.ones(2)])
    with pytest.raises(ValueError, match="order is 3"):
        gradcheck(cube, [x], order=3)


def test_gradcheck_passes_a_network_to_the_second_order() -> None:
    assert gradcheck(network, inputs(), order=2) == []


def test_a_float32_gradient_beside_float64_can_be_differentiated() -> None:
    x = Tensor([0.5, 1.5], dtype=np.float32, requires_grad=True)
    with Tape("GRAD"):
        first = grad((x * x * Tensor([2.0, 3.0])).sum(), [x], create_graph=True)[0]
        second = grad(first.sum(), [x])[0]
    assert (first.dtype, second.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(second.data, [4.0, 6.0])


def test_gradcheck_names_op_input_and_index(monkeypatch: pytest.MonkeyPatch) -> None:
    sine = REGISTRY["sin"].forward
    wrong = Op("wrong_sine", "structured", ("x",), sine, lambda F, g, record: [g], r"\sin", (Derivative("x", latex="1"),))
    monkeypatch.setitem(TABLE, "wrong_sine", wrong)
    x, y = Tensor([1.0, 1.0]), Tensor([0.0, 1.0], requires_grad=True)
    found = gradcheck(lambda x, y: apply("wrong_sine", y).tanh() * x, [x, y])
    assert [(m.op, m.input, m.index, m.order) for m in found] == [("wrong_sine", 1, (1,), 1)]
    assert str(found[0]).startswith("input 1[1]: gradient ")
    assert str(found[0]).endswith("(the rule of 'wrong_sine' is off)")
    unrecorded = gradcheck(lambda y: (y * y.detach()).sum(), [y])
    assert [(m.op, m.index) for m in unrecorded] == [(None, (1,))]


def test_gradcheck_names_the_op_whose_second_derivative_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    sine, cosine = REGISTRY["sin"].forward, REGISTRY["cos"].forward

    def flat(F: Any, g: Any, record: Record) -> list[Any]:  # the slope as a constant: right once, and no more
        return [g * Tensor(cosine(record.inputs[0].data)) if not F.arrays else g * cosine(record.inputs[0])]

    wrong = Op("flat_sine", "structured", ("x",), sine, flat, r"\sin", (Derivative("x", latex="1"),))
    monkeypatch.setitem(TABLE, "flat_sine", wrong)
    x, y = Tensor([1.0, 1.0]), Tensor([0.5, 1.0], requires_grad=True)
    assert gradcheck(lambda x, y: apply("flat_sine", y).exp() * x, [x, y]) == []
    found = gradcheck(lambda x, y: apply("flat_sine", y).exp() * x, [x, y], order=2)
    assert [(m.op, m.input, m.index, m.order) for m in found] == [("flat_sine", 1, (0,), 2), ("flat_sine", 1, (1,), 2)]
    assert str(found[0]).startswith("input 1[0]: gradient of the gradient ")


def test_a_tensor_alone_stands_for_a_list_of_it() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(jacobian(lambda x: x * x, x)[0], np.diag([2.0, 4.0]))
    np.testing.assert_array_equal(hvp(lambda x: (x**3).sum(), x, [1.0, 0.0])[0], [6.0, 0.0])
    np.testing.assert_array_equal(grad((x * x).sum(), x)[0].data, [2.0, 4.0])
    assert gradcheck(lambda x: x.tanh(), x, order=2) == []
