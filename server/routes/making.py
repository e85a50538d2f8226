"""Traces in the making: computed by the workers, kept by the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.ops.op import Array
from server import limits
from server.jobs.replay import checkpoint_before
from server.jobs.work import make_trace
from server.programs.uploaded import Uploaded
from server.programs.what_if import first
from server.routes.trace_response import check_size
from server.services import Services
from server.store.traces import TraceFile
from server.uploads import read


async def network_trace(services: Services, program: dict[str, Any], checkpoint: bytes | None) -> TraceFile:
    """The trace of a network program that was admitted, or of edits of one. What is trained before its step is trained in slices."""
    settings, base = services.settings, first(program)
    near = await checkpoint_before(services.pool, base, base["step"], checkpoint, settings.slice_seconds)
    return await services.pool.run(make_trace, program, near, settings.compute_seconds, seconds=limits.TRACE_SECONDS)


def with_uploads(services: Services) -> Uploaded:
    """What replaces the references to uploads in one request by their numbers."""

    def find(upload_id: str) -> Mapping[str, Array] | None:
        upload = services.uploads.get(upload_id)
        return None if upload is None else read(upload.data)[1]

    return Uploaded(find, services.settings.trace_elements)


def keep_trace(services: Services, made: TraceFile) -> tuple[TraceFile, bool]:
    """Stores a trace; gives what is stored under its id, and whether it is new. Raises LimitError for one too large to be sent."""
    check_size(services.settings, made)
    return services.traces.put(made)
