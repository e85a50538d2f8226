"""Axis arguments checked, and counted from the front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.told import Told


def axes_of(op: str, axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """An axis argument as sorted non-negative axes, None meaning all. Raises ValueError naming the op, the axis and what is allowed."""
    if isinstance(axis, np.integer):
        axis = int(axis)
    if axis is not None and not isinstance(axis, int | list | tuple):
        raise ValueError(Told(f"{op}: axis is {axis!r}; expected an integer, several, or None for all", "axis-kind", name=op))
    wanted = range(ndim) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    for a in wanted:
        if not isinstance(a, int | np.integer) or isinstance(a, bool) or not -ndim <= a < ndim:
            words = f"{op}: axis {a!r} is outside a tensor of {ndim} dimensions; expected {-ndim}..{ndim - 1}"
            raise ValueError(Told(words, "axis-outside", name=op, axis=str(a), dimensions=ndim))
    axes = sorted(int(a) % ndim for a in wanted)
    if len(set(axes)) != len(axes):
        raise ValueError(Told(f"{op}: axis {list(wanted)} names a dimension twice; name each once", "axis-twice", name=op))
    return tuple(axes)


def axis_of(op: str, axis: int, ndim: int) -> int:
    """One axis. Raises ValueError as `axes_of`, and for anything but one integer."""
    if not isinstance(axis, int | np.integer):
        raise ValueError(Told(f"{op}: axis is {axis!r}; expected one integer", "axis-kind", name=op))
    return axes_of(op, axis, ndim)[0]
