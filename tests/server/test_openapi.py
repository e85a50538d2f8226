"""The description of the API: whole, stable, and true of what it describes. What is answered is held against it by test_schemathesis."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator

from scripts.make_api_examples import FILE as EXAMPLES
from scripts.make_api_examples import MOMENT, collect
from server.app import create_app
from server.bodies import ALONE
from server.openapi import OPERATIONS
from server.settings import Settings
from tests.server.helpers import API, Start, finished

# Clients are generated from these names: they never change, and none is taken away in version 1.
IDS = {
    "checkGradient", "compareTraces", "createRun", "createTrace", "deleteRun", "deleteTrace", "drawLoss", "drawTrace", "editTrace",
    "explainNode", "exportTrace", "itemiseGradients", "listExamples", "listOperations", "listRuns", "listTasks", "listTraces", "readHealth",
    "readLimits", "readOpening", "readRun", "readTensor", "readTrace", "readTraceSchema", "traceStep", "trainRun",
}  # fmt: skip
PROBLEM = {"$ref": "#/components/schemas/ProblemDocument"}


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
            assert list(answer["content"]) == ["application/problem+json"]
            assert answer["content"]["application/problem+json"]["schema"] == PROBLEM


def test_every_document_says_its_schema_version(described: dict[str, Any]) -> None:
    """The JSON Schema of traces and exported files are documents of other formats."""
    met = 0
    for path, method, operation in operations(described):
        if operation["operationId"] in ("readTraceSchema", "exportTrace", "exportRun"):
            continue
        for status, response in operation["responses"].items():
            for form, content in resolved(described, response).get("content", {}).items():
                if form.endswith("json") or form == "application/msgpack":
                    schema = resolved(described, content["schema"])
                    assert schema["properties"]["schema_version"]["const"] == 1, f"{method} {path} {status}"
                    assert "schema_version" in schema["required"], f"{method} {path} {status}"
                    met += 1
    assert met > 140


def test_references_lead_somewhere(described: dict[str, Any]) -> None:
    names = set(re.findall(r'"\$ref": ?"(#/[^"]+)"', httpx.Response(200, json=described).text))
    assert names
    for name in names:
        assert resolved(described, {"$ref": name})


def test_every_post_takes_a_key_and_has_examples(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        if method == "post":
            assert "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]], path
            if path.rpartition("/")[2] in ALONE:
                assert "requestBody" not in operation
                continue
            content = operation["requestBody"]["content"]
            assert "application/octet-stream" in content or content["application/json"]["examples"], path


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
    client.post(f"{API}/runs/{run}/steps", json={"count": 1}).raise_for_status()
    words = "word,sort\n" + "".join(f"w{i},{i % 2}\n" for i in range(20))
    dataset = client.post(f"{API}/datasets", json={"text": words}).json()["id"]
    search = {"program": {"task": "sunspots", "hidden_size": 2}, "space": {"seed": {"choices": [0]}}, "steps": 1, "trials": 1}
    sweep = client.post(f"{API}/sweeps", json=search).json()["id"]
    sent = 0
    for path, method, operation in operations(described):
        if method != "post":
            continue
        address = path.format(trace_id=trace, node=node, run_id=run, dataset_id=dataset, sweep_id=sweep)
        for example in (
            operation.get("requestBody", {"content": {}})["content"].get("application/json", {"examples": {}})["examples"].values()
        ):
            finished(client, run)  # which the examples before may have trained
            own = {"runs": [run]} if "runs" in example["value"] else {}  # which the examples cannot know
            response = client.post(address, json={**example["value"], **own})
            assert response.status_code in (200, 201, 202), response.text
            sent += 1
    assert sent >= 6


def test_the_description_is_served_as_a_page_of_our_own(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 503  # the web app of this server is not built; tests/e2e/test_docs.py sees the page
    assert "make run" in page.json()["detail"]
    assert "script-src 'self'" in page.headers["content-security-policy"]


NEVER = {
    "application/x-safetensors",
    "text/event-stream",
    "application/msgpack",
    "application/octet-stream",
    "application/x-npy",
    "application/zip",
    "application/onnx",
    "text/html",
}


def examples(document: dict[str, Any]) -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    """Of every answer: where it is, its media type, the example's value, and the schema."""
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            for form, content in resolved(document, response).get("content", {}).items():
                for example in content.get("examples", {}).values():
                    yield f"{method} {path} {status}", form, resolved(document, example)["value"], content["schema"]


def test_every_answer_that_is_text_has_an_example(described: dict[str, Any]) -> None:
    shown = {(where, form) for where, form, _, _ in examples(described)}
    for path, method, operation in operations(described):
        for status, response in operation["responses"].items():
            if int(status) < 400:
                forms = set(response.get("content", {})) - NEVER
                missing = {form for form in forms if (f"{method} {path} {status}", form) not in shown}
                assert not missing, f"{method} {path} {status}: ask for it in scripts/make_api_examples.py, and run that"
    problems = {status for _, _, problem, _ in examples(described) if isinstance(problem, dict) and (status := problem.get("status"))}
    assert problems >= {400, 403, 404, 405, 406, 413, 415, 421, 422}


def test_examples_of_answers_are_what_they_are_said_to_be(described: dict[str, Any]) -> None:
    """Cut ones too: what they lack are items, or members that may be there or not."""
    met = 0
    for where, form, value, schema in examples(described):
        if form.endswith("json"):
            errors = list(Draft202012Validator({**schema, "components": described["components"]}).iter_errors(value))
            assert errors == [], where
            met += 1
    assert met > 140


def test_examples_of_answers_are_what_is_answered(start: Start) -> None:
    """To the last digit but for a training's, which another machine may round otherwise."""
    with start(quick_seconds=30) as client:
        asked = json.loads(json.dumps(collect(client)))
    written = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    assert same(asked, written) == [], "the answers have changed: run `python scripts/make_api_examples.py`"


def same(a: Any, b: Any, place: str = "") -> list[str]:
    """Where two values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return [f"{place}: {sorted(a.keys() ^ b.keys())}"]
        return [found for key in a for found in same(a[key], b[key], f"{place}/{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [found for k, (x, y) in enumerate(zip(a, b, strict=True)) for found in same(x, y, f"{place}/{k}")]
    if isinstance(a, float) and isinstance(b, float):
        return [] if a == pytest.approx(b, rel=1e-9, abs=1e-9) else [f"{place}: {a} {b}"]
    momentary = isinstance(a, str) and isinstance(b, str) and MOMENT.fullmatch(a) and MOMENT.fullmatch(b)
    return [] if a == b or momentary else [place]
