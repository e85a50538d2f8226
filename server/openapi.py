"""The API's description: FastAPI's own, completed with what is answered, every error, stable operation ids and examples.

A route is described by its place in OPERATIONS. One that is not there still works; a test says that it is missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server import msgpack
from server.problems import MEDIA_TYPE as PROBLEM
from server.problems import ProblemDocument
from server.schemas import answers as about
from server.schemas import datasets, landscapes
from server.schemas import run_answers as evaluations
from server.schemas import sweep_answers as searches
from server.schemas import trace_answers as traces
from server.schemas import upload_answers as uploads
from server.schemas.checkpoints import CheckpointList
from server.schemas.expression_check import ExpressionCheck

JSON = "application/json"
REF = "#/components/schemas/"
_TRACE = (JSON, msgpack.MEDIA_TYPE)


@dataclass(frozen=True)
class Operation:
    """What a route is called, and what it answers when all goes well.

    name: the operation id, which clients are generated from and which never changes. statuses: of success, with what each means.
    model: of the body; None where there is none, or where the route describes it itself. forms: the media types that it comes in.
    """

    name: str
    model: type[BaseModel] | None = None
    statuses: Mapping[int, str] = field(default_factory=lambda: {200: "As asked for"})
    forms: Sequence[str] = (JSON,)
    headers: Sequence[str] = ()
    conditional: bool = False  # answers 304 to If-None-Match
    errors: Sequence[int] = ()  # beside those of every operation of its kind


_MADE = {201: "Made", 200: "Stored already"}
_GONE = {204: "Deleted"}
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("post", "/traces"): Operation("createTrace", traces.Trace, _MADE, _TRACE, ("Location", "ETag")),
    ("get", "/traces"): Operation("listTraces", traces.TracePage, headers=("Link",)),
    ("get", "/traces/{trace_id}"): Operation("readTrace", traces.Trace, forms=_TRACE, headers=("ETag", "Cache-Control"), conditional=True),
    ("delete", "/traces/{trace_id}"): Operation("deleteTrace", statuses=_GONE, errors=(409,)),
    ("get", "/traces/{trace_id}/pin"): Operation("readPin", traces.Pin),
    ("put", "/traces/{trace_id}/pin"): Operation("pinTrace", traces.Pin),
    ("delete", "/traces/{trace_id}/pin"): Operation("unpinTrace", statuses=_GONE),
    ("get", "/traces/{trace_id}/nodes/{node}"): Operation("explainNode", traces.Why),
    ("post", "/traces/{trace_id}/nodes/{node}/check"): Operation("checkGradient", traces.Check),
    ("get", "/traces/{trace_id}/tensors/{reference}"): Operation("readTensor", traces.Tensor, headers=("ETag",), conditional=True),
    ("get", "/traces/{trace_id}/bptt"): Operation("itemiseGradients", traces.Bptt),
    ("post", "/traces/{trace_id}/what-if"): Operation("editTrace", traces.Trace, _MADE, _TRACE, ("Location", "ETag")),
    ("get", "/traces/{trace_id}/diff/{other_id}"): Operation("compareTraces", traces.Diff, headers=("ETag",), conditional=True),
    ("get", "/traces/{trace_id}/figures/{figure}"): Operation("drawTrace", about.Figure, headers=("ETag",), conditional=True),
    ("get", "/traces/{trace_id}/export/{format}"): Operation("exportTrace", headers=("Content-Disposition", "ETag"), conditional=True),
    ("post", "/expressions/check"): Operation("checkExpression", ExpressionCheck),
    ("get", "/opening"): Operation("readOpening", traces.Trace, forms=_TRACE, headers=("Content-Location", "ETag"), conditional=True),
    ("get", "/schema/trace-1.json"): Operation("readTraceSchema", forms=("application/schema+json",)),
    ("get", "/tasks"): Operation("listTasks", about.TaskList),
    ("get", "/tasks/{name}"): Operation("readTask", about.TaskOfLength),
    ("get", "/tasks/{name}/examples"): Operation("listExamples", about.ExamplePage, headers=("Link",)),
    ("get", "/checkpoints"): Operation("listCheckpoints", CheckpointList),
    ("get", "/ops"): Operation("listOperations", about.OperationList),
    ("post", "/runs"): Operation("createRun", about.Run, {201: "Created; nothing is trained yet"}, headers=("Location",)),
    ("get", "/runs"): Operation("listRuns", about.RunPage, headers=("Link",)),
    ("get", "/runs/{run_id}"): Operation("readRun", about.Run),
    ("delete", "/runs/{run_id}"): Operation("deleteRun", statuses=_GONE),
    ("post", "/runs/{run_id}/steps"): Operation("trainRun", about.Run, {200: "Trained", 202: "Training: read the run until it is idle"}),
    ("patch", "/runs/{run_id}"): Operation("changeRun", about.RunState),
    ("post", "/runs/{run_id}/pause"): Operation("pauseRun", about.RunState),
    ("post", "/runs/{run_id}/resume"): Operation("resumeRun", about.RunState),
    ("post", "/runs/{run_id}/cancel"): Operation("cancelRun", about.RunState),
    ("post", "/runs/{run_id}/edits"): Operation("editRun", about.Edited),
    ("get", "/runs/{run_id}/history"): Operation("readHistory", about.RunHistory),
    ("get", "/runs/{run_id}/observations"): Operation("listObservations", about.ObservationPage),
    ("get", "/runs/{run_id}/events"): Operation("followRun", forms=("text/event-stream",), errors=(429,)),
    ("get", "/runs/{run_id}/steps/{k}"): Operation("readStep", about.RunStep),
    ("get", "/runs/{run_id}/steps/{k}/trace"): Operation(
        "traceStep", traces.Trace, forms=_TRACE, headers=("Content-Location", "ETag"), conditional=True
    ),
    ("get", "/runs/{run_id}/metrics"): Operation("readMetrics", evaluations.RunMetrics),
    ("get", "/runs/{run_id}/mistakes"): Operation("listMistakes", evaluations.MistakePage, headers=("Link",)),
    ("post", "/runs/{run_id}/test"): Operation("testRun", evaluations.TestedRun, {201: "Tested", 200: "Tested before: as it was then"}),
    ("get", "/runs/{run_id}/test"): Operation("readTest", evaluations.TestedRun),
    ("post", "/sweeps"): Operation("createSweep", searches.Sweep, {201: "The search goes on"}, headers=("Location",), errors=(429,)),
    ("get", "/sweeps"): Operation("listSweeps", searches.SweepPage, headers=("Link",)),
    ("get", "/sweeps/{sweep_id}"): Operation("readSweep", searches.Sweep),
    ("get", "/sweeps/{sweep_id}/events"): Operation("followSweep", forms=("text/event-stream",), errors=(429,)),
    ("post", "/sweeps/{sweep_id}/cancel"): Operation("cancelSweep", searches.Sweep),
    ("delete", "/sweeps/{sweep_id}"): Operation("deleteSweep", statuses=_GONE),
    ("get", "/sweeps/{sweep_id}/figures/importance"): Operation("drawImportance", about.Figure),
    ("get", "/runs/{run_id}/export"): Operation(
        "exportRun", headers=("Content-Disposition", "ETag"), conditional=True, errors=(409,)
    ),
    ("get", "/runs/{run_id}/figures/loss"): Operation("drawLoss", about.Figure),
    ("get", "/runs/{run_id}/figures/confusion"): Operation("drawConfusion", about.Figure),
    ("post", "/landscapes"): Operation(
        "createLandscape", landscapes.Landscape, {200: "Computed", 202: "Being computed: read it until it is done"},
        headers=("Location",), errors=(404,),
    ),
    ("get", "/landscapes/{landscape_id}"): Operation("readLandscape", landscapes.Landscape),
    ("get", "/landscapes/{landscape_id}/figure"): Operation("drawLandscape", about.Figure, errors=(409,)),
    ("delete", "/landscapes/{landscape_id}"): Operation("deleteLandscape", statuses=_GONE),
    ("post", "/links"): Operation("createLink", about.Link, {201: "Kept", 200: "Kept already"}, headers=("Location",)),
    ("get", "/links/{link_id}"): Operation("readLink", about.Link),
    ("post", "/uploads"): Operation("createUpload", uploads.Upload, {201: "Kept", 200: "Kept already"}, headers=("Location",)),
    ("get", "/uploads"): Operation("listUploads", uploads.UploadPage, headers=("Link",)),
    ("get", "/uploads/{upload_id}"): Operation("readUpload", uploads.Upload),
    ("delete", "/uploads/{upload_id}"): Operation("deleteUpload", statuses=_GONE),
    ("get", "/uploads/{upload_id}/tensors/{tensor}"): Operation(
        "readUploadedTensor", uploads.UploadedArray, headers=("ETag",), conditional=True
    ),
    ("post", "/datasets"): Operation("createDataset", datasets.Dataset, {201: "Kept for now"}, headers=("Location",)),
    ("get", "/datasets"): Operation("listDatasets", datasets.DatasetPage, headers=("Link",)),
    ("get", "/datasets/{dataset_id}"): Operation("readDataset", datasets.Dataset),
    ("post", "/datasets/{dataset_id}/task"): Operation("chooseOfDataset", datasets.ChosenTask),
    ("patch", "/datasets/{dataset_id}"): Operation("changeDataset", datasets.Dataset),
    ("delete", "/datasets/{dataset_id}"): Operation("deleteDataset", statuses=_GONE),
    ("get", "/limits"): Operation("readLimits", about.Limits),
    ("get", "/health"): Operation("readHealth", about.Health),
}  # fmt: skip

_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "createTrace": {
        "an expression": {"program": {"kind": "expression", "expression": "tanh(w*x + b)", "inputs": {"w": 0.5, "x": [1, 2], "b": 0}}},
        "a step of a training": {
            "program": {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 8, "step": 2, "example": 3}
        },
    },
    "editTrace": {"another weight": {"edits": [{"node": "rnn.weight_hh_l0", "index": [0, 0], "value": 1.5}]}},
    "checkGradient": {"the first element": {"index": [0, 0]}},
    "checkExpression": {
        "a name that is no operation": {
            "program": {"kind": "expression", "expression": "h = tanh(w*x)\nhh(h)", "inputs": {"w": 0.5, "x": 2}}
        }
    },
    "createRun": {"an LSTM": {"program": {"task": "adding", "cell": "lstm", "hidden_size": 8, "optimizer": {"name": "sgd", "lr": 0.1}}}},
    "trainRun": {"a hundred steps": {"count": 100}},
    "changeRun": {"a name": {"name": "with a small learning rate"}},
    "editRun": {"a tenth of before": {"lr": 0.001}},
    "testRun": {"the network that did best on the validation part": {"step": "best"}},
    "createDataset": {"words and their sort": {"text": "word,sort\nhello,greeting\nfarewell,parting\n"}},
    "chooseOfDataset": {"the sort of a word": {"dataset": {"id": "d_0123456789abcdef", "kind": "text", "text": "word", "label": "sort"}}},
    "createLandscape": {"the main directions of a way": {"runs": ["r_0123456789abcdef"], "directions": {"kind": "pca"}, "resolution": 9}},
    "createSweep": {
        "the rate of a small network": {
            "program": {"task": "sunspots", "cell": "rnn", "hidden_size": 3},
            "space": {"lr": {"low": 0.001, "high": 0.1, "log": True}},
            "steps": 20,
            "trials": 2,
        }
    },
    "createLink": {"a moment of the opening film": {"state": {"address": "#/network?v=2&at=91"}}},
}

_HEADERS = {
    "Location": "address of what was made", "Content-Location": "address of what is answered", "ETag": "names these very bytes",
    "Cache-Control": "a whole trace never changes", "Link": 'rel="next": address of the next page (RFC 8288)',
    "Content-Disposition": "the name of the file", "Retry-After": "seconds after which to try again",
}  # fmt: skip
_PLACES = {
    "trace_id": "a trace, `sha256:…`", "other_id": "another trace", "node": "a node of the trace, by id or path",
    "reference": "a tensor of the trace: a place in the columns of `tensors`", "format": "of the file", "figure": "what is drawn",
    "run_id": "a run, `r_…`", "landscape_id": "a landscape, `l_…`", "sweep_id": "a sweep, `s_…`",
    "link_id": "a link", "dataset_id": "a data set, `d_…`", "k": "a step of the run, from 1", "name": "a task",
    "upload_id": "an upload, `sha256:…`", "tensor": "a tensor of the upload, by name",
}  # fmt: skip
_ERRORS = {
    400: "The body is not JSON as RFC 8259 has it, or a header cannot be read", 401: "A token is needed", 403: "Another site sent this",
    404: "There is no such thing", 405: "This address does not take this method", 406: "There is no answer of a type that the client takes",
    408: "The body took too long to arrive",
    409: "A request with this Idempotency-Key is under way, another visitor keeps this, or the run cannot do this now",
    413: "The body is too large",
    415: "The body is of another type", 421: "The server does not go by this name",
    422: "The request is not as expected, cannot run, or passes a limit: `errors` point at what", 429: "Too many requests of this address",
    500: "What was stored is damaged, or something went wrong in the server", 503: "The server cannot do this now",
}  # fmt: skip
_EVERYWHERE = (401, 405, 421, 500, 503)
_IDEMPOTENCY = {
    "name": "Idempotency-Key", "in": "header", "required": False, "description": "a POST with the same key is done once",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"}, "example": "6a43-4c9b-a3a1",
}  # fmt: skip


def complete(app: FastAPI, prefix: str) -> None:
    """Makes the app answer the completed description. Built once, when it is asked for first."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            app.openapi_schema = _completed(document, prefix)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]


