"""Changes to a trace: other values, of leaves and of what was computed; gradients that are cut off, or kept from before."""

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
class Mute:
    """No gradient comes back through what a node reads: its input `port`, or all its inputs (None). Values stay as they are.

    node: the consumer, number or path.
    """

    node: int | str
    port: int | None = None


@dataclass(frozen=True)
class MuteStep:
    """No gradient comes back to the parameters from their uses at one time step (from 1). What flows between the steps stays."""

    time: int


@dataclass(frozen=True)
class KeepGradients:
    """The parameters' gradients of this very step, as they are before clipping, are not zeroed before the step is differentiated again."""


Change = Edit | Mute | MuteStep | KeepGradients


@dataclass(frozen=True)
class Edited:
    """All edits of one node together: `mask` says which elements have another value, `values` (of the node's shape and dtype) which."""

    mask: Array
    values: Array


@dataclass(frozen=True)
class Changes:
    """All edits of a trace. values: by node. muted: (consumer, port) of uses that send no gradient back. keep: `KeepGradients`."""

    values: Mapping[int, Edited]
    muted: frozenset[tuple[int, int]]
    keep: bool


def gather(document: Document, edits: Sequence[Change]) -> Changes:
    """The edits together, later values over earlier ones. Raises EditError for what the trace cannot take."""
    values: dict[int, Edited] = {}
    muted: set[tuple[int, int]] = set()
    for number, edit in enumerate(edits):
        match edit:
            case Edit():
                node = _node(document, edit.node, number)
                values[node["id"]] = _edited(document, node, edit, values.get(node["id"]), number)
            case Mute():
                muted |= _uses(document, _node(document, edit.node, number), edit.port, number)
            case MuteStep():
                muted |= _uses_of_parameters(document, edit.time, number)
    return Changes(values, frozenset(muted), any(isinstance(edit, KeepGradients) for edit in edits))


def _node(document: Document, key: int | str, number: int) -> dict[str, Any]:
    try:
        return document.node(key)
    except KeyError:
        raise EditError(f"the trace has no such node; its nodes are 0 to {len(document.nodes) - 1}, or their paths", number) from None


def _edited(document: Document, node: Mapping[str, Any], edit: Edit, before: Edited | None, number: int) -> Edited:
    if node["id"] == document.loss:
        raise EditError("the loss is what is differentiated; edit a node that it is computed from", number)
    values = document.value(node["id"]).copy() if before is None else before.values
    mask = np.zeros(values.shape, bool) if before is None else before.mask
    value = _fitting(node, edit, number)
    at: Any = ... if edit.index is None else edit.index
    values[at], mask[at] = value, True
    return Edited(mask, values)


def _uses(document: Document, node: Mapping[str, Any], port: int | None, number: int) -> set[tuple[int, int]]:
    inputs = node["inputs"]
    if port is not None and not 0 <= port < len(inputs):
        raise EditError(f"node {node['id']} ({node['path']}) has {len(inputs)} inputs, numbered from 0; given input {port}", number)
    found = {
        (node["id"], p)
        for p, source in enumerate(inputs)
        if port in (None, p) and node["requires_grad"] and document.nodes[source]["requires_grad"]
    }
    if not found:
        where = "through it" if port is None else f"through its input {port}"
        raise EditError(f"node {node['id']} ({node['path']}) sends no gradient back {where}; mute a use of something that has one", number)
    return found


def _uses_of_parameters(document: Document, time: int, number: int) -> set[tuple[int, int]]:
    found = {
        (node["id"], port)
        for node in document.nodes
        if node["time"] == time and node["requires_grad"]
        for port, source in enumerate(node["inputs"])
        if document.nodes[source]["role"] == "parameter"
    }
    if not found:
        steps = sorted({node["time"] for node in document.nodes if node["time"] is not None and node["requires_grad"]})
        there = f"its steps are {steps[0]} to {steps[-1]}" if steps else "it has no time steps"
        raise EditError(f"no parameter is used at step {time} of this trace; {there}", number)
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
