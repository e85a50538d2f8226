"""`retrograd export`: a trace as a file, from the store or computed now, without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.ops.op import Array
from engine.trace import Document, from_bytes
from server import limits, strict_json
from server.export import FORMATS, ExportError
from server.jobs.work import make_trace, train_slice
from server.problems import pointer_of
from server.programs.admission import admit_program
from server.programs.errors import LimitError, ProgramError
from server.programs.uploaded import Find, Uploaded
from server.programs.what_if import first
from server.schemas.requests import TraceRequest
from server.settings import Settings
from server.store.blobs import DamagedError
from server.store.database import open_database
from server.store.trace_file import TraceFile
from server.store.traces import TraceStore
from server.store.uploads import UploadStore
from server.uploads import read
from server.validation import message


class OfflineError(Exception):
    """There is nothing to export; says why, and what to do."""


def stored(settings: Settings, trace_id: str) -> TraceFile:
    """A trace that the store has. Raises OfflineError."""
    engine = open_database(settings.database_url)
    try:
        trace = TraceStore(engine, settings.trace_bytes).get(trace_id)
    except DamagedError as error:
        raise OfflineError(f"{error}; {error.todo}") from None
    finally:
        engine.dispose()
    if trace is None:
        raise OfflineError("the store has no such trace; GET /api/v1/traces lists those there are, --program FILE computes one")
    return trace


def computed(settings: Settings, file: Path) -> TraceFile:
    """The trace of the program in a JSON file, computed in this process as POST /traces has it computed, within the same limits.

    The file holds a body of POST /traces, or the program alone: an object that has a `kind`. Uploads that it refers to are those of the
    store. Raises OfflineError.
    """
    try:
        value = strict_json.read(file.read_bytes(), limits.JSON_DEPTH)
        body = {"program": value} if isinstance(value, dict) and "kind" in value else value
        program = TraceRequest.model_validate(body).program.model_dump(by_alias=True)
        with _uploads(settings) as find:
            program = Uploaded(find, settings.trace_elements).in_program(program)
        admit_program(program, settings.graph_nodes, settings.trace_elements)
        return make_trace(program, _checkpoint(first(program), settings), settings.compute_seconds, settings.trace_elements)
    except OSError as error:
        raise OfflineError(f"{file} cannot be read ({error.strerror})") from None
    except ValidationError as error:
        wrong = "; ".join(f"{pointer_of(('body', *part['loc'])) or '/'}: {message(part)}" for part in error.errors())
        expected = 'it takes a body of POST /api/v1/traces, {"program": {"kind": …}}, or such a program alone'
        raise OfflineError(f"{file} holds nothing that can be traced; {expected}. {wrong}") from None
    except ProgramError as error:
        place = "" if error.column is None else f", line {error.line or 1}, column {error.column}"
        raise OfflineError(f"{file}: {error.pointer}{place}: {error.detail}") from None
    except (strict_json.StrictJsonError, LimitError, DamagedError) as error:
        raise OfflineError(f"{file}: {error}") from None


@contextmanager
def _uploads(settings: Settings) -> Iterator[Find]:
    """What finds an upload; the store is opened when the first is looked for."""
    with ExitStack() as opened:
        stores: list[UploadStore] = []

        def find(upload_id: str) -> Mapping[str, Array] | None:
            if not stores:
                engine = open_database(settings.database_url)
                opened.callback(engine.dispose)
                stores.append(UploadStore(engine, settings.upload_store_bytes, settings.visitor_uploads))
            upload = stores[0].get(upload_id)
            return None if upload is None else read(upload.data)[1]

        yield find


def _checkpoint(program: Mapping[str, Any], settings: Settings) -> bytes | None:
    """The training's state just before the step that is traced; None for the first, and for what is not trained."""
    checkpoint, reached = None, 0
    while program["kind"] == "network" and reached < program["step"] - 1:
        done = train_slice(program, checkpoint, program["step"] - 1 - reached, settings.slice_seconds)
        checkpoint, reached = done.checkpoint, done.step
    return checkpoint


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
