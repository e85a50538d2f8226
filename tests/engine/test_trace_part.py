"""Parts of a trace: fewer nodes, events or numbers in the same format, and nothing that is not in the whole."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from engine.trace import SCHEMA_PATH, Document, part_of
from engine.trace.arena import decode
from engine.training import Settings, Task, trace_step

VALIDATOR = jsonschema_rs.Draft202012Validator(json.loads(SCHEMA_PATH.read_text()))


@pytest.fixture
def whole(task: Task) -> Document:
    return Document(trace_step(task, Settings(cell="gru", hidden_size=4, batch_size=6), 1))


def test_the_whole_is_a_part_of_itself(whole: Document) -> None:
    assert part_of(whole) == whole.doc


@pytest.mark.parametrize("detail", ["stats", "none"])
def test_numbers_are_left_out(whole: Document, detail: Any) -> None:
    part = part_of(whole, detail)
    VALIDATOR.validate(part)
    assert part["tensors"]["arenas"] == {}
    assert {key: part[key] for key in part if key not in ("tensors", "part")} == {
        key: whole.doc[key] for key in part if key not in ("tensors", "part")
    }
    for column in ("dtype", "offset", "shape"):
        assert part["tensors"][column] == whole.doc["tensors"][column]
    if detail == "stats":
        assert part["tensors"]["statistics"] == whole.doc["tensors"]["statistics"]
    else:
        assert all(decode(column).size == 0 for column in part["tensors"]["statistics"].values())
    assert whole.doc["tensors"]["arenas"]  # the whole stays as it is


def test_a_scope_holds_its_nodes_with_all_their_numbers_and_events(whole: Document) -> None:
    part = Document(part_of(whole, scope="gru/t=2"))
    VALIDATOR.validate(part.doc)
    numbers = [node["id"] for node in part.nodes]
    assert numbers == [node["id"] for node in whole.nodes if node["scope"].startswith("gru/t=2")]
    assert {node["scope"] for node in part.nodes} >= {"gru/t=2", "gru/t=2/r", "gru/t=2/z", "gru/t=2/n"}
    tensors = part.doc["tensors"]
    for node in part.nodes:
        original = whole.nodes[node["id"]]
        np.testing.assert_array_equal(part.tensor(node["value"]), whole.tensor(original["value"]))
        assert (node["gradient"] is None) == (original["gradient"] is None)
        if node["gradient"] is not None:
            np.testing.assert_array_equal(part.tensor(node["gradient"]), whole.tensor(original["gradient"]))
    for reference, original in enumerate(tensors["reference"]):
        np.testing.assert_array_equal(part.tensor(reference), whole.tensor(original))
        for name, column in tensors["statistics"].items():
            assert decode(column)[reference] == pytest.approx(
                decode(whole.doc["tensors"]["statistics"][name])[original], rel=1e-12, abs=1e-15
            )
    events, all_events = part.doc["events"], whole.doc["events"]
    touching = [e for e, (n, t) in enumerate(zip(all_events["node"], all_events["target"], strict=True)) if n in numbers or t in numbers]
    assert events["number"] == touching
    for row, event in enumerate(touching):
        for column in ("kind", "phase", "node", "port", "target", "message"):
            assert events[column][row] == all_events[column][event]
        if all_events["tensor"][event] >= 0:
            np.testing.assert_array_equal(part.tensor(events["tensor"][row]), whole.tensor(all_events["tensor"][event]))
    assert set(part.doc["ops"]) == {node["op"] for node in part.nodes if node["op"]}
    assert part.doc["id"] == whole.doc["id"]
    assert part.doc["part"] == {
        "scope": "gru/t=2",
        "events": [0, len(all_events["kind"])],
        "nodes": len(whole.nodes),
        "all_events": len(all_events["kind"]),
    }
    for node, reference in part.doc["after"]["values"].items():
        np.testing.assert_array_equal(part.tensor(reference), whole.tensor(whole.doc["after"]["values"][node]))


def test_a_range_of_events_ends_before_its_end(whole: Document) -> None:
    count = len(whole.doc["events"]["kind"])
    part = part_of(whole, events=(count - 3, None))
    VALIDATOR.validate(part)
    assert part["events"]["number"] == [count - 3, count - 2, count - 1]
    assert set(part["events"]["details"]) == {str(number) for number in part["events"]["number"]}  # updates
    update = part["events"]["details"][str(count - 1)]["terms"]
    original = whole.doc["events"]["details"][str(count - 1)]["terms"]
    for name, reference in update.items():
        np.testing.assert_array_equal(Document(part).tensor(reference), whole.tensor(original[name]))
    assert len(part["nodes"]) == len(whole.nodes)
    assert part_of(whole, events=(2, 2))["events"]["kind"] == []
    assert part_of(whole, events=(None, 10**9))["events"]["number"] == list(range(count))


def test_scope_range_and_detail_go_together(whole: Document) -> None:
    part = part_of(whole, "stats", "gru/t=1", (0, 20))
    VALIDATOR.validate(part)
    assert part["tensors"]["arenas"] == {}
    assert max(part["events"]["number"]) < 20
    assert part["part"]["tensors"] == "stats"
    assert len(decode(part["tensors"]["statistics"]["norm"])) == len(part["tensors"]["reference"])


@pytest.mark.parametrize(
    ("scope", "events", "words"),
    [
        ("gru/t=99", None, "outermost scopes are gru, head, loss, predict"),
        ("gr", None, "no node"),
        (None, (5, 3), "5:3"),
        (None, (10**9, None), "events 0 to"),
    ],
)
def test_what_is_not_in_the_whole_is_refused(whole: Document, scope: str | None, events: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        part_of(whole, "inline", scope, events)
