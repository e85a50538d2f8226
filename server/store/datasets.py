"""Data of one's own: each visitor's, until the last run that uses them goes."""

from __future__ import annotations

import json
import math
import secrets
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, exists, func, insert, not_, or_, select, update

from server.encoding import dumps
from server.store.blobs import pack, unpack
from server.store.clock import now
from server.store.database import Done, give_back, unmarked
from server.store.tables import LARGEST_NUMBER, datasets, runs, traces

_REMEDY = "bring the data again"
_LISTED = ("rows", "columns", "bytes")


class DatasetStore:
    """Files in the database. A visitor keeps the newest `most_each`; nobody else sees that they are there.

    One that no run uses goes `seconds` after it came, or at once when its last run goes, unless it is kept. Its traces go with it, since
    they hold examples of it.
    """

    def __init__(self, engine: Engine, most_each: int, seconds: float) -> None:
        self.engine, self.most_each, self.seconds = engine, most_each, seconds

    def put(self, visitor: str, data: bytes, about: Mapping[str, Any], done: Done = unmarked) -> str:
        """Stores a file with what was found in it; its id. done: called in the transaction."""
        dataset_id = f"d_{secrets.token_hex(8)}"
        row = {"id": dataset_id, "visitor": visitor, "created": now(), "since": time.time(), "kept": False, "used": False,
               "about": dumps(about).decode(), **pack(data)}  # fmt: skip
        with self.engine.begin() as connection:
            done(connection, dataset_id)
            connection.execute(insert(datasets).values(row))
            newest = select(datasets.c.id).where(datasets.c.visitor == visitor).order_by(datasets.c.number.desc()).offset(self.most_each)
            self._remove(connection, [one for one in connection.execute(newest).scalars() if not self._runs(connection, one)])
        self.tidy()
        return dataset_id

    def data(self, dataset_id: str) -> bytes | None:
        """The file, for a run that uses it. Raises DamagedError for one that is not what was stored."""
        with self.engine.connect() as connection:
            row = connection.execute(select(datasets.c.data, datasets.c.sha256).where(datasets.c.id == dataset_id)).one_or_none()
        return None if row is None else unpack(row.data, row.sha256, f"the data set {dataset_id}", _REMEDY)

    def data_for(self, visitor: str, dataset_id: str) -> bytes | None:
        """The file, where it is the visitor's own."""
        return self.data(dataset_id) if self.describe(dataset_id, visitor) is not None else None

    def describe(self, dataset_id: str, visitor: str) -> dict[str, Any] | None:
        """A visitor's own data set as docs/api.md has it."""
        self.tidy()
        query = select(datasets).where(datasets.c.id == dataset_id, datasets.c.visitor == visitor)
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else {**json.loads(row.about), **self._state(connection, row)}

    def page(self, visitor: str, limit: int, after: int | None) -> tuple[list[dict[str, Any]], int | None]:
        """A visitor's data sets in short, newest first, that follow the cursor; and the next cursor."""
        self.tidy()
        query = select(datasets).where(datasets.c.visitor == visitor).order_by(datasets.c.number.desc())
        if after is not None:
            query = query.where(datasets.c.number < min(after, LARGEST_NUMBER))
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
            items = []
            for row in rows[:limit]:
                about = json.loads(row.about)
                items.append({**{name: about[name] for name in _LISTED}, **self._state(connection, row)})
        return items, rows[limit - 1].number if len(rows) > limit else None

    def keep(self, dataset_id: str, visitor: str, kept: bool) -> bool:
        """False when the visitor has none. One that is no longer kept has its time from now on."""
        query = update(datasets).where(datasets.c.id == dataset_id, datasets.c.visitor == visitor)
        with self.engine.begin() as connection:
            return connection.execute(query.values(kept=kept, since=time.time(), used=False)).rowcount > 0

    def use(self, dataset_id: str) -> None:
        """A run uses it: from now on it goes with the last one."""
        with self.engine.begin() as connection:
            connection.execute(update(datasets).where(datasets.c.id == dataset_id).values(used=True))

    def delete(self, dataset_id: str, visitor: str) -> bool:
        """Deletes it with its traces; its runs stay, and can neither train further nor open a step. False when the visitor had none."""
        mine = exists().where(datasets.c.id == dataset_id, datasets.c.visitor == visitor)
        with self.engine.begin() as connection:
            there = bool(connection.execute(select(mine)).scalar_one())
            self._remove(connection, [dataset_id] if there else [])
        give_back(self.engine)
        return there

    def tidy(self) -> None:
        """Deletes what its time is over for."""
        in_use = exists().where(runs.c.program.contains(datasets.c.id, autoescape=False))
        over = or_(datasets.c.used, datasets.c.since < time.time() - self.seconds)
        with self.engine.begin() as connection:
            gone = list(connection.execute(select(datasets.c.id).where(and_(not_(datasets.c.kept), over, not_(in_use)))).scalars())
            self._remove(connection, gone)
        if gone:
            give_back(self.engine)

    def _remove(self, connection: Connection, ids: list[str]) -> None:
        for one in ids:
            connection.execute(delete(traces).where(traces.c.program.contains(one, autoescape=True)))
        if ids:
            connection.execute(delete(datasets).where(datasets.c.id.in_(ids)))

    def _runs(self, connection: Connection, dataset_id: str) -> int:
        query = select(func.count()).select_from(runs).where(runs.c.program.contains(dataset_id, autoescape=True))
        return int(connection.execute(query).scalar_one())

    def _state(self, connection: Connection, row: Any) -> dict[str, Any]:
        count = self._runs(connection, row.id)
        expires = None if count or row.kept else max(0, math.ceil(row.since + self.seconds - time.time()))
        return {"id": row.id, "created": row.created, "kept": bool(row.kept), "runs": count, "expires": expires}
