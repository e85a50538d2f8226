"""A part of a trace: in the same format, with fewer nodes, events or numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import numpy as np

from engine.trace.arena import Arena, encode
from engine.trace.document import Document

Detail = Literal["inline", "stats", "none"]
Range = tuple[int | None, int | None]
_COLUMNS = ("kind", "phase", "node", "port", "target", "tensor", "message")
STATISTICS = ("min", "max", "mean", "norm", "nonfinite")


class NoSuchPartError(ValueError):
    """The trace has no nodes of this scope, or no events of this range."""


def part_of(document: Document, tensors: Detail = "inline", scope: str | None = None, events: Range | None = None) -> dict[str, Any]:
    """The part of a trace, a document of the same format (docs/trace-format.md, "Parts").

    tensors: "stats" leaves the arenas out, "none" the statistics too. scope: the nodes of this scope and of those within it, and the events
    that touch them. events: first and end (exclusive) of the events that are kept, None for the trace's own.
    Raises NoSuchPartError, a ValueError, where there is nothing of the kind.
    """
    doc = document.doc
    found = dict(doc)
    if scope is not None or events is not None:
        nodes = _within(document, scope)
        first, end = _range(len(doc["events"]["kind"]), events or (None, None))
        kept = _events_of(doc["events"], range(first, end), None if scope is None else {node["id"] for node in nodes})
        found |= _reduced(document, nodes, kept)
        found["part"] = {"scope": scope, "events": [first, end], "nodes": len(doc["nodes"]), "all_events": len(doc["events"]["kind"])}
    if tensors != "inline":
        found["tensors"] = {**found["tensors"], "arenas": {}}
        found["part"] = {**found.get("part", {}), "tensors": tensors}
    if tensors == "none":
        found["tensors"]["statistics"] = {name: encode(np.empty(0, np.int32 if name == "nonfinite" else np.float64)) for name in STATISTICS}
    return found


def _within(document: Document, scope: str | None) -> list[dict[str, Any]]:
    if scope is None:
        return document.nodes
    nodes = [node for node in document.nodes if node["scope"] == scope or node["scope"].startswith(f"{scope}/")]
    if not nodes:
        known = sorted({node["scope"].partition("/")[0] for node in document.nodes if node["scope"]})
        raise NoSuchPartError(f"the trace has no node of this scope; its outermost scopes are {', '.join(known) or 'none'}")
    return nodes


def _range(count: int, events: Range) -> tuple[int, int]:
    first, end = 0 if events[0] is None else events[0], count if events[1] is None else min(events[1], count)
    if not 0 <= first <= end:
        raise NoSuchPartError(f"events are {first}:{end}; the trace has events 0 to {count - 1}, and a range starts before it ends")
    return first, end


def _events_of(events: Mapping[str, Any], numbers: Iterable[int], nodes: Collection[int] | None) -> list[int]:
    """The numbers of the events that touch some nodes; of all where `nodes` is None."""
    if nodes is None:
        return list(numbers)
    return [event for event in numbers if events["node"][event] in nodes or events["target"][event] in nodes]


def _reduced(document: Document, nodes: list[dict[str, Any]], kept: list[int]) -> dict[str, Any]:
    """Nodes and events with the tensors that they name, numbered anew: `reference` tells what each is called in the whole trace."""
    doc, arena = document.doc, Arena()
    originals: dict[int, int] = {}  # new reference -> the whole trace's

    def moved(reference: int | None) -> int | None:
        if reference is None or reference < 0:
            return reference
        new = arena.add(document.tensor(reference))
        originals.setdefault(new, reference)
        return new

    events = doc["events"]
    columns = {name: [events[name][event] for event in kept] for name in _COLUMNS}
    columns["tensor"] = [moved(reference) for reference in columns["tensor"]]
    details = {
        number: {**about, "terms": {name: moved(reference) for name, reference in about["terms"].items()}}
        for number, about in ((str(event), events["details"].get(str(event))) for event in kept) if about is not None
    }  # fmt: skip
    numbers = {node["id"] for node in nodes}
    after = None if doc["after"] is None else {
        "values": {node: moved(reference) for node, reference in doc["after"]["values"].items() if int(node) in numbers}
    }  # fmt: skip
    reduced = [{**node, "value": moved(node["value"]), "gradient": moved(node["gradient"])} for node in nodes]
    occurring = {node["op"] for node in nodes}
    return {
        "nodes": reduced,
        "ops": {name: op for name, op in doc["ops"].items() if name in occurring},
        "events": {**events, **columns, "details": details, "number": kept},
        "after": after,
        "tensors": {**arena.document(), "reference": [originals[new] for new in range(len(originals))]},
    }
