"""Answers to requests that may come again: what a client is told when its first answer got lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

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

    def put(self, key: str, answer: Answer) -> None:
        """Keeps an answer; the first that was given to a key stays."""
        kept = dumps({"headers": answer.headers, "body": answer.body is not None}).decode()
        row = {"id": key, "request": answer.request, "created": now(), "status": answer.status, "headers": kept, **pack(answer.body or b"")}
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(answers).values(row))
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
