"""Mermaid's flowcharts."""

from __future__ import annotations

from collections.abc import Iterator

from engine.trace import Document
from server.export.drawing import Group, grouped, title_of

_SHAPES = {"parameter": "[/{}/]", "input": "([{}])", "constant": "[{}]", "loss": "{{{{{}}}}}", "probe": "[\\{}\\]"}
_PLAIN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_,=")


def write(document: Document) -> bytes:
    """A flowchart from left to right. Mermaid itself draws 500 edges at most unless it is configured otherwise."""
    edges = [f"  n{source} --> n{node['id']}" for node in document.nodes for source in node["inputs"]]
    lines = [
        "flowchart LR",
        f"  accTitle: {_unquoted(title_of(document))}",
        *_inside(grouped(document), "  ", iter(range(len(document.nodes) + 1))),
        *edges,
    ]
    return "\n".join([*lines, ""]).encode()


def _inside(group: Group, indent: str, numbers: Iterator[int]) -> Iterator[str]:
    for card in group.cards:
        label = '"' + "<br/>".join(map(_escaped, card.lines)) + '"'
        yield f"{indent}n{card.id}{_SHAPES.get(card.role, '({})').format(label)}"
    for inner in group.groups.values():
        yield f'{indent}subgraph s{next(numbers)}["{_escaped(inner.name)}"]'
        yield from _inside(inner, indent + "  ", numbers)
        yield f"{indent}end"


def _escaped(text: str) -> str:
    """A text within quotes. Whatever is not a letter, a digit or a space between them is written as its number, so that nothing of it is
    read as markup, as Mermaid's own syntax or as Markdown.
    """
    return "".join(c if c in _PLAIN or (c == " " and i) else f"#{ord(c)};" for i, c in enumerate(text))


def _unquoted(text: str) -> str:
    """A text where Mermaid takes the line as it is: no character that could end or open anything."""
    return "".join(c if c in _PLAIN or c in " ()+-*" else " " for c in text).strip() or "trace"
