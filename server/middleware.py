"""What happens to every request before a route sees it: a number, what it comes to, and headers that keep a browser safe."""

from __future__ import annotations

import re
import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import logs
from server.metrics import Metrics
from server.problems import REQUEST_ID, ProblemError, bug_response, problem_response, shown_path
from server.proxies import own_path
from server.settings import Settings

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def security_headers(settings: Settings) -> dict[str, str]:
    """What keeps a browser safe: scripts of this server alone, none of them inline; KaTeX and Plotly set styles inline."""
    policy = (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'"
    )
    return {
        "Content-Security-Policy": f"{policy}; frame-ancestors {settings.frame_ancestors}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


class RequestContext:
    """Numbers the request, counts it, and adds the security headers to its answer; what nothing within has caught becomes a 500."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app, self.security, self.metrics = app, security_headers(settings), metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, status, began = uuid.uuid4().hex, 0, time.perf_counter()
        taken: float | None = None  # of a stream, whose end says nothing: until it began
        scope.setdefault("state", {})["request_id"] = request_id
        logs.request_id.set(request_id)

        async def send_with_headers(message: Message) -> None:
            nonlocal status, taken
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/event-stream"):
                    taken = time.perf_counter() - began
                for name, value in {**self.security, REQUEST_ID: request_id}.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            response = bug_response(Request(scope), error)
            if status:
                raise
            await response(scope, receive, send_with_headers)
        finally:
            self._count(scope, status, time.perf_counter() - began if taken is None else taken)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope["state"].get("route", "")
        self.metrics.count(scope["method"], route, status, seconds)
        told = {"method": scope["method"], "path": shown_path(scope), "route": route, "status": status, "ms": round(1000 * seconds, 1)}
        logs.access.info("request", extra=told)


class Negotiation:
    """Settles for the parts within what the client's address, method and Accept-Encoding come to.

    An address with control characters names nothing; a database may not even take it as a question.

    HEAD is a GET whose body is not sent. Accept-Encoding becomes `gzip` or nothing: the compressing middleware looks for the word alone,
    and would compress for `gzip;q=0`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _CONTROL.search(scope["path"]):
            error = ProblemError(404, "there is nothing at this address; addresses have no control characters")
            await problem_response(Request(scope), error)(scope, receive, send)
            return
        headers = MutableHeaders(raw=list(scope["headers"]))
        gzip = _accepts_gzip(",".join(headers.getlist("accept-encoding")))
        del headers["accept-encoding"]
        if gzip:
            headers["accept-encoding"] = "gzip"
        head = scope["method"] == "HEAD"

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["state"]["head"] = head  # for an answer that has no end
        settled = {**scope, "headers": headers.raw, "method": "GET" if head else scope["method"]}
        await self.app(settled, receive, send_without_body if head else send)
        scope["state"]["route"] = _template(settled)


def _template(scope: Scope) -> str:
    """The address of the route that was taken, its parameters by name; empty where there was none. A route knows its own end of it."""
    end = getattr(scope.get("route"), "path_format", None)
    if end is None:
        return ""
    filled = re.sub(r"\{(\w+)\}", lambda name: str(scope["path_params"].get(name[1], "")), end)
    path = own_path(scope)
    return f"{path.removesuffix(filled)}{end}" if path.endswith(filled) else str(end)


def _accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding takes gzip: what it says of gzip, else of `*`."""
    qualities = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.replace(" ", "") for piece in part.split(";"))
        qualities[name] = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    return qualities.get("gzip", qualities.get("*", "0")).strip("0.") != ""
