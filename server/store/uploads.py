"""Uploads: files of arrays by the name of their content, each visitor's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.encoding import dumps
from server.store.blobs import DamagedError, check, pack, unpack
from server.store.clock import now
from server.store.database import give_back
from server.store.quota import beyond
from server.store.tables import LARGEST_NUMBER, uploads

_REMEDY = "upload the file again: that mends it"
_ABOUT = uploads.c.id, uploads.c.format, uploads.c.bytes, uploads.c.created


@dataclass(frozen=True)
class Upload:
    """A file of arrays. tensors: what is said of each (server/uploads, `describe`)."""

    id: str
    format: str
    tensors: list[dict[str, Any]]
    data: bytes


class UploadStore:
    """Files in the database. A visitor keeps the newest `most_each`; where all pass `most` bytes, compressed, the oldest go.

    The newest never does. Two visitors with one file have it each, so that nobody's deletion is another's loss; whoever knows a file's id
    may read it.
    """

    def __init__(self, engine: Engine, most: int, most_each: int) -> None:
        self.engine, self.most, self.most_each = engine, most, most_each

    def put(self, visitor: str, upload: Upload) -> bool:
        """Stores a file that the visitor has not yet, or that is damaged; whether it is new."""
        mine = uploads.c.visitor == visitor, uploads.c.id == upload.id
        with self.engine.connect() as connection:
            known = connection.execute(select(uploads.c.data, uploads.c.sha256).where(*mine)).one_or_none()
        if known is not None:
            try:
                check(known.data, known.sha256, f"the upload {upload.id}", _REMEDY)
            except DamagedError:
                with self.engine.begin() as connection:
                    connection.execute(update(uploads).where(*mine).values(**pack(upload.data)))
            return False
        row = {
            "id": upload.id, "visitor": visitor, "created": now(), "format": upload.format, "bytes": len(upload.data),
            "tensors": dumps(upload.tensors).decode(), **pack(upload.data),
        }  # fmt: skip
        try:
            with self.engine.begin() as connection:
                number = connection.execute(insert(uploads).values(row).returning(uploads.c.number)).scalar_one()
                evicted = self._remove(connection, self._too_many(connection, visitor))
                gone = beyond(connection, uploads, uploads.c.data, self.most, may_go=uploads.c.number != number, order=(uploads.c.number,))
                evicted = self._remove(connection, gone) or evicted
        except IntegrityError:  # another request stored it meanwhile
            return False
        if evicted:
            give_back(self.engine)
        return True

    def _remove(self, connection: Connection, numbers: list[int]) -> bool:
        """Whether there were any."""
        return bool(numbers) and connection.execute(delete(uploads).where(uploads.c.number.in_(numbers))).rowcount > 0

    def _too_many(self, connection: Connection, visitor: str) -> list[int]:
        """The numbers of a visitor's files that are older than the newest `most_each`."""
        newest = select(uploads.c.number).where(uploads.c.visitor == visitor).order_by(uploads.c.number.desc())
        return list(connection.execute(newest.offset(self.most_each)).scalars())

    def get(self, upload_id: str) -> Upload | None:
        """The file. Raises DamagedError for one that is not what was stored."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(uploads).where(uploads.c.id == upload_id).order_by(uploads.c.number.desc()).limit(1)
            ).one_or_none()
        if row is None:
            return None
        data = unpack(row.data, row.sha256, f"the upload {upload_id}", _REMEDY)
        return Upload(row.id, row.format, json.loads(row.tensors), data)

    def describe(self, upload_id: str, visitor: str) -> dict[str, Any] | None:
        """The file as docs/api.md has it: the visitor's own where there is one, else another's."""
        query = select(*_ABOUT, uploads.c.tensors).where(uploads.c.id == upload_id)
        with self.engine.connect() as connection:
            row = connection.execute(query.order_by(uploads.c.visitor != visitor, uploads.c.number).limit(1)).one_or_none()
        return None if row is None else {**_about(row), "tensors": json.loads(row.tensors)}

    def page(self, visitor: str, limit: int, after: int | None) -> tuple[list[dict[str, Any]], int | None]:
        """A visitor's files without their tensors, newest first, that follow the cursor; and the next cursor."""
        query = select(uploads.c.number, *_ABOUT).where(uploads.c.visitor == visitor).order_by(uploads.c.number.desc())
        if after is not None:
            query = query.where(uploads.c.number < min(after, LARGEST_NUMBER))
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        return [_about(row) for row in rows[:limit]], rows[limit - 1].number if len(rows) > limit else None

    def delete(self, upload_id: str, visitor: str) -> bool:
        """False when the visitor had none."""
        with self.engine.begin() as connection:
            mine = uploads.c.visitor == visitor, uploads.c.id == upload_id
            there = connection.execute(delete(uploads).where(*mine)).rowcount > 0
        give_back(self.engine)
        return there


def _about(row: Any) -> dict[str, Any]:
    return {"id": row.id, "format": row.format, "bytes": row.bytes, "created": row.created}
