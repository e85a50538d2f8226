"""Attributes of imported graphs: of the kinds that operations declare; whatever comes, a trace that holds together or a refusal."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.ops import REGISTRY
from engine.trace import Document, explain, what_if
from server.programs.attributes import _IS, check_attributes, kinds_of
from server.programs.errors import LimitError, ProgramError
from server.programs.graph import trace_graph
from server.schemas.graph import GraphProgram

NAMES = sorted(name for name, op in REGISTRY.items() if not op.hidden)
JUNK: list[Any] = [
    0, 1, -1, 5, 2**31, 10**30, 0.5, 1e300, True, None, "mean", "ij,jk->ik", "...", [], [0], [1, 0], [[1, 1]], [[]], [None], ["x"],
    [["slice", None, None, None]], ["new"], [["array", [0, 0]]], [["array", "x"]], [["array", [], [0]]], [["slice", "x"]], [1.5], [10**9],
]  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # some of the numbers are none


def graph_of(name: str, sample: Any, attributes: dict[str, Any]) -> dict[str, Any]:
    """A graph of one operation on a sample's inputs."""
    nodes: list[dict[str, Any]] = []
    for place, given in enumerate(sample.inputs):
        array = np.asarray(given)
        floating = array.dtype.kind == "f"
        value = array.tolist() if floating else array.astype(int).tolist()
        dtype = array.dtype.name if floating else "bool" if array.dtype.kind == "b" else "int64"
        nodes.append({"id": f"x{place}", "value": value, "dtype": dtype, "role": "parameter" if floating else "input"})
    nodes.append({"id": "y", "op": name, "attributes": attributes})
    edges = [{"from": f"x{place}", "to": "y"} for place in range(len(sample.inputs))]
    return GraphProgram.model_validate({"kind": "graph", "nodes": nodes, "edges": edges}).model_dump(by_alias=True)


def plain(attributes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(dict(attributes)))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_samples_have_attributes_of_the_declared_kinds(name: str) -> None:
    assert all(kind in _IS for kinds in kinds_of(name).values() for kind in kinds)
    for sample in REGISTRY[name].samples:
        check_attributes(name, plain(sample.attributes))
    with pytest.raises(ValueError, match="has no attribute wat; it has"):
        check_attributes(name, {"wat": 1})


@pytest.mark.parametrize("name", [name for name in NAMES if kinds_of(name)])
def test_whatever_an_attribute_is_the_trace_holds_together_or_is_refused(name: str) -> None:
    sample, refusals = REGISTRY[name].samples[0], []
    for key in kinds_of(name):
        for junk in JUNK:
            program = graph_of(name, sample, {**plain(sample.attributes), key: junk})
            try:
                document = Document(trace_graph(program))
            except (ProgramError, LimitError) as error:
                refusals.append(error.pointer)
                continue
            for node in document.nodes:
                explain(document, node["id"])
                if 0 not in node["shape"]:
                    explain(document, node["id"], [0] * len(node["shape"]))
            again = Document(what_if(document, [], {"kind": "none"}))
            np.testing.assert_array_equal(again.value(again.loss), document.value(document.loss))
    assert set(refusals) == {f"/program/nodes/{len(sample.inputs)}"}


@pytest.mark.parametrize(
    ("name", "attributes", "words"),
    [
        ("sum", {"axis": "x"}, "expected a whole number or a list of whole numbers or null"),
        ("sum", {"keepdims": 1}, "expected true or false"),
        ("rows", {"rows": [1.5]}, "expected a list of whole numbers"),
        ("index", {"index": "ij"}, "expected an index"),
        ("layer_norm", {"eps": [1]}, "expected a number"),
        ("tanh", {"axis": 1}, "tanh has no attribute axis; it has none"),
    ],
)
def test_another_kind_is_said(name: str, attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        trace_graph(graph_of(name, REGISTRY[name].samples[0], attributes))