def _completed(document: dict[str, Any], prefix: str) -> dict[str, Any]:
    models = sorted({o.model for o in OPERATIONS.values() if o.model} | {ProblemDocument}, key=lambda model: model.__name__)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, written = models_json_schema([(model, "serialization") for model in models], ref_template=f"{REF}{{model}}")
    for name, schema in written["$defs"].items():
        schemas.setdefault(name, schema)
    _spell_out(schemas)
    examples = json.loads(resources.files("server").joinpath("examples.json").read_text(encoding="utf-8"))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            known = OPERATIONS.get((method, path.removeprefix(prefix)))
            if known is not None:
                operation["operationId"] = known.name
                _describe_success(operation, known)
                _show_answers(operation, examples["answers"].get(known.name, {}))
                if known.name in _EXAMPLES:
                    body = operation["requestBody"]["content"][JSON]
                    body["examples"] = {name: {"value": value} for name, value in _EXAMPLES[known.name].items()}
            _describe_errors(operation, method, known.errors if known is not None else ())
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "where the server has a token (RETROGRAD_TOKEN)"}
    }
    problems = examples["problems"]
    document["components"]["responses"] = {f"Problem{status}": _problem(status, problems.get(str(status))) for status in _ERRORS}
    document["components"]["examples"] = examples["shared"]
    document["security"] = [{}, {"token": []}]
    return document


