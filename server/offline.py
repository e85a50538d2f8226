"""`retrograd export`: a trace as a file, from the store or computed now, without a server."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from engine.trace import Document, from_bytes
from server import limits, strict_json
from server.export import FORMATS, ExportError
from server.jobs.work import make_trace
from server.programs.errors import LimitError, ProgramError
from server.schemas.requests import TraceRequest
from server.settings import Settings
from server.store.blobs import DamagedError
from server.store.database import open_database
from server.store.traces import TraceFile, TraceStore


class OfflineError(Exception):
    """There is nothing to export; says why, and what to do."""


def stored(settings: Settings, trace_id: str) -> TraceFile:
    """A trace that the store has. Raises OfflineError."""
    engine = open_database(settings.database_url)
    try:
        trace = TraceStore(engine, settings.trace_bytes).get(trace_id)
    except DamagedError as error:
        raise OfflineError(f"{error}; make it again from its program") from None
    finally:
        engine.dispose()
    if trace is None:
        raise OfflineError("the store has no such trace; GET /api/v1/traces lists those there are, --program FILE computes one")
    return trace


def computed(settings: Settings, file: Path) -> TraceFile:
    """The trace of the program in a JSON file, computed in this process. Raises OfflineError."""
    try:
        value = strict_json.read(file.read_bytes(), limits.JSON_DEPTH)
        # a body of POST /traces, or the program in it
        program = TraceRequest.model_validate(value if isinstance(value, dict) and "program" in value else {"program": value}).program
        return make_trace(program.model_dump(by_alias=True), None, settings.compute_seconds)
    except OSError as error:
        raise OfflineError(f"{file} cannot be read ({error.strerror})") from None
    except ValidationError as error:
        wrong = json.dumps([{"at": list(part["loc"]), "why": part["msg"]} for part in error.errors(include_input=False)])
        raise OfflineError(f"{file} holds no program that can be traced: {wrong}") from None
    except (strict_json.StrictJsonError, ProgramError, LimitError) as error:
        raise OfflineError(f"{file}: {error}") from None


def written(trace: TraceFile, form: str) -> bytes:
    """The trace's document, or a file of another format. Raises OfflineError for a format that there is not, or that cannot hold it."""
    if form == "json":
        return trace.text()
    if form not in FORMATS:
        raise OfflineError(f"there is no such format; there are json, {', '.join(FORMATS)}")
    try:
        return FORMATS[form].writer()(Document(from_bytes(trace.text())))
    except ExportError as error:
        raise OfflineError(str(error)) from None
