"""Changes to the values of a trace: of leaves, and of what was computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.trace.document import Document


class EditError(ValueError):
    """An edit that a trace cannot take. number: which of the edits, from 0."""

    def __init__(self, detail: str, number: int) -> None:
        super().__init__(detail, number)
        self.detail, self.number = detail, number

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True)
class Edit:
    """Another value for a node, or for one of its elements.

    node: number or path. index: of the element (empty for a 0-d node); None for the whole node. value: a number, or an array of the node's
    shape.
    """

    node: int | str
    index: tuple[int, ...] | None
    value: Any


@dataclass(frozen=True)
class Edited:
    """All edits of one node together: `mask` says which elements have another value, `values` (of the node's shape and dtype) which."""

    mask: Array
    values: Array


def gather(document: Document, edits: Sequence[Edit]) -> dict[int, Edited]:
    """The edits by node, later ones over earlier ones. Raises EditError for what the trace cannot take."""
    found: dict[int, Edited] = {}
    for number, edit in enumerate(edits):
        try:
            node = document.node(edit.node)
        except KeyError:
            raise EditError(f"the trace has no such node; its nodes are 0 to {len(document.nodes) - 1}, or their paths", number) from None
        if node["id"] == document.loss:
            raise EditError("the loss is what is differentiated; edit a node that it is computed from", number)
        before = found.get(node["id"])
        values = document.value(node["id"]).copy() if before is None else before.values
        mask = np.zeros(values.shape, bool) if before is None else before.mask
        value = _fitting(node, edit, number)
        at: Any = ... if edit.index is None else edit.index
        values[at], mask[at] = value, True
        found[node["id"]] = Edited(mask, values)
    return found


def _fitting(node: Mapping[str, Any], edit: Edit, number: int) -> Array:
    """The value of an edit in the dtype of its node."""
    shape, value = tuple(node["shape"]), np.asarray(edit.value)
    if edit.index is None:
        expected = shape
    else:
        expected = ()
        if len(edit.index) != len(shape) or not all(0 <= i < n for i, n in zip(edit.index, shape, strict=True)):
            raise EditError(f"index {list(edit.index)} is outside node {node['id']} of shape {list(shape)}", number)
    if value.shape != expected:
        raise EditError(f"the value has shape {list(value.shape)}; expected {list(expected)}", number)
    dtype = np.dtype(node["dtype"])
    if dtype.kind == "f":
        return value.astype(dtype)
    low, high = (0, 1) if dtype.kind == "b" else (max(np.iinfo(dtype).min, -(2**31)), min(np.iinfo(dtype).max, 2**31 - 1))
    whole = np.isfinite(value).all() and (value == np.trunc(value)).all()
    if not whole or (value.size and (value.min() < low or value.max() > high)):
        raise EditError(f"node {node['id']} holds {dtype.name}; expected whole numbers from {low} to {high}", number)
    return value.astype(dtype)
