"""Numbers at the edges: forms that neither overflow nor lose what is left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from engine import F, Tensor, apply, grad, losses

INF = np.inf


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "silu", "tanh", "elu", "gelu", "gelu_tanh", "erf"])
def test_activations_are_finite_far_out_and_so_are_their_slopes(name: str) -> None:
    for dtype in (np.float32, np.float64):
        x = Tensor([-1000.0, -50.0, 50.0, 1000.0], dtype=dtype, requires_grad=True)
        y = apply(name, x)
        run = y.backward(np.ones(4))
        assert np.isfinite(y.data).all()
        assert np.isfinite(run[x]).all()
        assert y.dtype == run[x].dtype == dtype


def test_tails_keep_their_digits() -> None:
    assert Tensor(-40.0).sigmoid().item() == pytest.approx(np.exp(-40.0), rel=1e-15)
    assert apply("softplus", Tensor(-40.0)).item() == pytest.approx(np.exp(-40.0), rel=1e-15)
    assert apply("expm1", Tensor(1e-12)).item() == pytest.approx(1e-12 + 5e-25, rel=1e-15)
    assert apply("log1p", Tensor(1e-12)).item() == pytest.approx(1e-12 - 5e-25, rel=1e-15)
    assert Tensor(np.float32(-80.0)).sigmoid().item() == pytest.approx(np.exp(-80.0), rel=1e-6)


def test_log_sum_exp_of_large_small_and_absent_terms() -> None:
    x = Tensor([[1000.0, 1000.0], [-1000.0, -1000.0], [-INF, 0.0], [-INF, -INF]], requires_grad=True)
    y = x.logsumexp(axis=1)
    run = y.backward(np.ones(4))
    np.testing.assert_allclose(y.data[:3], [1000 + np.log(2), -1000 + np.log(2), 0.0], rtol=1e-15)
    assert y.data[3] == -INF
    np.testing.assert_allclose(run[x], [[0.5, 0.5], [0.5, 0.5], [0.0, 1.0], [0.0, 0.0]])


def test_softmax_with_minus_infinity() -> None:
    x = Tensor([[-INF, 0.0, 0.0], [1000.0, -INF, -1000.0]], requires_grad=True)
    y = x.softmax()
    run = y.backward([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])
    np.testing.assert_array_equal(y.data, [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(run[x], [[0.0, -0.5, 0.5], [0.0, 0.0, 0.0]])


def test_softmax_of_nothing_but_minus_infinity_is_not_a_number_as_in_pytorch() -> None:
    assert np.isnan(Tensor([-INF, -INF]).softmax().data).all()


def test_attention_that_sees_nothing_gives_nothing() -> None:
    q, k, v = (Tensor(np.random.default_rng(s).standard_normal((2, 3)), requires_grad=True) for s in range(3))
    mask = np.array([[0.0, -INF], [-INF, -INF]])
    y = F.scaled_dot_product_attention(q, k, v, mask)
    run = y.backward(np.ones((2, 3)))
    np.testing.assert_array_equal(y.data, [v.data[0], [0.0, 0.0, 0.0]])
    assert all(np.isfinite(run[x]).all() for x in (q, k, v))


def test_losses_of_certain_and_wrong_predictions_are_finite() -> None:
    z = Tensor([[1000.0, -1000.0]], requires_grad=True)
    assert losses.cross_entropy(z, np.array([1])).item() == 2000.0
    assert losses.binary_cross_entropy_with_logits(Tensor([1000.0, -1000.0]), [0.0, 1.0], reduction="sum").item() == 2000.0
    assert losses.kl_div(Tensor([-1.0, -2.0]), [0.0, 1.0], reduction="sum").item() == 2.0


def test_the_loss_of_rows_that_are_all_ignored_is_no_number_as_in_pytorch() -> None:
    assert np.isnan(losses.cross_entropy(Tensor([[1.0, 2.0]]), np.array([-100])).item())
    assert losses.cross_entropy(Tensor([[1.0, 2.0]]), np.array([-100]), reduction="sum").item() == 0.0


def test_the_product_with_zeros_has_the_gradient_of_the_others() -> None:
    x = Tensor([0.0, 2.0, 3.0], requires_grad=True)
    np.testing.assert_array_equal(x.prod().backward()[x], [6.0, 0.0, 0.0])
    y = Tensor([0.0, 0.0, 3.0], requires_grad=True)
    np.testing.assert_array_equal(y.prod().backward()[y], [0.0, 0.0, 0.0])


def test_the_power_of_zero_and_the_norm_of_zero_have_the_stated_subgradients() -> None:
    x = Tensor([0.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal((x**0.0).sum().backward()[x], [0.0, 0.0])
    z = Tensor([0.0, 0.0], requires_grad=True)
    np.testing.assert_array_equal(z.norm().backward()[z], [0.0, 0.0])
    s = Tensor([3.0, 3.0], requires_grad=True)
    np.testing.assert_array_equal(s.std().backward()[s], [0.0, 0.0])
    m = Tensor([2.0, 5.0, 5.0], requires_grad=True)
    np.testing.assert_array_equal(m.max().backward()[m], [0.0, 0.5, 0.5])


def test_the_exponent_of_a_negative_base_has_no_derivative_and_that_of_zero_has_pytorchs() -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        for base, exponent, of_base, of_exponent in [(-2.0, 3.0, 12.0, np.nan), (0.0, -1.0, -INF, -INF), (0.0, 0.5, INF, 0.0),
                                                      (0.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 0.0), (-2.0, 0.5, np.nan, np.nan)]:  # fmt: skip
            for shape in ((), (1,)):  # single numbers and arrays are computed by different code
                a, b = (Tensor(np.full(shape, x), requires_grad=True) for x in (base, exponent))
                run = (a**b).backward()
                np.testing.assert_array_equal([run[a].item(), run[b].item()], [of_base, of_exponent], err_msg=f"{base}**{exponent}")
    x = Tensor([-2.0, -3.0], requires_grad=True)
    np.testing.assert_array_equal((x**2).sum().backward()[x], [-4.0, -6.0])  # a constant exponent asks for no logarithm


@pytest.mark.parametrize("name", ["var", "std"])
def test_a_spread_without_degrees_of_freedom_is_no_number_and_says_so(name: str) -> None:
    x = Tensor([1.0], requires_grad=True)
    with pytest.warns(RuntimeWarning, match=rf"^{name}: 1 elements with correction=1 leave no degree of freedom"):
        y = apply(name, x)
    assert np.isnan(y.item())
    assert np.isnan(y.backward()[x]).all()
    pair = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.warns(RuntimeWarning, match="2 elements with correction=3"):
        y = apply(name, pair, correction=3)
    assert y.item() == INF
    assert not np.isfinite(y.backward()[pair]).any()
    with pytest.warns(RuntimeWarning, match="0 elements"):
        y = apply(name, Tensor(np.zeros((0, 3)), requires_grad=True), axis=0)
    assert np.isnan(y.data).all()
    assert y.shape == (3,)
    assert apply(name, Tensor(np.zeros((0, 3))), axis=1).shape == (0,)


def test_the_tanh_form_of_gelu_keeps_its_tail() -> None:
    x = Tensor([-8.0, -6.0, -1.0, 2.0], requires_grad=True)
    u = 2 * np.sqrt(2 / np.pi) * (x.data + 0.044715 * x.data**3)
    y = apply("gelu_tanh", x)
    np.testing.assert_allclose(y.data, x.data * np.exp(-np.logaddexp(0, -u)), rtol=1e-12)
    below, above = np.exp(-np.logaddexp(0, -u)), np.exp(-np.logaddexp(0, u))
    slope = below * (1 + x.data * above * 2 * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x.data**2))
    np.testing.assert_allclose(y.backward(np.ones(4))[x], slope, rtol=1e-12)


def test_gelu_and_the_loss_of_logits_keep_the_tails_of_their_slopes() -> None:
    x = Tensor([-10.0, -6.0], requires_grad=True)
    y = apply("gelu", x)
    below, density = special.ndtr(x.data), np.exp(-0.5 * x.data**2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(y.data, x.data * below, rtol=1e-12)
    np.testing.assert_allclose(y.backward(np.ones(2))[x], below + x.data * density, rtol=1e-12)
    z = Tensor([-50.0], requires_grad=True)
    assert losses.binary_cross_entropy_with_logits(z, [0.0]).backward()[z] == pytest.approx(np.exp(-50.0), rel=1e-12)
    w = Tensor([-40.0], requires_grad=True)
    assert apply("expm1", w).backward(np.ones(1))[w] == pytest.approx(np.exp(-40.0), rel=1e-15)


def test_products_and_norms_whose_parts_leave_the_range() -> None:
    x = Tensor([1e-200, 1e-200], requires_grad=True)
    np.testing.assert_array_equal(x.prod().backward()[x], [1e-200, 1e-200])
    for size in (1e200, 1e-200):
        y = Tensor([3 * size, 4 * size], requires_grad=True)
        length = y.norm()
        assert length.item() == pytest.approx(5 * size, rel=1e-14)
        np.testing.assert_allclose(length.backward()[y], [0.6, 0.8], rtol=1e-14)
    rows = Tensor(np.array([[3e30, 4e30], [0.0, 0.0], [3.0, 4.0]], np.float32))
    lengths = rows.norm(axis=1)
    assert lengths.dtype == np.float32
    np.testing.assert_allclose(lengths.data, [5e30, 0.0, 5.0], rtol=1e-6)
    assert Tensor(np.zeros(0)).norm().item() == 0.0


def test_a_power_depends_on_its_exponent_at_0_too() -> None:
    a, b = Tensor(2.0, requires_grad=True), Tensor(0.0, requires_grad=True)
    (slope,) = grad(a**b, [a], create_graph=True)
    assert slope.item() == 0.0
    assert grad(slope, [b])[0].item() == pytest.approx(0.5)  # d2(a**b)/(da db) = a**(b - 1) (1 + b log a)


@pytest.mark.parametrize("name", ["max", "min", "norm", "logsumexp", "mean", "prod", "softmax", "log_softmax", "std", "var"])
@pytest.mark.parametrize("options", [{}, {"ord": "inf"}], ids=["", "inf"])
def test_a_nan_is_not_hidden_forward_or_backward(name: str, options: dict[str, str]) -> None:
    x = Tensor([[np.nan, 1.0], [2.0, 3.0]], requires_grad=True)
    y = apply(name, x, axis=1, **(options if name == "norm" else {}))
    slope = y.backward(np.ones(y.shape))[x]
    assert np.isnan(y.data[0]).any()
    assert np.isfinite(y.data[1]).all()
    if name != "mean":
        assert np.isnan(slope[0]).any()
    assert np.isfinite(slope[1]).all()


BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@BOTH
def test_the_softmax_of_far_logits_and_its_logarithm_keep_their_digits(dtype: Any) -> None:
    z = Tensor(np.array([[1000.0, 0.0, -1000.0], [-INF, 0.0, 1.0]], dtype), requires_grad=True)
    p, logs = z.softmax(), z.log_softmax()
    assert p.dtype == logs.dtype == dtype
    e = np.exp(1.0)
    np.testing.assert_allclose(p.data, [[1, 0, 0], [0, 1 / (1 + e), e / (1 + e)]], rtol=1e-6, atol=0)
    np.testing.assert_allclose(logs.data, [[0, -1000, -2000], [-INF, -np.log1p(e), 1 - np.log1p(e)]], rtol=1e-6)
    slope = logs.backward(np.eye(2, 3, dtype=dtype))[z]
    assert slope.dtype == dtype
    np.testing.assert_allclose(slope[1], [0, 1 - 1 / (1 + e), -e / (1 + e)], rtol=1e-6)
    np.testing.assert_array_equal(slope[0], [0, 0, 0])


@BOTH
def test_losses_of_far_logits_are_finite_forward_and_backward(dtype: Any) -> None:
    z = Tensor(np.array([1000.0, -1000.0, 0.0], dtype), requires_grad=True)
    y = losses.binary_cross_entropy_with_logits(z, np.array([0.0, 1.0, 0.5], dtype), reduction="sum")
    assert y.dtype == dtype
    assert y.item() == pytest.approx(2000 + np.log(2), rel=1e-6)
    np.testing.assert_array_equal(y.backward()[z], [1.0, -1.0, 0.0])
    rows = Tensor(np.array([[1000.0, -1000.0], [-1000.0, 1000.0]], dtype), requires_grad=True)
    loss = losses.cross_entropy(rows, np.array([1, 1]))
    assert loss.item() == 1000.0
    np.testing.assert_array_equal(loss.backward()[rows], [[0.5, -0.5], [0.0, 0.0]])


@BOTH
def test_rows_without_spread_are_normalised_to_nothing(dtype: Any) -> None:
    x = Tensor(np.array([[2.0, 2.0, 2.0], [1e-3, 1e-3, 1e-3], [0.0, 0.0, 0.0]], dtype), requires_grad=True)
    y = F.layer_norm(x, Tensor(np.ones(3, dtype)), Tensor(np.full(3, 0.5, dtype)))
    np.testing.assert_allclose(y.data, np.full((3, 3), 0.5), atol=1e-4)
    slope = y.backward(np.eye(3, dtype=dtype))[x]
    assert slope.dtype == dtype
    np.testing.assert_allclose(slope, (np.eye(3) - 1 / 3) / np.sqrt(1e-5), rtol=1e-4)


@BOTH
def test_roots_and_norms_at_zero(dtype: Any) -> None:
    x = Tensor(np.array([0.0, 4.0], dtype), requires_grad=True)
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(x.sqrt().backward(np.ones(2))[x], [INF, 0.25])  # a vertical tangent, as PyTorch
    for order in (1, 2, "inf"):
        z = Tensor(np.zeros((2, 2), dtype), requires_grad=True)
        length = z.norm(order, axis=1)
        assert length.dtype == dtype
        np.testing.assert_array_equal(length.data, [0.0, 0.0])
        np.testing.assert_array_equal(length.backward(np.ones(2))[z], np.zeros((2, 2)))


@BOTH
def test_sigmoid_and_softplus_at_a_thousand(dtype: Any) -> None:
    x = Tensor(np.array([-1000.0, -80.0, 80.0, 1000.0], dtype), requires_grad=True)
    tail = np.exp(-80.0)
    np.testing.assert_allclose(x.sigmoid().data, [0.0, tail, 1.0, 1.0], rtol=1e-5)
    np.testing.assert_allclose(F.softplus(x).data, [0.0, tail, 80.0, 1000.0], rtol=1e-5)
    np.testing.assert_allclose(x.sigmoid().backward(np.ones(4))[x][:2], [0.0, tail], rtol=1e-5)
    np.testing.assert_allclose(F.softplus(x).backward(np.ones(4))[x], [0.0, tail, 1.0, 1.0], rtol=1e-5)
