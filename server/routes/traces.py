"""Traces: made, listed, sent, explained, checked, deleted."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.trace import explain
from server import limits
from server.datasets.choice import with_data
from server.encoding import Json
from server.jobs.programs import found_of
from server.jobs.work import check_element, make_trace
from server.problems import ProblemError
from server.programs.admission import admit_program
from server.programs.what_if import first
from server.routes import bptt, parts, pins, tensors, trace_figures, what_if
from server.routes.disconnect import while_connected
from server.routes.found import found, missing, node_of
from server.routes.making import keep_trace, network_trace, send_made, with_numbers
from server.routes.paging import After, Limit, page_of
from server.schemas.requests import CheckRequest, TraceRequest
from server.services import Use

router = APIRouter(prefix="/traces", tags=["traces"])
for resource in (parts, pins, tensors, bptt, what_if, trace_figures):
    router.include_router(resource.router)
Index = Annotated[str | None, Query(description="element, such as 0,2; of a 0-d node: empty", max_length=200)]


@router.post("", status_code=201)
async def create(request: Request, body: TraceRequest, services: Use, tensors: parts.Tensors = "inline") -> Response:
    """Make the trace of a program. 200 when this very trace was stored already."""
    visitor = services.visitors.of(request)
    program = await with_numbers(request, services, body.program.model_dump(by_alias=True))
    program = with_data(program, lambda one: services.datasets.data_for(visitor, one))
    settings = services.settings
    await found_of(services.quick, admit_program, program, settings.graph_nodes, settings.trace_elements)
    if first(program)["kind"] == "network":
        work = network_trace(services, program, None)
    else:
        bounds = settings.compute_seconds, settings.trace_elements
        work = services.quick.run(make_trace, program, None, *bounds, seconds=limits.QUICK_SECONDS)
    trace, new = await run_in_threadpool(keep_trace, services, await while_connected(request, work))
    location = request.url_for("read_trace", trace_id=trace.id).path
    return await send_made(request, services, trace, 201 if new else 200, {"Location": location}, tensors)


@router.get("")
def index(request: Request, services: Use, limit: Limit = 50, after: After = None) -> Response:
    """The stored traces, newest first."""
    items, following = services.traces.page(limit, after)
    return page_of(request, items, following)


@router.get("/{trace_id}/nodes/{node:path}")
def why(trace_id: str, node: str, services: Use, index: Index = None) -> Response:
    """Why this number: a whole node, or one of its elements. `node` is an id or a path."""
    trace = found(services.traces.get(trace_id), "trace")
    document = services.documents.of(trace)
    about = node_of(document, node)
    at = None if index is None else _element(about, index)
    return Json(explain(document, about["id"], at))


@router.post("/{trace_id}/nodes/{node:path}/check")
async def check(request: Request, trace_id: str, node: str, body: CheckRequest, services: Use) -> Response:
    """One element of a gradient, or of one contribution to it, beside its central difference, computed by replaying the trace."""
    trace = found(await run_in_threadpool(services.traces.get, trace_id), "trace")
    about = node_of(await run_in_threadpool(services.documents.of, trace), node)
    use = body.use and (body.use.node, body.use.port)
    work = services.quick.run(
        check_element, trace, about["id"], tuple(body.index), use, services.settings.compute_seconds, seconds=limits.QUICK_SECONDS
    )
    return Json(await while_connected(request, work))


@router.delete("/{trace_id}", status_code=204)
def remove(request: Request, trace_id: str, services: Use) -> Response:
    """Delete a trace. 409 for one that another visitor has pinned."""
    visitor = services.visitors.of(request)
    if not services.traces.delete(trace_id, visitor):
        if services.pins.get(trace_id, visitor) is not None:
            raise ProblemError(409, "another visitor has pinned this trace, so it stays; take your own pin away if you do not need it")
        raise missing("trace")
    return Response(status_code=204)


def _element(node: dict[str, Any], text: str) -> tuple[int, ...]:
    shape = node["shape"]
    if re.fullmatch(r"(\d{1,9}(,\d{1,9})*)?", text, re.ASCII):
        index = tuple(int(part) for part in text.split(",") if part)
        if len(index) == len(shape) and all(i < n for i, n in zip(index, shape, strict=True)):
            return index
    detail = f"index is one number for each dimension of shape {shape}, each from 0, with commas between; empty for a 0-d node"
    raise ProblemError(422, detail)
