"""A graph that another program recorded becomes a trace: computed again and compared, or accepted as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from engine import Tape, TapeError, Tensor, apply
from engine.nearest import meant, near
from engine.ops import REGISTRY
from engine.ops.op import Array
from engine.tensor import many
from engine.told import Told, after
from engine.trace import record
from server import limits
from server.programs.attributes import check_attributes
from server.programs.errors import LimitError, ProgramError
from server.programs.operations import REFUSALS, check_count, without_signature
from server.programs.sizes import bound
from server.schemas.graph import to_array

_REFUSALS = (*REFUSALS, AttributeError, LookupError)  # attributes of any kind may come
_NODES, _EDGES = "/program/nodes", "/program/edges"
_NUMBERS = 4  # in a trace, about, for each number of a value: itself, its gradient, and what goes on to its inputs


def trace_graph(program: Mapping[str, Any], most_elements: int = limits.TRACE_ELEMENTS) -> dict[str, Any]:
    """The trace of a graph program. Its nodes are the program's, in the program's order once that is normalised (`normalised`).

    Raises ProgramError for a graph that is none, or that cannot be computed, or whose values differ; LimitError for one that is too large.
    """
    program, places = normalised(program)
    with Tape(level="TRACE") as tape, np.errstate(all="ignore"):
        graph = _Graph(program, places, most_elements)
        for number in range(len(program["nodes"])):
            graph.add(tape, number)
        loss, notes = graph.tensors[graph.loss], []
        if graph.difference is not None:
            difference, node = graph.difference
            notes.append({"key": "note.graph_difference", "params": {"difference": difference, "node": node}})
        if program["forward"] == "accept":
            return record(tape, loss.node, program=program, notes=notes)
        if loss.shape:
            notes.append({"key": "note.summed_loss", "params": {"shape": list(loss.shape)}})
            with tape.phase("loss"):
                loss = tape.label(loss.sum(), "L")
        tape.roles[loss.node] = "loss"
        try:
            run = loss.backward()
        except TapeError:
            detail = "the loss does not depend on a parameter; give a leaf that it depends on the role parameter, or forward: accept"
            raise ProgramError(Told(detail, "graph-independent"), "/program/loss") from None
        except _REFUSALS as error:  # an operation whose gradient is of no use for numbers of these types
            raise ProgramError(after("the gradients cannot be computed: ", str(error)), "/program/loss") from None
    return record(tape, run, program=program, notes=notes)


def check_nodes(count: int, most: int) -> None:
    """Raises LimitError for a graph of more nodes than may be."""
    if count > most:
        words = f"the graph has {count:,} nodes, at most {most:,} are kept; give a part of it"
        raise LimitError(Told(words, "graph-nodes", given=count, most=most), most, count, _NODES)


def normalised(program: Mapping[str, Any]) -> tuple[dict[str, Any], list[int]]:
    """The program with its nodes in the order of the trace, and every port and the loss written out; and where each node stood before.

    The order is the given one where inputs come before what is computed from them. Raises ProgramError for nodes and edges that make
    no graph of operations.
    """
    nodes = program["nodes"]
    places: dict[str, int] = {}
    for number, node in enumerate(nodes):
        if node["id"] in places:
            other = places[node["id"]]
            words = f"node {other} has this id already; ids name one node each"
            raise ProgramError(Told(words, "graph-id", node=number, other=other), f"{_NODES}/{number}/id")
        places[node["id"]] = number
        _check_node(node, number, program["forward"])
    inputs, edges = _inputs(program["edges"], nodes, places)
    order = list(range(len(nodes)))
    if any(source >= target for target, sources in enumerate(inputs) for source in sources):
        order = _sorted(inputs, program["edges"], places)
    if program["loss"] is not None and program["loss"] not in places:
        raise ProgramError(Told("the graph has no node of this id", "graph-loss"), "/program/loss")
    loss = nodes[order[-1]]["id"] if program["loss"] is None else program["loss"]
    if nodes[places[loss]]["op"] is None:
        words = "the loss is a leaf, which computes nothing; name a node that has an op"
        raise ProgramError(Told(words, "graph-loss-leaf"), "/program/loss")
    return {**program, "nodes": [nodes[number] for number in order], "edges": edges, "loss": loss}, order


def _check_node(node: Mapping[str, Any], number: int, forward: str) -> None:
    pointer = f"{_NODES}/{number}"
    if node["op"] is None:
        if node["value"] is None:
            words = "a node without op is a leaf, and needs its value"
            raise ProgramError(Told(words, "graph-leaf-value", node=number), f"{pointer}/value")
        if node["attributes"]:
            words = "a leaf has no attributes; name its op, or leave them out"
            raise ProgramError(Told(words, "graph-leaf-attributes", node=number), f"{pointer}/attributes")
        return
    op = REGISTRY.get(node["op"])
    if op is None or op.hidden:
        known = sorted(name for name, op in REGISTRY.items() if not op.hidden)
        found = near(node["op"], known)
        words = f"there is no operation of this name; {meant(found)}GET /api/v1/ops lists all"
        raise ProgramError(Told(words, "graph-operation", node=number, nearest=found), f"{pointer}/op")
    if node["role"] is not None:
        raise ProgramError(Told("a role is of leaves; leave it out, or the op", "graph-role", node=number), f"{pointer}/role")
    if forward == "accept" and node["value"] is None:
        words = "to be accepted as it is, every node needs its value"
        raise ProgramError(Told(words, "graph-value", node=number), f"{pointer}/value")


def _inputs(edges: Sequence[Mapping[str, Any]], nodes: Sequence[Mapping[str, Any]],
            places: Mapping[str, int]) -> tuple[list[list[int]], list[dict[str, Any]]]:  # fmt: skip
    """For each node the numbers of its inputs, port by port; and the edges with their ports."""
    ports: list[dict[int, int]] = [{} for _ in nodes]
    written = []
    for number, edge in enumerate(edges):
        pointer = f"{_EDGES}/{number}"
        for end in ("from", "to"):
            if edge[end] not in places:
                words = "this end of the edge dangles: the graph has no node of this id"
                raise ProgramError(Told(words, "graph-dangling", edge=number), f"{pointer}/{end}")
        source, target = places[edge["from"]], places[edge["to"]]
        if nodes[target]["op"] is None:
            words = f"node {target} is a leaf, which takes nothing in; give it an op, or leave the edge out"
            raise ProgramError(Told(words, "graph-leaf-input", edge=number, node=target), f"{pointer}/to")
        port = edge["port"] if edge["port"] is not None else next(p for p in range(len(edges)) if p not in ports[target])
        if port in ports[target]:
            words = f"node {target} has another edge at port {port}; give each input a port of its own"
            raise ProgramError(Told(words, "graph-port-taken", edge=number, node=target, port=port), f"{pointer}/port")
        ports[target][port] = source
        written.append({"from": edge["from"], "to": edge["to"], "port": port})
    for number, (node, given) in enumerate(zip(nodes, ports, strict=True)):
        if sorted(given) != list(range(len(given))):
            missing = next(port for port in range(len(given)) if port not in given)
            words = f"no edge arrives at port {missing} of this node, which has edges at later ones"
            raise ProgramError(Told(words, "graph-port-missing", node=number, port=missing), f"{_NODES}/{number}")
        if node["op"] is not None and not given:
            words = "no edge arrives at this node, which has an op; give it inputs, or a value and no op"
            raise ProgramError(Told(words, "graph-no-input", node=number), f"{_NODES}/{number}")
    return [[given[port] for port in range(len(given))] for given in ports], written


def _sorted(inputs: Sequence[Sequence[int]], edges: Sequence[Mapping[str, Any]], places: Mapping[str, int]) -> list[int]:
    sorter: TopologicalSorter[int] = TopologicalSorter(dict(enumerate(inputs)))
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = error.args[1]  # each is an input of the next
        first = next(n for n, edge in enumerate(edges) if (places[edge["from"]], places[edge["to"]]) == (cycle[0], cycle[1]))
        shown = ", ".join(map(str, cycle[:10])) + (", ..." if len(cycle) > 10 else "")
        words = f"the edges make a cycle: nodes {shown}; a graph is computed from its leaves on"
        raise ProgramError(Told(words, "graph-cycle", nodes=shown), f"{_EDGES}/{first}") from None
    order: list[int] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


class _Graph:
    """A graph while it is put on a tape. places: where each node of the program stood in the request, for pointers."""

    def __init__(self, program: Mapping[str, Any], places: Sequence[int], most_elements: int) -> None:
        self.program, self.nodes, self.places = program, program["nodes"], places
        numbers = {node["id"]: number for number, node in enumerate(self.nodes)}
        self.loss = numbers[program["loss"]]
        self.inputs: list[dict[int, int]] = [{} for _ in self.nodes]
        for edge in program["edges"]:
            self.inputs[numbers[edge["to"]]][edge["port"]] = numbers[edge["from"]]
        self.tensors: list[Tensor] = []
        self.difference: tuple[float, int] | None = None  # the largest of a recorded value, and where
        self.most, self.elements = most_elements, 0

    def add(self, tape: Tape, number: int) -> None:
        """Puts a node on the tape."""
        node, pointer = self.nodes[number], f"{_NODES}/{self.places[number]}"
        try:
            given = None if node["value"] is None else to_array(node["value"], node["dtype"])
        except ValueError as error:
            raise ProgramError(str(error), f"{pointer}/value") from None
        if node["op"] is None:
            assert given is not None  # normalised
            self._count(given.size, pointer)
            tensor = self._leaf(tape, number, given, pointer)
        else:
            with tape.scope(node["scope"], node["time"]), tape.phase("loss" if number == self.loss else "forward"):
                tensor = self._compute(node, number, given, pointer)
        label = node["label"] or (node["id"] if node["id"].isidentifier() and len(node["id"]) <= limits.INPUT_NAME_CHARACTERS else None)
        if label is not None:
            tape.label(tensor, label)
        self.tensors.append(tensor)

    def _leaf(self, tape: Tape, number: int, value: Array, pointer: str) -> Tensor:
        node = self.nodes[number]
        role = node["role"] or "input"
        wanted = role == "parameter" and self.program["forward"] == "recompute"
        if role == "parameter" and value.dtype.kind != "f":
            words = "a parameter is of floating point numbers, which have gradients"
            raise ProgramError(Told(words, "graph-parameter", node=self.places[number]), f"{pointer}/dtype")
        tensor = Tensor(value, requires_grad=wanted, name=node["id"])
        tape.roles[tape.node_of(tensor)] = role
        return tensor

    def _compute(self, node: Mapping[str, Any], number: int, given: Array | None, pointer: str) -> Tensor:
        name, attributes = node["op"], node["attributes"]
        operands = [self.tensors[self.inputs[number][port]] for port in range(len(self.inputs[number]))]
        accept = self.program["forward"] == "accept"
        try:
            check_count(name, len(operands))
            check_attributes(name, attributes)
            self._count(bound(name, operands, attributes), pointer)
            if accept:
                with Tape("OFF"):
                    result = apply(name, *operands, **attributes)
            else:
                result = apply(name, *operands, **attributes)
        except _REFUSALS as error:
            raise ProgramError(without_signature(name, error), pointer) from None
        if len(result.shape) > limits.INPUT_DIMENSIONS:
            given_dimensions, most = len(result.shape), limits.INPUT_DIMENSIONS
            words = f"the result has {given_dimensions} dimensions, at most {most} are kept"
            raise ProgramError(Told(words, "expression-dimensions", given=given_dimensions, most=most), pointer)
        if given is not None:
            self._compare(given, result.data, number, f"{pointer}/value")
        return self._accepted(node, operands, result, pointer) if accept else result

    def _accepted(self, node: Mapping[str, Any], operands: Sequence[Tensor], computed: Tensor, pointer: str) -> Tensor:
        """The value of a node as it was recorded, in the dtype that its operation gives."""
        try:
            value = to_array(node["value"], computed.dtype.name)
        except ValueError as error:
            raise ProgramError(str(error), f"{pointer}/value") from None
        return many(REGISTRY[node["op"]], operands, node["attributes"], value, None)

    def _compare(self, given: Array, computed: Array, number: int, pointer: str) -> None:
        if given.shape != computed.shape:
            recorded, found = str(list(given.shape)), str(list(computed.shape))
            words = f"the recorded value has shape {recorded}; computed it has {found}"
            raise ProgramError(Told(words, "graph-shape", node=self.places[number], recorded=recorded, computed=found), pointer)
        a, b = given.astype(np.float64), computed.astype(np.float64)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        apart = np.where(same, 0.0, np.abs(a - b) / np.maximum(1.0, np.abs(b)))
        largest = float(np.where(np.isnan(apart), np.inf, apart).max(initial=0.0))
        if self.difference is None or largest > self.difference[0]:
            self.difference = (largest, number)
        if self.program["forward"] == "recompute" and largest > self.program["tolerance"]:
            apart_by = f"the recorded value differs from what {self.nodes[number]['op']} of its inputs gives by {largest:.3g}"
            todo = "see that op and attributes are the same, give a larger tolerance, or forward: accept"
            tolerance = f"{self.program['tolerance']:g}"
            words = f"{apart_by}, more than the tolerance of {tolerance}; {todo}"
            node, op, difference = self.places[number], self.nodes[number]["op"], f"{largest:.3g}"
            raise ProgramError(Told(words, "graph-differs", node=node, op=op, difference=difference, tolerance=tolerance), pointer)

    def _count(self, elements: int, pointer: str) -> None:
        self.elements += _NUMBERS * elements
        if self.elements > self.most:
            held = f"the trace would hold about {self.elements:,} numbers with this node, at most {self.most:,} are kept"
            words = Told(f"{held}; give a smaller graph", "graph-numbers", given=self.elements, most=self.most)
            raise LimitError(words, self.most, self.elements, pointer)
