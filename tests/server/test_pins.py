"""Pins: what is pinned does not make room for others, and nobody fills all room with pins."""

from __future__ import annotations

import socket

import httpx
import pytest
from sqlalchemy import Engine

from server.programs.errors import LimitError
from server.store.pins import Pin, PinStore
from server.store.traces import TraceStore
from tests.server.helpers import API, Start, expression
from tests.server.test_store import SIZE, names, trace
from tests.server.test_uploads import SECRET, visitor

ROOM = 10 * SIZE


def made(client: httpx.Client, factor: float) -> str:
    response = client.post(f"{API}/traces", json=expression("w*x", {"w": factor, "x": 2}))
    assert response.status_code in (200, 201)
    return f"{API}/traces/{response.json()['id']}"


def test_a_pin_is_put_seen_and_taken_away(client: httpx.Client) -> None:
    place = made(client, 0.1)
    trace_id = place.rpartition("/")[2]

    def listed() -> bool:
        items = client.get(f"{API}/traces", params={"limit": 100}).json()["items"]
        (found,) = [item["pinned"] for item in items if item["id"] == trace_id]
        return bool(found)

    assert client.get(f"{place}/pin").json() == {"schema_version": 1, "trace": trace_id, "pinned": False, "yours": False}
    assert not listed()
    for _ in range(2):
        response = client.put(f"{place}/pin")
        assert (response.status_code, response.json()["pinned"], response.json()["yours"]) == (200, True, True)
        assert client.get(f"{place}/pin").json() == response.json()
    assert listed()
    for _ in range(2):
        assert client.delete(f"{place}/pin").status_code == 204
    assert not listed()
    assert not client.get(f"{place}/pin").json()["pinned"]


def test_memory_has_no_pin_of_yesterday(client: httpx.Client) -> None:
    place = made(client, 0.2)
    whole = client.get(place)
    client.put(f"{place}/pin")
    assert client.get(place).content == whole.content  # the document never says it: it is the same for ever
    assert client.get(f"{place}/pin").json()["pinned"]
    client.delete(f"{place}/pin")
    assert client.get(place).content == whole.content
    assert client.get(f"{place}/pin").headers["cache-control"] == "no-cache"
    assert not client.get(f"{place}/pin").json()["pinned"]


def test_pins_of_what_there_is_not(client: httpx.Client) -> None:
    for method in ("GET", "PUT", "DELETE"):
        for name in ("sha256:" + "0" * 64, "%00", "..%2f.."):
            assert client.request(method, f"{API}/traces/{name}/pin").status_code == 404


def test_a_pin_needs_no_body_and_takes_only_json(client: httpx.Client) -> None:
    place = f"{made(client, 0.3)}/pin"
    assert client.put(place, json={}).status_code == 200
    assert client.put(place, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.put(place, content=iter([b"{"]), headers={"Content-Type": "application/json"}).status_code == 400
    assert client.put(place, headers={"Origin": "https://evil.example"}).status_code == 403
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as connection:
        connection.sendall(f"PUT {place} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    client.delete(place)


def test_pins_are_each_visitors_own(start: Start) -> None:
    with start(secret=SECRET, visitor_pins=2) as client:
        places = [made(client, factor) for factor in (1, 2, 3)]
        one, other = visitor("1"), visitor("2")
        assert client.get(f"{API}/limits").json()["visitor_pins"] == 2
        assert [client.put(f"{place}/pin", headers=one).status_code for place in places] == [200, 200, 422]
        refused = client.put(f"{places[2]}/pin", headers=one).json()
        assert (refused["type"], refused["limit"], refused["actual"]) == ("urn:retrograd:problem:limit", 2, 3)
        assert client.put(f"{places[1]}/pin", headers=one).status_code == 200  # it is pinned
        assert not client.get(f"{places[2]}/pin", headers=one).json()["pinned"]
        assert client.get(f"{places[0]}/pin", headers=other).json() | {"trace": ""} == {
            "schema_version": 1, "trace": "", "pinned": True, "yours": False,
        }  # fmt: skip
        assert client.delete(f"{places[0]}/pin", headers=other).status_code == 204
        assert client.get(f"{places[0]}/pin", headers=one).json()["yours"]  # which was not the other's to take
        kept = client.delete(places[0], headers=other)
        assert (kept.status_code, kept.json()["type"]) == (409, "urn:retrograd:problem:conflict")
        assert client.get(places[0]).status_code == 200
        assert client.delete(places[0], headers=one).status_code == 204
        assert client.get(places[0]).status_code == 404
        assert client.put(f"{places[2]}/pin", headers=one).status_code == 200  # the pin went with its trace


# the store


def test_pinned_traces_make_no_room(database: Engine) -> None:
    store, pins = TraceStore(database, most=3 * SIZE), PinStore(database, 5, ROOM)
    for name in ("a", "b", "c"):
        store.put(trace(name))
    assert pins.put("a", "one") == Pin(True, True)
    store.put(trace("d"))
    assert names(store) == ["a", "c", "d"]
    assert pins.delete("a", "one")
    store.put(trace("e"))
    assert names(store) == ["c", "d", "e"]
    assert [item["pinned"] for item in store.page(9, None)[0]] == [False] * 3


def test_a_trace_stays_for_as_long_as_anybody_pins_it(database: Engine) -> None:
    store, pins = TraceStore(database, most=ROOM), PinStore(database, 5, ROOM)
    store.put(trace("a"))
    for name in ("one", "other"):
        pins.put("a", name)
    pins.delete("a", "one")
    assert pins.get("a", "one") == Pin(True, False)
    assert not store.delete("a", "one")
    pins.delete("a", "other")
    assert pins.get("a", "other") == Pin(False, False)
    assert store.delete("a", "one")
    assert pins.get("a", "one") is None
    assert pins.put("a", "one") is None
    assert not pins.delete("a", "one")


def test_all_pins_together_leave_half_of_the_room(database: Engine) -> None:
    store, pins = TraceStore(database, most=ROOM), PinStore(database, 5, 5 * SIZE)
    store.put(trace("server"), pinned=True)
    for name in "abcd":
        store.put(trace(name))
    assert pins.put("server", "one") == Pin(True, True)  # which is pinned anyway
    pins.delete("server", "one")
    for number, name in enumerate("ab"):
        assert pins.put(name, f"visitor {number}") == Pin(True, True)
    with pytest.raises(LimitError) as error:
        pins.put("c", "one more")
    assert (error.value.limit, error.value.actual) == (2.5 * SIZE, 3 * SIZE)
    assert pins.get("c", "one more") == Pin(False, False)
    assert pins.put("a", "one more") == Pin(True, True)  # takes no more room
