"""From a tape and its backward run to the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from engine.backward import BackwardRun
from engine.events import LARGE, Placed, Product
from engine.ops import describe
from engine.ops.op import Array, Op
from engine.tape import Tape, attributes_of
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
        "ops": {op.name: _described(op) for op in dict.fromkeys(row[0] for row in tape.rows) if op is not None},
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
    document["id"] = content_id(document, arena.digests())
    return document


@cache  # an op is defined once
def _described(op: Op) -> Any:
    return plain(describe(op))


def _nodes(tape: Tape, run: BackwardRun, arena: Arena) -> list[dict[str, Any]]:
    seen: dict[str, int] = {}  # paths, and how many have come of a stem
    nodes = []
    for node, (row, value, requires) in enumerate(zip(tape.rows, tape.arrays, tape.requires, strict=True)):
        op, attributes, gradient = row[0], attributes_of(row), run.gradient(node)
        scope, time, _, _ = tape.where[3 * node]
        nodes.append(
            {
                "id": node,
                "path": _path(op, scope, tape.leaves.get(node), seen),
                "op": None if op is None else op.name,
                "label": tape.labels.get(node),
                "scope": scope,
                "time": time,
                "role": "loss" if node == run.node else tape.roles.get(node) or _role(op, requires),
                "inputs": list(row[3:]),
                "attributes": plain(attributes) if attributes else {},
                "shape": list(value.shape),
                "dtype": _dtype_name(value.dtype),
                "requires_grad": requires,
                "value": arena.add(value),
                "gradient": None if gradient is None else arena.add(gradient),
                "source": tape.source(node),
            }
        )
    return nodes


@cache
def _dtype_name(dtype: np.dtype[Any]) -> str:
    return dtype.name


def _path(op: Op | None, scope: str, leaf: Tensor | None, seen: dict[str, int]) -> str:
    """A leaf's name, or scope, op and occurrence in that scope; unlike every path before it."""
    if leaf is not None and leaf.name is not None:
        stem, path = leaf.name, leaf.name
    else:
        stem = "constant" if op is None else op.name
        stem = f"{scope}/{stem}" if scope else stem
        path = f"{stem}#{seen.get(stem, 0)}"
    while path in seen:
        seen[stem] = seen.get(stem, 0) + 1
        path = f"{stem}#{seen[stem]}"
    seen[path] = 1
    if stem != path:
        seen[stem] = seen.get(stem, 0) + 1
    return path


def _role(op: Op | None, requires: bool) -> str:
    return "intermediate" if op is not None else "parameter" if requires else "constant"


def _events(tape: Tape, arena: Arena) -> dict[str, Any]:
    log = tape.log
    tensors, details = [], {}
    for event, (kind, _, node, port, _, array, terms) in enumerate(log):
        if type(array) is Placed:
            array = array.whole()
        large = type(array) is Product or (
            kind == "vjp" and array is not None and array.size > LARGE and _is_linear_weight(tape, node, port)
        )
        tensors.append(-1 if array is None or large else arena.add(array))  # what is large is computed on demand
        if terms is not None:
            details[str(event)] = {"terms": {name: arena.add(value) for name, value in terms.items()}}
    kinds = [_KIND[event.kind] for event in log]
    return {
        "kinds": list(KINDS),
        "phases": list(PHASES),
        "messages": [f"event.{kind}" for kind in KINDS],
        "kind": kinds,
        "phase": [_PHASE[event.phase] for event in log],
        "node": [event.node for event in log],
        "port": [event.port for event in log],
        "target": [event.target for event in log],
        "tensor": tensors,
        "message": kinds,
        "details": details,
    }


def _is_linear_weight(tape: Tape, node: int, port: int) -> bool:
    op = tape.rows[node][0]
    return op is not None and op.name == "linear" and port == 1
