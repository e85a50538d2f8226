"""Reading a trace: its nodes, numbers and contributions, and computing it again with some values changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.ops.op import Array, Op
from engine.tape import known_op, replay
from engine.trace.arena import decode

_ARRIVING = ("vjp", "unbroadcast", "accumulate")


@dataclass(frozen=True)
class Contribution:
    """What one edge adds to a gradient.

    node, port: the edge, seen from the consumer; node -1 is the gradient kept from an earlier run. event: at which it has arrived.
    array: the contribution, of the target's shape.
    """

    node: int
    port: int
    target: int
    event: int
    array: Array


class Document:
    """A trace document with access to its parts. Raises ValueError when it is not a trace of version 1."""

    def __init__(self, doc: Mapping[str, Any]) -> None:
        if doc.get("schema") != "retrograd.trace/1":
            raise ValueError(f"not a trace: schema is {doc.get('schema')!r}; expected 'retrograd.trace/1'")
        self.doc = doc
        self.nodes: list[dict[str, Any]] = doc["nodes"]
        self.loss: int = doc["loss"]

    @cached_property
    def _arenas(self) -> list[Array]:
        tensors = self.doc["tensors"]
        return [decode(tensors["arenas"][code]) for code in tensors["dtypes"]]

    @cached_property
    def _paths(self) -> dict[str, int]:
        return {node["path"]: node["id"] for node in self.nodes}

    def node(self, key: int | str) -> dict[str, Any]:
        """A node by number or path. Raises KeyError for one that is not there."""
        is_path = isinstance(key, str) and not re.fullmatch("[0-9]{1,9}", key)
        number = self._paths.get(str(key)) if is_path else int(key)
        if number is None or not 0 <= number < len(self.nodes):
            raise KeyError(f"the trace has no node {key!r}; it has 0..{len(self.nodes) - 1}, or their paths")
        return self.nodes[number]

    def tensor(self, reference: int) -> Array:
        """The numbers behind a reference, in the dtype they travel in; read-only."""
        tensors = self.doc["tensors"]
        shape, start = tensors["shape"][reference], tensors["offset"][reference]
        data: Array = self._arenas[tensors["dtype"][reference]][start : start + int(np.prod(shape))].reshape(tuple(shape))
        return data

    def value(self, node: int) -> Array:
        """A node's value, in the node's dtype."""
        return self.tensor(self.nodes[node]["value"]).astype(self.nodes[node]["dtype"])

    def gradient(self, node: int) -> Array | None:
        """A node's complete gradient, or None where none arrived."""
        reference = self.nodes[node]["gradient"]
        return None if reference is None else self.tensor(reference)

    @property
    def seed(self) -> tuple[int, Array] | None:
        """Where the last sweep started: its event, and dL/dL in the shape of the loss. None where nothing was differentiated."""
        events = self.doc["events"]
        seed = events["kinds"].index("seed")
        found = [event for event, kind in enumerate(events["kind"]) if kind == seed]
        return (found[-1], self.tensor(events["tensor"][found[-1]])) if found else None

    @cached_property
    def _arrivals(self) -> dict[int, dict[tuple[int, int], tuple[int, int]]]:
        """Per target, its edges in order: (node, port) -> (event of arrival, reference of what is added or -1)."""
        events = self.doc["events"]
        kinds = events["kinds"]
        arrivals: dict[int, dict[tuple[int, int], tuple[int, int]]] = {}
        for event, kind in enumerate(events["kind"]):
            target = events["target"][event]
            if kinds[kind] == "seed":
                arrivals = {}  # sums start anew
            elif kinds[kind] in _ARRIVING:
                edges = arrivals.setdefault(target, {})
                edge = (events["node"][event], events["port"][event])
                reference = events["tensor"][event]
                if reference < 0 and edge in edges:
                    reference = edges[edge][1]
                edges[edge] = (event, reference)
        return arrivals

    def contributions(self, node: int) -> list[Contribution]:
        """What reached a node's gradient, in order of arrival; added up in this order they are exactly its gradient."""
        return [
            Contribution(consumer, port, node, event, self.tensor(reference) if reference >= 0 else self._linear_weight(consumer))
            for (consumer, port), (event, reference) in self._arrivals.get(node, {}).items()
        ]

    def _linear_weight(self, consumer: int) -> Array:
        """A linear op's contribution to its weight, where it was too large to be stored."""
        gradient, x = self.gradient(consumer), self.value(self.nodes[consumer]["inputs"][0])
        assert gradient is not None  # a contribution arrived, so its consumer had a gradient
        return gradient.reshape(-1, gradient.shape[-1]).T @ x.reshape(-1, x.shape[-1])

    def op(self, node: int) -> Op | None:
        """The op of a node, None for a leaf. Raises TapeError for an op that this engine does not know."""
        name = self.nodes[node]["op"]
        return None if name is None else known_op(name)

    def replay(self, overrides: Mapping[int, Any]) -> list[Array]:
        """The value of every node with some replaced, each in the shape of what it replaces. Raises ValueError for another shape."""
        for node, array in overrides.items():
            if list(np.shape(array)) != self.node(node)["shape"]:
                raise ValueError(f"replay: node {node} has shape {self.nodes[node]['shape']}; given shape {list(np.shape(array))}")
        return replay(
            [self.op(n) for n in range(len(self.nodes))],
            [tuple(node["inputs"]) for node in self.nodes],
            [node["attributes"] for node in self.nodes],
            [self.value(n) for n in range(len(self.nodes))],
            overrides,
        )