def _spell_out(schema: Any) -> None:
    """Says in other words what generators of clients cannot read: arrays of anything, defaults that are objects or nothing."""
    if isinstance(schema, list):
        for part in schema:
            _spell_out(part)
    if isinstance(schema, dict):
        if schema.get("type") == "array" and "prefixItems" not in schema:
            schema.setdefault("items", {})
        if schema.get("default", 0) is None:
            del schema["default"]  # it may be left out, which is all that it says
        if isinstance(schema.get("default"), dict):
            schema["description"] = f"{json.dumps(schema.pop('default'))} unless given"
        for key, part in schema.items():
            _spell_out(list(part.values()) if key == "properties" else part)  # whose names may be words of the description's own


def _describe_success(operation: dict[str, Any], known: Operation) -> None:
    own = operation["responses"]
    before: dict[str, Any] = next((own[status] for status in ("200", "201") if status in own), {})
    described = {}
    for status, meaning in known.statuses.items():
        content = dict(before.get("content", {}))
        if known.model is not None:
            content |= {form: {"schema": {"$ref": f"{REF}{known.model.__name__}"}} for form in known.forms}
        elif known.forms != (JSON,):
            content = {form: {"schema": {"type": "string" if form.startswith("text/") else "object"}} for form in known.forms}
        described[str(status)] = {"description": meaning, **({"content": content} if content and status != 204 else {})}
        if known.headers:
            described[str(status)]["headers"] = {name: _header(name) for name in known.headers}
    if known.conditional:
        described["304"] = {"description": "Not modified since the answer that If-None-Match names"}
        operation.setdefault("parameters", []).append(
            {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}, "description": "tags that are known"}
        )
    operation["responses"] = described


