"""Moving numbers: indexing of every kind against numpy, what comes back to the input, refusals, joining and splitting."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import Tape, Tensor, apply
from engine.gradcheck import gradcheck
from engine.ops.shape import decode_index, encode_index

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)


def numbers(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape)


def check_index(shape: tuple[int, ...], key: Any) -> None:
    """The part is numpy's, its gradient is added at its places, and the record holds the index as JSON."""
    x = Tensor(numbers(*shape), requires_grad=True)
    expected = x.data[key]
    with Tape("GRAD") as tape:
        part = x[key]
        g = np.random.default_rng(1).standard_normal(part.shape)
        run = part.backward(g)
    assert part.shape == np.shape(expected)
    np.testing.assert_array_equal(part.data, expected)
    placed = np.zeros(shape)
    np.add.at(placed, key, g)
    np.testing.assert_allclose(run[x], placed, atol=1e-14)
    recorded = json.loads(json.dumps(tape.attributes[-1]["index"]))
    np.testing.assert_array_equal(x.data[decode_index(recorded)], expected)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_basic_indices_are_numpys(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    check_index(shape, data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)))


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_integer_arrays_are_numpys_and_repeated_ones_accumulate(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    check_index(shape, data.draw(hnp.integer_array_indices(shape)))


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_arrays_among_slices_are_numpys(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    key: list[Any] = []
    for n in shape[: data.draw(st.integers(0, len(shape)))]:
        places = st.lists(st.integers(-n, n - 1), min_size=2, max_size=2).map(np.array)
        key.append(data.draw(st.one_of(st.integers(-n, n - 1), st.slices(n), places)))
    if data.draw(st.booleans()):
        key.insert(data.draw(st.integers(0, len(key))), None)
    check_index(shape, tuple(key))
    check_index(shape, (*key, ...))


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_masks_are_numpys(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    at = data.draw(st.integers(0, len(shape) - 1))
    stop = data.draw(st.integers(at + 1, len(shape)))
    mask = data.draw(hnp.arrays(bool, shape[at:stop]))
    check_index(shape, (*[slice(None)] * at, mask))
    check_index(shape, (..., mask, *[slice(None)] * (len(shape) - stop)))


@pytest.mark.parametrize(
    ("key", "as_numpy"),
    [
        ([0, 2], [0, 2]), ([], np.zeros(0, int)), (np.array(1), 1), (Tensor([2, 0]), [2, 0]),
        (np.zeros((0, 2), int), np.zeros((0, 2), int)),
        ((Tensor([True, False, True]), 0), ([0, 2], 0)), (([[0], [1]], [0, 1]), ([[0], [1]], [0, 1])), (np.uint8(1), 1),
    ],
)  # fmt: skip
def test_lists_tensors_and_empty_arrays_index_too(key: Any, as_numpy: Any) -> None:
    x = Tensor(numbers(3, 2), requires_grad=True)
    part = x[key]
    np.testing.assert_array_equal(part.data, x.data[as_numpy])
    gradient = (part * part).sum().backward(create_graph=True)
    np.testing.assert_allclose(gradient[x].sum(), 2 * x.data[as_numpy].sum())


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (np.array([True, False]), IndexError), (([0, 1], np.ones((2, 2), bool)), IndexError), (np.array([3]), IndexError), (5, IndexError),
        ((0, 0, 0), IndexError), (np.array([0.5]), TypeError), ("a", TypeError), (True, TypeError), (([0, 1], [0, 1, 2]), IndexError),
    ],
)  # fmt: skip
def test_an_index_that_does_not_fit_is_refused_by_name(key: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^index: "):
        Tensor(numbers(3, 2))[key]


def test_a_mask_in_a_record_may_be_written_as_truth_values() -> None:
    x = numbers(3, 2)
    np.testing.assert_array_equal(apply("index", x, index=[["array", [True, False, True]]]).data, x[[0, 2]])
    assert encode_index((np.array([True, False]), None)) == [["array", [0]], "new"]


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("transpose", {}, lambda x: x.swapaxes(-1, -2)), ("transpose", {"axes": [-1, 0, 1]}, lambda x: x.transpose(2, 0, 1)),
        ("permute", {"axes": [1, -1, 0]}, lambda x: x.transpose(1, 2, 0)), ("unsqueeze", {"axis": -2}, lambda x: x[:, :, None]),
        ("squeeze", {}, lambda x: x), ("flip", {"axis": [0, -1]}, lambda x: x[::-1, :, ::-1]), ("flip", {}, np.flip),
        ("roll", {"shift": 5}, lambda x: np.roll(x, 5)),
        ("roll", {"shift": [1, -1], "axis": [2, 0]}, lambda x: np.roll(x, (1, -1), (2, 0))),
        ("pad", {"widths": [[0, 1], [2, 0], [0, 0]], "value": 1.5},
         lambda x: np.pad(x, [(0, 1), (2, 0), (0, 0)], constant_values=1.5)),
        ("reshape", {"shape": [4, -1]}, lambda x: x.reshape(4, -1)), ("broadcast_to", {"shape": [2, 2, 3, 4]}, lambda x: np.stack([x, x])),
        ("rows", {"rows": [1, 0, -1, 1]}, lambda x: x[[1, 0, -1, 1]]), ("rows", {"rows": [1, -2]}, lambda x: x[[1, 0]]),
    ],
)  # fmt: skip
def test_numbers_move_as_numpy_moves_them(name: str, attributes: dict[str, Any], expected: Any) -> None:
    x = Tensor(numbers(2, 3, 4), requires_grad=True)
    np.testing.assert_array_equal(apply(name, x, **attributes).data, expected(x.data))
    assert gradcheck(lambda a: apply(name, a * a, **attributes), [x], order=2, rtol=1e-5) == []


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_concat_stack_and_split_undo_each_other(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    wide = [*shape]
    wide[axis] = sum(sizes)
    x = Tensor(numbers(*wide), requires_grad=True)
    parts = x.split(sizes, axis)
    assert [part.shape[axis] for part in parts] == sizes
    whole = apply("concat", *parts, axis=axis)
    np.testing.assert_array_equal(whole.data, x.data)
    g = np.random.default_rng(1).standard_normal(wide)
    np.testing.assert_array_equal(whole.backward(g)[x], g)
    places = data.draw(st.integers(-len(shape) - 1, len(shape)))
    leaves = [Tensor(numbers(*shape) + k, requires_grad=True) for k in range(3)]
    stacked = apply("stack", *leaves, axis=places)
    np.testing.assert_array_equal(stacked.data, np.stack([leaf.data for leaf in leaves], places))
    g = np.random.default_rng(2).standard_normal(stacked.shape)
    run = stacked.backward(g)
    for k, leaf in enumerate(leaves):
        np.testing.assert_array_equal(run[leaf], np.take(g, k, places))


def test_numbers_stack_to_a_vector() -> None:
    leaves = [Tensor(float(k), requires_grad=True) for k in range(3)]
    stacked = apply("stack", *leaves)
    np.testing.assert_array_equal(stacked.data, [0.0, 1.0, 2.0])
    run = stacked.backward(np.array([1.0, 2.0, 3.0]))
    assert [float(run[x]) for x in leaves] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("name", "shapes", "attributes"),
    [
        ("concat", [(2, 3), (3, 2)], {}), ("concat", [(2,), (2, 1)], {}), ("concat", [(), ()], {}),
        ("concat", [(2,), (2,)], {"axis": True}),
        ("stack", [(2,), (3,)], {}), ("stack", [(2,), (2,)], {"axis": 2}), ("stack", [(2,), (2,)], {"axis": None}),
        ("transpose", [(2, 3)], {"axes": [0]}), ("transpose", [(2, 3)], {"axes": [0, 0.5]}), ("permute", [(2, 3)], {"axes": 0}),
        ("roll", [(2, 3)], {"shift": [1, 2]}), ("rows", [()], {"rows": [0]}), ("squeeze", [(2, 1)], {"axis": 0}),
    ],
)  # fmt: skip
def test_shapes_and_axes_that_do_not_fit_are_refused_by_name(name: str, shapes: list[tuple[int, ...]], attributes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, IndexError), match=rf"^{name}: "):
        apply(name, *[np.ones(shape) for shape in shapes], **attributes)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_gather_takes_along_an_axis_and_adds_back_there(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [data.draw(st.integers(0, n)) for n in shape]
    sizes[axis] = data.draw(st.integers(0, 4))
    indices = data.draw(hnp.arrays(np.int64, sizes, elements=st.integers(0, shape[axis] - 1)))
    x = Tensor(numbers(*shape), requires_grad=True)
    output = x.gather(indices, axis)
    g = np.random.default_rng(1).standard_normal(output.shape)
    expected, placed = np.zeros(sizes), np.zeros(shape)
    for at in np.ndindex(*sizes):
        source = list(at)
        source[axis] = indices[at]
        expected[at] = x.data[tuple(source)]
        placed[tuple(source)] += g[at]
    np.testing.assert_array_equal(output.data, expected)
    np.testing.assert_allclose(output.backward(g)[x], placed, atol=1e-14)


def test_filled_numbers_send_nothing_back_whatever_arrives() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    run = x.masked_fill(np.array([True, False]), -np.inf).backward(np.array([np.inf, 3.0]))
    np.testing.assert_array_equal(run[x], [0.0, 3.0])
