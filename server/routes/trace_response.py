"""A stored trace as an HTTP response: the bytes as they are, compressed when the client takes that."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from server.store.traces import TraceFile


def send_trace(request: Request, trace: TraceFile, status: int, headers: Mapping[str, str]) -> Response:
    """The trace; to a GET that names it in If-None-Match, 304.

    The plain and the compressed form are two representations, so each has an entity tag of its own.
    """
    compressed = request.headers.get("accept-encoding") == "gzip"  # or nothing (server/middleware.py, Negotiation)
    tag = f'"{trace.digest}{"-gzip" if compressed else ""}"'
    sent = {**headers, "ETag": tag}
    if request.method == "GET" and _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={**sent, "Vary": "Accept-Encoding"})
    if compressed:
        return Response(trace.document, status, {**sent, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}, "application/json")
    return Response(trace.text(), status, sent, "application/json")  # the compressing middleware adds Vary to what it could compress


def _matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in header.split(",")]
