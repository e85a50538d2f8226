"""Landscapes in SQLite and in Postgres."""

from __future__ import annotations

from sqlalchemy import Engine, func, select, update

from server.store.landscapes import Asked, LandscapeStore
from server.store.runs import LEASE_SECONDS
from server.store.tables import landscapes

ASKED = Asked({"runs": ["r_1"], "resolution": 2, "directions": None}, [20])
DOCUMENT = {"status": "done", "loss": [[1.5, "NaN"], [0.1 + 0.2, -1e-300]]}


def test_a_landscape_from_its_beginning_to_its_end(database: Engine) -> None:
    store = LandscapeStore(database, most=3)
    made = store.create(ASKED)
    assert store.get(made) == (ASKED, None, {})
    store.end(made, {**DOCUMENT, "id": made})
    assert store.get(made) == (ASKED, {**DOCUMENT, "id": made}, {})
    assert store.delete(made)
    assert not store.delete(made)
    assert store.get(made) is None
    store.end(made, DOCUMENT)  # it was deleted while it was computed
    assert store.get(made) is None


def test_the_latest_are_kept(database: Engine) -> None:
    store = LandscapeStore(database, most=3)
    made = [store.create(Asked(ASKED.wanted, [step])) for step in range(5)]
    assert [kept and kept.asked.steps for kept in map(store.get, made)] == [None, None, [2], [3], [4]]
    store.delete(made[4])
    store.create(ASKED)
    assert store.get(made[2]) is not None
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(landscapes)).scalar_one() == 3


def test_a_damaged_one_is_as_if_it_were_not_computed(database: Engine) -> None:
    store = LandscapeStore(database, most=3)
    made, other = store.create(ASKED), store.create(ASKED)
    for one in (made, other):
        store.end(one, DOCUMENT)
    with database.begin() as connection:
        connection.execute(update(landscapes).where(landscapes.c.id == made).values(data=b"x"))
    assert store.get(made) == (ASKED, None, {})
    assert store.get(other) == (ASKED, DOCUMENT, {})
    store.end(made, DOCUMENT)
    assert store.get(made) == (ASKED, DOCUMENT, {})


def test_one_server_of_several_computes_one(database: Engine) -> None:
    store = LandscapeStore(database, most=3)
    made = store.create(ASKED)
    assert store.claim(made, "one", 100.0)
    assert not store.claim(made, "other", 100.0 + LEASE_SECONDS)
    assert store.claim(made, "one", 104.0, {"done": 7, "seconds_left": 1.5})  # it says so again
    assert store.get(made) == (ASKED, None, {"done": 7, "seconds_left": 1.5})
    assert not store.claim(made, "other", 104.0 + LEASE_SECONDS)
    assert store.claim(made, "other", 104.1 + LEASE_SECONDS)  # the first was killed
    store.release(made, "one")
    assert not store.claim(made, "one", 105.0)
    store.release(made, "other")
    assert store.get(made) == (ASKED, None, {})
    assert store.claim(made, "one", 105.0)
    store.delete(made)
    assert not store.claim(made, "one", 106.0)
