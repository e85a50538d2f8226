"""Products: shapes and broadcasting against numpy, second derivatives, Einstein sums of every kind, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Tape, Tensor, apply
from engine.gradcheck import gradcheck
from engine.ops import REGISTRY
from engine.ops.contraction import read


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def leaf(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(normal(*shape, seed=seed), requires_grad=True)


SHAPES = [
    ((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)),
    ((2, 3), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 1)), ((1, 2, 3), (2, 3, 2)), ((2, 1, 3), (1, 3, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul_is_right_to_the_second_order(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = leaf(*a), leaf(*b, seed=1)
    np.testing.assert_allclose((x @ y).data, np.matmul(x.data, y.data), rtol=1e-14)
    assert gradcheck(lambda p, q: p @ q, [x, y], order=2) == []


@st.composite
def products(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that matmul takes: each a vector, a matrix or a stack whose batch broadcasts; sizes from 0."""
    sizes = st.integers(0, 3)
    inner = draw(sizes)
    batch = draw(st.lists(sizes, max_size=2))

    def one(matrix: tuple[int, int], vector: tuple[int]) -> tuple[int, ...]:
        if draw(st.booleans()):
            return vector
        kept = batch[draw(st.integers(0, len(batch))) :]
        return (*(1 if draw(st.booleans()) else n for n in kept), *matrix)

    return one((draw(sizes), inner), (inner,)), one((inner, draw(sizes)), (inner,))


