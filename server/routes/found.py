"""What an address names, or 404."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from engine.nearest import nearest
from engine.told import Told
from engine.trace import Document
from server.problems import ProblemError

T = TypeVar("T")
Kind = Literal["run", "trace", "upload", "dataset", "sweep"]


def found(thing: T | None, kind: Kind) -> T:
    """The thing. Raises ProblemError where the store has none."""
    if thing is None:
        raise missing(kind)
    return thing


def missing(kind: Kind) -> ProblemError:
    makes, lists = f"POST /api/v1/{kind}s makes one", "those there are" if kind == "trace" else "your own"
    return ProblemError(404, Told(f"there is no such {kind}; GET /api/v1/{kind}s lists {lists}, {makes}", f"no-{kind}"))


def node_of(document: Document, key: str, role: str | None = None) -> dict[str, Any]:
    """A trace's node by id or path. Raises ProblemError where there is none. role: of the nodes that one of them was probably meant."""
    try:
        return document.node(key)
    except KeyError:
        nodes = [node for node in document.nodes if role in (None, node["role"])]
        called = [node["path"] for node in nodes if node["label"] == key]
        meant = f"did you mean {called[-1]}? " if called else nearest(key, (node["path"] for node in nodes))
        detail = f"the trace has no such node; {meant}its nodes are 0 to {len(document.nodes) - 1}, or their paths"
        raise ProblemError(404, detail) from None
