"""States of the page under short names: what a link that would be too long leads to."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.store.blobs import DamagedError, pack, unpack
from server.store.clock import now
from server.store.database import give_back
from server.store.quota import beyond
from server.store.tables import links

ID_CHARACTERS = 16  # of base32: 80 bits of a SHA-256


class LinkStore:
    """States by an id that comes of their content, so that one state has one link. Nobody owns them.

    Where they pass `most` bytes, compressed, those go that were not opened for longest.
    """

    def __init__(self, engine: Engine, most: int) -> None:
        self.engine, self.most = engine, most

    def put(self, state: dict[str, Any]) -> tuple[str, bool]:
        """Keeps a state that is not there yet, or is damaged. Gives its id, and whether it is new."""
        text = canonical(state)
        link_id = id_of(text)
        try:
            if self.get(link_id) is not None:
                return link_id, False
        except DamagedError:
            with self.engine.begin() as connection:
                connection.execute(update(links).where(links.c.id == link_id).values(**pack(text)))
            return link_id, False
        time = now()
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(links).values(id=link_id, created=time, opened=time, **pack(text)))
                evicted = self._evict(connection, link_id)
        except IntegrityError:  # another request kept it meanwhile
            return link_id, False
        if evicted:
            give_back(self.engine)
        return link_id, True

    def get(self, link_id: str) -> dict[str, Any] | None:
        """The state; it counts as opened today. Raises DamagedError for one that is not what was kept."""
        with self.engine.connect() as connection:
            row = connection.execute(select(links).where(links.c.id == link_id)).one_or_none()
        if row is None:
            return None
        state: dict[str, Any] = json.loads(unpack(row.data, row.sha256, "a link", "share what it led to again: that mends it"))
        today = now()
        if row.opened[:10] != today[:10]:
            with self.engine.begin() as connection:
                connection.execute(update(links).where(links.c.id == link_id).values(opened=today))
        return state

    def _evict(self, connection: Connection, newest: str) -> bool:
        """Deletes beyond the limit those that were not opened for longest; whether there were any."""
        gone = beyond(connection, links, links.c.data, self.most, may_go=links.c.id != newest, order=(links.c.opened, links.c.number))
        return bool(gone) and connection.execute(delete(links).where(links.c.number.in_(gone))).rowcount > 0


def canonical(state: dict[str, Any]) -> bytes:
    """The one JSON text of a state, whichever way its members stood."""
    return json.dumps(state, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def id_of(text: bytes) -> str:
    """The id of a state by its canonical text."""
    return base64.b32encode(hashlib.sha256(text).digest()).decode().lower()[:ID_CHARACTERS]
