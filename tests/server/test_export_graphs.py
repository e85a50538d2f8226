"""The drawn formats, read back by readers of others: the whole graph is there, and no label says more than itself."""

from __future__ import annotations

import io
import json
import re
import warnings
from typing import Any

import networkx as nx
import pytest

from engine.trace import Document
from server.export import FORMATS, file_name
from server.export.drawing import printable
from tests.server.traces import HOSTILE, expression_document, hostile_document, network_document

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its grammar is written with names that its own parser no longer likes
    import pydot

DOCUMENTS = {
    "expression": lambda: expression_document("w*w + tanh(w*x)", {"w": 0.5, "x": [1, 2]}),
    "gru": lambda: network_document("gru"),
    "hostile": hostile_document,
}


@pytest.fixture(params=sorted(DOCUMENTS))
def document(request: pytest.FixtureRequest) -> Document:
    return Document(DOCUMENTS[request.param]())


def written(document: Document, name: str) -> bytes:
    return FORMATS[name].writer()(document)


def edges_of(document: Document) -> list[tuple[str, str]]:
    return sorted((f"n{source}", f"n{node['id']}") for node in document.nodes for source in node["inputs"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pyparsing", "ignore::DeprecationWarning:pydot")
def test_dot_has_every_node_and_edge(document: Document) -> None:
    graphs = pydot.graph_from_dot_data(written(document, "dot").decode())
    assert graphs is not None
    (graph,) = graphs
    nodes: list[str] = []
    edges: list[tuple[str, str]] = []

    def collect(part: Any) -> None:
        nodes.extend(node.get_name() for node in part.get_nodes() if node.get_name() not in ("node", "graph", "edge"))
        edges.extend((edge.get_source(), edge.get_destination()) for edge in part.get_edges())
        for inner in part.get_subgraphs():
            collect(inner)

    collect(graph)
    assert sorted(nodes) == sorted(f"n{node['id']}" for node in document.nodes)
    assert sorted(edges) == edges_of(document)


@pytest.mark.parametrize("word", HOSTILE)
def test_dot_takes_no_label_for_syntax_or_html(word: str) -> None:
    doc = json.loads(json.dumps(expression_document("w*3", {"w": 2})))
    doc["nodes"][0]["label"] = word
    line = next(line for line in written(Document(doc), "dot").decode().splitlines() if line.strip().startswith("n0 "))
    quoted = re.search(r'label=("(?:[^"\\]|\\.)*"|\w+)', line)
    assert quoted, line
    assert line[quoted.end() :] in ("]", " shape=box]")
    assert "<" not in line.replace(quoted[0], "")
    shown = quoted[1].strip('"').replace("\\n", "\n", 1) if "\\n" in quoted[1] else quoted[1]
    assert printable(word)[:1] in ("", *shown)


def test_graphml_has_every_node_edge_and_attribute(document: Document) -> None:
    graph = nx.read_graphml(io.BytesIO(written(document, "graphml")), force_multigraph=True)
    assert sorted((source, target) for source, target, _ in graph.edges) == edges_of(document)
    for node in document.nodes:
        known = graph.nodes[f"n{node['id']}"]
        assert known["path"] == printable(node["path"], 2**16)
        assert known["role"] == node["role"]
        assert known.get("op") == node["op"]
        assert known.get("time") == node["time"]
        if not node["shape"]:
            assert known["value"] == pytest.approx(document.value(node["id"]).item(), nan_ok=True)
    ports = {(source, target, data["port"]) for source, target, data in graph.edges(data=True)}
    assert ports == {(f"n{source}", f"n{node['id']}", port) for node in document.nodes for port, source in enumerate(node["inputs"])}


def test_model_explorer_has_a_collection_of_one_graph(document: Document) -> None:
    collection = json.loads(written(document, "model-explorer"))
    assert set(collection) == {"label", "graphs"}
    (graph,) = collection["graphs"]
    assert [node["id"] for node in graph["nodes"]] == [str(node["id"]) for node in document.nodes]
    for node, about in zip(graph["nodes"], document.nodes, strict=True):
        assert [edge["sourceNodeId"] for edge in node["incomingEdges"]] == [str(source) for source in about["inputs"]]
        assert [edge["targetNodeInputId"] for edge in node["incomingEdges"]] == [str(port) for port in range(len(about["inputs"]))]
        assert {type(pair["value"]) for pair in node["attrs"]} == {str}
        assert not {"__proto__", "constructor", "prototype"} & set(node["namespace"].split("/"))


def test_layers_of_model_explorer_are_the_scopes() -> None:
    document = Document(network_document("lstm"))
    (graph,) = json.loads(written(document, "model-explorer"))["graphs"]
    assert [node["namespace"] for node in graph["nodes"]] == [node["scope"] for node in document.nodes]


NODE = re.compile(r'  +n(\d+)(\[/|\(\[|\[\\|\[|\{\{|\()"((?:[A-Za-z0-9_,=]|(?<!") |#\d+;|<br/>)*)"(/\]|\]\)|\\\]|\]|\}\}|\))')
SUBGRAPH = re.compile(r'  +subgraph s\d+\["(?:[A-Za-z0-9_,=]|(?<!") |#\d+;)*"\]')
EDGE = re.compile(r"  n(\d+) --> n(\d+)")


def test_mermaid_is_nodes_subgraphs_and_edges_and_nothing_else(document: Document) -> None:
    first, title, *lines = written(document, "mermaid").decode().splitlines()
    assert first == "flowchart LR"
    assert re.fullmatch(r"  accTitle: [A-Za-z0-9_,= ()+*-]+", title)
    nodes, edges, depth = [], [], 0
    for line in lines:
        if node := NODE.fullmatch(line):
            nodes.append(int(node[1]))
        elif edge := EDGE.fullmatch(line):
            edges.append((f"n{edge[1]}", f"n{edge[2]}"))
        elif SUBGRAPH.fullmatch(line):
            depth += 1
        else:
            assert line.strip() == "end"
            depth -= 1
    assert (sorted(nodes), sorted(edges), depth) == ([node["id"] for node in document.nodes], edges_of(document), 0)


def test_a_label_of_mermaid_says_what_the_label_was() -> None:
    doc = json.loads(json.dumps(expression_document("w*3", {"w": 2})))
    doc["nodes"][0]["label"] = word = '<b>"x"</b> --> [y]'
    line = next(line for line in written(Document(doc), "mermaid").decode().splitlines() if line.strip().startswith("n0["))
    label = re.sub(r"#(\d+);", lambda number: chr(int(number[1])), line.partition('"')[2].partition("<br/>")[0])
    assert label == word


@pytest.mark.parametrize("name", ["dot", "mermaid", "graphml", "model-explorer"])
def test_text_is_utf8_without_control_characters_and_the_same_every_time(document: Document, name: str) -> None:
    content = written(document, name)
    text = content.decode("utf-8")
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", text)
    assert written(document, name) == content


def test_a_file_is_called_after_what_it_shows() -> None:
    doc = network_document("gru")
    assert file_name(doc["program"], doc["id"], "dot") == f"retrograd-network-surnames-gru-step-1-{doc['id'][7:19]}.dot"
    for word in HOSTILE:
        name = file_name({"kind": word, "task": word}, "sha256:" + "0" * 64, "onnx")
        assert re.fullmatch(r"[A-Za-z0-9-]+\.onnx", name)
