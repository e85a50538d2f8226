"""A stored trace as an HTTP response: JSON as it is stored, or MessagePack; compressed when the client takes that."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from engine.told import Told
from engine.trace import from_bytes
from server import msgpack
from server.accept import preferred
from server.datasets.choice import chooses_data
from server.problems import ProblemError
from server.programs.errors import LimitError
from server.settings import Settings
from server.store.blobs import sha256
from server.store.trace_file import TraceFile

_TAGS = {"application/json": "", msgpack.MEDIA_TYPE: "-msgpack"}
FORMS = tuple(_TAGS)
VARY = "Accept, Accept-Encoding"
PRIVATE = "private, no-store"  # Cache-Control of what holds examples of somebody's own data


def send_trace(request: Request, trace: TraceFile, status: int, headers: Mapping[str, str]) -> Response:
    """The trace as JSON or MessagePack; to a GET that names it in If-None-Match, 304.

    Each form, plain and compressed, is a representation with an entity tag of its own. Raises ProblemError for a client that takes
    neither, and for a trace that is too large to be sent whole, which is told where its parts are.
    """
    settings: Settings = request.app.state.services.settings
    form = accepted(request)
    if trace.size > settings.response_bytes:
        raise _too_large(request, trace, settings.response_bytes)
    compressed = request.headers.get("accept-encoding") == "gzip"  # or nothing (server/middleware.py, Negotiation)
    tag = f'"{trace.sha256[:32]}{_TAGS[form]}{"-gzip" if compressed else ""}"'
    sent = {**headers, "ETag": tag, "Vary": VARY}
    if request.method == "GET" and matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=sent)
    if form == msgpack.MEDIA_TYPE:
        content = msgpack.pack(from_bytes(trace.text()))
        if compressed:
            content = gzip.compress(content, compresslevel=4, mtime=0)
    else:
        content = trace.document if compressed else trace.text()
    # To what it could compress and does not, the compressing middleware adds Accept-Encoding itself.
    sent |= {"Content-Encoding": "gzip"} if compressed else {"Vary": "Accept"}
    return Response(content, status, sent, form)


def lasting(program: Mapping[str, Any]) -> str:
    """Cache-Control of what never changes; it may go, though, where it holds somebody's own data, and then nobody keeps it."""
    return PRIVATE if chooses_data(program) else "public, max-age=31536000, immutable"


def asked_anew(program: Mapping[str, Any]) -> str:
    """Cache-Control of what is made of a program or its trace, and may be made otherwise another time."""
    return PRIVATE if chooses_data(program) else "no-cache"


def accepted(request: Request) -> str:
    """The form in which the client takes a document. Raises ProblemError where it takes none of them."""
    offered = preferred(request.headers.get("accept", ""), FORMS)
    if offered is None:
        raise ProblemError(
            406, f"documents come as {' or '.join(FORMS)}; name one of them in Accept, or send no Accept", headers={"Vary": VARY}
        )
    return offered


def send_part(request: Request, content: bytes, headers: Mapping[str, str]) -> Response:
    """A part of a trace, given as JSON, in the form that the client takes. Raises LimitError for one that is too large to be sent."""
    form = accepted(request)
    most = request.app.state.services.settings.response_bytes
    if len(content) > most:
        held = f"this part of the trace has {len(content):,} bytes, at most {most:,} are sent"
        raise LimitError(f"{held}: ask for less of it, with tensors=none, a narrower scope or fewer events", most, len(content))
    packed = msgpack.pack(orjson.loads(content)) if form == msgpack.MEDIA_TYPE else content
    return send_derived(request, packed, form, {**headers, "Vary": VARY})


def send_derived(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """What was computed from a trace; 304 to a GET that names it in If-None-Match. The tag is weak: it may be compressed on its way."""
    varies = "Accept" in headers.get("Vary", "").split(", ")
    sent = {**headers, "ETag": f'W/"{sha256(content)[:32]}"', "Vary": VARY if varies else "Accept-Encoding"}
    if request.method == "GET" and matches(request.headers.get("if-none-match", ""), sent["ETag"].removeprefix("W/")):
        return Response(status_code=304, headers=sent)
    del sent["Vary"]  # the compressing middleware adds Accept-Encoding itself
    return Response(content, 200, sent | ({"Vary": "Accept"} if varies else {}), media_type)


def matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in header.split(",")]


def _too_large(request: Request, trace: TraceFile, most: int) -> ProblemError:
    """The trace is stored; where to read it stands in the headers too."""
    place = request.url_for("read_trace", trace_id=trace.id).path
    detail = (
        f"this trace is stored, but its document has {trace.size:,} bytes, and at most {most:,} are sent at once: read it without its "
        f"numbers, GET {place}?tensors=stats, or in pieces, ?scope=… or ?events=from:to, and each tensor by its reference; "
        "or make a smaller one, of one example or with a smaller hidden_size"
    )
    headers = {"Location": place, "Link": f'<{place}?tensors=stats>; rel="alternate"'}
    words = Told(detail, "trace-sent", given=trace.size, most=most)
    return ProblemError(422, words, kind="limit", headers=headers, limit=most, actual=trace.size)
