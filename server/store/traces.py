"""Traces by their id: immutable documents, kept compressed."""

from __future__ import annotations

import json
import logging
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.encoding import dumps
from server.store.blobs import DamagedError
from server.store.clock import now
from server.store.database import give_back
from server.store.pins import is_pinned, is_pinned_by_others
from server.store.quota import beyond
from server.store.tables import LARGEST_NUMBER, traces
from server.store.trace_file import TraceFile

log = logging.getLogger("retrograd")


class TraceStore:
    """Traces in the database. Where they pass `most` bytes, compressed, the oldest go; those that are pinned and the newest never do."""

    def __init__(self, engine: Engine, most: int) -> None:
        self.engine, self.most = engine, most

    def put(self, trace: TraceFile, pinned: bool = False) -> tuple[TraceFile, bool]:
        """Stores a trace that is not there yet, or is damaged. Gives what is stored under its id, and whether it is new."""
        try:
            stored = self.get(trace.id)
        except DamagedError:
            return self._mend(trace)
        if stored is not None:
            if pinned:
                self._update(trace.id, {"pinned": True})
            return stored, False
        row = {
            "id": trace.id, "program": dumps(trace.program).decode(), "created": now(), "pinned": pinned,
            "bytes": trace.size, "document": trace.document, "sha256": trace.sha256,
        }  # fmt: skip
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(traces).values(row))
                evicted = self._evict(connection, trace.id)
        except IntegrityError:  # another request stored it meanwhile
            return self.get(trace.id) or trace, False
        if evicted:
            give_back(self.engine)
        return trace, True

    def _mend(self, trace: TraceFile) -> tuple[TraceFile, bool]:
        self._update(trace.id, {"bytes": trace.size, "document": trace.document, "sha256": trace.sha256})
        log.warning("trace %s was damaged and has been made again", trace.id)
        return trace, False

    def _update(self, trace_id: str, values: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(traces).where(traces.c.id == trace_id).values(values))

    def _evict(self, connection: Connection, newest: str) -> bool:
        """Deletes the oldest traces beyond the limit; whether there were any."""
        may_go = (traces.c.id != newest) & ~is_pinned()
        gone = beyond(connection, traces, traces.c.document, self.most, may_go=may_go, order=(traces.c.number,))
        return bool(gone) and connection.execute(delete(traces).where(traces.c.number.in_(gone))).rowcount > 0

    def get(self, trace_id: str) -> TraceFile | None:
        """Raises DamagedError for one whose bytes are not those that were stored."""
        with self.engine.connect() as connection:
            row = connection.execute(select(traces).where(traces.c.id == trace_id)).one_or_none()
        if row is None:
            return None
        trace = TraceFile(row.id, json.loads(row.program), row.bytes, row.document)
        if trace.sha256 != row.sha256:
            raise DamagedError(f"the trace {trace_id}", "make it again from its program, as it was made first: that mends it")
        return trace

    def page(self, limit: int, after: int | None) -> tuple[list[dict[str, Any]], int | None]:
        """Traces without their documents, newest first, that follow the cursor; and the next cursor."""
        columns = traces.c.number, traces.c.id, traces.c.program, traces.c.created, traces.c.bytes, is_pinned().label("pinned")
        own = traces.c.program.contains('"dataset":{', autoescape=True)  # of somebody's own data, which nobody else is shown
        query = select(*columns).where(~own).order_by(traces.c.number.desc())
        if after is not None:
            query = query.where(traces.c.number < min(after, LARGEST_NUMBER))
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        items = [
            {"id": row.id, "program": json.loads(row.program), "created": row.created, "bytes": row.bytes, "pinned": bool(row.pinned)}
            for row in rows[:limit]
        ]
        return items, rows[limit - 1].number if len(rows) > limit else None

    def delete(self, trace_id: str, visitor: str | None = None) -> bool:
        """False when there was none, or one that another than this visitor has pinned."""
        query = delete(traces).where(traces.c.id == trace_id)
        if visitor is not None:
            query = query.where(~is_pinned_by_others(visitor))
        with self.engine.begin() as connection:
            there = connection.execute(query).rowcount > 0
        give_back(self.engine)
        return there
