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

    They stay right for as long as they are kept: what they say is in their address. A DELETE forgets what lies at its address and below,
    and an answer that was on its way meanwhile is not kept. (Of several servers on one database each keeps its own.)
    """

    def __init__(self, app: ASGIApp, most: int = MOST) -> None:
        self.app, self.most, self.size = app, most, 0
        self.answers: OrderedDict[tuple[bytes, ...], _Answer] = OrderedDict()
        self.under_way: dict[object, bytes] = {}  # the paths of answers to come that may be kept
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
        names = {name for name, _ in scope["headers"]}
        if b"if-none-match" in names or b"range" in names:
            await self.app(scope, receive, send)
            return
        key = (path, scope["query_string"], *(_all(scope, name) for name in (b"accept", b"accept-encoding")))
        with self.lock:
            known = self.answers.get(key)
            if known is not None:
                self.answers.move_to_end(key)
        if known is None:
            await self._ask(key, scope, receive, send)
            return
        scope["state"]["route"] = known.route
        await send({"type": "http.response.start", "status": 200, "headers": list(known.headers)})
        await send({"type": "http.response.body", "body": known.body})

    async def _ask(self, key: tuple[bytes, ...], scope: Scope, receive: Receive, send: Send) -> None:
        heard, asking = _Heard(send), object()
        with self.lock:
            self.under_way[asking] = key[0]
        try:
            await self.app(scope, receive, heard)
            if heard.headers is not None:
                self._keep(asking, key, _Answer(heard.headers, heard.body, scope["state"].get("route", "")))
        finally:
            with self.lock:
                self.under_way.pop(asking, None)

    def _keep(self, asking: object, key: tuple[bytes, ...], answer: _Answer) -> None:
        if 4 * len(answer.body) > self.most:
            return
        with self.lock:
            if asking not in self.under_way:  # what it is of was deleted
                return
            before = self.answers.pop(key, None)
            self.answers[key] = answer
            self.size += len(answer.body) - (len(before.body) if before else 0)
            while self.size > self.most:
                _, gone = self.answers.popitem(last=False)
                self.size -= len(gone.body)

    def _forget(self, path: bytes) -> None:
        with self.lock:
            for key in [key for key in self.answers if _within(key[0], path)]:
                self.size -= len(self.answers.pop(key).body)
            for asking in [asking for asking, asked in self.under_way.items() if _within(asked, path)]:
                del self.under_way[asking]


class _Heard:
    """`send` that listens. headers: None unless the answer is one to be kept: whole, immutable, and nobody's own."""

    def __init__(self, send: Send) -> None:
        self.send, self.body = send, b""
        self.headers: _Headers | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            given: _Headers = list(message.get("headers", []))
            control = b",".join(value for name, value in given if name.lower() == b"cache-control")
            own = b"private" in control or any(name.lower() == b"set-cookie" for name, _ in given)
            self.headers = given if message["status"] == 200 and b"immutable" in control and not own else None
        elif message.get("more_body"):
            self.headers = None  # sent in pieces
        else:
            self.body = message.get("body", b"")
        await self.send(message)


def _within(path: bytes, place: bytes) -> bool:
    return path == place or path.startswith(place + b"/")


def _all(scope: Scope, name: bytes) -> bytes:
    """What a request's headers of that name say together."""
    return b",".join(value for given, value in scope["headers"] if given == name)
