"""Answers that never change are sent again from memory: a trace that many read is looked up, checked and unpacked once."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 64 << 20  # bytes of bodies that are kept; beyond, those that nobody asked for the longest are forgotten
_Headers = list[tuple[bytes, bytes]]


class _Answer(NamedTuple):
    headers: _Headers
    body: bytes
    route: str


class Cached:
    """Keeps whole answers to GET that say of themselves that they are immutable, each form that was asked for apart.

    They stay right for as long as they are kept: what they say is in their address. A DELETE forgets what lies at its address and below.
    (Of several servers on one database each keeps its own.)
    """

    def __init__(self, app: ASGIApp, most: int = MOST) -> None:
        self.app, self.most, self.size = app, most, 0
        self.answers: OrderedDict[tuple[bytes, ...], _Answer] = OrderedDict()
        self.lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "DELETE"):
            await self.app(scope, receive, send)
            return
        path: bytes = f"{scope['root_path']} {scope['path']}".encode("utf-8", "surrogatepass")
        if scope["method"] == "DELETE":
            await self.app(scope, receive, send)
            self._forget(path)
            return
        given = dict(scope["headers"])
        if b"if-none-match" in given or b"range" in given:
            await self.app(scope, receive, send)
            return
        key = (path, scope["query_string"], given.get(b"accept", b""), given.get(b"accept-encoding", b""))
        with self.lock:
            known = self.answers.get(key)
            if known is not None:
                self.answers.move_to_end(key)
        if known is None:
            await self.app(scope, receive, self._listening(scope, key, send))
            return
        scope["state"]["route"] = known.route
        await send({"type": "http.response.start", "status": 200, "headers": list(known.headers)})
        await send({"type": "http.response.body", "body": known.body})

    def _listening(self, scope: Scope, key: tuple[bytes, ...], send: Send) -> Send:
        """`send` that keeps the answer where it is one to be kept."""
        headers: _Headers | None = None

        async def heard(message: Message) -> None:
            nonlocal headers
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                control = b",".join(value for name, value in given if name.lower() == b"cache-control")
                headers = given if message["status"] == 200 and b"immutable" in control and b"private" not in control else None
            elif headers is not None and not message.get("more_body"):
                self._keep(key, _Answer(headers, message.get("body", b""), scope.get("state", {}).get("route", "")))
            else:
                headers = None  # sent in pieces
            await send(message)

        return heard

    def _keep(self, key: tuple[bytes, ...], answer: _Answer) -> None:
        if 4 * len(answer.body) > self.most:
            return
        with self.lock:
            before = self.answers.pop(key, None)
            self.answers[key] = answer
            self.size += len(answer.body) - (len(before.body) if before else 0)
            while self.size > self.most:
                _, gone = self.answers.popitem(last=False)
                self.size -= len(gone.body)

    def _forget(self, path: bytes) -> None:
        with self.lock:
            for key in [key for key in self.answers if key[0] == path or key[0].startswith(path + b"/")]:
                self.size -= len(self.answers.pop(key).body)
