"""GraphML, for tools such as yEd, Gephi and NetworkX."""

from __future__ import annotations

import io

import networkx as nx

from engine.trace import Document
from server.export.drawing import printable, title_of


def write(document: Document) -> bytes:
    """A directed multigraph: `x*x` has two edges, whose `port` tells them apart. What a node lacks it has no attribute for."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=title_of(document), id=document.doc["id"])
    for node in document.nodes:
        known = {name: node[name] for name in ("path", "op", "label", "scope", "role", "dtype") if node[name] is not None}
        attributes: dict[str, object] = {name: printable(str(text), 2**16) for name, text in known.items()}
        attributes["shape"] = "×".join(map(str, node["shape"]))
        if node["time"] is not None:
            attributes["time"] = node["time"]
        if not node["shape"]:
            attributes["value"] = float(document.value(node["id"]).item())
        gradient = document.gradient(node["id"])
        if gradient is not None and not gradient.shape:
            attributes["gradient"] = float(gradient.item())
        graph.add_node(f"n{node['id']}", **attributes)
    for node in document.nodes:
        for port, source in enumerate(node["inputs"]):
            graph.add_edge(f"n{source}", f"n{node['id']}", key=port, port=port)
    out = io.BytesIO()
    nx.write_graphml_xml(graph, out)
    return out.getvalue()
