"""Traces in the formats of others, as files."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server import limits
from server.export import FORMATS, ExportError, NotBuiltError, file_name
from server.export.work import write_export
from server.problems import ProblemError
from server.routes.disconnect import while_connected
from server.routes.found import found
from server.routes.trace_response import asked_anew, send_derived
from server.services import Use

router = APIRouter(prefix="/traces", tags=["traces"])
FormatName = Literal["dot", "mermaid", "graphml", "model-explorer", "html", "npz", "onnx"]

_FILES = {
    format_.media_type: {
        "schema": {"type": "object", "description": format_.about}
        if format_.media_type == "application/json"
        else {"type": "string", "contentMediaType": format_.media_type, "description": format_.about}
    }
    for format_ in FORMATS.values()
}


@router.get("/{trace_id}/export/{format}", response_class=Response, responses={200: {"description": "The file", "content": _FILES}})
async def export(request: Request, trace_id: str, format: FormatName, services: Use) -> Response:  # noqa: A002 - what the address calls it
    """The trace as a file of another format. 422 where that format cannot hold it, naming the operation."""
    trace = found(await run_in_threadpool(services.traces.get, trace_id), "trace")
    chosen = FORMATS[format]
    parent = trace.program.get("parent") if format == "html" else None
    original = await run_in_threadpool(services.traces.get, parent) if parent else None
    work = services.quick.run(write_export, trace, format, services.settings.compute_seconds, original, seconds=limits.QUICK_SECONDS)
    try:
        content = await while_connected(request, work)
    except NotBuiltError as error:
        raise ProblemError(503, str(error)) from None
    except ExportError as error:
        raise ProblemError(422, str(error), kind="program") from None
    name = file_name(trace.program, trace.id, chosen.suffix)
    headers = {"Cache-Control": asked_anew(trace.program), "Content-Disposition": f'attachment; filename="{name}"'}
    return await run_in_threadpool(send_derived, request, content, chosen.media_type, headers)
