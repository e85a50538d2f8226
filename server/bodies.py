"""The bodies of requests: of one type, up to a size, and JSON in truth before a route sees them."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.told import Told
from server import limits, strict_json
from server.problems import ProblemError, problem_response
from server.proxies import own_path
from server.settings import Settings

FILE_TYPES = ("application/octet-stream", "application/x-npy", "application/x-npz", "application/zip", "application/x-safetensors")
TABLE_TYPE = "text/csv"  # in whatever encoding: it is told by the bytes
ALONE = ("pause", "resume", "cancel")
_LARGE = 2**16  # reading so much would keep others waiting


def beginning_with(first: Message, receive: Receive) -> Receive:
    """`receive` for who comes next, with a message that was received already given once more."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return first

    return receive_again


class BodyGuard:
    """Reads a body once, up to its limit, and lets only strict JSON through; where files are uploaded, only what is none.

    files: the address that takes files; tables: that which takes rows and columns as text. No type that is taken is one of a form's, which
    keeps other sites' forms out: a browser asks before it sends such a type across origins.
    """

    def __init__(self, app: ASGIApp, settings: Settings, files: str, tables: str) -> None:
        self.app, self.settings, self.files, self.tables = app, settings, files, tables

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH") or _is_alone(scope):
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive, own_path(scope))
        except ProblemError as error:
            await problem_response(Request(scope), error)(scope, receive, send)
            return
        await self.app(scope, beginning_with({"type": "http.request", "body": body, "more_body": False}, receive), send)

    async def _read(self, headers: Headers, receive: Receive, path: str) -> bytes:
        """The body. Raises ProblemError for one that is too large, of another type, or, where it is not a file, not JSON."""
        is_table = path == self.tables and headers.get("content-type", "").split(";")[0].strip().lower() == TABLE_TYPE
        is_file, media_type = path == self.files or is_table, TABLE_TYPE if is_table else _type(headers)
        is_json = media_type == "application/json"
        most = limits.DATASET_BYTES if is_table else self.settings.body_bytes if is_json else self.settings.upload_bytes
        declared = headers.get("content-length", "0")
        size = int(declared) if declared.isdecimal() and len(declared) <= 20 else 0
        if size > most and "expect" in headers:
            raise _too_large(size, most)  # the client waits to be told
        body, received, more = bytearray(), 0, True
        try:
            async with asyncio.timeout(limits.BODY_SECONDS):
                while more and received <= 2 * most:  # some more than is taken, so that a client that writes on gets to read why not
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        break
                    received += len(message.get("body", b""))
                    if received <= most:
                        body += message.get("body", b"")
                    more = message.get("more_body", False)
        except TimeoutError:
            detail = f"the body did not arrive within {limits.BODY_SECONDS:g} s; send it at once"
            raise ProblemError(408, detail, kind="malformed", headers={"Connection": "close"}) from None
        if max(size, received) > most:
            raise _too_large(max(size, received), most)
        if is_file and not is_table and media_type not in FILE_TYPES:
            raise ProblemError(415, f"a file is uploaded as it is; send its bytes with the header Content-Type: {FILE_TYPES[0]}")
        if not is_file and not is_json:
            raise ProblemError(415, "the body has to be JSON in UTF-8; send it with the header Content-Type: application/json")
        if "content-encoding" in headers:
            raise ProblemError(415, "the body has to come as it is; send it without Content-Encoding")
        content = bytes(body)
        if is_file:
            return content
        if len(content) > _LARGE:
            await run_in_threadpool(_check_json, content)
        else:
            _check_json(content)
        return content


def _is_alone(scope: Scope) -> bool:
    """Whether it is a write without a body where an address alone says it all: a PUT, or one of the POSTs that end with such a verb."""
    verb = scope["path"].rpartition("/")[2]
    headers = Headers(scope=scope)
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    return empty and (scope["method"] == "PUT" or (scope["method"] == "POST" and verb in ALONE))


def _type(headers: Headers) -> str:
    """The media type that the headers name, of which there is one; JSON in another encoding than UTF-8 is none."""
    given = headers.getlist("content-type")
    if len(given) != 1:
        return ""
    media_type, *parameters = (part.strip().lower() for part in given[0].split(";"))
    charsets = {value.strip('"') for name, _, value in (part.partition("=") for part in parameters) if name == "charset"}
    return media_type if charsets <= {"utf-8", "utf8"} else ""


def _too_large(size: int, most: int) -> ProblemError:
    return ProblemError(
        413, Told(f"the body is larger than {most:,} bytes; send a smaller one", "body-large", most=most), limit=most, actual=size
    )


def _check_json(body: bytes) -> None:
    try:
        strict_json.read(body, limits.JSON_DEPTH)
    except strict_json.TooDeepError as error:
        raise ProblemError(400, str(error), kind="limit", limit=error.most, actual=error.depth) from None
    except strict_json.StrictJsonError as error:
        raise ProblemError(400, str(error)) from None
