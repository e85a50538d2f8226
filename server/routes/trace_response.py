"""A stored trace as an HTTP response: the bytes as they are, compressed when the client takes that."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from server.programs.errors import LimitError
from server.settings import Settings
from server.store.blobs import sha256
from server.store.traces import TraceFile


def send_trace(request: Request, trace: TraceFile, status: int, headers: Mapping[str, str]) -> Response:
    """The trace; to a GET that names it in If-None-Match, 304.

    The plain and the compressed form are two representations, so each has an entity tag of its own. Raises LimitError for a trace that is
    too large to be sent, as one may be that was stored when more was allowed.
    """
    settings: Settings = request.app.state.services.settings
    check_size(settings, trace)
    compressed = request.headers.get("accept-encoding") == "gzip"  # or nothing (server/middleware.py, Negotiation)
    tag = f'"{trace.sha256[:32]}{"-gzip" if compressed else ""}"'
    sent = {**headers, "ETag": tag}
    if request.method == "GET" and matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={**sent, "Vary": "Accept-Encoding"})
    if compressed:
        return Response(trace.document, status, {**sent, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}, "application/json")
    return Response(trace.text(), status, sent, "application/json")  # the compressing middleware adds Vary to what it could compress


def send_derived(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """What was computed from a trace; 304 to a GET that names it in If-None-Match. The tag is weak: it may be compressed on its way."""
    sent = {**headers, "ETag": f'W/"{sha256(content)[:32]}"'}
    if matches(request.headers.get("if-none-match", ""), sent["ETag"].removeprefix("W/")):
        return Response(status_code=304, headers={**sent, "Vary": "Accept-Encoding"})
    return Response(content, 200, sent, media_type)


def matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in header.split(",")]


def check_size(settings: Settings, trace: TraceFile) -> None:
    """Raises LimitError for a document that is larger than an answer may be."""
    if trace.size > settings.response_bytes:
        held = f"the document of this trace has {trace.size:,} bytes, at most {settings.response_bytes:,} are sent"
        raise LimitError(f"{held}: ask for one example of a batch, or a smaller hidden_size", settings.response_bytes, trace.size)
