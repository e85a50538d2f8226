"""Traces in the making: computed by the workers, kept by the store."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from server import limits
from server.jobs.replay import checkpoint_before
from server.jobs.upload_work import T, fill
from server.jobs.work import make_trace
from server.programs.errors import LimitError
from server.programs.uploaded import uploads_in
from server.programs.what_if import first
from server.routes.disconnect import while_connected
from server.routes.trace_response import check_size
from server.services import Services
from server.store.traces import TraceFile


async def network_trace(services: Services, program: dict[str, Any], checkpoint: bytes | None) -> TraceFile:
    """The trace of a network program that was admitted, or of edits of one. What is trained before its step is trained in slices."""
    settings, base = services.settings, first(program)
    near = await checkpoint_before(services.pool, base, base["step"], checkpoint, settings.slice_seconds)
    return await services.pool.run(make_trace, program, near, settings.compute_seconds, seconds=limits.TRACE_SECONDS)


async def with_numbers(request: Request, services: Services, what: T) -> T:
    """A checked program, or edits, with the numbers of uploads in place of what refers to them. Raises ProgramError and LimitError."""
    wanted = uploads_in(what)
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
    """Stores a trace; gives what is stored under its id, and whether it is new. Raises LimitError for one too large to be sent."""
    check_size(services.settings, made)
    return services.traces.put(made)