@given(products())
@settings(max_examples=100, deadline=None)
def test_matmul_takes_the_shapes_that_numpy_takes(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    a, b = (leaf(*shape, seed=i) for i, shape in enumerate(shapes))
    output = a @ b
    expected = np.matmul(a.data, b.data)
    assert output.shape == np.shape(expected)
    np.testing.assert_allclose(output.data, expected, rtol=1e-13, atol=1e-13)
    g = normal(*output.shape, seed=2)
    run = output.backward(g)
    # The Jacobian of a product by its definition: one operand at a time, against the other's basis.
    moved = normal(*a.shape, seed=3)
    np.testing.assert_allclose((run[a] * moved).sum(), (np.matmul(moved, b.data) * g).sum(), rtol=1e-10, atol=1e-10)
    moved = normal(*b.shape, seed=4)
    np.testing.assert_allclose((run[b] * moved).sum(), (np.matmul(a.data, moved) * g).sum(), rtol=1e-10, atol=1e-10)


@given(st.lists(st.integers(0, 3), max_size=4), st.lists(st.integers(0, 3), max_size=4))
@settings(max_examples=100, deadline=None)
def test_matmul_refuses_by_name_what_numpy_refuses(a: list[int], b: list[int]) -> None:
    x, y = np.ones(a), np.ones(b)
    try:
        expected = np.matmul(x, y)
    except ValueError:
        with pytest.raises(ValueError, match=r"^matmul: "):
            Tensor(x) @ Tensor(y)
    else:
        np.testing.assert_array_equal((Tensor(x) @ Tensor(y)).data, expected)


@pytest.mark.parametrize(("x", "w"), [((3,), (4, 3)), ((2, 3), (4, 3)), ((2, 5, 3), (4, 3)), ((0, 3), (4, 3)), ((2, 0, 3), (4, 3)),
                                      ((2, 2, 3), (0, 3)), ((2, 1, 0), (4, 0))])  # fmt: skip
def test_linear_is_the_product_with_the_transposed_weights(x: tuple[int, ...], w: tuple[int, ...]) -> None:
    a, b = leaf(*x), leaf(*w, seed=1)
    output = apply("linear", a, b)
    np.testing.assert_allclose(output.data, a.data @ b.data.T, rtol=1e-13, atol=1e-13)
    assert output.shape == (*x[:-1], w[0])
    run = output.backward(np.ones(output.shape))
    assert run[a].shape == x
    np.testing.assert_allclose(run[b], np.broadcast_to(a.data.reshape(int(np.prod(x[:-1])), x[-1]).sum(axis=0), w), rtol=1e-12, atol=1e-12)
    assert gradcheck(lambda p, q: apply("linear", p, q), [a, b], order=2) == []


def test_a_stack_times_one_matrix_is_one_contribution_of_the_matrix_shape() -> None:
    a, b = leaf(4, 2, 3), leaf(3, 2, seed=1)
    with Tape("TRACE") as tape:
        run = (a @ b).sum().backward()
    assert "unbroadcast" not in [event[0] for event in tape.log]
    np.testing.assert_allclose(run[b], np.broadcast_to(a.data.sum(axis=(0, 1))[:, None], (3, 2)))


@pytest.mark.parametrize("name", ["dot", "outer"])
def test_vectors_are_right_to_the_second_order(name: str) -> None:
    a, b = leaf(3), leaf(3, seed=1)
    np.testing.assert_allclose(apply(name, a, b).data, getattr(np, name)(a.data, b.data))
    assert gradcheck(lambda p, q: apply(name, p, q), [a, b], order=2) == []


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ji,kj", (3, 2), (4, 3)), ("i,i", (3,), (3,)), ("i,j", (2,), (3,)),
    ("bij,bjk->bik", (2, 3, 2), (2, 2, 3)), ("bij,bkj->bk", (2, 3, 2), (2, 2, 2)), ("ij,k->jk", (2, 3), (2,)),
    ("ii,ij->j", (3, 3), (3, 2)), ("ii,jj->ij", (3, 3), (2, 2)), ("iij,jj->i", (2, 2, 3), (3, 3)), ("iii,i->i", (2, 2, 2), (2,)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2)), ("i...,...->...i", (3, 2), (1,)), ("...,...", (2, 3), (3,)), (",ij->ji", (), (2, 3)),
    ("ij,ij", (2, 1), (2, 3)), ("ij,jk->ik", (2, 1), (3, 4)), ("ij,kl->", (2, 3), (2, 2)), ("b i j , b j -> b i", (2, 3, 2), (2, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("equation", "a", "b"), EQUATIONS)
def test_einsum_is_numpys_and_right_to_the_second_order(equation: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = leaf(*a), leaf(*b, seed=1)
    np.testing.assert_allclose(apply("einsum", x, y, equation=equation).data, np.einsum(equation, x.data, y.data), rtol=1e-12, atol=1e-12)
    assert gradcheck(lambda p, q: apply("einsum", p, q, equation=equation), [x, y], order=2) == []


@st.composite
def sums(draw: st.DrawFn) -> tuple[str, list[int], list[int]]:
    """An equation over letters of small and of larger sizes, and shapes for it: repeated, summed, batch and stretched letters."""
    scale = draw(st.sampled_from([1, 6]))  # the larger ones are done by a matrix product
    sizes = {c: scale * draw(st.integers(1, 3)) for c in "ijkl"}
    terms = [draw(st.text("ijkl", max_size=3)) for _ in range(2)]
    out = draw(st.permutations(sorted(set("".join(terms)))))
    equation = f"{terms[0]},{terms[1]}->{''.join(out[: draw(st.integers(0, len(out)))])}"
    stretched = draw(st.sampled_from(["", "i", "j"]))
    shapes = [[1 if c == stretched and term.count(c) == 1 and n == 0 else sizes[c] for c in term] for n, term in enumerate(terms)]
    return equation, shapes[0], shapes[1]


@given(sums())
@settings(max_examples=150, deadline=None)
def test_einsum_of_any_equation_is_numpys(case: tuple[str, list[int], list[int]]) -> None:
    equation, a, b = case
    x, y = leaf(*a), leaf(*b, seed=1)
    output = apply("einsum", x, y, equation=equation)
    np.testing.assert_allclose(output.data, np.einsum(equation, x.data, y.data), rtol=1e-10, atol=1e-10)
    g = normal(*output.shape, seed=2)
    run = output.backward(g)
    for leaf_, others in ((x, (None, y.data)), (y, (x.data, None))):
        moved = normal(*leaf_.shape, seed=3)
        along = np.einsum(equation, *[moved if other is None else other for other in others])
        np.testing.assert_allclose((run[leaf_] * moved).sum(), (along * g).sum(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("equation", ["ij,jk->ik", "bij,bjk->bik", "ij,ij->i", "iij,jk->ik", "ij,kj->ki"])
def test_large_sums_go_through_a_matrix_product_and_agree(equation: str) -> None:
    sizes = {"b": 3, "i": 17, "j": 13, "k": 11}
    first, second = equation.split("->")[0].split(",")
    a, b = normal(*(sizes[c] for c in first)), normal(*(sizes[c] for c in second), seed=1)
    np.testing.assert_allclose(apply("einsum", a, b, equation=equation).data, np.einsum(equation, a, b), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("equation", "a", "b"),
    [
        ("ij,jk->ik", (2, 3), (2, 3)), ("ij->i", (2, 3), (2, 3)), ("ij,jk->iz", (2, 3), (3, 2)), ("ij,jk->ii", (2, 3), (3, 2)),
        ("ijk,k->i", (2, 3), (3,)), ("ii,i->i", (2, 3), (2,)), ("i1,j->i", (2, 3), (3,)), ("...i,i->i", (2, 3), (3,)), (7, (2,), (2,)),
        ("...ij,i->j...", (2,), (2,)), ("...i...,i->...", (2, 3), (3,)),
    ],
)  # fmt: skip
def test_einsum_refuses_with_equation_and_shapes(equation: Any, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^einsum: ") as refused:
        apply("einsum", np.ones(a), np.ones(b), equation=equation)
    assert repr(equation) in str(refused.value)
    assert str(a) in str(refused.value)


def test_the_terms_of_a_stretched_sum_make_it() -> None:
    a, b = normal(2, 1), normal(3, 4, seed=1)
    element = REGISTRY["einsum"].element
    assert element is not None
    output = np.einsum("ij,jk->ik", a, b)
    for index in np.ndindex(output.shape):
        terms = element(index, [a, b], {"equation": "ij,jk->ik"})
        assert len(terms) == 3
        assert sum(factor * (a, b)[port][at] for port, at, factor in terms) == pytest.approx(output[index])


def test_dots_are_written_out_with_letters_that_are_free() -> None:
    first, second, out = read("...a,...b->...", (2, 3, 4), (3, 5))
    assert (len(first), len(second), out) == (3, 2, first[:2])
    assert second[0] == first[1]
    assert not set(out) & {"a", "b"}
