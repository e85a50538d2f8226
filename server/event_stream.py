"""Changes of runs as server-sent events: read and written once for all who listen to a run, at most ten times a second."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from engine.told import Told
from server import limits
from server.encoding import dumps
from server.problems import ProblemError
from server.store.blobs import DamagedError
from server.store.run_changes import Changes, Position, changes, latest

log = logging.getLogger("retrograd")
BEGINNING = b"retry: 2000\n\n"  # milliseconds after which a browser whose connection broke comes again
HEARTBEAT = b": \n\n"
DELETED = b"event: deleted\ndata: {}\n\n"


@dataclass(frozen=True)
class Frame:
    """Some events, as bytes, that lead from one position to another."""

    after: Position
    data: bytes


class Streams:
    """The runs that somebody listens to. Use it within one event loop.

    Memory does not grow with those who are slow: each run keeps its last frames, and who needs older ones reads them from the database.
    """

    def __init__(self, engine: Engine, most: int, most_of_visitor: int) -> None:
        self.engine, self.most, self.most_of_visitor = engine, most, most_of_visitor
        self.closed = False
        self._feeds: dict[str, _Feed] = {}
        self._listeners: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many listen."""
        return self._listeners.total()

    def changed(self, run_id: str) -> None:
        """Says that something of the run was stored."""
        if run_id in self._feeds:
            self._feeds[run_id].woken.set()

    def close(self) -> None:
        """Ends every stream at once, since a server that is to stop waits for all of its answers."""
        self.closed = True
        for feed in self._feeds.values():
            feed.tell()

    def admit(self, visitor: str) -> None:
        """Counts one more who listens, until `leave`. Raises ProblemError where there are too many."""
        if self._listeners[visitor] >= self.most_of_visitor:
            detail = (
                f"you listen to {self._listeners[visitor]} streams already, at most {self.most_of_visitor} at a time are sent; close one"
            )
            raise ProblemError(
                429,
                Told(detail, "streams-own", most=self.most_of_visitor),
                kind="limit",
                limit=self.most_of_visitor,
                actual=self._listeners[visitor] + 1,
            )
        if self.open >= self.most:
            detail = f"{self.open} streams are open, as many as the server sends at a time; read the run from time to time instead"
            raise ProblemError(
                503, Told(detail, "streams", most=self.most), limit=self.most, actual=self.open + 1, headers={"Retry-After": "30"}
            )
        self._listeners[visitor] += 1

    def leave(self, visitor: str) -> None:
        self._listeners[visitor] -= 1
        if not self._listeners[visitor]:
            del self._listeners[visitor]

    async def listen(self, run_id: str, since: Position) -> AsyncGenerator[bytes]:
        """Everything of the run after a position, and all that follows, until it is deleted or the server stops."""
        feed = self._feeds.get(run_id)
        if feed is None:
            feed = self._feeds[run_id] = _Feed(self.engine, run_id)
        feed.listeners += 1
        try:
            yield BEGINNING
            await feed.begin()
            position = since if feed.head is None else since.within(feed.head)
            while not self.closed:
                frame = await feed.following(position)
                if frame is not None:
                    position = frame.after
                    yield frame.data
                elif feed.gone:
                    yield DELETED
                    return
                elif not await feed.news(limits.HEARTBEAT_SECONDS):
                    yield HEARTBEAT
        finally:
            feed.listeners -= 1
            if not feed.listeners:
                feed.stop()
                if self._feeds.get(run_id) is feed:
                    del self._feeds[run_id]


class _Feed:
    """One run: its newest frames, the last of which ends at `head`."""

    def __init__(self, engine: Engine, run_id: str) -> None:
        self.engine, self.run_id = engine, run_id
        self.listeners = 0
        self.gone = False  # the run was deleted
        self.head: Position | None = None
        self.woken = asyncio.Event()
        self._frames: OrderedDict[Position, Frame] = OrderedDict()  # by where they begin, each where the one before it ends
        self._size = 0
        self._news = asyncio.Event()
        self._beginning = asyncio.Lock()
        self._task = asyncio.create_task(self._follow(), name=f"stream {run_id}")

    def stop(self) -> None:
        self._task.cancel()

    def tell(self) -> None:
        """Wakes all who wait for news."""
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, seconds: float) -> bool:
        """Waits for a frame; False when none has come."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def following(self, position: Position) -> Frame | None:
        """A frame that begins at the position; None where nothing follows it."""
        frame = self._frames.get(position)
        if frame is not None or position == self.head or self.gone:
            return frame
        read = await run_in_threadpool(changes, self.engine, self.run_id, position, self.head)
        return None if read is None else Frame(read.position, written(read))

    async def begin(self) -> None:
        """Finds where the run is. What was there before anybody listened is read by those who lack it, and not kept."""
        async with self._beginning:
            if self.head is None and not self.gone:
                self.head = await run_in_threadpool(latest, self.engine, self.run_id)
                if self.head is None:
                    self._end()

    async def _read(self) -> bool:
        """Makes a frame of what is new, or of some of it where it is much. Whether there was something."""
        await self.begin()
        if self.head is None:
            return False
        new = await run_in_threadpool(changes, self.engine, self.run_id, self.head)
        if new is None:
            self._end()
        elif new.position != self.head:
            self._publish(self.head, new)
            self.woken.set()  # what is left, and what came meanwhile, is the next update's
            return True
        return False

    def _end(self) -> None:
        self.gone = True
        self.tell()

    def _publish(self, head: Position, new: Changes) -> None:
        frame = self._frames[head] = Frame(new.position, written(new))
        self._size += len(frame.data)
        self.head = frame.after
        while len(self._frames) > limits.STREAM_FRAMES or (self._size > limits.STREAM_BYTES and len(self._frames) > 1):
            _, old = self._frames.popitem(last=False)
            self._size -= len(old.data)
        self.tell()

    async def _follow(self) -> None:
        while not self.gone:
            with suppress(TimeoutError):  # another server may train the run
                await asyncio.wait_for(self.woken.wait(), limits.STREAM_LOOK_SECONDS)
            self.woken.clear()
            try:
                if not await self._read():
                    continue
            except (SQLAlchemyError, DamagedError) as error:
                log.error("the stream of run %s waits: %s", self.run_id, error)
            await asyncio.sleep(limits.UPDATE_SECONDS)


def written(new: Changes) -> bytes:
    """The events that tell of changes."""
    events, at = [], new.since
    if new.figures.shape[1]:
        at = replace(at, step=new.position.step)
        losses, norms, rates = new.figures
        events.append(_event("progress", at, dumps({
            "step": at.step, "first": new.since.step + 1, "losses": losses, "gradient_norms": norms, "learning_rates": rates,
            "steps_per_second": new.pace, "seconds_left": new.seconds_left,
        })))  # fmt: skip
    for step, data in new.observations:
        at = replace(at, observation=step)
        events.append(_event("observation", at, data))
    for validation in new.validations:
        at = replace(at, validation=validation["step"])
        events.append(_event("validation", at, dumps(validation)))
    if new.status is not None:
        events.append(_event("status", new.position, dumps(new.status)))
    return b"".join(events)


def _event(kind: str, at: Position, data: bytes) -> bytes:
    return b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), str(at).encode(), data)
