"""Traces in the making: computed by the workers, kept by the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from engine.trace.part import Detail
from server import limits
from server.jobs.replay import checkpoint_before
from server.jobs.trace_work import cut_part
from server.jobs.upload_work import T, fill
from server.jobs.work import make_trace
from server.programs.errors import LimitError
from server.programs.uploaded import uploads_in
from server.programs.what_if import first
from server.routes.disconnect import while_connected
from server.routes.trace_response import send_part, send_trace
from server.services import Services
from server.store.trace_file import TraceFile


async def network_trace(services: Services, program: dict[str, Any], checkpoint: bytes | None) -> TraceFile:
    """The trace of a network program that was admitted, or of edits of one. What is trained before its step is trained in slices."""
    settings, base = services.settings, first(program)
    near = await checkpoint_before(services.pool, base, base["step"], checkpoint, settings.slice_seconds)
    return await services.pool.run(make_trace, program, near, settings.compute_seconds, seconds=limits.TRACE_SECONDS)


async def with_numbers(request: Request, services: Services, what: T) -> T:
    """A checked program, or edits, with the numbers of uploads in place of what refers to them. Raises ProgramError and LimitError."""
    wanted = await run_in_threadpool(uploads_in, what)  # a large graph is long to look through
    if not wanted:
        return what
    if len(wanted) > limits.PROGRAM_UPLOADS:
        detail = (
            f"the program refers to {len(wanted)} uploads, at most {limits.PROGRAM_UPLOADS} are read; bring their tensors into one file"
        )
        raise LimitError(detail, limits.PROGRAM_UPLOADS, len(wanted))
    found = await run_in_threadpool(lambda: [services.uploads.get(upload_id) for upload_id in wanted])
    files = {upload.id: upload.data for upload in found if upload is not None}
    settings = services.settings
    bounds = settings.trace_elements, settings.compute_seconds
    return await while_connected(request, services.quick.run(fill, what, files, *bounds, seconds=limits.QUICK_SECONDS))


def keep_trace(services: Services, made: TraceFile) -> tuple[TraceFile, bool]:
    """Stores a trace; gives what is stored under its id, and whether it is new. One too large to be sent whole is read in parts."""
    return services.traces.put(made)


async def send_made(
    request: Request, services: Services, trace: TraceFile, status: int, headers: Mapping[str, str], tensors: Detail
) -> Response:
    """A trace that was made and stored: whole, or without its numbers, as `Content-Location` says. Raises what `send_trace` does."""
    if tensors == "inline":
        return await run_in_threadpool(send_trace, request, trace, status, headers)
    content = await while_connected(request, services.quick.run(cut_part, trace, tensors, None, None, seconds=limits.QUICK_SECONDS))
    place = request.url_for("read_trace", trace_id=trace.id).path
    response = await run_in_threadpool(send_part, request, content, {**headers, "Content-Location": f"{place}?tensors={tensors}"})
    if response.status_code == 200:
        response.status_code = status
    if request.method == "POST":
        del response.headers["ETag"]  # it is that of the part, and not of what Location names
    return response
