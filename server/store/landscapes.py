"""Landscapes: what was asked for, and what came of it once that is known."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, insert, or_, select, update

from server.encoding import dumps
from server.store.blobs import DamagedError, pack, unpack
from server.store.clock import now
from server.store.database import give_back
from server.store.runs import LEASE_SECONDS
from server.store.tables import landscapes


class Asked(NamedTuple):
    """wanted: the request. steps: how far each of its runs had gone then."""

    wanted: dict[str, Any]
    steps: list[int]


class Kept(NamedTuple):
    """document: the landscape as docs/api.md has it; None where it is not computed, or damaged. progress: how far it has come."""

    asked: Asked
    document: dict[str, Any] | None
    progress: dict[str, Any]


class LandscapeStore:
    """The latest `most` landscapes. Nobody owns them."""

    def __init__(self, engine: Engine, most: int) -> None:
        self.engine, self.most = engine, most

    def create(self, asked: Asked) -> str:
        """Keeps what was asked for; its id."""
        landscape_id = f"l_{secrets.token_hex(8)}"
        row = {"id": landscape_id, "created": now(), "request": dumps(asked._asdict()).decode()}
        with self.engine.begin() as connection:
            connection.execute(insert(landscapes).values(row))
            beyond = select(landscapes.c.number).order_by(landscapes.c.number.desc()).offset(self.most)
            gone = list(connection.execute(beyond).scalars())
            evicted = bool(gone) and connection.execute(delete(landscapes).where(landscapes.c.number.in_(gone))).rowcount > 0
        if evicted:
            give_back(self.engine)
        return landscape_id

    def get(self, landscape_id: str) -> Kept | None:
        """What was asked for, and what came of it so far; None for one that there is not, or no longer."""
        with self.engine.connect() as connection:
            row = connection.execute(select(landscapes).where(landscapes.c.id == landscape_id)).one_or_none()
        if row is None:
            return None
        document = None
        if row.data is not None:
            with suppress(DamagedError):  # it says so in the log
                document = json.loads(unpack(row.data, row.sha256, "a landscape", ""))
        return Kept(Asked(**json.loads(row.request)), document, json.loads(row.progress) if row.progress else {})

    def claim(self, landscape_id: str, owner: str, at: float, progress: Mapping[str, Any] | None = None) -> bool:
        """Says that this server computes it for the next LEASE_SECONDS, and how far it has come.

        False where there is none any more, or another server computes it.
        """
        free = or_(landscapes.c.owner.is_(None), landscapes.c.owner == owner, landscapes.c.lease < at)
        said = {} if progress is None else {"progress": dumps(progress).decode()}
        query = update(landscapes).where(landscapes.c.id == landscape_id, free)
        with self.engine.begin() as connection:
            return connection.execute(query.values(owner=owner, lease=at + LEASE_SECONDS, **said)).rowcount > 0

    def release(self, landscape_id: str, owner: str) -> None:
        """Leaves it to any server."""
        with self.engine.begin() as connection:
            connection.execute(
                update(landscapes).where(landscapes.c.id == landscape_id, landscapes.c.owner == owner).values(owner=None, progress=None)
            )

    def end(self, landscape_id: str, document: Mapping[str, Any]) -> None:
        """Keeps what came of it; nothing where it was deleted meanwhile."""
        with self.engine.begin() as connection:
            connection.execute(update(landscapes).where(landscapes.c.id == landscape_id).values(**pack(dumps(document))))

    def delete(self, landscape_id: str) -> bool:
        """Forgets one; False where there was none."""
        with self.engine.begin() as connection:
            return connection.execute(delete(landscapes).where(landscapes.c.id == landscape_id)).rowcount > 0
