"""Which rows make room for others."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, func, select


def beyond(
    connection: Connection, table: Table, data: ColumnElement[bytes], most: int, *, may_go: ColumnElement[bool],
    order: tuple[ColumnElement[object], ...],
) -> list[int]:  # fmt: skip
    """The numbers of the rows that have to go so that the bytes of all stay within `most`: of those that may, the first in this order."""
    size = func.length(data)
    excess = (connection.execute(select(func.sum(size)).select_from(table)).scalar_one() or 0) - most
    gone: list[int] = []
    if excess <= 0:
        return gone
    for number, length in connection.execute(select(table.c.number, size).where(may_go).order_by(*order)):
        gone.append(number)
        excess -= length
        if excess <= 0:
            break
    return gone
