"""What if a value were another: a trace with edits, and two traces side by side."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server import limits
from server.jobs.trace_work import compare_traces, edit_trace
from server.routes.disconnect import while_connected
from server.routes.found import found
from server.routes.making import keep_trace, send_made, with_numbers
from server.routes.parts import Tensors
from server.routes.trace_response import send_derived
from server.schemas.requests import WhatIfRequest
from server.services import Use

router = APIRouter()


@router.post("/{trace_id}/what-if", status_code=201)
async def what_if(request: Request, trace_id: str, body: WhatIfRequest, services: Use, tensors: Tensors = "inline") -> Response:
    """The trace with some values changed, all of it computed again; its program names its parent. 200 when it was stored already."""
    trace = found(await run_in_threadpool(services.traces.get, trace_id), "trace")
    edits = await with_numbers(request, services, [edit.model_dump() for edit in body.edits])
    work = services.quick.run(edit_trace, trace, edits, services.settings.compute_seconds, seconds=limits.QUICK_SECONDS)
    made, new = await run_in_threadpool(keep_trace, services, await while_connected(request, work))
    location = request.url_for("read_trace", trace_id=made.id).path
    return await send_made(request, services, made, 201 if new else 200, {"Location": location}, tensors)


@router.get("/{trace_id}/diff/{other_id}")
async def compare(request: Request, trace_id: str, other_id: str, services: Use) -> Response:
    """What differs between two traces, node by node of the same path: values, gradients, loss, structure."""
    one = found(await run_in_threadpool(services.traces.get, trace_id), "trace")
    other = found(await run_in_threadpool(services.traces.get, other_id), "trace")
    work = services.quick.run(compare_traces, one, other, seconds=limits.QUICK_SECONDS)
    return send_derived(request, await while_connected(request, work), "application/json", {"Cache-Control": "no-cache"})
