"""The description of the API: whole, stable, and true of what it describes. What is answered is held against it by test_schemathesis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from server.app import create_app
from server.openapi import OPERATIONS
from server.settings import Settings
from tests.server.helpers import API

# Clients are generated from these names: they never change, and none is taken away in version 1.
IDS = {
    "checkGradient", "compareTraces", "createRun", "createTrace", "deleteRun", "deleteTrace", "drawLoss", "drawTrace", "editTrace",
    "explainNode", "exportTrace", "itemiseGradients", "listExamples", "listOperations", "listRuns", "listTasks", "listTraces", "readHealth",
    "readLimits", "readOpening", "readRun", "readTensor", "readTrace", "readTraceSchema", "traceStep", "trainRun",
}  # fmt: skip
PROBLEM = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}


@pytest.fixture(scope="module")
def described(client: httpx.Client) -> dict[str, Any]:
    response = client.get(f"{API}/openapi.json")
    document: dict[str, Any] = response.json()
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        place: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            place = place[name]
        return dict(place)
    return part


def test_it_is_openapi_3_1_with_ids_that_stay(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= IDS


def test_every_route_of_the_api_is_in_it(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path))
    routes = {(sorted(route.methods)[0].lower(), route.path.removeprefix(API)) for route in app.routes
              if isinstance(route, APIRoute) and route.path.startswith(API) and route.methods}  # fmt: skip
    assert routes - set(OPERATIONS) == set(), "name it in OPERATIONS of server/openapi.py, and run scripts/make_api_types.py"
    assert {place for place in OPERATIONS if place not in routes and routes} in (set(), set(OPERATIONS))


def test_whatever_is_answered_has_a_shape(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        assert operation["summary"]
        assert operation["description"]
        for status, response in operation["responses"].items():
            answer = resolved(described, response)
            assert answer["description"]
            if status in ("204", "304"):
                assert "content" not in answer
                continue
            assert answer["content"], f"{method} {path} {status}"
            assert all(form["schema"] for form in answer["content"].values()), f"{method} {path} {status}"


def test_every_error_is_a_problem(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        errors = {int(status) for status in operation["responses"] if int(status) >= 400}
        assert errors >= {401, 405, 421, 500, 503}, f"{method} {path}"
        assert ("{" in path) <= (404 in errors)
        if method == "post":
            assert errors >= {400, 403, 408, 409, 413, 415, 422, 429}
        if method == "delete":
            assert errors >= {403, 404, 429}
        for status in errors:
            answer = resolved(described, operation["responses"][str(status)])
            assert answer["content"] == {"application/problem+json": PROBLEM}


def test_every_document_says_its_schema_version(described: dict[str, Any]) -> None:
    """The JSON Schema of traces and exported files are documents of other formats."""
    met = 0
    for path, method, operation in operations(described):
        if operation["operationId"] in ("readTraceSchema", "exportTrace"):
            continue
        for status, response in operation["responses"].items():
            for form, content in resolved(described, response).get("content", {}).items():
                if form.endswith("json") or form == "application/msgpack":
                    schema = resolved(described, content["schema"])
                    assert schema["properties"]["schema_version"]["const"] == 1, f"{method} {path} {status}"
                    assert "schema_version" in schema["required"], f"{method} {path} {status}"
                    met += 1
    assert met > 300


def test_references_lead_somewhere(described: dict[str, Any]) -> None:
    names = set(re.findall(r'"\$ref": ?"(#/[^"]+)"', httpx.Response(200, json=described).text))
    assert names
    for name in names:
        assert resolved(described, {"$ref": name})


def test_every_post_takes_a_key_and_has_examples(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        if method == "post":
            assert "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]], path
            assert operation["requestBody"]["content"]["application/json"]["examples"], path


def test_every_parameter_says_what_it_is(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        for parameter in operation.get("parameters", []):
            named = parameter.get("description") or parameter["name"] in ("lang", "part")
            assert named, f"{method} {path}: {parameter['name']}"


def test_traces_are_described_in_both_forms(described: dict[str, Any]) -> None:
    for _, _, operation in operations(described):
        if operation["operationId"] in ("readTrace", "createTrace", "readOpening", "traceStep", "editTrace"):
            for status in {"200", "201"} & set(operation["responses"]):
                assert set(operation["responses"][status]["content"]) == {"application/json", "application/msgpack"}
            assert "406" in operation["responses"]


def test_examples_work(client: httpx.Client, described: dict[str, Any]) -> None:
    """Each is sent as it stands, to a trace or a run that has what it names."""
    trace = client.get(f"{API}/opening").json()["id"]
    node = "rnn.weight_hh_l0"
    run = client.post(f"{API}/runs", json={"program": {"task": "adding", "cell": "rnn", "hidden_size": 2}}).json()["id"]
    sent = 0
    for path, method, operation in operations(described):
        if method != "post":
            continue
        address = path.format(trace_id=trace, node=node, run_id=run)
        for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
            response = client.post(address, json=example["value"])
            assert response.status_code in (200, 201, 202), response.text
            sent += 1
    assert sent >= 6


def test_the_description_is_served_as_a_page_of_our_own(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 503  # the web app of this server is not built; tests/e2e/test_docs.py sees the page
    assert "make run" in page.json()["detail"]
    assert "script-src 'self'" in page.headers["content-security-policy"]
