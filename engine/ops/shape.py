"""Operations that move numbers without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from types import EllipsisType
from typing import Any

import numpy as np

from engine.ops.axes import axis_of
from engine.ops.op import Array, Derivative, Record, Sample, structured
from engine.told import Told

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_T234 = (np.arange(24.0) / 8 - 1).reshape(2, 3, 4).tolist()


def _reshape(x: Array, *, shape: Sequence[int]) -> Array:
    try:
        return x.reshape(tuple(shape))
    except TypeError:
        words = f"reshape: shape is {shape!r}; expected a sequence of whole numbers"
        raise TypeError(Told(words, "keyword-refused", name="reshape", keyword="shape", given=repr(shape))) from None
    except ValueError:
        words = f"reshape: {x.size} elements of shape {x.shape} do not fit into shape {tuple(shape)}"
        raise ValueError(Told(words, "shapes-reshape", name="reshape", given=x.size, wanted=str(tuple(shape)))) from None


structured(
    name="reshape", analytic=True, inputs=("x",), forward=_reshape, encode=lambda *shape: {"shape": whole_numbers(shape)},
    vjp=lambda F, g, record: [F.reshape(g, shape=record.inputs[0].shape)],
    element=lambda index, inputs, attributes: [
        (0, tuple(int(i) for i in np.unravel_index(
            int(np.ravel_multi_index(index, _reshape(inputs[0], **attributes).shape)) if index else 0, inputs[0].shape)), 1.0)],
    latex=r"{y} = {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[Sample((_M23,), {"shape": [3, 2]}), Sample((_M23,), {"shape": [-1]}), Sample((_T234,), {"shape": [6, 4]}),
             Sample((0.5,), {"shape": [1, 1]}), Sample(([0.5],), {"shape": []}), Sample(([],), {"shape": [0, 2]})],
    errors=[Sample((_M23,), {"shape": [4, 2]})],
)  # fmt: skip


def whole_numbers(given: Sequence[Any], op: str = "reshape") -> list[int]:
    """Numbers given one by one, or all in one list. Raises TypeError naming the op for anything but whole numbers."""
    numbers = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
    try:
        return [index(n) for n in numbers]
    except TypeError:
        raise TypeError(f"{op}: given {', '.join(map(repr, numbers))}; expected whole numbers") from None


def _axes(ndim: int, axes: Sequence[int] | None) -> list[int]:
    """Which axis of the input each axis of the output is, for axes that `_transpose` has taken."""
    order = list(range(ndim))
    if axes is None:  # the last two change places
        order[-2:] = order[-2:][::-1]
        return order
    return [a % ndim for a in axes]


def _transpose(x: Array, *, axes: Sequence[int] | None = None) -> Array:
    if axes is None:
        return x.swapaxes(-1, -2) if x.ndim > 1 else x.T
    try:
        return x.transpose(axes)
    except (ValueError, TypeError):
        words = f"transpose: axes {axes} do not name each of the {x.ndim} dimensions of shape {x.shape} once"
        raise ValueError(Told(words, "shapes-axes", name="transpose", shape=str(x.shape))) from None


def inverse(axes: Sequence[int]) -> list[int]:
    """The order of axes that undoes another."""
    back = [0] * len(axes)
    for i, a in enumerate(axes):
        back[a] = i  # negative axes count from the end here too
    return back


def _transpose_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    axes = record.attributes.get("axes")
    return [F.transpose(g) if axes is None else F.transpose(g, axes=inverse(axes))]


def _transpose_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    at = [0] * len(index)
    for i, axis in zip(index, _axes(inputs[0].ndim, attributes.get("axes")), strict=True):
        at[axis] = i
    return [(0, tuple(at), 1.0)]


structured(
    name="transpose", inputs=("x",), forward=_transpose, element=_transpose_element,
    vjp=_transpose_vjp, analytic=True,
    latex=r"{y} = {x}^{{\top}}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}^{{\top}}")],
    samples=[Sample((_M23,)), Sample((_T234,), {"axes": [2, 0, 1]}), Sample(([0.5, 1.0],)), Sample((0.5,)),
             Sample((_T234,), {"axes": [-1, 0, -2]}), Sample((_T234,)), Sample(([[0.5]],)), Sample(([[], []],))],
    errors=[Sample((_M23,), {"axes": [0, 0]}), Sample((_M23,), {"axes": [0, 5]})],
)  # fmt: skip


def _broadcast_to(x: Array, *, shape: Sequence[int]) -> Array:
    try:
        return np.broadcast_to(x, tuple(shape))
    except TypeError:
        words = f"broadcast_to: shape is {shape!r}; expected a sequence of whole numbers"
        raise TypeError(Told(words, "keyword-refused", name="broadcast_to", keyword="shape", given=repr(shape))) from None
    except ValueError:
        words = f"broadcast_to: shape {x.shape} does not broadcast to {tuple(shape)}"
        raise ValueError(Told(words, "shapes-stretch", name="broadcast_to", shape=str(x.shape), wanted=str(tuple(shape)))) from None


structured(
    name="broadcast_to", analytic=True, inputs=("x",), forward=_broadcast_to, vjp=lambda F, g, record: [g],  # the accumulator sums it down
    element=lambda index, inputs, attributes: [
        (0, tuple(0 if n == 1 else i for n, i in zip(inputs[0].shape, index[len(index) - inputs[0].ndim:], strict=True)), 1.0)],
    latex=r"{y} = {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[Sample(([0.5, 1.0],), {"shape": [3, 2]}), Sample((0.5,), {"shape": [2]}),
             Sample(([0.5],), {"shape": [2, 1]}), Sample(([],), {"shape": [2, 0]})],
    errors=[Sample(([0.5, 1.0],), {"shape": [3]})],
)  # fmt: skip


def encode_index(index: Any, shape: Sequence[int] | None = None) -> list[Any]:
    """An index as JSON: integers, ``["slice", start, stop, step]``, ``"..."``, ``"new"``, and ``["array", numbers]`` for integer arrays
    (with its shape as a third entry when lists cannot say it: an array of several dimensions without elements).

    A boolean mask becomes the integer arrays of its true elements. shape: of what is indexed; masks must fit it. Raises TypeError for
    anything that cannot index, IndexError for a mask of another shape.
    """
    key = index if isinstance(index, tuple) else (index,)
    if shape is not None and any(_is_mask(part) for part in key):
        _check_masks(key, tuple(shape))
    parts: list[Any] = []
    for part in key:
        if isinstance(part, slice):
            parts.append(["slice", part.start, part.stop, part.step])
        elif part is Ellipsis:
            parts.append("...")
        elif part is None:
            parts.append("new")
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            parts.append(int(part))
        else:
            parts.extend(_encode_array(part))
    return parts


def _array_of(part: Any) -> Array:
    return np.asarray(part if isinstance(part, np.ndarray) else getattr(part, "data", part))


def _is_mask(part: Any) -> bool:
    return not isinstance(part, int | slice | None | EllipsisType) and _array_of(part).dtype.kind == "b"


def _check_masks(key: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    """Raises IndexError unless each mask has the sizes of the axes that it stands at."""
    takes = [0 if part is None or part is Ellipsis else _array_of(part).ndim if _is_mask(part) else 1 for part in key]
    at = 0
    for part, count in zip(key, takes, strict=True):
        if part is Ellipsis:
            at += len(shape) - sum(takes)
        elif _is_mask(part) and _array_of(part).shape != shape[at : at + count]:
            raise IndexError(
                f"index: a mask of shape {_array_of(part).shape} at axis {at} of shape {shape}; expected {shape[at : at + count]}"
            )
        at += count


def _encode_array(part: Any) -> list[Any]:
    array = _array_of(part)
    if array.dtype.kind == "b" and array.ndim:
        return [["array", places.tolist()] for places in array.nonzero()]
    if array.dtype.kind not in "iu" and not (isinstance(part, list) and array.ndim == 1 and not array.size):
        raise TypeError(
            f"index: {type(part).__name__} cannot index a tensor here; expected integers, slices, ..., None, integer arrays or masks"
        )
    return [encoded(array)]


def encoded(array: Array) -> list[Any]:
    """An integer array as a part of an index."""
    return ["array", array.tolist()] if array.size or array.ndim == 1 else ["array", [], list(array.shape)]


def decode_index(parts: Sequence[Any]) -> tuple[Any, ...]:
    """The inverse of `encode_index`."""
    return tuple(_decode(part) for part in parts)


def _decode(part: Any) -> Any:
    if isinstance(part, str):
        return Ellipsis if part == "..." else None
    if isinstance(part, list | tuple):
        return slice(*part[1:]) if part[0] == "slice" else _decode_array(*part[1:])
    return part


def _decode_array(numbers: Any, shape: Sequence[int] = (0,)) -> Array:
    array = np.asarray(numbers)
    return array if array.size else np.zeros(tuple(shape), np.int64)


def _has_arrays(parts: Sequence[Any]) -> bool:
    return any(isinstance(part, list | tuple) and part[0] == "array" for part in parts)


def _index(x: Array, *, index: Sequence[Any]) -> tuple[Array, Any]:
    place = decode_index(index)
    try:
        return x[place], None if _has_arrays(index) else place
    except IndexError as error:
        words = f"index: {list(index)} does not fit shape {x.shape}: {error}"
        raise IndexError(Told(words, "index-shape", name="index", shape=str(x.shape))) from None


def _index_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    return [F.index_set(g, shape=record.inputs[0].shape, index=record.attributes["index"])]


def _index_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    x = inputs[0]
    flat = np.arange(x.size).reshape(x.shape)[decode_index(attributes["index"])]
    return [(0, tuple(int(i) for i in np.unravel_index(int(flat[index]), x.shape)), 1.0)]


structured(
    name="index", analytic=True, inputs=("x",), forward=_index, vjp=_index_vjp, element=_index_element, placed=True,
    encode=lambda *key: {"index": encode_index(key)},
    latex=r"{y} = {x}[\cdot]", derivatives=[Derivative("x", latex=r"\bar{{{y}}}\ \text{{at its place}}")],
    samples=[Sample((_M23,), {"index": [1]}), Sample((_M23,), {"index": [["slice", None, None, None], ["slice", 1, None, None]]}),
             Sample((_T234,), {"index": ["...", 2]}), Sample((_M23,), {"index": [["slice", 0, 1, None], 2]}),
             Sample((_M23,), {"index": [["array", [0, 1, 0]], ["array", [2, 0, 2]]]}),
             Sample((_T234,), {"index": ["...", ["array", [[0, 3], [3, 1]]]]}), Sample((0.5,), {"index": ["..."]}),
             Sample(([0.5],), {"index": [-1]}), Sample(([[], []],), {"index": [1]}), Sample((_M23,), {"index": [["array", []]]})],
    errors=[Sample((_M23,), {"index": [5]}), Sample((_M23,), {"index": [0, 0, 0]})],
)  # fmt: skip


def _index_set(x: Array, *, shape: Sequence[int], index: Sequence[Any]) -> Array:
    y, place = np.zeros(tuple(shape), dtype=x.dtype), decode_index(index)
    try:
        if _has_arrays(index):
            np.add.at(y, place, x)  # what is taken twice gets both gradients
        else:
            if x.ndim > y[place].ndim:  # numpy would drop axes of length 1
                raise ValueError
            y[place] = x
    except (IndexError, ValueError):
        words = f"index_set: shape {x.shape} does not fit at {list(index)} of shape {tuple(shape)}"
        raise ValueError(Told(words, "index-shape", name="index_set", shape=str(tuple(shape)))) from None
    return y


def _index_set_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    x, shape = inputs[0], tuple(attributes["shape"])
    numbers = np.arange(math.prod(shape)).reshape(shape)
    places = numbers[decode_index(attributes["index"])]
    sources = np.broadcast_to(np.arange(x.size).reshape(x.shape), places.shape)[places == numbers[index]]
    return [(0, tuple(int(i) for i in np.unravel_index(k, x.shape)), 1.0) for k in np.ravel(sources).tolist()]


structured(
    name="index_set", analytic=True, inputs=("x",), forward=_index_set, element=_index_set_element,
    vjp=lambda F, g, record: [F.index(g, index=record.attributes["index"])],
    latex=r"{y}[\cdot] = {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}[\cdot]")],
    samples=[Sample(([0.5, 1.0],), {"shape": [3, 2], "index": [1]}),
             Sample(([0.5, 1.0, 2.0],), {"shape": [3], "index": [["array", [1, 1, 0]]]}), Sample((0.5,), {"shape": [2], "index": [1]}),
             Sample(([0.5],), {"shape": [1], "index": ["..."]}), Sample(([],), {"shape": [2], "index": [["slice", 0, 0, None]]})],
    errors=[Sample(([0.5, 1.0],), {"shape": [3, 3], "index": [1]}), Sample(([0.5],), {"shape": [], "index": ["..."]})],
)  # fmt: skip


def _rows(x: Array, *, rows: Sequence[int]) -> Array:
    if not x.ndim or (len(rows) and (min(rows) < -x.shape[0] or max(rows) >= x.shape[0])):
        words = f"rows: rows {list(rows)[:8]} of shape {x.shape}; expected a tensor with rows, and numbers of them"
        raise IndexError(Told(words, "index-shape", name="rows", shape=str(x.shape)))
    return x[np.asarray(rows, dtype=np.int64)]


def _rows_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, rows = record.inputs[0], record.attributes["rows"]
    count = x.shape[0]
    if len(rows) == count:  # often another order of all rows, and then the inverse order brings the gradient back
        back = [-1] * count
        for i, row in enumerate(rows):
            back[row] = i
        if -1 not in back:
            return [F.rows(g, rows=back)]
    if F.arrays:
        return [add_rows(g, np.asarray(rows, dtype=np.int64), x.shape)]
    return [F.index_set(g, shape=x.shape, index=[["array", list(rows)]])]


def add_rows(g: Array, rows: Array, shape: tuple[int, ...]) -> Array:
    """Zeros of a shape, each row of g (*rows.shape, *shape[1:]) added at its row number."""
    total = np.zeros(shape, g.dtype)
    if rows.size and total.size:
        _add_at(total.reshape(shape[0], -1), rows.reshape(-1) % shape[0], g.reshape(rows.size, -1))
    return total


def _add_at(total: Array, rows: Array, g: Array) -> None:
    """total[rows] += g, row numbers repeated or not: sorted, so that equal ones are summed by one reduction."""
    order = rows.argsort(kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    total[ordered[starts]] = np.add.reduceat(g[order], starts, axis=0)


structured(
    name="rows", analytic=True, inputs=("x",), forward=_rows, vjp=_rows_vjp,
    element=lambda index, inputs, attributes: [(0, (attributes["rows"][index[0]] % inputs[0].shape[0], *index[1:]), 1.0)],
    latex=r"{y}_i = {x}_{{r_i}}", derivatives=[Derivative("x", latex=r"\textstyle\sum_{{i: r_i = j}} \bar{{{y}}}_i")],
    samples=[Sample((_M23,), {"rows": [1, 0]}), Sample((_M23,), {"rows": [1, 1, 0]}), Sample(([0.5, 2.0, 1.0],), {"rows": [2, 0]}),
             Sample(([0.5],), {"rows": [0]}), Sample(([[], []],), {"rows": [1]}), Sample((_M23,), {"rows": []})],
    errors=[Sample((_M23,), {"rows": [2]}), Sample((0.5,), {"rows": [0]})],
)  # fmt: skip


def shapes_of(xs: Sequence[Any]) -> str:
    """The shapes of tensors, in words: (2, 3), (2,)."""
    return ", ".join(str(x.shape) for x in xs)


def _concat(*xs: Array, axis: int = 0) -> Array:
    try:
        if type(axis) is int:
            return np.concatenate(xs, axis)
    except (ValueError, OverflowError):
        pass
    if not xs:
        raise ValueError("concat: no tensors given; expected at least one")
    if not all(x.ndim for x in xs):
        words = f"concat: shapes {[x.shape for x in xs]}: a 0-d tensor has no axis to join along; expected at least one (or stack)"
        raise ValueError(Told(words, "shapes-join", name="concat", shapes=shapes_of(xs)))
    axis_of("concat", axis, max((x.ndim for x in xs), default=0))
    words = f"concat: shapes {[x.shape for x in xs]} do not join along axis {axis}; the other sizes must agree"
    raise ValueError(Told(words, "shapes-join", name="concat", shapes=shapes_of(xs)))


def _concat_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    axis = record.attributes.get("axis", 0) % len(g.shape)
    out: list[Any] = []
    start = 0
    for x, need in zip(record.inputs, record.needs, strict=True):
        stop = start + x.shape[axis]
        if not need:
            out.append(None)
        elif F.arrays:
            out.append(g[(*_ALL[:axis], slice(start, stop))])
        else:
            out.append(F.index(g, index=[*[["slice", None, None, None]] * axis, ["slice", start, stop, None]]))
        start = stop
    return out


_ALL = (slice(None),) * 64  # numpy's most dimensions


def _concat_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    axis, at = attributes.get("axis", 0) % len(index), list(index)
    for port, x in enumerate(inputs):
        if at[axis] < x.shape[axis]:
            return [(port, tuple(at), 1.0)]
        at[axis] -= x.shape[axis]
    raise IndexError(f"concat: element {index} is outside the output")


structured(
    name="concat", analytic=True, inputs=("*xs",), forward=_concat, vjp=_concat_vjp, element=_concat_element,
    latex=r"{y} = [{xs}]", derivatives=[Derivative("*xs", latex=r"\text{{its part of }}\bar{{{y}}}")],
    samples=[Sample((_M23, [[0.1, 0.2, 0.3]])), Sample((_M23, [[0.1], [0.2]]), {"axis": 1}), Sample(([0.5], [1.0, 2.0], [3.0])),
             Sample(([], [1.0])), Sample(([[], []], [[], []]), {"axis": -1})],
    errors=[Sample((_M23, [[0.1], [0.2]])), Sample((0.5, [1.0]))],
)  # fmt: skip


def _stack(*xs: Array, axis: int = 0) -> Array:
    if not xs:
        raise ValueError("stack: no tensors given; expected at least one")
    shape = xs[0].shape
    for x in xs:
        if x.shape != shape:
            words = f"stack: shapes {[x.shape for x in xs]} differ (axis {axis}); expected equal shapes"
            raise ValueError(Told(words, "shapes-equal", name="stack", shapes=shapes_of(xs)))
    at = axis if axis == 0 and type(axis) is int else axis_of("stack", axis, len(shape) + 1)
    if not shape:
        return np.array(xs)
    if at == 0:  # rows one after another are a stack
        return np.concatenate(xs).reshape(len(xs), *shape)
    widened = (*shape[:at], 1, *shape[at:])
    return np.concatenate([x.reshape(widened) for x in xs], at)


def _stack_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    axis = record.attributes.get("axis", 0) % len(g.shape)
    if F.arrays:
        lead = _ALL[:axis]
        return [g[(*lead, i)] if need else None for i, need in enumerate(record.needs)]
    every: list[Any] = [["slice", None, None, None]] * axis
    return [F.index(g, index=[*every, i]) if need else None for i, need in enumerate(record.needs)]


def _stack_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    axis = attributes.get("axis", 0) % len(index)
    return [(index[axis], index[:axis] + index[axis + 1 :], 1.0)]


structured(
    name="stack", analytic=True, inputs=("*xs",), forward=_stack, vjp=_stack_vjp, element=_stack_element,
    latex=r"{y} = [{xs}]", derivatives=[Derivative("*xs", latex=r"\text{{its part of }}\bar{{{y}}}")],
    samples=[Sample((_M23, _M23)), Sample(([0.5, 1.0], [2.0, 3.0]), {"axis": 1}), Sample(([0.5, 1.0], [2.0, 3.0]), {"axis": -1}),
             Sample((0.5, 1.5)), Sample(([0.5], [1.5])), Sample(([], []), {"axis": 1})],
    errors=[Sample((_M23, [0.1, 0.2])), Sample(([0.5], [1.0, 2.0]))],
)  # fmt: skip
