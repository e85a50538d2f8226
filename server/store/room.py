"""Which runs make room for others: never one that trains, nor the best so far of a search that goes on."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, and_, case, func, select, union_all

from engine.told import Told
from server.jobs.stopping import gain
from server.programs.errors import LimitError
from server.store.tables import checkpoints, observations, runs, slices, sweeps


def too_many(connection: Connection, visitor: str, most: int) -> list[int]:
    """The numbers of a visitor's oldest runs that go so that `most` stay; the newest never does, those that are held go last.

    Trials count not, they go with their sweep. Raises LimitError where too few are at rest.
    """
    mine = and_(runs.c.visitor == visitor, runs.c.sweep.is_(None))
    count, newest = connection.execute(select(func.count(), func.max(runs.c.number)).where(mine)).one()
    if count <= most:
        return []
    held = case((runs.c.status == "paused", 1), else_=0)
    at_rest = select(runs.c.number).where(mine, runs.c.status != "training", runs.c.number != newest).order_by(held, runs.c.number)
    gone = list(connection.execute(at_rest.limit(count - most)).scalars())
    if len(gone) < count - most:
        training = count - 1 - len(gone)
        detail = f"{training} of your runs are training, and {most} are kept in all; cancel one, or wait until one has ended"
        raise LimitError(Told(detail, "runs-training", given=training, most=most), most, count - len(gone), status=429)
    return gone


def too_large(connection: Connection, most_bytes: int, newest: str) -> list[int]:
    """The numbers of the runs that go so that what all have stored keeps to `most_bytes`, as far as there are some that may.

    The visitor who takes most gives room first, so that nobody loses a run to somebody who has more: of each the oldest run at rest goes.
    newest: the id of the run that room is made for.
    """
    sizes = union_all(*(select(table.c.run, func.length(table.c.data).label("size")) for table in (checkpoints, observations, slices)))
    stored = sizes.subquery()
    total = connection.execute(select(func.sum(stored.c.size))).scalar_one() or 0
    if total <= most_bytes:
        return []
    columns = runs.c.number, runs.c.id, runs.c.visitor, runs.c.status, runs.c.sweep, runs.c.best
    query = select(*columns, func.sum(stored.c.size).label("size")).join(stored, stored.c.run == runs.c.id)
    rows = connection.execute(query.group_by(*columns).order_by(runs.c.number)).all()
    kept = _best_of_searches(connection, rows)
    used: Counter[str | None] = Counter()
    may_go: dict[str | None, deque[tuple[int, int]]] = {}
    for row in rows:
        used[row.visitor] += row.size
        if row.id != newest and row.status != "training" and row.number not in kept:
            may_go.setdefault(row.visitor, deque()).append((row.number, row.size))
    gone: list[int] = []
    while total > most_bytes and may_go:
        visitor = max(may_go, key=used.__getitem__)
        number, size = may_go[visitor].popleft()
        gone.append(number)
        used[visitor] -= size
        total -= size
        if not may_go[visitor]:
            del may_go[visitor]
    return gone


def _best_of_searches(connection: Connection, rows: Iterable[Any]) -> set[int]:
    """The number of the best trial so far of every search that goes on."""
    going_on = set(connection.execute(select(sweeps.c.id).where(sweeps.c.status == "running")).scalars())
    found: dict[str, tuple[float, int]] = {}
    for row in rows:
        if row.sweep in going_on and row.best is not None:
            best = json.loads(row.best)
            value = float(best["value"])
            if row.sweep not in found or gain(best["metric"], value, found[row.sweep][0]) > 0:
                found[row.sweep] = value, row.number
    return {number for _, number in found.values()}
