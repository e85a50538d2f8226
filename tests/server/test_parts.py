"""Levels of detail over HTTP: parts of a trace, and single tensors."""

from __future__ import annotations

import io
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from engine.trace import Document, part_of
from engine.trace.arena import decode
from tests.server.helpers import API, expression


@pytest.fixture(scope="module")
def network(client: httpx.Client) -> dict[str, Any]:
    """A step of a GRU on one surname."""
    program = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 4, "example": 5}
    response = client.post(f"{API}/traces", json={"program": program})
    assert response.status_code in (200, 201), response.text
    doc: dict[str, Any] = response.json()
    return doc


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ({"tensors": "inline"}, {}),
        ({"tensors": "stats"}, {"tensors": "stats"}),
        ({"tensors": "none"}, {"tensors": "none"}),
        ({"scope": "gru/t=3"}, {"scope": "gru/t=3"}),
        ({"events": "10:20"}, {"events": (10, 20)}),
        ({"events": ":7", "scope": "gru"}, {"events": (None, 7), "scope": "gru"}),
        ({"events": "5:", "tensors": "none", "scope": "loss"}, {"events": (5, None), "tensors": "none", "scope": "loss"}),
    ],
)
def test_a_part_is_what_the_engine_cuts(
    client: httpx.Client, network: dict[str, Any], query: dict[str, str], arguments: dict[str, Any]
) -> None:
    response = client.get(f"{API}/traces/{network['id']}", params=query)
    assert response.status_code == 200, response.text
    assert response.json() == part_of(Document(network), **arguments)
    assert list(Draft202012Validator(client.get(f"{API}/schema/trace-1.json").json()).iter_errors(response.json())) == []


def test_a_part_is_smaller_and_known_by_its_tag(client: httpx.Client, network: dict[str, Any]) -> None:
    path = f"{API}/traces/{network['id']}"
    whole, part = client.get(path), client.get(path, params={"tensors": "none"})
    assert len(part.content) < len(whole.content) / 2
    assert part.headers["etag"] != whole.headers["etag"]
    again = client.get(path, params={"tensors": "none"}, headers={"If-None-Match": part.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, params={"tensors": "stats"}, headers={"If-None-Match": part.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"scope": "gru/t=99"}, "outermost scopes are gru"),
        ({"scope": ""}, "expected at least 1"),
        ({"events": "9:3"}, "9:3"),
        ({"events": "x:3"}, "of the form"),
        ({"events": "3"}, "of the form"),
        ({"events": "-3:"}, "of the form"),
        ({"tensors": "all"}, "inline, stats, none"),
    ],
)
def test_what_there_is_not_is_said(client: httpx.Client, network: dict[str, Any], query: dict[str, str], words: str) -> None:
    response = client.get(f"{API}/traces/{network['id']}", params=query)
    assert response.status_code == 422
    assert words in response.json()["detail"]


def test_a_tensor_comes_in_three_forms_by_address_and_by_accept(client: httpx.Client, network: dict[str, Any]) -> None:
    document = Document(network)
    node = document.node("rnn.weight_hh_l0")
    path, expected = f"{API}/traces/{network['id']}/tensors/{node['gradient']}", document.gradient(node["id"])
    assert expected is not None
    answer = client.get(path).json()
    np.testing.assert_array_equal(decode(answer), expected)
    assert answer["statistics"] == {
        "min": expected.min(), "max": expected.max(), "mean": pytest.approx(expected.mean()),
        "norm": pytest.approx(np.linalg.norm(expected)), "nonfinite": 0,
    }  # fmt: skip
    for ask in ({"params": {"format": "raw"}}, {"headers": {"Accept": "application/octet-stream"}}):
        raw = client.get(path, **ask)  # type: ignore[arg-type]
        assert (raw.headers["content-type"], raw.headers["x-tensor-dtype"], raw.headers["x-tensor-shape"]) == (
            "application/octet-stream", "f8", "12,4",
        )  # fmt: skip
        np.testing.assert_array_equal(np.frombuffer(raw.content, "<f8").reshape(12, 4), expected)
    for ask in ({"params": {"format": "npy"}}, {"headers": {"Accept": "application/json;q=0.5, application/x-npy"}}):
        file = client.get(path, **ask)  # type: ignore[arg-type]
        np.testing.assert_array_equal(np.load(io.BytesIO(file.content), allow_pickle=False), expected)
        assert file.headers["content-disposition"].startswith("attachment")
    for accept in (
        "*/*",
        "text/html",
        "application/octet-stream;q=0",
        "application/octet-stream;q=x",
        "application/json, application/x-npy",
    ):
        assert client.get(path, headers={"Accept": accept}).headers["content-type"] == "application/json"


def test_numbers_that_json_lacks_come_back_equal(client: httpx.Client) -> None:
    doc = client.post(f"{API}/traces", json=expression("log(x)", {"x": [0, -1, 1]})).json()
    (reference,) = {node["value"] for node in doc["nodes"] if node["op"] == "log"}
    path = f"{API}/traces/{doc['id']}/tensors/{reference}"
    np.testing.assert_array_equal(np.frombuffer(client.get(path, params={"format": "raw"}).content), [-np.inf, np.nan, 0])
    answer = client.get(path).json()
    np.testing.assert_array_equal(decode(answer), [-np.inf, np.nan, 0])
    assert answer["statistics"] == {"min": 0, "max": 0, "mean": 0, "norm": 0, "nonfinite": 2}
    (scalar,) = {node["value"] for node in doc["nodes"] if node["op"] == "sum"}
    answer = client.get(f"{API}/traces/{doc['id']}/tensors/{scalar}").json()
    assert answer["shape"] == []
    assert answer["statistics"] == {"min": "NaN", "max": "NaN", "mean": "NaN", "norm": "NaN", "nonfinite": 1}


@pytest.mark.parametrize(
    ("reference", "query", "status"), [("100000", {}, 404), ("-1", {}, 422), ("x", {}, 422), ("0", {"format": "pickle"}, 422)]
)
def test_tensors_that_there_are_not(
    client: httpx.Client, network: dict[str, Any], reference: str, query: dict[str, str], status: int
) -> None:
    response = client.get(f"{API}/traces/{network['id']}/tensors/{reference}", params=query)
    assert response.status_code == status


def test_a_known_tensor_is_not_sent_again(client: httpx.Client, network: dict[str, Any]) -> None:
    path = f"{API}/traces/{network['id']}/tensors/0"
    first = client.get(path)
    assert "immutable" in first.headers["cache-control"]
    assert client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_a_post_is_done_whatever_the_client_has_already(client: httpx.Client) -> None:
    body = expression("x**2 + 3", {"x": 0.5})
    for tensors in ("inline", "stats"):
        response = client.post(f"{API}/traces", params={"tensors": tensors}, json=body, headers={"If-None-Match": "*"})
        assert response.status_code in (200, 201)
        assert response.json()["schema"] == "retrograd.trace/1"
