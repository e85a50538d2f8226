"""What the store keeps: traces within their limit, a file that shrinks, documents that are being looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import ColumnElement, Engine, Table, select, update

from engine.trace import to_bytes
from server.programs.expression import trace_expression
from server.store import documents
from server.store.blobs import DamagedError
from server.store.database import open_database
from server.store.documents import Documents
from server.store.tables import traces
from server.store.trace_file import TraceFile
from server.store.traces import TraceStore

SIZE = 100_000


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/test.sqlite3")
    yield engine
    engine.dispose()


def trace(name: str, size: int = SIZE) -> TraceFile:
    return TraceFile(name, {"kind": "expression"}, size, np.random.default_rng(0).bytes(size))


def names(store: TraceStore) -> list[str]:
    return [item["id"] for item in store.page(100, None)[0]][::-1]


def pages(engine: Engine) -> tuple[int, int]:
    """How many pages the file has, and how many of them hold nothing."""
    with engine.connect() as connection:
        count, free = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "freelist_count"))
    return count, free


def test_the_oldest_traces_go_but_never_the_opening(database: Engine) -> None:
    store = TraceStore(database, most=3 * SIZE)
    for name in ("opening", "a", "b"):
        assert store.put(trace(name), pinned=name == "opening")[1]
    assert names(store) == ["opening", "a", "b"]
    store.put(trace("c"))
    assert names(store) == ["opening", "b", "c"]
    store.put(trace("large", 5 * SIZE))
    assert names(store) == ["opening", "large"]


def test_room_is_given_back_when_traces_go(sqlite: Engine) -> None:
    store = TraceStore(sqlite, most=3 * SIZE)
    for name in ("a", "b", "c", "d"):
        store.put(trace(name))
    assert names(store) == ["b", "c", "d"]
    assert pages(sqlite)[1] == 0


def test_what_is_stored_first_stays(database: Engine) -> None:
    store = TraceStore(database, most=10 * SIZE)
    first, other = trace("a"), trace("a", 10)
    assert store.put(first) == (first, True)
    assert store.put(other) == (first, False)
    assert store.get("a") == first


def test_a_deletion_gives_its_space_back(sqlite: Engine) -> None:
    store = TraceStore(sqlite, most=100 * SIZE)
    empty, _ = pages(sqlite)
    store.put(trace("a", 20 * SIZE))
    assert pages(sqlite)[0] > empty + 100
    assert store.delete("a")
    assert pages(sqlite)[0] <= empty + 5
    assert not store.delete("a")


def damage(engine: Engine, table: Table, column: str, where: ColumnElement[bool] | None = None) -> None:
    """Turns one bit of the stored bytes, as a failing disk may."""
    query = select(table.c[column]) if where is None else select(table.c[column]).where(where)
    with engine.begin() as connection:
        stored = bytearray(connection.execute(query).scalars().first() or b"")
        stored[len(stored) // 2] ^= 1
        change = update(table).values({column: bytes(stored)})
        connection.execute(change if where is None else change.where(where))


def test_a_damaged_trace_is_told_and_mended_when_it_is_made_again(database: Engine) -> None:
    store, whole = TraceStore(database, most=10 * SIZE), trace("a")
    store.put(whole)
    damage(database, traces, "document")
    with pytest.raises(DamagedError, match="the trace a is damaged"):
        store.get("a")
    assert store.put(whole) == (whole, False)
    assert store.get("a") == whole


def test_a_pin_can_come_later(database: Engine) -> None:
    store = TraceStore(database, most=2 * SIZE)
    for name in ("a", "b"):
        store.put(trace(name))
    store.put(trace("a"), pinned=True)
    store.put(trace("c"))
    assert names(store) == ["a", "c"]


def test_traces_by_pages(database: Engine) -> None:
    store = TraceStore(database, most=10 * SIZE)
    for name in "abc":
        store.put(trace(name, 10))
    first, cursor = store.page(2, None)
    second, end = store.page(2, cursor)
    assert [item["id"] for item in first + second] == ["c", "b", "a"]
    assert end is None
    assert store.delete("b")
    assert not store.delete("b")
    assert names(store) == ["a", "c"]


def test_one_trace_stored_by_many_at_once_is_stored_once(database: Engine) -> None:
    store, one = TraceStore(database, most=10 * SIZE), trace("a", 1000)
    with ThreadPoolExecutor(8) as threads:
        answers = [future.result() for future in [threads.submit(store.put, one) for _ in range(32)]]
    assert [stored for stored, _ in answers] == [one] * 32
    assert [new for _, new in answers].count(True) == 1


def small_trace(expression: str) -> TraceFile:
    doc = trace_expression({"kind": "expression", "expression": expression, "inputs": {"x": 2.0}, "wrt": ["x"]})
    return TraceFile.pack(doc["id"], doc["program"], to_bytes(doc))


def test_a_document_that_is_being_decoded_keeps_nobody_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = small_trace("x*x"), small_trace("x + x")
    reading, go_on, reads = threading.Event(), threading.Event(), []
    read = documents.from_bytes

    def from_bytes(text: bytes) -> dict[str, object]:
        doc = read(text)
        reads.append(doc["id"])
        if doc["id"] == slow.id:
            reading.set()
            assert go_on.wait(60)
        return doc

    monkeypatch.setattr(documents, "from_bytes", from_bytes)
    kept, found = Documents(), []
    threads = [threading.Thread(target=lambda: found.append(kept.of(slow))) for _ in range(2)]
    threads[0].start()
    assert reading.wait(60)
    threads[1].start()
    assert kept.of(quick).doc["id"] == quick.id
    assert not found
    go_on.set()
    for thread in threads:
        thread.join()
    assert found[0] is found[1] is kept.of(slow)
    assert reads.count(slow.id) == 1


def test_a_document_that_cannot_be_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, file = Documents(), small_trace("x*x")
    with monkeypatch.context() as broken:
        broken.setattr(documents, "from_bytes", lambda text: {"schema": "another"})
        with pytest.raises(ValueError, match="not a trace"):
            kept.of(file)
    assert kept.of(file).doc["id"] == file.id
