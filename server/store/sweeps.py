"""Sweeps: what they search, and how far they are. Their trials are Optuna's (server/sweeps), and runs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, and_, delete, func, insert, or_, select, update

from engine.told import Told
from server.encoding import dumps
from server.programs.errors import LimitError
from server.store.clock import now
from server.store.database import Done, give_back, unmarked
from server.store.runs import LEASE_SECONDS
from server.store.tables import LARGEST_NUMBER, runs, sweeps


class SweepStore:
    """Sweeps in the database. One that was deleted meanwhile is answered with None or False, never an error."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(
        self, visitor: str, request: Mapping[str, Any], ends: float | None, most: int, at_once: int | None = None, done: Done = unmarked
    ) -> tuple[str, list[str]]:
        """A new sweep: its id, and the ids of those that go: the visitor's that are older than the newest `most` and at rest.

        ends: when its time is over, in seconds since 1970. done: called in the transaction.
        Raises LimitError where more than `at_once` of the visitor's would go on.
        """
        sweep_id = f"s_{secrets.token_hex(8)}"
        row = {"id": sweep_id, "visitor": visitor, "created": now(), "request": dumps(request).decode(), "status": "running", "ends": ends}
        going_on = and_(sweeps.c.visitor == visitor, sweeps.c.status == "running")
        with self.engine.begin() as connection:
            done(connection, sweep_id)
            connection.execute(insert(sweeps).values(row))  # first, so that those that come at the same moment are counted
            others = connection.execute(select(func.count()).where(going_on)).scalar_one() - 1
            if at_once is not None and others >= at_once:
                detail = f"{others} of your searches go on already, at most {at_once} do at a time; cancel one, or wait"
                raise LimitError(Told(detail, "sweeps-running", given=others, most=at_once), at_once, others + 1, status=429)
            mine = select(sweeps.c.id).where(sweeps.c.visitor == visitor, sweeps.c.status != "running").order_by(sweeps.c.number.desc())
            beyond = list(connection.execute(mine.offset(most - 1)).scalars())
        return sweep_id, beyond

    def get(self, sweep_id: str) -> dict[str, Any] | None:
        """The sweep as docs/api.md has it, without its trials; with `grid`, `ends` and `visitor` besides (server/jobs/sweeping.py)."""
        with self.engine.connect() as connection:
            row = connection.execute(select(sweeps).where(sweeps.c.id == sweep_id)).one_or_none()
        return None if row is None else _describe(row)

    def page(self, visitor: str, limit: int, after: int | None) -> tuple[list[dict[str, Any]], int | None]:
        """A visitor's sweeps, newest first, that follow the cursor; and the next cursor."""
        query = select(sweeps).where(sweeps.c.visitor == visitor)
        if after is not None:
            query = query.where(sweeps.c.number < min(after, LARGEST_NUMBER))
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(sweeps.c.number.desc()).limit(limit + 1)).all()
        return [_describe(row) for row in rows[:limit]], rows[limit - 1].number if len(rows) > limit else None

    def waiting(self, owner: str, at: float) -> list[str]:
        """The searches that go on and that no other server is at."""
        free = or_(sweeps.c.owner.is_(None), sweeps.c.owner == owner, sweeps.c.lease < at)
        with self.engine.connect() as connection:
            return list(
                connection.execute(select(sweeps.c.id).where(sweeps.c.status == "running", free).order_by(sweeps.c.number)).scalars()
            )

    def claim(self, sweep_id: str, owner: str, at: float) -> bool:
        """Says that this server is at the search for the next LEASE_SECONDS. False where it has ended, or another server is at it."""
        query = update(sweeps).where(sweeps.c.id == sweep_id, sweeps.c.status == "running", _free_for(owner, at))
        with self.engine.begin() as connection:
            return connection.execute(query.values(owner=owner, lease=at + LEASE_SECONDS)).rowcount > 0

    def release(self, sweep_id: str, owner: str) -> None:
        """Leaves the search to any server."""
        with self.engine.begin() as connection:
            connection.execute(update(sweeps).where(sweeps.c.id == sweep_id, sweeps.c.owner == owner).values(owner=None))

    def end(self, sweep_id: str, status: str, reason: str | None, error: str | None = None) -> bool:
        """Ends a search that goes on. False where it has ended, or is gone."""
        query = update(sweeps).where(sweeps.c.id == sweep_id, sweeps.c.status == "running")
        with self.engine.begin() as connection:
            return connection.execute(query.values(status=status, reason=reason, error=error)).rowcount > 0

    def delete(self, sweep_id: str) -> bool:
        """A sweep goes with its runs. False when there was none."""
        with self.engine.begin() as connection:
            there = connection.execute(delete(sweeps).where(sweeps.c.id == sweep_id)).rowcount > 0
            connection.execute(delete(runs).where(runs.c.sweep == sweep_id))
        give_back(self.engine)
        return there


def _free_for(owner: str, at: float) -> ColumnElement[bool]:
    """Whether no other server is at the search at that time."""
    return or_(sweeps.c.owner.is_(None), sweeps.c.owner == owner, sweeps.c.lease < at)


def _describe(row: Row[Any]) -> dict[str, Any]:
    about = {"id": row.id, "created": row.created, "status": row.status, "reason": row.reason, "error": row.error}
    return {**about, **json.loads(row.request), "ends": row.ends, "visitor": row.visitor}
