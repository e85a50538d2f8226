"""Answers to requests that may come again: what a client is told when its first answer got lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from server import limits
from server.encoding import dumps
from server.store.blobs import pack, unpack
from server.store.clock import now
from server.store.database import give_back
from server.store.tables import answers


@dataclass(frozen=True)
class Answer:
    """An answer and what it was the answer to. request: a hash of what was asked. body: None where `Location` leads to it."""

    request: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None


class UnderWayError(Exception):
    """Another server carries out, or has just carried out, a request of this key."""


@dataclass
class Once:
    """A request with a key while it is carried out. key: hash of who asked and of the key. request: hash of what was asked.

    Whatever stores what was asked calls `mark` in the same transaction: either both are there or neither, whenever a server is killed and
    however many servers are asked. marked: whether that was done.
    """

    key: str
    request: str
    marked: bool = field(default=False, init=False)

    def mark(self, connection: Connection, status: int, place: str) -> None:
        """Keeps that it was done, and with which status, until the answer is known; place: the address of what came of it.

        Raises UnderWayError where it was done by another server.
        """
        header = "location" if status == 201 else "content-location"
        row = _row(self.key, Answer(self.request, status, {header: place}, None))
        try:
            connection.execute(insert(answers).values(row))
        except IntegrityError:
            raise UnderWayError(self.key) from None
        self.marked = True


class AnswerStore:
    """The latest answers by a hash of who asked and of the key that was sent; the oldest go beyond what limits.py allows."""

    def __init__(self, engine: Engine, most: int = limits.KEPT_ANSWERS, most_bytes: int = limits.KEPT_ANSWER_BYTES) -> None:
        self.engine, self.most, self.most_bytes = engine, most, most_bytes

    def get(self, key: str) -> Answer | None:
        """The answer that was given. Raises DamagedError where it is not what was stored."""
        with self.engine.connect() as connection:
            row = connection.execute(select(answers).where(answers.c.id == key)).one_or_none()
        if row is None:
            return None
        kept = json.loads(row.headers)
        body = unpack(row.data, row.sha256, "an answer", "send the request again")
        return Answer(row.request, row.status, kept["headers"], body if kept["body"] else None)

    def put(self, key: str, answer: Answer, marked: bool = False) -> None:
        """Keeps an answer; the first that was given to a key stays. marked: it takes the place of the mark of what it answers."""
        try:
            with self.engine.begin() as connection:
                if marked:
                    connection.execute(delete(answers).where(answers.c.id == key))
                connection.execute(insert(answers).values(_row(key, answer)))
                evicted = self._evict(connection)
        except IntegrityError:  # another server on this database was quicker
            return
        if evicted:
            give_back(self.engine)

    def forget(self, key: str) -> None:
        """Drops an answer that can no longer be given."""
        with self.engine.begin() as connection:
            connection.execute(delete(answers).where(answers.c.id == key))

    def _evict(self, connection: Connection) -> bool:
        """Deletes the oldest answers beyond the limits, never the newest; whether there were any."""
        gone: list[int] = []
        total = 0
        newest_first = select(answers.c.number, func.length(answers.c.data)).order_by(answers.c.number.desc())
        for place, (number, length) in enumerate(connection.execute(newest_first)):
            total += length
            if place and (place >= self.most or total > self.most_bytes):
                gone.append(number)
        return bool(gone) and connection.execute(delete(answers).where(answers.c.number.in_(gone))).rowcount > 0


def _row(key: str, answer: Answer) -> dict[str, Any]:
    kept = dumps({"headers": answer.headers, "body": answer.body is not None}).decode()
    return {"id": key, "request": answer.request, "created": now(), "status": answer.status, "headers": kept, **pack(answer.body or b"")}