def _show_answers(operation: dict[str, Any], examples: Mapping[str, Mapping[str, Any]]) -> None:
    """Puts real answers, by status and media type, beside what is said of them (scripts/make_api_examples.py)."""
    for status, forms in examples.items():
        for form, example in forms.items():
            operation["responses"][status]["content"][form]["examples"] = {"answer": example}


def _describe_errors(operation: dict[str, Any], method: str, more: Sequence[int]) -> None:
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path":
            parameter.setdefault("description", _PLACES.get(parameter["name"], ""))
    statuses = {*_EVERYWHERE, *more}
    if any(parameter["in"] == "path" for parameter in parameters):
        statuses.add(404)
    if parameters or "requestBody" in operation:
        statuses.add(422)
    if any(msgpack.MEDIA_TYPE in response.get("content", {}) for response in operation["responses"].values()):
        statuses.add(406)
    if method != "get":
        statuses |= {403, 429}
    if method == "put":
        statuses |= {400, 408, 413, 415}  # of a body that it does not need
    if method == "patch":
        statuses |= {400, 408, 413, 415}
    if method == "post":
        statuses |= {400, 408, 409, 413, 415}
        parameters.append(_IDEMPOTENCY)
    operation["responses"].pop("4XX", None)
    for status in sorted(statuses):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    if not parameters:
        del operation["parameters"]


def _problem(status: int, example: Mapping[str, Any] | None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": f"{REF}ProblemDocument"}}
    if example is not None:
        content["examples"] = {"problem": example}
    answer: dict[str, Any] = {"description": _ERRORS[status], "content": {PROBLEM: content}}
    if status in (409, 429, 503):
        answer["headers"] = {"Retry-After": _header("Retry-After")}
    return answer


def _header(name: str) -> dict[str, Any]:
    return {"description": _HEADERS[name], "schema": {"type": "string"}}
