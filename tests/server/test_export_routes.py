"""Exports over HTTP: files with names, problems where a format cannot hold a trace."""

from __future__ import annotations

import io
import re
from typing import Any

import httpx
import numpy as np
import pytest

from server.export import FORMATS
from server.routes.exports import FormatName
from tests.server.helpers import API, expression


@pytest.fixture(scope="module")
def trace(client: httpx.Client) -> dict[str, Any]:
    response = client.post(f"{API}/traces", json=expression("tanh(w*x)", {"w": 0.5, "x": [1, 2]}))
    doc: dict[str, Any] = response.json()
    return doc


def test_the_address_takes_every_format_there_is() -> None:
    assert set(FormatName.__args__) == set(FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_export_is_a_file(client: httpx.Client, trace: dict[str, Any], name: str) -> None:
    response = client.get(f"{API}/traces/{trace['id']}/export/{name}")
    assert response.status_code == 200, response.text
    suffix = FORMATS[name].suffix
    assert response.headers["content-type"].partition(";")[0] == FORMATS[name].media_type
    assert response.headers["content-disposition"] == f'attachment; filename="retrograd-expression-{trace["id"][7:19]}.{suffix}"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert len(response.content) > 100
    again = client.get(f"{API}/traces/{trace['id']}/export/{name}", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_is_sent_is_the_trace(client: httpx.Client, trace: dict[str, Any]) -> None:
    content = client.get(f"{API}/traces/{trace['id']}/export/npz").content
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["value/tanh#0"], np.tanh([0.5, 1.0]))


def test_another_format_or_trace_is_a_problem(client: httpx.Client, trace: dict[str, Any]) -> None:
    response = client.get(f"{API}/traces/{trace['id']}/export/pickle")
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/format")
    assert re.search(r"dot, .*, onnx", response.json()["detail"])
    assert client.get(f"{API}/traces/sha256:0/export/dot").status_code == 404
