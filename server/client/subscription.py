"""Server-sent events without input and output: what is listened to, what comes, and how to go on when the connection breaks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from server.client.errors import ConnectionFailedError, problem_of, retry_after
from server.client.flow import PASSING, Flow, Request

T = TypeVar("T")
QUIET = 45.0  # seconds without a byte after which a connection is taken for dead; the server says something every 15


@dataclass(frozen=True)
class Message:
    """An event as it came. kind: its name; id: None where it has none."""

    kind: str
    id: str | None
    data: Any


class Decoder:
    """Bytes to messages, in whatever pieces they come. Data of the API are JSON in one line.

    Lines end with a line break alone: texts within may hold what Unicode takes for one.
    """

    def __init__(self) -> None:
        self.comments = 0  # lines that only say that the server is there
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are complete with these bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = line.removesuffix(b"\r").decode()
            name, _, value = text.partition(":")
            if text.startswith(":"):
                self.comments += 1
            elif text:
                self._fields[name] = value.removeprefix(" ")
            else:
                if "data" in self._fields:
                    yield Message(self._fields.get("event", "message"), self._fields.get("id"), json.loads(self._fields["data"]))
                self._fields = {}


class Subscription(Generic[T]):
    """What is listened to, over as many connections as it takes.

    read: an event of a message; None for those of a kind that this client does not know. ends: whether nothing follows an event that is
    waited for. at_rest: asks whether nothing will follow, for a stream that has nothing to say. after: the id to go on from. patience:
    seconds without a connection after which it is given up.
    """

    def __init__(
        self, path: str, read: Callable[[Message], T | None], ends: Callable[[T], bool], at_rest: Callable[[], Flow[bool]],
        after: str | None = None, patience: float = 60,
    ) -> None:  # fmt: skip
        self.path, self.read, self.ends, self.at_rest, self.patience = path, read, ends, at_rest, patience
        self.over = False
        self._last = after
        self._decoder = Decoder()
        self._asked = 0
        self._attempts = 0
        self._since: float | None = None  # when the connection broke
        self._wait: float | None = None

    def request(self) -> Request:
        """What to send for the next connection."""
        self._decoder = Decoder()
        self._asked = 0
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        return Request("GET", self.path, headers=headers if self._last is None else {**headers, "Last-Event-ID": self._last})

    def feed(self, data: bytes) -> Iterator[T]:
        """The events in some bytes, up to that after which nothing follows."""
        self._since = None
        for message in self._decoder.feed(data):
            self._attempts = 0
            self._last = message.id or self._last
            event = self.read(message)
            if event is not None:
                self.over = self.ends(event)
                yield event
                if self.over:
                    return

    def unsure(self) -> bool:
        """Whether the server has been silent for so long that `at_rest` should be asked; once for each time that it said so."""
        asked, self._asked = self._asked, self._decoder.comments
        return self._decoder.comments > asked

    def refused(self, response: httpx.Response) -> None:
        """Notes that no stream came. Raises ProblemError where none will come."""
        if response.status_code not in PASSING:
            raise problem_of(response)
        self._wait = retry_after(response)
        if self._waited() + self._pause() > self.patience:
            raise problem_of(response)

    def broken(self, error: httpx.TransportError | None) -> None:
        """Notes that the connection ended. Raises ConnectionFailedError where it did for too long."""
        if self._waited() > self.patience or isinstance(error, httpx.UnsupportedProtocol):
            said = str(error or "") or type(error).__name__
            raise ConnectionFailedError(f"the stream broke off, and the server did not answer for {self.patience:g} s ({said})") from None

    def delay(self) -> float:
        """Seconds to wait before the next connection."""
        seconds = self._pause()
        self._attempts += 1
        self._wait = None
        return seconds

    def _waited(self) -> float:
        now = time.monotonic()
        if self._since is None:
            self._since = now
        return now - self._since

    def _pause(self) -> float:
        return min(0.2 * 2**self._attempts, 5.0) if self._wait is None else self._wait
