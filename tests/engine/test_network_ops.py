"""Layers: against plain loops over numbers, PyTorch where it is installed, and at their edges (nothing to see, nothing there)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import Tensor, apply
from engine.gradcheck import gradcheck

INF = np.inf


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def leaves(*arrays: Any) -> list[Tensor]:
    return [Tensor(x, requires_grad=True) for x in arrays]


def agrees_with_pytorch(ours: Callable[..., Tensor], theirs: Callable[..., Any], arrays: list[Any]) -> None:
    """Values, and gradients for an incoming gradient that is another one at every element."""
    torch = pytest.importorskip("torch")
    xs, ts = leaves(*arrays), [torch.tensor(x, requires_grad=True) for x in arrays]
    output, expected = ours(*xs), theirs(*ts)
    np.testing.assert_allclose(output.data, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = normal(*output.shape, seed=9)
    run = output.backward(g)
    expected.backward(torch.tensor(g))
    for x, t in zip(xs, ts, strict=True):
        np.testing.assert_allclose(run[x], t.grad.numpy(), rtol=1e-9, atol=1e-11)


# a linear layer in one


@pytest.mark.parametrize("shape", [(3,), (1, 3), (4, 3), (2, 4, 3), (0, 3)], ids=str)
@pytest.mark.parametrize("dtypes", [("float64",) * 3, ("float32",) * 3, ("float64", "float32", "float64")], ids=str)
def test_affine_is_the_product_and_the_sum(shape: tuple[int, ...], dtypes: tuple[str, str, str]) -> None:
    arrays = [normal(*part, seed=i).astype(dtype) for i, (part, dtype) in enumerate(zip((shape, (5, 3), (5,)), dtypes, strict=True))]
    found = []
    for make in (lambda x, W, b: apply("affine", x, W, b), lambda x, W, b: apply("linear", x, W) + b):
        tensors = leaves(*arrays)
        output = make(*tensors)
        run = output.backward(np.cos(np.arange(output.size)).reshape(output.shape))
        found.append([output.data, *(run[t] for t in tensors)])
    for ours, theirs in zip(*found, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-5 if "float32" in dtypes else 1e-12, atol=1e-6 if "float32" in dtypes else 1e-12)


def test_affine_gives_only_what_is_asked_for_and_second_derivatives() -> None:
    x, W, b = normal(4, 3), normal(5, 3, seed=1), normal(5, seed=2)
    for wanted in range(3):
        tensors = [Tensor(a, requires_grad=i == wanted) for i, a in enumerate((x, W, b))]
        run = apply("affine", *tensors).backward(np.ones((4, 5)))
        assert [t in run for t in tensors] == [i == wanted for i in range(3)]
    assert gradcheck(lambda *given: apply("affine", *given).tanh(), leaves(x, W, b), order=2) == []


def test_affine_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"affine: W has shape \(5, 3\) and b \(4,\); expected W \(m, n\) and b \(m,\)"):
        apply("affine", normal(2, 3), normal(5, 3), normal(4))
    with pytest.raises(ValueError, match=r"x has shape \(2, 4\) and W \(5, 3\); expected x \(\.\.\., n\) and W \(m, n\)"):
        apply("affine", normal(2, 4), normal(5, 3), normal(5))


# attention


def attention_by_loops(q: Any, k: Any, v: Any, mask: Any, causal: bool, scale: float | None) -> Any:
    """One query at a time; q, k, v of two dimensions."""
    out = np.zeros((len(q), v.shape[1]))
    for i, query in enumerate(q):
        scores = [float(query @ key) * (scale or 1 / math.sqrt(len(query))) + mask[i, j] for j, key in enumerate(k)]
        seen = [j for j, s in enumerate(scores) if s > -INF and not (causal and j > i)]
        largest = max((scores[j] for j in seen), default=0.0)
        weights = {j: math.exp(scores[j] - largest) for j in seen}
        for j, w in weights.items():
            out[i] += w / sum(weights.values()) * v[j]
    return out


HIDDEN = np.array([[0.0, -INF, 0.5, 0.0, -INF], [-INF] * 5, [0.0] * 5, [-INF, 0.0, -INF, -INF, -INF]])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("mask", [np.zeros((4, 5)), HIDDEN])
def test_attention_is_what_loops_compute_and_a_row_that_sees_nothing_is_zero(causal: bool, scale: float | None, mask: Any) -> None:
    q, k, v = leaves(normal(4, 3), normal(5, 3, seed=1), normal(5, 2, seed=2))

    def attend(*qkv: Tensor) -> Tensor:
        return apply("scaled_dot_product_attention", *qkv, mask, is_causal=causal, scale=scale)

    np.testing.assert_allclose(attend(q, k, v).data, attention_by_loops(q.data, k.data, v.data, mask, causal, scale), rtol=1e-12)
    assert gradcheck(attend, [q, k, v], order=2, rtol=1e-5) == []
    run = attend(q, k, v).backward(np.ones((4, 2)))
    if mask is HIDDEN:
        assert not run[q][1].any()


def test_the_mask_has_a_gradient_of_its_own_shape() -> None:
    inputs = leaves(normal(2, 3, 4), normal(2, 5, 4, seed=1), normal(2, 5, 2, seed=2), normal(3, 1, seed=3), np.array(0.5))
    q, k, v, column, number = inputs

    def attend(a: Tensor, b: Tensor, c: Tensor, m: Tensor) -> Tensor:
        return apply("scaled_dot_product_attention", a, b, c, m * m, is_causal=True)

    assert gradcheck(attend, [q, k, v, column], order=2, rtol=1e-5) == []
    assert gradcheck(attend, [q, k, v, number], order=2, rtol=1e-5) == []


@pytest.mark.parametrize(
    ("q", "k", "v", "mask"),
    [((2, 3, 4), (2, 5, 4), (2, 5, 2), (3, 5)), ((2, 3, 4, 5), (2, 1, 6, 5), (1, 3, 6, 2), (4, 6)), ((3, 4), (2, 5, 4), (5, 4), (2, 3, 1)),
     ((2, 2, 3, 4), (2, 2, 3, 4), (2, 2, 3, 4), (2, 1, 1, 3))],
)  # fmt: skip
def test_attention_in_batches_is_pytorchs(q: tuple[int, ...], k: tuple[int, ...], v: tuple[int, ...], mask: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    agrees_with_pytorch(
        lambda *xs: apply("scaled_dot_product_attention", *xs),
        lambda a, b, c, m: torch.nn.functional.scaled_dot_product_attention(a, b, c, attn_mask=m),
        [normal(*q), normal(*k, seed=1), normal(*v, seed=2), normal(*mask, seed=3)],
    )


def test_nothing_to_attend_to_gives_zeros() -> None:
    output = apply("scaled_dot_product_attention", normal(2, 3, 4), np.zeros((2, 0, 4)), np.zeros((2, 0, 5)), 0.0)
    np.testing.assert_array_equal(output.data, np.zeros((2, 3, 5)))


def test_a_float64_mask_does_not_widen_attention() -> None:
    q, k, v = (Tensor(normal(3, 4, seed=s).astype(np.float32), requires_grad=True) for s in range(3))
    output = apply("scaled_dot_product_attention", q, k, v, np.zeros((3, 3)))
    run = output.backward(np.ones((3, 4)))
    assert {output.dtype, *(run[x].dtype for x in (q, k, v))} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("shapes", "mask", "says"),
    [
        ([(3, 4), (5, 4), (5, 2)], np.zeros((2, 5)), "mask"), ([(1, 4), (5, 4), (5, 2)], np.zeros((3, 5)), "mask"),
        ([(3, 4), (5, 4), (5, 2)], np.zeros((3, 5), bool), "bool"), ([(2, 3, 4), (3, 5, 4), (3, 5, 2)], 0.0, "batches"),
        ([(4,), (5, 4), (5, 2)], 0.0, "expected"), ([(3, 4), (5, 4), (4, 2)], 0.0, "expected"),
    ],
)  # fmt: skip
def test_attention_refuses_what_does_not_fit(shapes: list[tuple[int, ...]], mask: Any, says: str) -> None:
    with pytest.raises(ValueError, match=rf"^scaled_dot_product_attention: .*{says}"):
        apply("scaled_dot_product_attention", *[np.ones(shape) for shape in shapes], mask)


# convolution


def convolution_by_loops(x: Any, weight: Any, stride: int, padding: int, dilation: int, groups: int) -> Any:
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding)])
    per_group, kernel = weight.shape[1:]
    length = (padded.shape[2] - dilation * (kernel - 1) - 1) // stride + 1
    out = np.zeros((len(x), len(weight), length))
    for n, o, t, c, k in itertools.product(range(len(x)), range(len(weight)), range(length), range(per_group), range(kernel)):
        channel = o // (len(weight) // groups) * per_group + c
        out[n, o, t] += weight[o, c, k] * padded[n, channel, t * stride + k * dilation]
    return out


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 3)])
@pytest.mark.parametrize(("dilation", "groups", "kernel"), [(1, 1, 1), (1, 2, 3), (2, 4, 2)])
def test_conv1d_is_what_loops_compute_to_the_second_order(stride: int, padding: int, dilation: int, groups: int, kernel: int) -> None:
    x, weight = leaves(normal(2, 4, 6), normal(4, 4 // groups, kernel, seed=1))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    def convolve(a: Tensor, b: Tensor) -> Tensor:
        return apply("conv1d", a, b, **options)

    np.testing.assert_allclose(convolve(x, weight).data, convolution_by_loops(x.data, weight.data, **options), rtol=1e-12, atol=1e-13)
    assert gradcheck(convolve, [x, weight], order=2, rtol=1e-5, atol=1e-7) == []


def test_conv1d_of_no_series_has_gradients() -> None:
    x, weight = leaves(np.zeros((0, 2, 5)), normal(3, 2, 2))
    output = apply("conv1d", x, weight)
    run = output.backward(np.ones(output.shape))
    assert output.shape == (0, 3, 4)
    assert run[x].shape == (0, 2, 5)
    np.testing.assert_array_equal(run[weight], np.zeros((3, 2, 2)))


@pytest.mark.parametrize("options", [{"stride": 0}, {"padding": -1}, {"groups": 3}, {"dilation": 5}])
def test_conv1d_refuses_what_does_not_fit(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^conv1d: "):
        apply("conv1d", np.ones((1, 4, 4)), np.ones((2, 4, 2)), **options)


# the others


@pytest.mark.parametrize(("x", "weight"), [((4, 5), (5,)), ((2, 3, 4), (3, 4)), ((0, 4), (4,)), ((3, 0), (0,)), ((2, 1), (1,))])
def test_layer_norm_has_no_mean_and_unit_spread(x: tuple[int, ...], weight: tuple[int, ...]) -> None:
    inputs = leaves(normal(*x), np.ones(weight), np.zeros(weight))
    output = apply("layer_norm", *inputs, eps=1e-9)
    rows = output.data.reshape(int(np.prod(x[: len(x) - len(weight)])), int(np.prod(weight)))
    if rows.size and rows.shape[1] > 1:
        np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-12)
        np.testing.assert_allclose(rows.std(axis=1), 1, rtol=1e-6)
    assert output.shape == x
    assert gradcheck(lambda a, w, b: apply("layer_norm", a, w, b, eps=0.1), inputs, order=2, rtol=1e-5) == []


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(("shape", "axis"), [((3, 4), 0), ((3, 4), -2), ((2, 3, 2), 1), ((0, 3), 1), ((3, 0), -1)])
def test_softmax_along_any_axis(name: str, shape: tuple[int, ...], axis: int) -> None:
    (z,) = leaves(normal(*shape))
    y = apply(name, z, axis=axis).data
    probabilities = y if name == "softmax" else np.exp(y)
    np.testing.assert_allclose(probabilities, np.exp(z.data) / np.exp(z.data).sum(axis=axis, keepdims=True), rtol=1e-12)
    assert gradcheck(lambda a: apply(name, a, axis=axis), [z], order=2, rtol=1e-5) == []


def test_embedding_adds_up_rows_that_are_taken_often() -> None:
    indices = np.random.default_rng(0).integers(0, 7, (4, 6))
    (weight,) = leaves(normal(7, 3))
    output = apply("embedding", indices, weight)
    g = normal(4, 6, 3, seed=1)
    expected = np.zeros((7, 3))
    np.add.at(expected, indices, g)
    np.testing.assert_array_equal(output.data, weight.data[indices])
    np.testing.assert_allclose(output.backward(g)[weight], expected, rtol=1e-12)
    assert gradcheck(lambda w: apply("embedding", indices, w * w), [weight], order=2, rtol=1e-5) == []


def test_no_numbers_look_nothing_up() -> None:
    (weight,) = leaves(normal(7, 3))
    output = apply("embedding", np.zeros((0, 2), int), weight)
    assert output.shape == (0, 2, 3)
    run = (output * output).sum().backward(create_graph=True)
    np.testing.assert_array_equal(run[weight], np.zeros((7, 3)))


@pytest.mark.parametrize("padding", [2, -5])
def test_the_row_of_the_padding_never_learns(padding: int) -> None:
    indices = np.array([2, 0, 2, 1])
    (weight,) = leaves(normal(7, 3))
    run = apply("embedding", indices, weight, padding_idx=padding).backward(np.ones((4, 3)))
    np.testing.assert_array_equal(run[weight].sum(axis=1), [3.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    squares = (apply("embedding", indices, weight, padding_idx=padding) ** 2).sum()
    gradient = squares.backward(create_graph=True).tensor(weight)
    np.testing.assert_allclose(gradient.sum().backward()[weight][:3], [[2.0] * 3, [2.0] * 3, [0.0] * 3])


def test_dropout_needs_a_mask_of_the_same_shape() -> None:
    (x,) = leaves(normal(2, 3))
    mask = np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 0.0]])
    np.testing.assert_array_equal(apply("dropout", x, mask).backward(np.ones((2, 3)))[x], mask)
    with pytest.raises(ValueError, match=r"^dropout: "):
        apply("dropout", x, mask[0])
