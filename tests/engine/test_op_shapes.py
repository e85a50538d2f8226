"""The shapes an operation may meet, for every operation: one number, one element, stretched, empty, scattered in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from engine import Tensor, apply
from engine.ops import REGISTRY, Op
from engine.ops.op import NumpyNamespace, Record, Sample

SHOWN = {name: op for name, op in REGISTRY.items() if not op.hidden}
FLOATING = {name: op for name, op in SHOWN.items() if name not in ("lt", "le", "gt", "ge", "eq")}
ELEMENTWISE = [op for op in SHOWN.values() if op.kind == "elementwise"]


def kinds_of(sample: Sample) -> set[str]:
    """What is special about the shapes of a sample."""
    arrays = [np.asarray(x) for x in sample.inputs]
    shapes = {x.shape for x in arrays}
    found = {
        "0-d": any(not x.ndim for x in arrays),
        "1": any(x.ndim and x.size == 1 for x in arrays),
        "empty": any(not x.size for x in arrays),
        "broadcast": len(shapes) > 1 and _fit(shapes) is not None,
    }
    return {kind for kind, there in found.items() if there}


def _fit(shapes: Any) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


@pytest.mark.parametrize("op", SHOWN.values(), ids=SHOWN)
def test_a_definition_shows_every_kind_of_shape_as_sample_or_as_refusal(op: Op) -> None:
    several = len(op.inputs) > 1 or op.inputs[0].startswith("*")
    wanted = {"0-d", "1", "empty", *(("broadcast",) if several else ())}
    shown = set().union(*(kinds_of(sample) for sample in (*op.samples, *op.errors)))
    assert shown >= wanted, f"{op.name} has neither a sample nor an error sample of: {', '.join(sorted(wanted - shown))}"


# elementwise: every pair of shapes

SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (3,), (1, 3), (2, 1), (2, 3), (0,), (0, 1), (2, 0), (1, 1, 3))


def _inputs(op: Op, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    random = np.random.default_rng(0)
    drawn = [random.uniform(0.2, 0.9, shape) for shape in shapes]
    if op.name == "where":
        drawn[0] = drawn[0] > 0.5
    return drawn


def _grid(op: Op) -> list[tuple[tuple[int, ...], ...]]:
    """Each shape with each other; a third input goes with the first."""
    count = len(op.inputs)
    return [(*pair[:count], *pair[:1] * (count - 2)) for pair in itertools.product(SHAPES, SHAPES if count > 1 else ((),))]


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_every_pair_of_shapes_is_computed_element_by_element_or_refused_by_name(op: Op) -> None:
    for shapes in _grid(op):
        arrays, result = _inputs(op, shapes), _fit(shapes)
        tensors = [Tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
        if result is None:
            with pytest.raises(ValueError, match=rf"^{op.name}: shapes \(.* do not broadcast"):
                apply(op.name, *tensors)
            continue
        output = apply(op.name, *tensors)
        whole = [np.broadcast_to(x, result) for x in arrays]
        assert output.shape == result
        for index in np.ndindex(result):
            assert output.data[index] == pytest.approx(float(op.forward(*[x[index] for x in whole])), rel=1e-14)
        if not output.requires_grad:
            continue
        incoming = np.cos(np.arange(output.size)).reshape(result) + 1.5
        run, stretched = output.backward(incoming), [Tensor(x, requires_grad=x.dtype.kind == "f") for x in whole]
        unstretched = apply(op.name, *stretched).backward(incoming)
        for small, large in zip(tensors, stretched, strict=True):
            if small.requires_grad:
                expected = unstretched[large].sum(axis=tuple(range(len(result) - small.ndim))) if result else unstretched[large]
                thin = tuple(i for i, n in enumerate(small.shape) if n == 1)
                np.testing.assert_allclose(run[small], expected.sum(axis=thin, keepdims=True), rtol=1e-13, err_msg=f"{shapes}")


# memory layouts


def _backwards(x: Any) -> Any:
    spread = np.zeros(tuple(2 * n for n in x.shape), x.dtype)[tuple(slice(None, None, -2) for _ in x.shape)]
    spread[...] = x
    return spread


def _columns(x: Any) -> Any:
    return np.asfortranarray(x)


def _middle(x: Any) -> Any:
    """Cut out of a larger array, and read-only."""
    larger = np.full(tuple(n + 2 for n in x.shape), 7, x.dtype)
    inner = larger[tuple(slice(1, -1) for _ in x.shape)]
    inner[...] = x
    inner.flags.writeable = False
    return inner


@pytest.mark.parametrize("op", FLOATING.values(), ids=FLOATING)
@pytest.mark.parametrize("layout", [_backwards, _columns, _middle], ids=["backwards", "columns", "middle"])
def test_where_the_numbers_lie_in_memory_does_not_matter_forward_or_backward(op: Op, layout: Callable[[Any], Any]) -> None:
    for sample in op.samples:
        arrays = [np.asarray(x) for x in sample.inputs]
        results = []
        for given_ in (arrays, [layout(x) if x.ndim else x for x in arrays]):
            result = op.forward(*given_, **sample.attributes)
            value, residuals = result if isinstance(result, tuple) else (result, None)
            value = np.asarray(value)
            incoming = np.cos(np.arange(value.size)).reshape(value.shape) + 1.5
            record = Record(given_, value, sample.attributes, residuals, [x.dtype.kind == "f" for x in given_])
            contributions = op.vjp(NumpyNamespace(), layout(incoming) if given_ is not arrays and incoming.ndim else incoming, record)
            results.append([value, *(c for c, needed in zip(contributions, record.needs, strict=True) if needed)])
        for straight, crooked in zip(*results, strict=True):
            np.testing.assert_allclose(crooked, straight, rtol=1e-13, atol=1e-15)


# reductions: any axis, any shape

REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min,
    "var": lambda x, **options: np.var(x, ddof=1, **options),
    "std": lambda x, **options: np.std(x, ddof=1, **options),
    "norm": lambda x, **options: np.sqrt(np.sum(x * x, **options)),
    "logsumexp": lambda x, **options: np.log(np.sum(np.exp(x), **options)),
}  # fmt: skip


@st.composite
def _reductions(draw: st.DrawFn, min_side: int) -> tuple[tuple[int, ...], int | list[int] | None, bool]:
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=min_side, max_side=3))
    choices: list[st.SearchStrategy[Any]] = [st.none()]
    if shape:
        choices.append(st.integers(-len(shape), len(shape) - 1))
        places = st.lists(st.integers(0, len(shape) - 1), unique=True, max_size=len(shape))
        choices.append(places.flatmap(lambda axes: st.tuples(*(st.sampled_from((a, a - len(shape))) for a in axes)).map(list)))
    return shape, draw(st.one_of(choices)), draw(st.booleans())


@pytest.mark.parametrize("name", REDUCTIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_reductions_over_any_axes_are_numpys_and_have_the_slope_that_differences_say(name: str, data: st.DataObject) -> None:
    shape, axis, keepdims = data.draw(_reductions(0 if name in ("sum", "prod", "norm") else 1))
    random = np.random.default_rng(1)
    x, direction = random.uniform(0.5, 2.0, shape), random.uniform(-1.0, 1.0, shape)
    axes = tuple(range(len(shape))) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if name in ("var", "std") and np.prod([shape[a] for a in axes]) <= 1:
        return  # no degree of freedom: test_stability
    leaf = Tensor(x, requires_grad=True)
    output = apply(name, leaf, axis=axis, keepdims=keepdims)
    expected = REDUCTIONS[name](x, axis=axes, keepdims=keepdims)
    assert output.shape == expected.shape
    np.testing.assert_allclose(output.data, expected, rtol=1e-12)
    incoming = np.cos(np.arange(output.size)).reshape(output.shape) + 1.5
    run = output.backward(incoming)
    assert run[leaf].shape == shape
    ends = [float((incoming * REDUCTIONS[name](x + sign * 1e-6 * direction, axis=axes, keepdims=keepdims)).sum()) for sign in (1, -1)]
    assert float((run[leaf] * direction).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", [*REDUCTIONS, "squeeze", "flip"])
@settings(max_examples=15, deadline=None)
@given(shape=array_shapes(min_dims=0, max_dims=3, max_side=3), data=st.data())
def test_axes_that_a_tensor_has_not_are_refused_by_name(name: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    outside = data.draw(st.integers(-9, 9).filter(lambda a: not -len(shape) <= a < len(shape)))
    bad: list[Any] = [outside, [outside], True, 0.5]
    if shape:
        bad += [[0, 0], [0, -len(shape)]]
    for axis in bad:
        with pytest.raises(ValueError, match=f"^{name}: axis"):
            apply(name, Tensor(np.ones(shape)), axis=axis)


# what only moves numbers: the gradient is the transpose, sum(g * f(x)) = sum(f'(g) * x)


@st.composite
def _moves(draw: st.DrawFn) -> tuple[str, tuple[int, ...], dict[str, Any], Callable[[Any], Any]]:
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    n = len(shape)
    name = draw(
        st.sampled_from(("reshape", "permute", "transpose", "squeeze", "unsqueeze", "broadcast_to", "flip", "roll", "pad", "cumsum"))
    )
    axis = draw(st.integers(-n, n - 1)) if n else None
    if name == "reshape":
        other = draw(st.sampled_from(sorted(set(itertools.permutations(shape)))))
        return name, shape, {"shape": [*other, 1]}, lambda x: x.reshape(*other, 1)
    if name in ("permute", "transpose"):
        axes = [a - draw(st.sampled_from((0, n))) for a in draw(st.permutations(range(n)))]
        return name, shape, {"axes": axes}, lambda x: x.transpose(axes)
    if name == "squeeze":
        thin = [i for i, size in enumerate(shape) if size == 1]
        chosen = draw(st.one_of(st.none(), st.lists(st.sampled_from(thin), unique=True))) if thin else None
        return name, shape, {"axis": chosen}, lambda x: x.squeeze(None if chosen is None else tuple(chosen))
    if name == "unsqueeze":
        at = draw(st.integers(-n - 1, n))
        return name, shape, {"axis": at}, lambda x: np.expand_dims(x, at)
    if name == "broadcast_to":
        wanted = [*draw(st.lists(st.integers(0, 2), max_size=2)), *(draw(st.integers(0, 3)) if size == 1 else size for size in shape)]
        return name, shape, {"shape": wanted}, lambda x: np.broadcast_to(x, wanted)
    if name == "flip":
        return name, shape, {"axis": axis}, lambda x: np.flip(x, axis)
    if name == "roll":
        shift = draw(st.integers(-4, 4))
        return name, shape, {"shift": shift, "axis": axis}, lambda x: np.roll(x, shift, axis)
    if name == "pad":
        widths = [[draw(st.integers(0, 2)), draw(st.integers(0, 2))] for _ in shape]
        return name, shape, {"widths": widths}, lambda x: np.pad(x, widths) if widths else x
    if axis is None:
        return "flip", shape, {"axis": None}, np.flip
    return name, shape, {"axis": axis}, lambda x: np.cumsum(x, axis)


@settings(max_examples=300, deadline=None)
@given(case=_moves())
def test_numbers_are_moved_as_numpy_moves_them_and_their_gradients_back(
    case: tuple[str, Any, dict[str, Any], Callable[[Any], Any]],
) -> None:
    name, shape, attributes, expected = case
    random = np.random.default_rng(2)
    x = random.standard_normal(shape)
    leaf = Tensor(x, requires_grad=True)
    output = apply(name, leaf, **attributes)
    np.testing.assert_array_equal(output.data, expected(x))
    incoming = random.standard_normal(output.shape)
    run = output.backward(incoming)
    assert run[leaf].shape == shape
    assert float((run[leaf] * x).sum()) == pytest.approx(float((incoming * output.data).sum()), rel=1e-10, abs=1e-12)


# products: sum(g * f(a, b)) = sum(da * a) = sum(db * b)


@st.composite
def _batches(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    sizes = draw(st.lists(st.integers(0, 3), max_size=3))
    m, n, p = (draw(st.integers(0, 3)) for _ in range(3))

    def batch() -> tuple[int, ...]:
        kept = sizes[draw(st.integers(0, len(sizes))) :]
        return tuple(1 if draw(st.booleans()) else size for size in kept)

    a = draw(st.sampled_from([(n,), (m, n)]))
    b = draw(st.sampled_from([(n,), (n, p)]))
    return ((*batch(), *a) if len(a) > 1 else a), ((*batch(), *b) if len(b) > 1 else b)


@settings(max_examples=200, deadline=None)
@given(shapes=_batches())
def test_matrix_products_of_any_batches_are_numpys_and_both_gradients_their_transposes(shapes: tuple[Any, Any]) -> None:
    random = np.random.default_rng(3)
    a, b = (Tensor(random.standard_normal(shape), requires_grad=True) for shape in shapes)
    output = a @ b
    np.testing.assert_allclose(output.data, np.matmul(a.data, b.data), rtol=1e-12, atol=1e-14)
    incoming = random.standard_normal(output.shape)
    run = output.backward(incoming)
    product = float((incoming * output.data).sum())
    for x in (a, b):
        assert run[x].shape == x.shape
        assert float((run[x] * x.data).sum()) == pytest.approx(product, rel=1e-10, abs=1e-12)
