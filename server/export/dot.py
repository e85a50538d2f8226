"""Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import graphviz  # type: ignore[import-untyped]

from engine.trace import Document
from server.export.drawing import Card, Group, grouped, title_of

_SHAPES = {"parameter": "box", "input": "ellipse", "constant": "plaintext", "loss": "doubleoctagon", "probe": "note"}


def write(document: Document) -> bytes:
    """A digraph, forward from left to right; the label of an edge is its port where a node has several inputs."""
    graph = graphviz.Digraph("trace")
    graph.attr(rankdir="LR", label=_text(title_of(document)), labelloc="t", fontname="Helvetica")
    graph.attr("node", fontname="Helvetica", shape="box", style="rounded")
    root = grouped(document)
    _fill(graph, root, iter(range(len(document.nodes) + 1)))
    for node in document.nodes:
        for port, source in enumerate(node["inputs"]):
            graph.edge(f"n{source}", f"n{node['id']}", **({"headlabel": str(port)} if len(node["inputs"]) > 1 else {}))
    return str(graph.source).encode()


def _fill(graph: Any, group: Group, numbers: Iterator[int]) -> None:
    for card in group.cards:
        _node(graph, card)
    for inner in group.groups.values():
        with graph.subgraph(name=f"cluster_{next(numbers)}") as cluster:
            cluster.attr(label=_text(inner.name))
            _fill(cluster, inner, numbers)


def _node(graph: Any, card: Card) -> None:
    graph.node(f"n{card.id}", label=_text(*card.lines), **({"shape": _SHAPES[card.role]} if card.role in _SHAPES else {}))


def _text(*lines: str) -> str:
    """Lines of text as a label: never read as HTML, backslashes and quotes as they are."""
    label: str = graphviz.nohtml(r"\n".join(graphviz.escape(line) for line in lines))
    return label
