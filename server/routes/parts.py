"""A stored trace, whole or in part."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.nearest import nearest
from engine.trace.part import Detail, NoSuchPartError, Range
from server import limits
from server.jobs.trace_work import cut_part
from server.problems import ProblemError
from server.routes.disconnect import while_connected
from server.routes.found import found
from server.routes.trace_response import asked_anew, lasting, send_part, send_trace
from server.services import Services, Use
from server.store.trace_file import TraceFile

router = APIRouter()
Tensors = Annotated[Detail, Query(description="all numbers, their statistics alone, or neither")]
Scope = Annotated[
    str | None, Query(min_length=1, max_length=200, description="the nodes of this scope and of those within, such as gru/t=3")
]
Events = Annotated[str | None, Query(pattern="^[0-9]{0,9}:[0-9]{0,9}$", description="from:to, without the last, such as 10:20 or 200:")]


@router.get("/{trace_id}")
async def read_trace(
    request: Request, trace_id: str, services: Use, tensors: Tensors = "inline", scope: Scope = None, events: Events = None
) -> Response:
    """A trace, whole or in part; a part has the format of the whole."""
    trace = found(await run_in_threadpool(services.traces.get, trace_id), "trace")
    if tensors == "inline" and scope is None and events is None:
        return await run_in_threadpool(send_trace, request, trace, 200, {"Cache-Control": lasting(trace.program)})
    work = services.quick.run(cut_part, trace, tensors, scope, _range(events), seconds=limits.QUICK_SECONDS)
    try:
        content = await while_connected(request, work)
    except NoSuchPartError as error:
        meant = "" if scope is None else await run_in_threadpool(_meant, services, trace, scope)
        raise ProblemError(422, f"{meant}{error}") from None
    return await run_in_threadpool(send_part, request, content, {"Cache-Control": asked_anew(trace.program)})


def _range(events: str | None) -> Range | None:
    if events is None:
        return None
    first, _, end = events.partition(":")
    return (int(first) if first else None), (int(end) if end else None)


def _meant(services: Services, trace: TraceFile, scope: str) -> str:
    """The scope that was probably meant by one that the trace has not."""
    scopes = dict.fromkeys(node["scope"] for node in services.documents.of(trace).nodes)
    return "" if scope in scopes else nearest(scope, scopes)
