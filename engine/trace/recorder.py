"""From a tape and its backward run to the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from engine.backward import BackwardRun
from engine.events import LARGE, Placed, Product
from engine.ops import describe
from engine.ops.op import Array, Op
from engine.tape import Tape
from engine.tensor import Tensor
from engine.trace.arena import Arena
from engine.trace.identity import content_id
from engine.trace.serial import SCHEMA, plain

KINDS = ("forward", "zero_grad", "seed", "vjp", "unbroadcast", "accumulate", "clip", "update")
PHASES = ("forward", "loss", "backward", "update")
_KIND, _PHASE = ({name: number for number, name in enumerate(names)} for names in (KINDS, PHASES))


def record(
    tape: Tape, run: BackwardRun | int, *, program: Mapping[str, Any], batch: Mapping[str, Any] | None = None,
    after: Mapping[int, Array] | None = None, notes: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The trace document (docs/trace-format.md) of a TRACE tape.

    run: the backward run shown; or, of values alone, the node that is their result. program: what made it, normalised. batch: what the
    sequences are. after: values with the updated parameters, of the nodes that differ. notes: ``{"key", "params"}`` each.
    Raises ValueError for another level's tape or another tape's run.
    """
    if isinstance(run, int):
        run = BackwardRun(tape, run)  # no gradient has arrived anywhere
    elif not run.is_latest:
        raise ValueError("record shows a tape's latest backward run, since the events are of that; given an earlier one")
    if not tape.tracing or run.tape is not tape:
        raise ValueError(f"record takes a tape of level TRACE and a backward run of that tape; given level {tape.level}")
    arena = Arena()
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "schema_version": 1,
        "id": "",
        "program": plain(program),
        "ops": {op.name: _described(op) for op in dict.fromkeys(tape.ops) if op is not None},
        "rules": plain(tape.rules),
        "nodes": _nodes(tape, run, arena),
        "loss": run.node,
        "events": _events(tape, arena),
        "tensors": {},
        "batch": None if batch is None else plain(batch),
        "after": None if after is None else {"values": {str(node): arena.add(value) for node, value in after.items()}},
        "notes": plain(notes),
    }
    document["tensors"] = arena.document()
    document["id"] = content_id(document)
    return document


@cache  # an op is defined once
def _described(op: Op) -> Any:
    return plain(describe(op))


def _nodes(tape: Tape, run: BackwardRun, arena: Arena) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    nodes = []
    columns = zip(tape.ops, tape.inputs, tape.attributes, tape.values, tape.requires, tape.scopes, tape.times, strict=True)
    for node, (op, inputs, attributes, value, requires, scope, time) in enumerate(columns):
        gradient = run.gradient(node)
        nodes.append(
            {
                "id": node,
                "path": _path(op, scope, tape.leaves.get(node), seen),
                "op": None if op is None else op.name,
                "label": tape.labels.get(node),
                "scope": scope,
                "time": time,
                "role": "loss" if node == run.node else tape.roles.get(node) or _role(op, requires),
                "inputs": list(inputs),
                "attributes": plain(attributes) if attributes else {},
                "shape": list(value.shape),
                "dtype": value.dtype.name,
                "requires_grad": requires,
                "value": arena.add(value),
                "gradient": None if gradient is None else arena.add(gradient),
                "source": tape.source(node),
            }
        )
    return nodes


def _path(op: Op | None, scope: str, leaf: Tensor | None, seen: Counter[str]) -> str:
    """A leaf's name, or scope, op and occurrence in that scope; unlike every path before it."""
    if leaf is not None and leaf.name is not None:
        stem, path = leaf.name, leaf.name
    else:
        stem = "constant" if op is None else op.name
        stem = f"{scope}/{stem}" if scope else stem
        path = f"{stem}#{seen[stem]}"
    while seen[path]:
        seen[stem] += 1
        path = f"{stem}#{seen[stem]}"
    seen[path] += 1
    if stem != path:
        seen[stem] += 1
    return path


def _role(op: Op | None, requires: bool) -> str:
    return "intermediate" if op is not None else "parameter" if requires else "constant"


def _events(tape: Tape, arena: Arena) -> dict[str, Any]:
    columns: dict[str, list[int]] = {name: [] for name in ("kind", "phase", "node", "port", "target", "tensor", "message")}
    messages = [f"event.{kind}" for kind in KINDS]
    details: dict[str, Any] = {}
    add = {name: column.append for name, column in columns.items()}
    for event, (kind, phase, node, port, target, array, terms) in enumerate(tape.log):
        if isinstance(array, Placed):
            array = array.whole()
        large = isinstance(array, Product) or (
            kind == "vjp" and array is not None and array.size > LARGE and _is_linear_weight(tape, node, port)
        )  # computed on demand
        number = _KIND[kind]
        add["kind"](number)
        add["phase"](_PHASE[phase])
        add["node"](node)
        add["port"](port)
        add["target"](target)
        add["tensor"](-1 if array is None or large else arena.add(array))
        add["message"](number)
        if terms is not None:
            details[str(event)] = {"terms": {name: arena.add(value) for name, value in terms.items()}}
    return {"kinds": list(KINDS), "phases": list(PHASES), "messages": messages, **columns, "details": details}


def _is_linear_weight(tape: Tape, node: int, port: int) -> bool:
    op = tape.ops[node]
    return op is not None and op.name == "linear" and port == 1
