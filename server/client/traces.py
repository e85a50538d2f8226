"""Traces: made, read as arrays, explained, changed, compared."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Generic, Literal, overload

import numpy as np

from server.client.arrays import Array, from_bytes, unpacked
from server.client.errors import NoNumbersError, NoSuchNodeError
from server.client.figures import Figure
from server.client.flow import Flow, Part, S, operation, segment

Detail = Literal["inline", "stats", "none"]
COLUMNS = ("kind", "phase", "node", "port", "target", "tensor")


@dataclass(frozen=True)
class Node:
    """A number of the graph (docs/trace-format.md, Nodes). value, gradient: references; None where there is none."""

    id: int
    path: str
    op: str | None
    label: str | None
    scope: str
    time: int | None
    role: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: str
    requires_grad: bool
    value: int | None
    gradient: int | None
    attributes: Mapping[str, Any]


Which = int | str | Node  # a node by its id, its path, or itself


@dataclass(frozen=True)
class Event:
    """Something that happened (docs/trace-format.md, Events). -1 is for none; terms: references, of clipping and updates."""

    number: int
    kind: str
    phase: str
    node: int
    port: int
    target: int
    tensor: int
    terms: Mapping[str, int]


class Events(Sequence[Event]):
    """The film: all that happened, in order. columns: the same as arrays, (events,) int64 each, with `kinds` and `phases` to read them."""

    def __init__(self, events: Mapping[str, Any]) -> None:
        self.kinds: tuple[str, ...] = tuple(events["kinds"])
        self.phases: tuple[str, ...] = tuple(events["phases"])
        self.columns: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {name: np.array(events[name], dtype=np.int64) for name in COLUMNS}
        self.numbers = np.array(events.get("number", range(len(events["kind"]))), dtype=np.int64)
        self._details: Mapping[str, Any] = events.get("details", {})

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        number = int(self.numbers[index])
        kind, phase, node, port, target, tensor = (int(self.columns[name][index]) for name in COLUMNS)
        terms = self._details.get(str(number), {}).get("terms", {})
        return Event(number, self.kinds[kind], self.phases[phase], node, port, target, tensor, terms)


class Traces(Part[S], Generic[S]):
    """The traces of a server."""

    @operation
    def create(self, program: Mapping[str, Any], *, tensors: Detail = "inline") -> Flow[Trace[S]]:
        """The trace of a program, such as `{"kind": "expression", "expression": "w*x", "inputs": {"w": 2, "x": 3}, "wrt": ["w"]}`.

        tensors: with all numbers, with their statistics alone, or with neither, for a trace that is too large to be sent whole.
        """
        return Trace(
            self._transport, (yield from self._json("POST", "/traces", params={"tensors": tensors}, body={"program": dict(program)}))
        )

    @operation
    def get(
        self, trace_id: str, *, tensors: Detail | None = None, scope: str | None = None, events: tuple[int, int] | None = None
    ) -> Flow[Trace[S]]:
        """A stored trace, or a part of it: of a scope such as `gru/t=3`, or some events, from and to. Raises NotFoundError."""
        params = {"tensors": tensors, "scope": scope, "events": None if events is None else f"{events[0]}:{events[1]}"}
        return Trace(self._transport, (yield from self._json("GET", f"/traces/{segment(trace_id)}", params=params)))

    @operation
    def list(self, most: int | None = 50) -> Flow[tuple[dict[str, Any], ...]]:
        """What is stored, the newest first, each with `id`, `program`, `created`, `bytes`, `pinned`."""
        return tuple((yield from self._items("/traces", most)))


class Trace(Part[S], Generic[S]):
    """The record of one training step, or of an expression with its gradients. It never changes.

    document: as docs/trace-format.md has it. Arrays are the server's numbers bit for bit, and cannot be written to.
    """

    def __init__(self, transport: S, document: dict[str, Any]) -> None:
        super().__init__(transport)
        self.document = document
        self.id: str = document["id"]
        self.program: dict[str, Any] = document["program"]
        self.batch: dict[str, Any] | None = document["batch"]

    def __repr__(self) -> str:
        return f"<Trace {self.id[:19]}…: {self.program['kind']}, {len(self.nodes)} nodes, {len(self.events)} events>"

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The graph in the order in which it is computed; of a part, its own."""
        return tuple(_node(node) for node in self.document["nodes"])

    @cached_property
    def events(self) -> Events:
        """The film."""
        return Events(self.document["events"])

    @property
    def loss(self) -> float:
        """The loss."""
        return float(self.tensor(self.document["loss"]))

    @property
    def parameters(self) -> dict[str, Array]:
        """The value of every parameter by its path."""
        return {node.path: self.tensor(node) for node in self.nodes if node.role == "parameter"}

    @property
    def gradients(self) -> dict[str, Array]:
        """The gradient of every parameter that has one by its path, before clipping."""
        return {node.path: self.gradient(node) for node in self.nodes if node.role == "parameter" and node.gradient is not None}

    def node(self, which: Which) -> Node:
        """A node by its id or its path. Raises NoSuchNodeError."""
        if isinstance(which, Node):
            return which
        node = self._by_id.get(which) if isinstance(which, int) else self._by_path.get(which)
        if node is None:
            near = difflib.get_close_matches(which, self._by_path, 1) if isinstance(which, str) else []
            parameters = ", ".join(node.path for node in self.nodes if node.role == "parameter")
            meant = f"; did you mean {near[0]}?" if near else f"; its parameters are {parameters}" if parameters else ""
            raise NoSuchNodeError(f"the trace has no node {which!r}{meant}")
        return node

    def find(
        self, *, label: str | None = None, time: int | None = None, scope: str | None = None, role: str | None = None, op: str | None = None
    ) -> Iterator[Node]:
        """The nodes that are as asked for, in order, such as `find(label="h", time=3)`."""
        wanted = {"label": label, "time": time, "scope": scope, "role": role, "op": op}
        asked = {name: value for name, value in wanted.items() if value is not None}
        return (node for node in self.nodes if all(getattr(node, name) == value for name, value in asked.items()))

    def tensor(self, which: Which) -> Array:
        """The value of a node."""
        node = self.node(which)
        if node.value is None:
            raise NoSuchNodeError(f"{node.path} has no value")
        return self.reference(node.value)

    def gradient(self, which: Which) -> Array:
        """dL/d of a node, complete. Raises NoSuchNodeError where no gradient reaches it."""
        node = self.node(which)
        if node.gradient is None:
            raise NoSuchNodeError(f"no gradient reaches {node.path}; `node.gradient is not None` tells those that have one")
        return self.reference(node.gradient)

    def after(self, which: Which) -> Array:
        """The value of a node in the forward pass with the updated parameters. Raises NoSuchNodeError where there is none."""
        node = self.node(which)
        values: Mapping[str, int] = (self.document["after"] or {}).get("values", {})
        if str(node.id) not in values:
            raise NoSuchNodeError(f"{node.path} was not computed again: it does not depend on an updated parameter")
        return self.reference(values[str(node.id)])

    def update(self, which: Which) -> dict[str, Array]:
        """The terms of a parameter's update by their names, from `gradient` to `new`. Raises NoSuchNodeError where there is none."""
        node = self.node(which)
        for event in self.events:
            if event.kind == "update" and event.node == node.id:
                return {name: self.reference(reference) for name, reference in event.terms.items()}
        raise NoSuchNodeError(f"{node.path} is not updated in this trace")

    def reference(self, reference: int) -> Array:
        """The array that a reference names. Raises NoNumbersError for a trace without its numbers."""
        tensors = self.document["tensors"]
        code, shape = tensors["dtypes"][tensors["dtype"][reference]], tensors["shape"][reference]
        if code not in self._arenas:
            raise NoNumbersError("this trace came without its numbers; `fetch` reads one tensor, or get the trace with tensors='inline'")
        offset = tensors["offset"][reference]
        return self._arenas[code][offset : offset + int(np.prod(shape, dtype=np.int64))].reshape(shape)

    @operation
    def fetch(self, which: Which, of: Literal["value", "gradient"] = "value") -> Flow[Array]:
        """The value or the gradient of a node, read from the server: for a trace that came without its numbers."""
        node = self.node(which)
        reference = node.value if of == "value" else node.gradient
        if reference is None:
            raise NoSuchNodeError(f"{node.path} has no {of}")
        whole = self.document["tensors"].get("reference")  # of a part: what the whole trace calls it
        number = reference if whole is None else whole[reference]
        answer = yield from self._ask("GET", f"/traces/{self.id}/tensors/{number}", params={"format": "raw"})
        shape = [int(size) for size in answer.headers["X-Tensor-Shape"].split(",") if size]
        return from_bytes(answer.content, answer.headers["X-Tensor-Dtype"], shape)

    @operation
    def why(self, which: Which, index: Sequence[int] | None = None) -> Flow[dict[str, Any]]:
        """Why this number: of a whole node, or of one of its elements (docs/api.md, Why)."""
        params = {"index": None if index is None else ",".join(map(str, index))}
        return (yield from self._object("GET", f"/nodes/{self.node(which).id}", params))

    @operation
    def check(self, which: Which, index: Sequence[int] = ()) -> Flow[dict[str, Any]]:
        """One element of a gradient beside its central difference."""
        return (yield from self._object("POST", f"/nodes/{self.node(which).id}/check", None, {"index": [*index]}))

    @operation
    def bptt(self, *, row: int | None = None, parameter: str | None = None, cell: str | None = None) -> Flow[dict[str, Any]]:
        """Back-propagation through time, itemised (docs/api.md)."""
        return (yield from self._object("GET", "/bptt", {"row": row, "parameter": parameter, "cell": cell}))

    @operation
    def what_if(self, edits: Sequence[Mapping[str, Any]], *, tensors: Detail = "inline") -> Flow[Trace[S]]:
        """This trace with some values changed, all of it computed again (docs/api.md, What if)."""
        body = {"edits": [dict(edit) for edit in edits]}
        answer = yield from self._json("POST", f"/traces/{self.id}/what-if", params={"tensors": tensors}, body=body)
        return Trace(self._transport, answer)

    @operation
    def diff(self, other: Trace[S] | str) -> Flow[dict[str, Any]]:
        """What differs in another trace, node by node of the same path; what is equal is left out (docs/api.md, What if)."""
        return (yield from self._object("GET", f"/diff/{segment(other if isinstance(other, str) else other.id)}"))

    @operation
    def figure(
        self, name: Literal["gradient-through-time", "bptt", "gradient-histogram", "update"], *, lang: Literal["en", "zh"] = "en",
        row: int | None = None, parameter: str | None = None, of: Literal["loss", "jacobian"] | None = None, cell: str | None = None,
    ) -> Flow[Figure]:  # fmt: skip
        """A figure of the trace (docs/api.md, Figures of traces)."""
        params = {"lang": lang, "row": row, "parameter": parameter, "of": of, "cell": cell}
        return Figure((yield from self._object("GET", f"/figures/{name}", params)))

    @operation
    def export(self, form: str) -> Flow[bytes]:
        """The trace as a file: dot, mermaid, graphml, model-explorer, html, npz or onnx (docs/api.md, Exports)."""
        return (yield from self._ask("GET", f"/traces/{self.id}/export/{segment(form)}")).content

    @operation
    def save(self, path: str | PathLike[str], form: str) -> Flow[Path]:
        """Writes what `export` gives to a file. One that is there is replaced."""
        target = Path(path)
        target.write_bytes((yield from self._ask("GET", f"/traces/{self.id}/export/{segment(form)}")).content)
        return target

    @operation
    def delete(self) -> Flow[None]:
        """Deletes the stored trace. This one here stays as it is."""
        yield from self._ask("DELETE", f"/traces/{self.id}")

    @cached_property
    def _by_id(self) -> dict[int, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _by_path(self) -> dict[str, Node]:
        return {node.path: node for node in self.nodes}

    @cached_property
    def _arenas(self) -> dict[str, Array]:
        return {code: unpacked(arena) for code, arena in self.document["tensors"]["arenas"].items()}

    def _object(self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None) -> Flow[dict[str, Any]]:
        answer: dict[str, Any] = yield from self._json(method, f"/traces/{self.id}{path}", params=params, body=body)
        return {name: value for name, value in answer.items() if name != "schema_version"}


def _node(node: Mapping[str, Any]) -> Node:
    return Node(
        node["id"], node["path"], node["op"], node["label"], node["scope"], node["time"], node["role"], tuple(node["inputs"]),
        tuple(node["shape"]), node["dtype"], node["requires_grad"], node["value"], node["gradient"], node["attributes"],
    )  # fmt: skip
