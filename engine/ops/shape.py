"""Operations that move numbers without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.axes import axis_of
from engine.ops.op import Array, Derivative, Record, Sample, structured

_M23 = [[0.5, -1.2, 0.3], [1.4, 0.1, -0.8]]
_T234 = (np.arange(24.0) / 8 - 1).reshape(2, 3, 4).tolist()


def _reshape(x: Array, *, shape: Sequence[int]) -> Array:
    try:
        return x.reshape(tuple(shape))
    except ValueError:
        raise ValueError(f"reshape: {x.size} elements of shape {x.shape} do not fit into shape {tuple(shape)}") from None


structured(
    name="reshape", inputs=("x",), forward=_reshape, vjp=lambda F, g, record: [F.reshape(g, shape=record.inputs[0].shape)],
    element=lambda index, inputs, attributes: [
        (0, tuple(int(i) for i in np.unravel_index(
            int(np.ravel_multi_index(index, _reshape(inputs[0], **attributes).shape)) if index else 0, inputs[0].shape)), 1.0)],
    latex=r"{y} = {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[Sample((_M23,), {"shape": [3, 2]}), Sample((_M23,), {"shape": [-1]}), Sample((_T234,), {"shape": [6, 4]})],
    errors=[Sample((_M23,), {"shape": [4, 2]})],
)  # fmt: skip


def _axes(x: Array, axes: Sequence[int] | None) -> tuple[int, ...]:
    if axes is None:  # the last two change places
        order = list(range(x.ndim))
        order[-2:] = order[-2:][::-1]
        return tuple(order)
    if sorted(a % x.ndim if -x.ndim <= a < x.ndim else -1 for a in axes) != list(range(x.ndim)):
        raise ValueError(f"transpose: axes {tuple(axes)} do not name each of the {x.ndim} dimensions of shape {x.shape} once")
    return tuple(a % x.ndim for a in axes)


def _transpose(x: Array, *, axes: Sequence[int] | None = None) -> Array:
    return x.transpose(_axes(x, axes))


def _transpose_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    at = [0] * len(index)
    for i, axis in zip(index, _axes(inputs[0], attributes.get("axes")), strict=True):
        at[axis] = i
    return [(0, tuple(at), 1.0)]


structured(
    name="transpose", inputs=("x",), forward=_transpose, element=_transpose_element,
    vjp=lambda F, g, record: [
        F.transpose(g, axes=np.argsort(_axes(record.inputs[0], record.attributes.get("axes"))).tolist() if g.ndim else None)],
    latex=r"{y} = {x}^{{\top}}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}^{{\top}}")],
    samples=[Sample((_M23,)), Sample((_T234,), {"axes": [2, 0, 1]}), Sample(([0.5, 1.0],))],
    errors=[Sample((_M23,), {"axes": [0, 0]}), Sample((_M23,), {"axes": [0, 5]})],
)  # fmt: skip


def _broadcast_to(x: Array, *, shape: Sequence[int]) -> Array:
    try:
        return np.broadcast_to(x, tuple(shape))
    except ValueError:
        raise ValueError(f"broadcast_to: shape {x.shape} does not broadcast to {tuple(shape)}") from None


structured(
    name="broadcast_to", inputs=("x",), forward=_broadcast_to, vjp=lambda F, g, record: [g],  # the accumulator sums it down
    latex=r"{y} = {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[Sample(([0.5, 1.0],), {"shape": [3, 2]}), Sample((0.5,), {"shape": [2]})],
    errors=[Sample(([0.5, 1.0],), {"shape": [3]})],
)  # fmt: skip


def encode_index(index: Any) -> list[Any]:
    """An index as JSON: integers, ``["slice", start, stop, step]``, ``"..."``, ``"new"``, and ``["array", numbers]`` for integer arrays.

    A boolean mask becomes the integer arrays of its true elements. Raises TypeError for anything else.
    """
    parts: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
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


def _encode_array(part: Any) -> list[Any]:
    array = np.asarray(getattr(part, "data", part))
    if array.dtype.kind == "b" and array.ndim:
        return [["array", places.tolist()] for places in array.nonzero()]
    if array.dtype.kind not in "iu" and not (array.size == 0 and array.ndim):
        raise TypeError(
            f"index: {type(part).__name__} cannot index a tensor here; expected integers, slices, ..., None, integer arrays or masks"
        )
    return [["array", array.tolist()]]


def decode_index(parts: Sequence[Any]) -> tuple[Any, ...]:
    """The inverse of `encode_index`."""
    return tuple(_decode(part) for part in parts)


def _decode(part: Any) -> Any:
    if isinstance(part, str):
        return Ellipsis if part == "..." else None
    if isinstance(part, list | tuple):
        return slice(*part[1:]) if part[0] == "slice" else np.asarray(part[1], dtype=np.int64)
    return part


def _has_arrays(parts: Sequence[Any]) -> bool:
    return any(isinstance(part, list | tuple) and part[0] == "array" for part in parts)


def _index(x: Array, *, index: Sequence[Any]) -> tuple[Array, Any]:
    place = decode_index(index)
    try:
        return x[place], None if _has_arrays(index) else place
    except IndexError as error:
        raise IndexError(f"index: {list(index)} does not fit shape {x.shape}: {error}") from None


def _index_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    return [F.index_set(g, shape=record.inputs[0].shape, index=record.attributes["index"])]


def _index_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    x = inputs[0]
    flat = np.arange(x.size).reshape(x.shape)[decode_index(attributes["index"])]
    return [(0, tuple(int(i) for i in np.unravel_index(int(flat[index]), x.shape)), 1.0)]


structured(
    name="index", inputs=("x",), forward=_index, vjp=_index_vjp, element=_index_element, placed=True,
    latex=r"{y} = {x}[\cdot]", derivatives=[Derivative("x", latex=r"\bar{{{y}}}\ \text{{at its place}}")],
    samples=[Sample((_M23,), {"index": [1]}), Sample((_M23,), {"index": [["slice", None, None, None], ["slice", 1, None, None]]}),
             Sample((_T234,), {"index": ["...", 2]}), Sample((_M23,), {"index": [["slice", 0, 1, None], 2]}),
             Sample((_M23,), {"index": [["array", [0, 1, 0]], ["array", [2, 0, 2]]]}),
             Sample((_T234,), {"index": ["...", ["array", [[0, 3], [3, 1]]]]})],
    errors=[Sample((_M23,), {"index": [5]}), Sample((_M23,), {"index": [0, 0, 0]})],
)  # fmt: skip


def _index_set(x: Array, *, shape: Sequence[int], index: Sequence[Any]) -> Array:
    y, place = np.zeros(tuple(shape), dtype=x.dtype), decode_index(index)
    try:
        if _has_arrays(index):
            np.add.at(y, place, x)  # what is taken twice gets both gradients
        else:
            y[place] = x
    except (IndexError, ValueError):
        raise ValueError(f"index_set: shape {x.shape} does not fit at {list(index)} of shape {tuple(shape)}") from None
    return y


structured(
    name="index_set", inputs=("x",), forward=_index_set,
    vjp=lambda F, g, record: [F.index(g, index=record.attributes["index"])],
    latex=r"{y}[\cdot] = {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}[\cdot]")],
    samples=[Sample(([0.5, 1.0],), {"shape": [3, 2], "index": [1]}),
             Sample(([0.5, 1.0, 2.0],), {"shape": [3], "index": [["array", [1, 1, 0]]]})],
    errors=[Sample(([0.5, 1.0],), {"shape": [3, 3], "index": [1]})],
)  # fmt: skip


def _rows(x: Array, *, rows: Sequence[int]) -> Array:
    if len(rows) and (min(rows) < -x.shape[0] or max(rows) >= x.shape[0]):
        raise IndexError(f"rows: numbers {min(rows)}..{max(rows)} are outside the {x.shape[0]} rows of shape {x.shape}")
    return x[np.asarray(rows, dtype=np.int64)]


def _rows_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    x, rows = record.inputs[0], record.attributes["rows"]
    inverse: list[list[int]] = [[] for _ in range(x.shape[0])]
    for i, row in enumerate(rows):
        inverse[row].append(i)
    if all(len(found) == 1 for found in inverse):
        return [F.rows(g, rows=[found[0] for found in inverse])]
    selection = np.zeros((x.shape[0], len(rows)), dtype=x.dtype)
    selection[np.asarray(rows, dtype=np.int64), np.arange(len(rows))] = 1
    flat = F.matmul(selection, F.reshape(g, shape=(len(rows), math.prod(x.shape[1:]))))
    return [F.reshape(flat, shape=x.shape)]


structured(
    name="rows", inputs=("x",), forward=_rows, vjp=_rows_vjp,
    element=lambda index, inputs, attributes: [(0, (attributes["rows"][index[0]] % inputs[0].shape[0], *index[1:]), 1.0)],
    latex=r"{y}_i = {x}_{{r_i}}", derivatives=[Derivative("x", latex=r"\textstyle\sum_{{i: r_i = j}} \bar{{{y}}}_i")],
    samples=[Sample((_M23,), {"rows": [1, 0]}), Sample((_M23,), {"rows": [1, 1, 0]}), Sample(([0.5, 2.0, 1.0],), {"rows": [2, 0]})],
    errors=[Sample((_M23,), {"rows": [2]})],
)  # fmt: skip


def _concat(*xs: Array, axis: int = 0) -> Array:
    axis_of("concat", axis, max((x.ndim for x in xs), default=0))
    try:
        return np.concatenate(xs, axis=axis)
    except ValueError:
        raise ValueError(f"concat: shapes {[x.shape for x in xs]} do not join along axis {axis}; the other sizes must agree") from None


def _concat_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    axis = record.attributes.get("axis", 0) % g.ndim
    out, start = [], 0
    for x, need in zip(record.inputs, record.needs, strict=True):
        stop = start + x.shape[axis]
        out.append(F.index(g, index=[["slice", None, None, None]] * axis + [["slice", start, stop, None]]) if need else None)
        start = stop
    return out


def _concat_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    axis, at = attributes.get("axis", 0) % len(index), list(index)
    for port, x in enumerate(inputs):
        if at[axis] < x.shape[axis]:
            return [(port, tuple(at), 1.0)]
        at[axis] -= x.shape[axis]
    raise IndexError(f"concat: element {index} is outside the output")


structured(
    name="concat", inputs=("*xs",), forward=_concat, vjp=_concat_vjp, element=_concat_element,
    latex=r"{y} = [{xs}]", derivatives=[Derivative("*xs", latex=r"\text{{its part of }}\bar{{{y}}}")],
    samples=[Sample((_M23, [[0.1, 0.2, 0.3]])), Sample((_M23, [[0.1], [0.2]]), {"axis": 1}), Sample(([0.5], [1.0, 2.0], [3.0]))],
    errors=[Sample((_M23, [[0.1], [0.2]]))],
)  # fmt: skip


def _stack(*xs: Array, axis: int = 0) -> Array:
    axis_of("stack", axis, max((x.ndim for x in xs), default=0) + 1)
    try:
        return np.stack(xs, axis=axis)
    except ValueError:
        raise ValueError(f"stack: shapes {[x.shape for x in xs]} differ (axis {axis}); expected equal shapes") from None


def _stack_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    axis = record.attributes.get("axis", 0) % g.ndim
    every: list[Any] = [["slice", None, None, None]] * axis
    return [F.index(g, index=[*every, i]) if need else None for i, need in enumerate(record.needs)]


def _stack_element(index: tuple[int, ...], inputs: Sequence[Array], attributes: Any) -> list[tuple[int, tuple[int, ...], float]]:
    axis = attributes.get("axis", 0) % len(index)
    return [(index[axis], index[:axis] + index[axis + 1 :], 1.0)]


structured(
    name="stack", inputs=("*xs",), forward=_stack, vjp=_stack_vjp, element=_stack_element,
    latex=r"{y} = [{xs}]", derivatives=[Derivative("*xs", latex=r"\text{{its part of }}\bar{{{y}}}")],
    samples=[Sample((_M23, _M23)), Sample(([0.5, 1.0], [2.0, 3.0]), {"axis": 1}), Sample(([0.5, 1.0], [2.0, 3.0]), {"axis": -1})],
    errors=[Sample((_M23, [0.1, 0.2]))],
)  # fmt: skip
