"""Operations as programs of others ask for them: checked, and bounded in size, before they are computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from engine import TapeError, Tensor
from engine.ops import REGISTRY

# What operations raise for inputs and attributes that they cannot take.
REFUSALS = (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError, TapeError)


def check_count(name: str, given: int) -> None:
    """Raises ValueError unless an operation takes so many inputs."""
    names = REGISTRY[name].inputs
    any_number = names[-1].startswith("*")
    if given < len(names) if any_number else given != len(names):
        expected = "one or more" if any_number else f"{len(names)} ({', '.join(names)})"
        raise ValueError(f"{name} was given {given} inputs in its parentheses; expected {expected}")


def bound(name: str, operands: list[Tensor], attributes: Mapping[str, Any]) -> int:
    """At least as many elements as the result will have, found before it is computed.

    An empty dimension counts as one: what is summed over it is empty no longer.
    """
    shapes = [tuple(max(n, 1) for n in x.shape) for x in operands]
    if name in ("matmul", "linear", "dot"):
        if not all(shapes):
            return 0  # the op itself refuses scalars
        rows, columns = (shapes[0], shapes[1]) if name != "linear" else (shapes[0], shapes[1][::-1])
        return math.prod(rows[:-1]) * math.prod(columns[:-2]) * (columns[-1] if len(columns) > 1 else 1)
    if name == "outer":
        return math.prod(map(math.prod, shapes))
    if name == "broadcast_to":
        shape = attributes.get("shape")
        return math.prod(max(abs(n), 1) for n in shape) if isinstance(shape, list) else 0
    if len(operands) > 1 and name not in ("concat", "stack"):
        return math.prod(max(sizes) for sizes in _aligned(shapes))
    return sum(map(math.prod, shapes))


def _aligned(shapes: list[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """The sizes that meet when shapes broadcast, one tuple a dimension."""
    longest = max(map(len, shapes))
    return zip(*[(1,) * (longest - len(shape)) + shape for shape in shapes], strict=True)


def without_signature(name: str, error: Exception) -> str:
    """The op's own message; Python's words for a missing or unknown keyword name inner functions, which mean nothing to a reader."""
    message = str(error)
    if isinstance(error, TypeError) and "()" in message:
        return f"{name}:{message.partition('()')[2]}"
    return message if message.startswith(name) else f"{name}: {message}"
