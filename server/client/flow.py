"""Requests without input and output: what is asked and what is made of the answer stands once, for both ways of waiting.

An operation is a generator. It yields what is to be done, a Request or a Pause, is sent the response, and returns its result. A
transport (transport.py) carries it out, waiting as threads or as asyncio tasks do.
"""

from __future__ import annotations

import functools
import inspect
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field, replace
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload
from urllib.parse import quote

import httpx

from server.client.arrays import written
from server.client.errors import ConnectionFailedError, UnexpectedAnswerError, problem_of, retry_after

if TYPE_CHECKING:
    from server.client.subscription import Subscription
    from server.client.transport import AsyncTransport, SyncTransport

T = TypeVar("T")
P = ParamSpec("P")
LONGEST_WAIT = 10.0  # seconds that a request waits by itself; a server that wants more raises BusyError
PASSING = frozenset({429, 502, 503, 504})  # answers after which the same may succeed


@dataclass(frozen=True)
class Request:
    """What is to be sent. path: below the API's address. content: the body, if there is one."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pause:
    """Wait for some seconds."""

    seconds: float


Flow = Generator[Request | Pause, httpx.Response | None, T]


class Transport(Protocol):
    """Carries flows out. base_url: of the API. retries: how often a request is tried again."""

    base_url: str
    retries: int

    def run(self, flow: Flow[T]) -> Any: ...
    def listen(self, subscription: Subscription[T]) -> Any: ...


S = TypeVar("S", bound=Transport)


def ask(transport: Transport, request: Request) -> Flow[httpx.Response]:
    """The answer to a request, which is tried again where the connection breaks or the server is busy for a moment.

    Every POST has a key, under which the server does it once, however often it comes.
    Raises ProblemError, ConnectionFailedError.
    """
    if request.method == "POST":
        request = replace(request, headers={**request.headers, "Idempotency-Key": uuid.uuid4().hex})
    broke = False
    for attempt in range(transport.retries + 1):
        last = attempt == transport.retries
        wait = min(0.2 * 2**attempt, 2.0)
        try:
            response = yield request
        except httpx.TransportError as error:
            if last or isinstance(error, httpx.UnsupportedProtocol):
                raise ConnectionFailedError(_words(error, attempt + 1)) from None
            broke = True
        else:
            assert response is not None
            if not response.is_error or (response.status_code == 404 and request.method == "DELETE" and broke):
                return response
            asked = retry_after(response)
            passing = response.status_code in PASSING or (response.status_code == 409 and asked is not None)  # under way already
            wait = wait if asked is None else asked
            if last or not passing or wait > LONGEST_WAIT:
                raise problem_of(response)
        yield Pause(wait)
    raise AssertionError("the last attempt returns or raises")


def _words(error: httpx.TransportError, attempts: int) -> str:
    said = str(error) or type(error).__name__
    times = "" if attempts == 1 else f" after {attempts} attempts"
    return f"the server does not answer{times} ({said}); is it running, and is this its address?"


def segment(name: str) -> str:
    """A name as a part of an address. Raises ValueError for one that cannot be."""
    if name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no id; it is what `id` of a run, a trace, a sweep says")
    return quote(name, safe=":")


def object_of(response: httpx.Response) -> dict[str, Any]:
    """What was answered, read from JSON. Raises UnexpectedAnswerError where it is no object."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise UnexpectedAnswerError(f"{response.url} answers no object of JSON; is it the address of a Retrograd server?")
    return answer


class Part(Generic[S]):
    """A part of the client: some operations, and the transport that carries them out."""

    def __init__(self, transport: S) -> None:
        self._transport = transport

    def _ask(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Flow[httpx.Response]:  # fmt: skip
        given = {name: value for name, value in (params or {}).items() if value is not None}
        return (yield from ask(self._transport, Request(method, path, given, content, headers or {})))

    def _json(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None) -> Flow[dict[str, Any]]:
        """The object that is answered. body: sent as JSON. Raises UnexpectedAnswerError where none is."""
        content, headers = (None, None) if body is None else (written(body), {"Content-Type": "application/json"})
        return object_of((yield from self._ask(method, path, params=params, content=content, headers=headers)))

    def _items(self, path: str, most: int | None = None, **params: Any) -> Flow[list[Any]]:
        """The items of a list, page after page; most: at most so many."""
        items: list[Any] = []
        after = None
        while True:
            limit = 100 if most is None else min(100, most - len(items))
            if limit <= 0:
                return items
            page = yield from self._json("GET", path, params={**params, "limit": limit, "after": after})
            items += page["items"]
            after = page["next"]
            if after is None:
                return items


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """A method that is written as a flow. A Client's part returns its result, an AsyncClient's a coroutine of it."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        def method(part: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            return part._transport.run(flow(part, *args, **kwargs))

        self._method = _told(method, flow)

    @overload
    def __get__(self, part: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, part: Part[SyncTransport], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, part: Part[AsyncTransport], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, part: Any, owner: type) -> Any:
        return self._method if part is None else MethodType(self._method, part)


class stream(Generic[P, T]):  # noqa: N801 - a decorator
    """A method that says what is listened to. A Client's part gives a generator of events, an AsyncClient's an asynchronous one."""

    def __init__(self, subscription: Callable[Concatenate[Any, P], Subscription[T]]) -> None:
        def method(part: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            return part._transport.listen(subscription(part, *args, **kwargs))

        self._method = _told(method, subscription)

    @overload
    def __get__(self, part: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, part: Part[SyncTransport], owner: type) -> Callable[P, Generator[T]]: ...
    @overload
    def __get__(self, part: Part[AsyncTransport], owner: type) -> Callable[P, AsyncGenerator[T]]: ...
    def __get__(self, part: Any, owner: type) -> Any:
        return self._method if part is None else MethodType(self._method, part)


def _told(method: Callable[..., Any], source: Callable[..., Any]) -> Callable[..., Any]:
    """The method with the name, the words and the parameters of what it is written as, for help() and for editors."""
    functools.update_wrapper(method, source)
    signature = inspect.signature(source)
    result = str(signature.return_annotation).partition("[")[2].removesuffix("]")
    method.__signature__ = signature.replace(return_annotation=result)  # type: ignore[attr-defined]  # which functions may have
    return method
