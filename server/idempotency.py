"""Idempotency-Key: a POST that comes again with its key is not done again, it is answered as it was.

A client whose connection broke cannot know whether its request was carried out; with a key it simply sends it once more. What makes a run,
a sweep, a data set or more steps says so in the same transaction (`marking`): a server that is killed before it answers leaves no doubt,
nor do several servers that get the same request.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import limits
from server.bodies import beginning_with
from server.problems import ProblemError, problem_response
from server.services import Services
from server.store.answers import Answer, AnswerStore, Once, UnderWayError
from server.store.blobs import DamagedError
from server.store.database import Done

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_NOT_KEPT = {"content-length", "set-cookie"}
_ONCE = "retrograd.once"  # in the scope of a request with a key


def marking(request: Request, status: int, route: str, name: str) -> Done:
    """What a store calls when it does what was asked. status: of the answer. route, name: the route whose parameter `name` is the id."""
    once: Once | None = request.scope.get(_ONCE)

    def mark(connection: Connection, made: str) -> None:
        if once is not None:
            once.mark(connection, status, request.url_for(route, **{name: made}).path)

    return mark


class Idempotency:
    """Stands innermost, where bodies are read and checked already. Answers are kept before they are sent, and only those that succeeded."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._running: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).getlist(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else []
        if not given:
            await self.app(scope, receive, send)
            return
        try:
            key = _key(scope, given)
            if key in self._running:
                raise _in_progress()
            self._running.add(key)
            try:
                await self._once(key, scope, receive, send)
            finally:
                self._running.discard(key)
        except ProblemError as error:
            await problem_response(Request(scope), error)(scope, receive, send)

    async def _once(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        answers: AnswerStore = scope["app"].state.answers
        first = await receive()
        request = _digest(scope["path"], scope.get("query_string", b""), first.get("body", b""))
        known = await run_in_threadpool(_known, answers, key)
        if known is not None and known.request != request:
            raise ProblemError(422, f"this {HEADER} came with another request before; send each request under a key of its own")
        if known is not None:
            if await self._again(known, scope, receive, send):
                return
            await run_in_threadpool(answers.forget, key)  # it is of no use any more
        messages: list[Message] = []
        once = scope[_ONCE] = Once(key, request)

        async def keep(message: Message) -> None:
            messages.append(message)

        try:
            await self.app(scope, beginning_with(first, receive), keep)
        except UnderWayError:
            raise _in_progress() from None
        answer = _answer(request, messages)
        if answer is not None:
            await run_in_threadpool(answers.put, key, answer, once.marked)
        for message in messages:
            await send(message)

    async def _again(self, known: Answer, scope: Scope, receive: Receive, send: Send) -> bool:
        """Sends a known answer; False where its body is no longer where it was, and what was asked is to be done anew."""
        if known.body is None:
            return await self._from_its_place(known, scope, receive, send)
        headers = MutableHeaders({**known.headers, REPLAYED: "true", "Content-Length": str(len(known.body))})
        await send({"type": "http.response.start", "status": known.status, "headers": headers.raw})
        await send({"type": "http.response.body", "body": known.body})
        return True

    async def _from_its_place(self, known: Answer, scope: Scope, receive: Receive, send: Send) -> bool:
        """A trace, or the part of it that was sent, in the form that the client takes this time; or what a marked request led to.

        What cannot be read is made again where it is gone, or is a trace, which comes out the same; else the answer says why it cannot be.
        """
        place, _, query = (known.headers.get("content-location") or known.headers["location"]).partition("?")
        found = True

        async def send_as_before(message: Message) -> None:
            nonlocal found
            if message["type"] == "http.response.start":
                status = message["status"]
                found = status not in (404, 410) and (status == 200 or "/traces/" not in place)
                if status != 200:
                    if found:
                        await send(message)
                    return
                headers = MutableHeaders(raw=[*message["headers"]])
                headers.update({**known.headers, REPLAYED: "true"})
                del headers["cache-control"]  # which is the trace's own, and not a POST's
                if query:
                    del headers["etag"]  # of a part, which Location does not name
                message = {**message, "status": known.status, "headers": headers.raw}
            if found:
                await send(message)

        read = {**scope, "method": "GET", "path": place, "raw_path": place.encode(), "query_string": query.encode()}
        await self.app(read, receive, send_as_before)
        return found


def _known(answers: AnswerStore, key: str) -> Answer | None:
    """The answer that was given, where it is still whole."""
    try:
        return answers.get(key)
    except DamagedError:
        answers.forget(key)
        return None


def _key(scope: Scope, given: list[str]) -> str:
    """A hash of who asks and of the key. Raises ProblemError for what is no key."""
    if len(given) > 1 or not 0 < len(given[0]) <= limits.KEY_CHARACTERS or not given[0].isascii() or not given[0].isprintable():
        expected = f"expected one of 1 to {limits.KEY_CHARACTERS} printable ASCII characters, such as a UUID"
        raise ProblemError(400, f"{HEADER} is no key; {expected}")
    services: Services = scope["app"].state.services
    return _digest(services.visitors.of(Request(scope)), given[0])


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _answer(request: str, messages: list[Message]) -> Answer | None:
    """What is kept of an answer: nothing of one that failed, since a request that did nothing may be sent again."""
    start, *rest = messages or [{"status": 500}]
    if not 200 <= start["status"] < 300:
        return None
    headers = {name: value for name, value in Headers(raw=start["headers"]).items() if name not in _NOT_KEPT}
    if "location" in headers and ("etag" in headers or "content-location" in headers):  # a trace, which its address gives as well
        places = {name: value for name, value in headers.items() if name in ("location", "content-location")}
        return Answer(request, start["status"], places, None)
    return Answer(request, start["status"], headers, b"".join(message.get("body", b"") for message in rest))


def _in_progress() -> ProblemError:
    detail = f"a request with this {HEADER} is being carried out; wait for its answer, or send the request again a little later"
    return ProblemError(409, detail, headers={"Retry-After": "1"})
