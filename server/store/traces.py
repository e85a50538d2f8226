"""Traces by their id: immutable documents, kept compressed."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from server.encoding import dumps
from server.store.clock import now
from server.store.tables import traces


@dataclass(frozen=True)
class TraceFile:
    """A trace as it is stored and sent. document: the JSON, gzip. size: its bytes before compression."""

    id: str
    program: dict[str, Any]
    size: int
    document: bytes

    @classmethod
    def pack(cls, trace_id: str, program: dict[str, Any], text: bytes) -> TraceFile:
        return cls(trace_id, program, len(text), gzip.compress(text, compresslevel=4, mtime=0))

    def text(self) -> bytes:
        """The JSON document."""
        return gzip.decompress(self.document)


class TraceStore:
    """Traces in the database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def put(self, trace: TraceFile) -> bool:
        """Stores a trace; False when it is there already."""
        row = {"id": trace.id, "program": dumps(trace.program).decode(), "created": now(), "bytes": trace.size, "document": trace.document}
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(traces).values(row))
        except IntegrityError:
            return False
        return True

    def get(self, trace_id: str) -> TraceFile | None:
        with self.engine.connect() as connection:
            row = connection.execute(select(traces).where(traces.c.id == trace_id)).one_or_none()
        return None if row is None else TraceFile(row.id, json.loads(row.program), row.bytes, row.document)

    def has(self, trace_id: str) -> bool:
        with self.engine.connect() as connection:
            return connection.execute(select(traces.c.number).where(traces.c.id == trace_id)).one_or_none() is not None

    def page(self, limit: int, after: int | None) -> tuple[list[dict[str, Any]], int | None]:
        """Traces without their documents, newest first, that follow the cursor; and the next cursor."""
        query = select(traces.c.number, traces.c.id, traces.c.program, traces.c.created, traces.c.bytes).order_by(traces.c.number.desc())
        if after is not None:
            query = query.where(traces.c.number < after)
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        items = [{"id": row.id, "program": json.loads(row.program), "created": row.created, "bytes": row.bytes} for row in rows[:limit]]
        return items, rows[limit - 1].number if len(rows) > limit else None

    def delete(self, trace_id: str) -> bool:
        """False when there was none."""
        with self.engine.begin() as connection:
            return connection.execute(delete(traces).where(traces.c.id == trace_id)).rowcount > 0
