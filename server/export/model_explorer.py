"""Model Explorer's graph JSON: https://github.com/google-ai-edge/model-explorer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from engine.trace import Document
from server.export.drawing import card, printable, title_of

_NOT_FREE = {"__proto__", "constructor", "prototype"}


def write(document: Document) -> bytes:
    """One collection of one graph. Scopes are its layers; values and gradients of 0-d nodes are attributes."""
    graph = {"id": "trace", "nodes": [_node(document, node) for node in document.nodes]}
    return orjson.dumps({"label": title_of(document), "graphs": [graph]})


def _node(document: Document, node: Mapping[str, Any]) -> dict[str, Any]:
    drawn = card(document, node)
    facts = {"path": node["path"], "op": node["op"], "role": node["role"], "time": node["time"], "about": drawn.about}
    shape = f"{node['dtype']}[{', '.join(map(str, node['shape']))}]"
    return {
        "id": str(node["id"]), "label": drawn.title, "namespace": _layers(node["scope"]),
        "attrs": [_pair(key, value) for key, value in {**facts, **node["attributes"]}.items() if value is not None],
        "incomingEdges": [
            {"sourceNodeId": str(source), "sourceNodeOutputId": "0", "targetNodeInputId": str(port)}
            for port, source in enumerate(node["inputs"])
        ],
        "outputsMetadata": [{"id": "0", "attrs": [_pair("tensor_shape", shape)]}],
    }  # fmt: skip


def _layers(scope: str) -> str:
    """The scope as nested layers. The viewer keeps layers as keys of JavaScript objects, where some names are not free."""
    parts = (printable(part) for part in scope.split("/") if part)
    return "/".join(f"·{part}" if part in _NOT_FREE else part for part in parts)


def _pair(key: str, value: Any) -> dict[str, str]:
    return {"key": printable(key), "value": printable(value if isinstance(value, str) else orjson.dumps(value).decode(), 2**12)}
