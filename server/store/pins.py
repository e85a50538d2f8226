"""Pins: traces that a visitor keeps from making room for others."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Engine, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from server import limits
from server.programs.errors import LimitError
from server.store.clock import now
from server.store.tables import pins, traces


def is_pinned() -> ColumnElement[bool]:
    """Of a row of `traces`: whether it stays, the server's own or somebody's."""
    return or_(traces.c.pinned, select(pins.c.trace).where(pins.c.trace == traces.c.id).exists())


def is_pinned_by_others(visitor: str) -> ColumnElement[bool]:
    """Of a row of `traces`: whether another visitor keeps it."""
    return select(pins.c.trace).where(pins.c.trace == traces.c.id, pins.c.visitor != visitor).exists()


class Pin(NamedTuple):
    """pinned: whether a trace stays, whoever pinned it. yours: whether the visitor did."""

    pinned: bool
    yours: bool


class PinStore:
    """Who pinned which trace. A visitor has at most `most_each` pins; all pinned traces together take at most a part of `trace_bytes`."""

    def __init__(self, engine: Engine, most_each: int, trace_bytes: int) -> None:
        self.engine, self.most_each, self.most = engine, most_each, round(limits.PINNED_PART * trace_bytes)

    def get(self, trace_id: str, visitor: str) -> Pin | None:
        """None where there is no such trace."""
        mine = select(pins.c.trace).where(pins.c.trace == traces.c.id, pins.c.visitor == visitor).exists()
        with self.engine.connect() as connection:
            row = connection.execute(select(is_pinned(), mine).where(traces.c.id == trace_id)).one_or_none()
        return None if row is None else Pin(bool(row[0]), bool(row[1]))

    def put(self, trace_id: str, visitor: str) -> Pin | None:
        """Pins a trace; None where there is no such trace. Raises LimitError for a pin more than may be."""
        known = self.get(trace_id, visitor)
        if known is None or known.yours:
            return known
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(pins).values(trace=trace_id, visitor=visitor, created=now()))
                count = connection.execute(select(func.count()).where(pins.c.visitor == visitor)).scalar_one()
                if count > self.most_each:
                    detail = f"at most {self.most_each:,} traces of one visitor are pinned; unpin one of them first"
                    raise LimitError(detail, self.most_each, count)
                pinned = select(pins.c.trace).where(pins.c.trace == traces.c.id).exists()
                total = connection.execute(select(func.sum(func.length(traces.c.document))).where(pinned)).scalar_one()
                if not known.pinned and total > self.most:
                    held = f"all pinned traces together would take {total:,} bytes, at most {self.most:,} are kept for them"
                    raise LimitError(f"{held}; unpin another first", self.most, total)
        except IntegrityError:  # pinned or deleted meanwhile
            return self.get(trace_id, visitor)
        return Pin(True, True)

    def delete(self, trace_id: str, visitor: str) -> bool:
        """Takes the visitor's pin away, where there is one; False where there is no such trace."""
        with self.engine.begin() as connection:
            connection.execute(delete(pins).where(pins.c.trace == trace_id, pins.c.visitor == visitor))
            return connection.execute(select(traces.c.number).where(traces.c.id == trace_id)).one_or_none() is not None
