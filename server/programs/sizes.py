"""How large results become, from shapes and attributes alone, before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from engine import Tensor

Shape = tuple[int, ...]


def bound(name: str, operands: Sequence[Tensor], attributes: Mapping[str, Any]) -> int:
    """At least as many elements as the result of an operation will have.

    An empty dimension counts as one: what is summed over it is empty no longer. Where inputs or attributes are of no use to the operation,
    which refuses them itself, it is 0.
    """
    shapes = [tuple(max(n, 1) for n in x.shape) for x in operands]
    try:
        if name in _BOUNDS:
            return int(_BOUNDS[name](shapes, attributes))
    except (ValueError, TypeError, LookupError, ArithmeticError, StopIteration):
        return 0
    if len(operands) > 1 and name not in ("concat", "stack"):
        return math.prod(max(sizes) for sizes in _aligned(shapes))
    return sum(map(math.prod, shapes))


def _aligned(shapes: Sequence[Shape]) -> Iterator[tuple[int, ...]]:
    """The sizes that meet when shapes broadcast, one tuple a dimension."""
    longest = max(map(len, shapes))
    return zip(*[(1,) * (longest - len(shape)) + shape for shape in shapes], strict=True)


def _product(rows: Shape, columns: Shape) -> int:
    if not rows or not columns:
        return 0  # the op itself refuses scalars
    return math.prod(rows[:-1]) * math.prod(columns[:-2]) * (columns[-1] if len(columns) > 1 else 1)


def _of_shape(shape: Any) -> int:
    return math.prod(max(abs(n), 1) for n in shape) if isinstance(shape, list | tuple) else 0


def _einsum(shapes: Sequence[Shape], attributes: Mapping[str, Any]) -> int:
    """The sizes of all letters of the result; where it is not written out, of all letters there are."""
    operands, arrow, result = attributes["equation"].replace(" ", "").partition("->")
    sizes: dict[str, int] = {}
    for letters, shape in zip(operands.split(","), shapes, strict=True):
        if "." in letters:
            return math.prod(map(math.prod, shapes))
        for letter, size in zip(letters, shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    return math.prod(sizes[letter] for letter in (result if arrow else sizes))


def _index(shapes: Sequence[Shape], attributes: Mapping[str, Any]) -> int:
    """The axes that are kept, times what the arrays of an index give together."""
    (shape,), index = shapes, attributes["index"]
    taken = sum(part not in ("...", "new") for part in index)
    axes = iter(shape)
    kept, arrays = 1, []
    for part in index:
        if part == "...":
            kept *= math.prod(next(axes) for _ in range(len(shape) - taken))
        elif isinstance(part, list):
            size = next(axes)
            if part[0] == "array":
                arrays.append(np.shape(part[1]))
            else:
                kept *= size
        elif part != "new":
            next(axes)
    return kept * math.prod(axes) * math.prod(np.broadcast_shapes(*arrays))


def _conv1d(shapes: Sequence[Shape], attributes: Mapping[str, Any]) -> int:
    (batch, _, length), (outputs, inputs, width) = shapes
    return int(batch * max(outputs, inputs * width) * (length + 2 * abs(attributes.get("padding", 0))))


def _attention(shapes: Sequence[Shape], attributes: Mapping[str, Any]) -> int:
    q, k, v = shapes[:3]
    batches = math.prod(max(sizes) for sizes in _aligned([shape[:-2] for shape in (q, k, v)]))
    return int(batches * q[-2] * max(k[-2], v[-1]))


_BOUNDS: Mapping[str, Callable[[Sequence[Shape], Mapping[str, Any]], int]] = {
    "matmul": lambda shapes, _: _product(*shapes),
    "dot": lambda shapes, _: _product(*shapes),
    "linear": lambda shapes, _: _product(shapes[0], shapes[1][::-1]),
    "outer": lambda shapes, _: math.prod(map(math.prod, shapes)),
    "einsum": _einsum,
    "broadcast_to": lambda _, attributes: _of_shape(attributes["shape"]),
    "index_set": lambda _, attributes: _of_shape(attributes["shape"]),
    "index": _index,
    "rows": lambda shapes, attributes: len(attributes["rows"]) * math.prod(shapes[0][1:]),
    "gather": lambda shapes, _: math.prod(shapes[1]),
    "embedding": lambda shapes, _: math.prod(shapes[0]) * shapes[1][-1],
    "pad": lambda shapes, attributes: math.prod(n + sum(map(abs, pair)) for n, pair in zip(shapes[0], attributes["widths"], strict=True)),
    "conv1d": _conv1d,
    "scaled_dot_product_attention": _attention,
}
