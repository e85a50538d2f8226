"""Answers that never change are sent again from memory, and only those."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.cached import Cached

IMMUTABLE = (b"cache-control", b"public, max-age=31536000, immutable")


class App:
    """Counts what reaches it."""

    def __init__(self, *headers: tuple[bytes, bytes], status: int = 200, pieces: int = 1, size: int = 4) -> None:
        self.headers, self.status, self.pieces, self.size, self.asked = headers, status, pieces, size, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        for piece in range(self.pieces):
            await send({"type": "http.response.body", "body": b"x" * self.size, "more_body": piece < self.pieces - 1})


def ask(
    app: Cached, path: str = "/traces/1", method: str = "GET", query: bytes = b"", **headers: str
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "query_string": query, "headers": given, "state": {}}
    asyncio.run(app(scope, None, send))  # type: ignore[arg-type]
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def test_what_never_changes_is_asked_for_once() -> None:
    inner = App(IMMUTABLE, (b"etag", b'"a"'))
    app = Cached(inner)
    assert ask(app) == ask(app) == (200, {b"cache-control": IMMUTABLE[1], b"etag": b'"a"'}, b"xxxx")
    assert inner.asked == 1


@pytest.mark.parametrize(
    "inner", [App(), App((b"cache-control", b"no-cache")), App(IMMUTABLE, status=304), App(IMMUTABLE, pieces=2),
              App((b"cache-control", b"private, immutable")), App(IMMUTABLE, (b"set-cookie", b"visitor=1"))],
)  # fmt: skip
def test_other_answers_are_not_kept(inner: App) -> None:
    app = Cached(inner)
    first = ask(app)
    assert ask(app) == first
    assert (inner.asked, app.size) == (2, 0)


def test_each_form_is_an_answer_of_its_own() -> None:
    inner = App(IMMUTABLE)
    app = Cached(inner)
    for _ in range(2):
        for asked in ({}, {"accept": "application/x-msgpack"}, {"accept_encoding": "gzip"}):
            ask(app, **asked)
        ask(app, query=b"tensors=none")
        ask(app, "/traces/2")
    assert inner.asked == 5


def test_all_that_is_accepted_counts() -> None:
    inner = App(IMMUTABLE)
    app = Cached(inner)
    for accepted in ([b"text/csv", b"application/json"], [b"application/json"]):
        scope = {"type": "http", "method": "GET", "path": "/traces/1", "root_path": "", "query_string": b"", "state": {},
                 "headers": [(b"accept", value) for value in accepted]}  # fmt: skip
        asyncio.run(app(scope, None, _nowhere))  # type: ignore[arg-type]
    assert inner.asked == 2


async def _nowhere(message: Any) -> None:
    assert message["type"].startswith("http.response.")


def test_the_route_is_told_to_whoever_counts_requests() -> None:
    class Routed(App):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await super().__call__(scope, receive, send)
            scope["state"]["route"] = "/traces/{trace_id}"  # known when the answer has been sent

    app = Cached(Routed(IMMUTABLE))
    for _ in range(2):
        scope: Any = {
            "type": "http",
            "method": "GET",
            "path": "/traces/1",
            "root_path": "",
            "query_string": b"",
            "state": {},
            "headers": [],
        }
        asyncio.run(app(scope, None, _nowhere))  # type: ignore[arg-type]
        assert scope["state"]["route"] == "/traces/{trace_id}"


def test_conditional_requests_and_parts_are_the_routes_own() -> None:
    inner = App(IMMUTABLE)
    app = Cached(inner)
    for _ in range(2):
        ask(app, if_none_match='"a"')
        ask(app, range="bytes=0-1")
        ask(app, method="HEAD")
    assert inner.asked == 6


def test_what_is_deleted_is_forgotten_with_what_lies_below() -> None:
    inner = App(IMMUTABLE)
    app = Cached(inner)
    for path in ("/traces/1", "/traces/1/bptt", "/traces/10"):
        ask(app, path)
    ask(app, method="DELETE")
    assert [key[0] for key in app.answers] == [b" /traces/10"]
    assert app.size == 4


@pytest.mark.parametrize("deleted", ["/traces/1", "/traces"])
def test_what_is_deleted_while_it_is_sent_is_not_kept(deleted: str) -> None:
    class Slow(App):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] == "GET" and self.asked == 0:
                self.asked += 1
                await app({**scope, "method": "DELETE", "path": deleted}, receive, _nowhere)
            await super().__call__(scope, receive, send)

    app = Cached(Slow(IMMUTABLE))
    ask(app)
    assert (app.answers, app.size, app.under_way) == ({}, 0, {})
    ask(app)
    assert (len(app.answers), app.under_way) == (1, {})


def test_another_deletion_keeps_nothing_from_being_kept() -> None:
    class Slow(App):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] == "GET":
                await app({**scope, "method": "DELETE", "path": "/traces/10"}, receive, _nowhere)
            await super().__call__(scope, receive, send)

    app = Cached(Slow(IMMUTABLE))
    ask(app)
    assert [key[0] for key in app.answers] == [b" /traces/1"]


def test_beyond_its_size_the_longest_unasked_goes() -> None:
    inner = App(IMMUTABLE, size=100)
    app = Cached(inner, most=400)
    for number in range(4):
        ask(app, f"/traces/{number}")
    ask(app, "/traces/0")
    ask(app, "/traces/4")
    assert [key[0] for key in app.answers] == [b" /traces/2", b" /traces/3", b" /traces/0", b" /traces/4"]
    assert app.size == 400
    inner.size = 101
    ask(app, "/traces/5")  # more than a quarter of all that may be kept
    assert app.size == 400
