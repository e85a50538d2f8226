"""Operations that give axes another order, number or length: permute, squeeze, unsqueeze, flip, roll, pad, split, gather, masked_fill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.axes import axes_of, axis_of
from engine.ops.op import Array, Derivative, Record, Sample, structured
from engine.ops.shape import encoded, inverse, shapes_of
from engine.told import Told

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_T234 = (np.arange(24.0) / 8 - 1).reshape(2, 3, 4).tolist()

Terms = list[tuple[int, tuple[int, ...], float]]


def _moved(forward: Any, **options: Any) -> Any:
    """The element of the input that an element of the output is, for ops that only move numbers: the op is asked where it puts them.

    options: attributes for asking; 0 stands for what comes from nowhere.
    """

    def element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> Terms:
        x = inputs[0]
        places = forward(np.arange(1, x.size + 1).reshape(x.shape), *inputs[1:], **{**attributes, **options})
        place = int(places[index]) - 1
        return [(0, tuple(int(i) for i in np.unravel_index(place, x.shape)), 1.0)] if place >= 0 else []

    return element


def _permute(x: Array, *, axes: Sequence[int]) -> Array:
    try:
        return x.transpose(tuple(axes))
    except (ValueError, TypeError):
        words = f"permute: axes {axes} do not name each of the {x.ndim} dimensions of shape {x.shape} once"
        raise ValueError(Told(words, "shapes-axes", name="permute", shape=str(x.shape))) from None


structured(
    name="permute",
    inputs=("x",),
    forward=_permute,
    element=_moved(_permute),
    analytic=True,
    vjp=lambda F, g, record: [F.permute(g, axes=inverse(record.attributes["axes"]))],
    latex=r"{y}_{{\pi(i)}} = {x}_i",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}_{{\pi(i)}}")],
    samples=[
        Sample((_M23,), {"axes": [1, 0]}),
        Sample((_T234,), {"axes": [2, 0, -2]}),
        Sample((0.5,), {"axes": []}),
        Sample(([[0.5]],), {"axes": [1, 0]}),
        Sample(([[], []],), {"axes": [1, 0]}),
    ],
    errors=[Sample((_M23,), {"axes": [0, 0]}), Sample((_M23,), {"axes": [0]})],
)


def _squeeze(x: Array, *, axis: int | Sequence[int] | None = None) -> Array:
    axes = tuple(i for i, n in enumerate(x.shape) if n == 1) if axis is None else axes_of("squeeze", axis, x.ndim)
    if any(x.shape[a] != 1 for a in axes):
        words = f"squeeze: axis {axis} of shape {x.shape} is not of length 1; only such axes can be dropped"
        raise ValueError(Told(words, "keyword-refused", name="squeeze", keyword="axis", given=str(axis)))
    return x.reshape([n for i, n in enumerate(x.shape) if i not in axes])


def _as_input(F: Any, g: Any, record: Record) -> list[Any]:
    return [F.reshape(g, shape=record.inputs[0].shape)]


structured(
    name="squeeze",
    inputs=("x",),
    forward=_squeeze,
    element=_moved(_squeeze),
    vjp=_as_input,
    analytic=True,
    latex=r"{y} = {x}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[
        Sample(([[[0.5, 1.0]]],)),
        Sample(([[[0.5], [1.0]]],), {"axis": -1}),
        Sample(([[[0.5]]],), {"axis": [0, 2]}),
        Sample((0.5,)),
        Sample(([[]],)),
    ],
    errors=[Sample((_M23,), {"axis": 0}), Sample((_M23,), {"axis": 5})],
)


def _unsqueeze(x: Array, *, axis: int) -> Array:
    if isinstance(axis, int) and not -x.ndim - 1 <= axis <= x.ndim:
        words = f"unsqueeze: axis {axis} is no place among those of shape {x.shape}; expected {-x.ndim - 1}..{x.ndim}"
        raise ValueError(Told(words, "axis-outside", name="unsqueeze", axis=str(axis), dimensions=x.ndim + 1))
    return np.expand_dims(x, axis_of("unsqueeze", axis, x.ndim + 1))


structured(
    name="unsqueeze",
    inputs=("x",),
    forward=_unsqueeze,
    element=_moved(_unsqueeze),
    vjp=_as_input,
    analytic=True,
    latex=r"{y} = {x}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[
        Sample((_M23,), {"axis": 0}),
        Sample((_M23,), {"axis": -1}),
        Sample((0.5,), {"axis": 0}),
        Sample(([0.5],), {"axis": 1}),
        Sample(([],), {"axis": 0}),
    ],
    errors=[Sample((_M23,), {"axis": 4})],
)


def _flip(x: Array, *, axis: int | Sequence[int] | None = None) -> Array:
    return np.flip(x, axes_of("flip", axis, x.ndim))


structured(
    name="flip",
    inputs=("x",),
    forward=_flip,
    element=_moved(_flip),
    analytic=True,
    vjp=lambda F, g, record: [F.flip(g, axis=record.attributes.get("axis"))],
    latex=r"{y}_k = {x}_{{n - k}}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}_{{n - k}}")],
    samples=[
        Sample((_M23,)),
        Sample((_M23,), {"axis": -1}),
        Sample((_T234,), {"axis": [0, 2]}),
        Sample((0.5,)),
        Sample(([0.5],)),
        Sample(([[], []],), {"axis": 0}),
    ],
    errors=[Sample((_M23,), {"axis": 2})],
)


def _roll(x: Array, *, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Array:
    if not isinstance(shift, int | list | tuple):
        words = f"roll: shift is {shift!r}; expected a whole number, or one an axis"
        raise ValueError(Told(words, "keyword-refused", name="roll", keyword="shift", given=repr(shift)))
    if axis is None and isinstance(shift, int):
        return np.roll(x, shift)
    shifts = [shift] if isinstance(shift, int) else list(shift)
    axes = [axis] if axis is None or isinstance(axis, int) else list(axis)
    if len(shifts) != len(axes) or None in axes:
        words = f"roll: shift is {shift} and axis {axis}; expected one shift an axis"
        raise ValueError(Told(words, "keyword-refused", name="roll", keyword="shift", given=str(shift)))
    return np.roll(x, shifts, [axis_of("roll", a, x.ndim) for a in axes if a is not None])


def _roll_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    shift = record.attributes["shift"]
    back = [-s for s in shift] if isinstance(shift, list | tuple) else -shift
    return [F.roll(g, shift=back, axis=record.attributes.get("axis"))]


structured(
    name="roll",
    inputs=("x",),
    forward=_roll,
    element=_moved(_roll),
    analytic=True,
    vjp=_roll_vjp,
    latex=r"{y}_{{k + s}} = {x}_k",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}_{{k + s}}")],
    samples=[
        Sample((_M23,), {"shift": 1}),
        Sample((_M23,), {"shift": -2, "axis": 1}),
        Sample((_T234,), {"shift": [1, -1], "axis": [0, -1]}),
        Sample((0.5,), {"shift": 1}),
        Sample(([0.5],), {"shift": 2}),
        Sample(([[], []],), {"shift": 1, "axis": 1}),
    ],
    errors=[Sample((_M23,), {"shift": 1, "axis": 2}), Sample((_M23,), {"shift": [1, 2], "axis": 0})],
)


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(n, int | np.integer) and n >= 0 for n in pair)


def _pad(x: Array, *, widths: Sequence[Sequence[int]], value: float = 0.0) -> Array:
    if not isinstance(widths, list | tuple) or len(widths) != x.ndim or not all(map(_is_pair, widths)):
        words = f"pad: widths {widths} for shape {x.shape}; expected one pair (before, after) of whole numbers from 0 an axis"
        raise ValueError(Told(words, "keyword-refused", name="pad", keyword="widths", given=str(widths)))
    sizes = [before + n + after for (before, after), n in zip(widths, x.shape, strict=True)]
    y = np.zeros(sizes, x.dtype) if value == 0 else np.full(sizes, value, x.dtype)
    y[tuple([slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)])] = x
    return y


def _pad_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    inner = [
        ["slice", before, before + n, None] for (before, _), n in zip(record.attributes["widths"], record.inputs[0].shape, strict=True)
    ]
    return [F.index(g, index=inner) if inner else g]


structured(
    name="pad",
    inputs=("x",),
    forward=_pad,
    vjp=_pad_vjp,
    element=_moved(_pad, value=0),
    analytic=True,
    latex=r"{y} = [\,v,\ {x},\ v\,]",
    derivatives=[Derivative("x", latex=r"\text{{its part of }}\bar{{{y}}}")],
    samples=[
        Sample((_M23,), {"widths": [[1, 0], [0, 2]]}),
        Sample(([0.5, 1.0],), {"widths": [[1, 1]], "value": 3.0}),
        Sample((0.5,), {"widths": []}),
        Sample(([],), {"widths": [[1, 0]]}),
    ],
    errors=[Sample((_M23,), {"widths": [[1, 0]]}), Sample(([0.5],), {"widths": [[-1, 0]]})],
)


def _bounds(x: Array, sizes: int | Sequence[int], axis: int, part: int) -> tuple[int, int, int]:
    """The axis, and where a part starts and stops."""
    at = axis_of("split", axis, x.ndim)
    length = x.shape[at]
    if isinstance(sizes, int):
        if sizes < 1:
            words = f"split: parts of {sizes}; expected at least 1"
            raise ValueError(Told(words, "keyword-refused", name="split", keyword="sizes", given=str(sizes)))
        sizes = [min(sizes, length - start) for start in range(0, max(1, length), sizes)]
    if sum(sizes) != length or min(sizes, default=0) < 0:
        words = f"split: sizes {list(sizes)} do not add up to the {length} of axis {axis} of shape {x.shape}"
        raise ValueError(Told(words, "keyword-refused", name="split", keyword="sizes", given=str(list(sizes))))
    if not 0 <= part < len(sizes):
        words = f"split: part {part} of {len(sizes)}; expected 0..{len(sizes) - 1}"
        raise ValueError(Told(words, "keyword-refused", name="split", keyword="part", given=str(part)))
    start = sum(sizes[:part])
    return at, start, start + sizes[part]


def _split(x: Array, *, sizes: int | Sequence[int], axis: int = 0, part: int = 0) -> Array:
    at, start, stop = _bounds(x, sizes, axis, part)
    return x[(*[slice(None)] * at, slice(start, stop))]


def _split_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, options = record.inputs[0], record.attributes
    at, start, stop = _bounds(x, options["sizes"], options.get("axis", 0), options.get("part", 0))
    place = [*([["slice", None, None, None]] * at), ["slice", start, stop, None]]
    return [F.index_set(g, shape=x.shape, index=place)]


structured(
    name="split",
    inputs=("x",),
    forward=_split,
    vjp=_split_vjp,
    element=_moved(_split),
    analytic=True,
    latex=r"{y} = {x}[\cdot]",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\ \text{{at its place}}")],
    samples=[
        Sample((_M23,), {"sizes": [1, 2], "axis": 1, "part": 1}),
        Sample((_M23,), {"sizes": 1}),
        Sample((_T234,), {"sizes": 3, "axis": -1, "part": 1}),
        Sample(([0.5],), {"sizes": 1}),
        Sample(([],), {"sizes": [0, 0], "part": 1}),
    ],
    errors=[
        Sample((_M23,), {"sizes": [1, 1], "axis": 1}),
        Sample((_M23,), {"sizes": [2], "part": 1}),
        Sample((_M23,), {"sizes": 0}),
        Sample((0.5,), {"sizes": 1}),
    ],
)


def _gather(x: Array, indices: Array, *, axis: int = 0) -> Array:
    at = axis_of("gather", axis, x.ndim)
    others = [(a, b) for i, (a, b) in enumerate(zip(x.shape, indices.shape, strict=False)) if i != at]
    if indices.dtype.kind not in "iu" or indices.ndim != x.ndim or any(b > a for a, b in others):
        given = f"x has shape {x.shape}, indices shape {indices.shape} and dtype {indices.dtype}"
        words = f"gather: {given}; expected integers with as many dimensions, no longer than x but along axis {axis}"
        raise ValueError(Told(words, "operation-refused", name="gather", shapes=shapes_of((x, indices))))
    if indices.size and (indices.min() < 0 or indices.max() >= x.shape[at]):
        least, most, last = int(indices.min()), int(indices.max()), x.shape[at] - 1
        words = f"gather: indices {least}..{most}; expected 0..{last}"
        raise IndexError(Told(words, "index-outside", name="gather", least=least, most=most, last=last))
    return np.take_along_axis(x[tuple(slice(None) if i == at else slice(n) for i, n in enumerate(indices.shape))], indices, at)


def _gather_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, indices = record.inputs[0], F.array(record.inputs[1])
    at = record.attributes.get("axis", 0) % len(x.shape)
    places = list(np.meshgrid(*[np.arange(n) for n in indices.shape], indexing="ij"))
    places[at] = indices
    if F.arrays:
        total = np.zeros(x.shape, g.dtype)
        np.add.at(total, tuple(places), g)
        return [total, None]
    return [F.index_set(g, shape=x.shape, index=[encoded(place) for place in places]), None]


structured(
    name="gather",
    inputs=("x", "indices"),
    forward=_gather,
    vjp=_gather_vjp,
    element=_moved(_gather),
    analytic=True,
    latex=r"{y}_i = {x}[{indices}_i]",
    derivatives=[Derivative("x", latex=r"\textstyle\sum_{{i:\,{indices}_i = j}} \bar{{{y}}}_i"), Derivative("indices", latex="0")],
    samples=[
        Sample((_M23, np.array([[1, 0, 1]]))),
        Sample((_M23, np.array([[2, 2], [0, 1]])), {"axis": 1}),
        Sample(([0.5, 2.0], np.array([1, 1, 0]))),
        Sample(([0.5], np.array([0]))),
        Sample((_M23, np.zeros((0, 3), int))),
    ],
    errors=[Sample((_M23, np.array([[2]]))), Sample((_M23, np.array([0]))), Sample((_M23, np.array([[0.5]]))), Sample((0.5, np.array(0)))],
)


def _masked_fill(x: Array, mask: Array, *, value: float) -> Array:
    if mask.dtype.kind != "b":
        words = f"masked_fill: the mask has dtype {mask.dtype}; expected bool"
        raise ValueError(Told(words, "operation-refused", name="masked_fill", shapes=shapes_of((x, mask))))
    try:
        shape = np.broadcast_shapes(x.shape, mask.shape)
    except ValueError:
        shape = ()
    if shape != x.shape:
        words = f"masked_fill: the mask of shape {mask.shape} does not broadcast to shape {x.shape}"
        raise ValueError(Told(words, "shapes-stretch", name="masked_fill", shape=str(mask.shape), wanted=str(x.shape)))
    return np.where(mask, x.dtype.type(value), x)


structured(
    name="masked_fill",
    inputs=("x", "mask"),
    forward=_masked_fill,
    element=_moved(_masked_fill, value=0),
    analytic=True,
    vjp=lambda F, g, record: [F.where(record.inputs[1], 0.0, g), None],
    latex=r"{y} = \begin{{cases}}v & {mask} \\ {x} & \text{{else}}\end{{cases}}",
    derivatives=[Derivative("x", latex=r"\bar{{{y}}}\,[\lnot {mask}]"), Derivative("mask", latex="0")],
    samples=[
        Sample((_M23, np.array([[True, False, False], [False, True, True]])), {"value": -2.0}),
        Sample((_M23, np.array([True, False, True])), {"value": 0.0}),
        Sample((0.5, np.array(False)), {"value": 1.0}),
        Sample(([0.5], np.array([True])), {"value": 1.0}),
        Sample(([], np.zeros(0, bool)), {"value": 1.0}),
    ],
    errors=[Sample((_M23, np.array([1, 0, 1])), {"value": 0.0}), Sample((_M23, np.array([True, False])), {"value": 0.0})],
)
