"""Documents for tests that need no server: real ones, and ones whose names are hostile."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

from server.programs.expression import trace_expression
from server.programs.network import trace_network
from server.schemas.expression import ExpressionProgram
from server.schemas.network import NetworkProgram

HOSTILE = (
    # markup, and what ends what it stands in
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b>", "<<i>x</i>>", "&lt;", "#quot;", "]]>", "<!--", "-->",
    # names that are not free, quotes and escapes
    "__proto__", "constructor", 'a"b', "a\\", '\\"', "`tick`", "\u2192 \u4e2d\u6587 \U0001f388", "", "x" * 5000,
    # syntax of the drawn formats
    'x"] --> y["z', "end", "%% comment", "n0; n1", "1. item", "- item", "a|b{c}(d)", "subgraph x", "click n0 call alert()",
    # what cannot be shown or encoded, and what leads elsewhere
    "a\nb\r\tc", "\x00\x07", "\ud800", "\ufffe", "../../etc/passwd", "/abs", "..", "a//b",
)  # fmt: skip


def expression_document(text: str, inputs: dict[str, Any], wrt: list[str] | None = None) -> dict[str, Any]:
    """The trace of an expression, as the API makes it."""
    program = ExpressionProgram(expression=text, inputs=inputs, wrt=wrt or [])
    return trace_expression(program.model_dump())


@lru_cache
def network_document(cell: str, task: str = "surnames", example: int | None = 3, **more: Any) -> dict[str, Any]:
    """The trace of the first step of a small network; not to be changed."""
    return trace_network(NetworkProgram(task=task, cell=cell, hidden_size=3, example=example, **more).model_dump())  # type: ignore[arg-type]


def hostile_document() -> dict[str, Any]:
    """A trace as no program makes it: every hostile text is somewhere a label, a path, a scope and a role's neighbour."""
    text = " + ".join(f"tanh(w*{k})" for k in range(2, 2 + len(HOSTILE)))
    doc = copy.deepcopy(expression_document(text, {"w": 0.5}))
    doc["program"]["expression"] = HOSTILE[0]
    for node in doc["nodes"]:
        word = HOSTILE[node["id"] % len(HOSTILE)]
        node["label"], node["scope"] = word, f"{word}/{HOSTILE[(node['id'] + 7) % len(HOSTILE)]}"
        node["path"] = f"{word}/{word}#{node['id']}"
        node["attributes"] = {word: word}
    return doc
