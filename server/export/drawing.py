"""What the drawn formats share: what stands in a node, and how scopes nest. Escaping is each format's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.trace import Document

LABEL_CHARACTERS = 120
SCOPE_LEVELS = 12
_UNPRINTABLE = {"Cc", "Cs", "Cn", "Co"}  # control, lone surrogates, no characters at all: XML has no way to write most of them


def printable(text: str, most: int = LABEL_CHARACTERS) -> str:
    """A text that can be encoded and shown in one line: what cannot becomes U+FFFD, and a long one is cut."""
    short = text if len(text) <= most else text[: most - 1] + "…"
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _UNPRINTABLE or c in "\u2028\u2029" else c for c in short)


@dataclass(frozen=True)
class Card:
    """A node as it is drawn: what it is called, what it is (op, shape), its number where it is one."""

    id: int
    title: str
    about: str
    role: str
    inputs: tuple[int, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return (self.title, self.about)


@dataclass
class Group:
    """A scope with its nodes and the scopes within."""

    name: str = ""
    cards: list[Card] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)


def card(document: Document, node: Mapping[str, Any]) -> Card:
    """The node as it is drawn."""
    op, label, shape = node["op"], node["label"], node["shape"]
    title = label if label is not None else op if op is not None else node["path"]
    kind = op if op is not None else node["role"]
    size = "×".join(map(str, shape))
    if not shape:
        size = f"= {document.value(node['id']).item():.6g}"
    gradient = document.gradient(node["id"])
    if gradient is not None and not gradient.shape:
        size += f", gradient {gradient.item():.6g}"
    return Card(node["id"], printable(str(title)), printable(f"{kind} {size}"), node["role"], tuple(node["inputs"]))


def grouped(document: Document) -> Group:
    """Every node in the scope that it stands in; from a depth that nobody draws, scopes are flat."""
    root = Group()
    for node in document.nodes:
        group = root
        for name in [part for part in node["scope"].split("/", SCOPE_LEVELS) if part]:
            group = group.groups.setdefault(name, Group(printable(name)))
        group.cards.append(card(document, node))
    return root


def title_of(document: Document) -> str:
    """What the whole graph is called."""
    program = document.doc["program"]
    if program.get("kind") == "network":
        return printable(f"{program.get('cell')} on {program.get('task')}, step {program.get('step')}")
    return printable(str(program.get("expression", program.get("kind", "trace"))))
