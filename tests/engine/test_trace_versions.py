"""Documents of version 1, as they were written once: whoever reads version 1 reads, explains and replays them for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from engine.trace import SCHEMA_PATH, Document, check, content_id, explain, from_bytes, to_bytes

FILES = sorted((Path(__file__).resolve().parents[1] / "fixtures" / "traces").glob("*.json"))
NAMES = {"expression", "products", "no-numbers", "rnn", "lstm", "gru", "unknown-fields"}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # some of the numbers are none


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def doc(request: pytest.FixtureRequest) -> dict[str, Any]:
    return from_bytes(request.param.read_bytes())


def test_none_of_them_was_lost() -> None:
    assert {file.stem for file in FILES} >= NAMES


def test_the_schema_of_today_takes_them(doc: dict[str, Any]) -> None:
    assert (doc["schema"], doc["schema_version"]) == ("retrograd.trace/1", 1)
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(doc)] == []


def test_their_names_are_still_those_of_their_contents(doc: dict[str, Any]) -> None:
    if "from_later" in doc:  # what a writer adds to nodes, program or events is part of what it names
        without = {**doc, "id": ""}
        assert content_id(without) == content_id(doc)
    else:
        assert content_id(doc) == doc["id"]


def test_fields_that_are_not_known_are_kept(doc: dict[str, Any]) -> None:
    assert from_bytes(to_bytes(doc)) == doc


def test_gradients_are_the_sums_of_their_contributions(doc: dict[str, Any]) -> None:
    document = Document(doc)
    reached = 0
    for node in range(len(document.nodes)):
        gradient, parts = document.gradient(node), document.contributions(node)
        if gradient is not None and parts:
            total = parts[0].array
            for part in parts[1:]:
                total = total + part.array
            np.testing.assert_array_equal(total, gradient)
            reached += 1
    assert reached


def test_every_node_is_explained(doc: dict[str, Any]) -> None:
    document = Document(doc)
    for about in document.nodes:
        whole = explain(document, about["id"])
        assert whole["shape"] == about["shape"]
        if 0 not in about["shape"]:
            corner = explain(document, about["id"], tuple(0 for _ in about["shape"]))
            value = document.value(about["id"])[tuple(0 for _ in about["shape"])]
            np.testing.assert_equal(float(corner["value"]), float(value))


def test_they_are_replayed(doc: dict[str, Any]) -> None:
    """Every leaf is put in again as it is: whatever is computed from it is computed anew."""
    document = Document(doc)
    leaves = {about["id"]: document.value(about["id"]) for about in document.nodes if about["op"] is None}
    replayed = document.replay(leaves)
    for about in document.nodes:
        value = document.value(about["id"])
        assert replayed[about["id"]].dtype == value.dtype
        np.testing.assert_allclose(replayed[about["id"]], value, rtol=1e-12, atol=1e-14)


def test_their_gradients_hold_against_finite_differences(doc: dict[str, Any]) -> None:
    document = Document(doc)
    parameter = next(about for about in document.nodes if about["role"] == "parameter" and about["gradient"] is not None)
    at = tuple(n - 1 for n in parameter["shape"])
    found = check(document, parameter["id"], at)
    if np.isnan(document.value(document.loss)):  # then a difference of losses is none
        assert np.isnan(found["finite_difference"])
    else:
        assert found["difference"] == pytest.approx(0, abs=1e-6 * max(1.0, abs(found["gradient"])))
