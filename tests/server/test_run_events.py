"""The stream of what a run does: complete, in order, resumable, bounded, and for those who may."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from server import limits
from server.event_stream import written
from server.serving import Server
from server.store.run_changes import Changes, Position, changes
from server.token import COOKIE
from tests.server.helpers import API, Start, create_run, finished, wait_until


@dataclass(frozen=True)
class Event:
    kind: str
    id: str
    data: dict[str, Any]


def read(response: httpx.Response) -> Iterator[Event]:
    """The events of a stream, comments left out."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            fields = {}


@contextmanager
def following(client: httpx.Client, run: str, after: str | None = None, **more: Any) -> Iterator[Iterator[Event]]:
    headers = {} if after is None else {"Last-Event-ID": after}
    with client.stream("GET", f"{API}/runs/{run}/events", headers={**headers, **more}) as response:
        assert response.status_code == 200, response.read()
        yield read(response)


def until_rest(events: Iterator[Event]) -> list[Event]:
    """The events up to that which says that the run is idle at its goal."""
    heard = []
    for event in events:
        heard.append(event)
        if event.kind == "status" and event.data["status"] == "idle" and event.data["step"] > 0:
            return heard
    raise AssertionError("the stream ended")


def steps_of(events: list[Event]) -> list[tuple[int, float]]:
    """Every step that was told of, with its loss, in the order of the telling."""
    told = [event.data for event in events if event.kind == "progress"]
    assert all(len(data["losses"]) == len(data["learning_rates"]) == data["step"] - data["first"] + 1 for data in told)
    return [(data["first"] + k, loss) for data in told for k, loss in enumerate(data["losses"])]


def test_a_stream_tells_everything_once_and_in_order(start: Start) -> None:
    with start(quick_seconds=0) as client:
        run = create_run(client)
        with following(client, run) as events:
            first = next(events)
            assert (first.kind, first.data["status"], first.data["step"]) == ("status", "idle", 0)
            client.post(f"{API}/runs/{run}/steps", json={"count": 600})
            heard = [first, *until_rest(events)]
        state = finished(client, run)
        assert steps_of(heard) == list(enumerate(state["history"]["loss"], 1))
        validated = [event.data for event in heard if event.kind == "validation"]
        assert validated == [{key: value for key, value in entry.items() if value is not None} for entry in state["validation"]]
        assert len(validated) > 2
        observed: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = client.get(f"{API}/runs/{run}/observations", params={"limit": 30, "after": after}).json()
            observed, after = [*observed, *page["items"]], page["next"]
        assert [event.data for event in heard if event.kind == "observation"] == observed
        assert len(observed) > 20
        with following(client, run) as events:  # who comes later is told the same
            later = until_rest(events)
        assert steps_of(later) == steps_of(heard)
        assert [event.data for event in later if event.kind == "observation"] == observed
        assert later[-1].id == heard[-1].id


def test_a_stream_goes_on_where_it_broke_off(start: Start, tmp_path: Path) -> None:
    """Broken off after every few events, and once with the server: nothing is lost, nothing comes twice."""
    heard: list[Event] = []

    def hear(client: httpx.Client, run: str, most: int) -> bool:
        with following(client, run, heard[-1].id if heard else None) as events:
            for _, event in zip(range(most), events, strict=False):
                heard.append(event)
                if event.kind == "status" and event.data["step"] == 4000 and event.data["status"] == "idle":
                    return True
        return False

    with start(tmp_path, quick_seconds=0) as client:
        run = create_run(client)
        client.post(f"{API}/runs/{run}/steps", json={"count": 4000})
        for _ in range(3):
            hear(client, run, 4)
    with start(tmp_path, quick_seconds=0) as client:
        while not hear(client, run, 40):
            pass
        state = finished(client, run)
        by_query = client.stream("GET", f"{API}/runs/{run}/events", params={"last_event_id": heard[5].id})
        with by_query as response:
            again = until_rest(read(response))
    assert steps_of(heard) == list(enumerate(state["history"]["loss"], 1))
    assert [event.data["step"] for event in heard if event.kind == "validation"] == [entry["step"] for entry in state["validation"]]
    observed = [event.data["step"] for event in heard if event.kind == "observation"]
    assert observed == sorted(set(observed))
    assert steps_of(again) == [told for told in steps_of(heard) if told[0] > int(heard[5].id.split(".")[0])]


def test_at_most_ten_updates_a_second(start: Start) -> None:
    with start(quick_seconds=0, slice_seconds=0.01) as client:
        run = create_run(client)
        with following(client, run) as events:
            began, updates = time.monotonic(), 0  # it trains before this is answered
            client.post(f"{API}/runs/{run}/steps", json={"count": 3000})
            for event in events:
                updates += event.kind == "progress"
                if event.kind == "status" and event.data["status"] == "idle" and event.data["step"]:
                    break
            assert updates <= 10 * (time.monotonic() - began) + 2
            assert updates >= 2


def test_many_who_listen_are_told_the_same_bytes_written_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[int, list[Event]] = {}
    encoded: list[bytes] = []
    heard: dict[int, list[Event]] = {}

    def counted(new: Changes) -> bytes:
        encoded.append(written(new))
        return encoded[-1]

    monkeypatch.setattr("server.event_stream.written", counted)
    with start(quick_seconds=0) as client:
        run = create_run(client)

        def listen(number: int) -> None:
            with httpx.Client(base_url=client.base_url, timeout=60, trust_env=False) as own, following(own, run) as events:
                heard[number] = [next(events)]
                heard[number] += until_rest(events)

        threads = [threading.Thread(target=listen, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(heard) == 12)
        client.post(f"{API}/runs/{run}/steps", json={"count": 800})
        for thread in threads:
            thread.join()
    assert all([event.id for event in one] == [event.id for event in heard[0]] for one in heard.values())
    assert [told[0] for told in steps_of(heard[0])] == list(range(1, 801))
    assert len(encoded) - len({*encoded}) < len(heard), "what happens is written once for all; only where each begins is written for each"


def test_one_who_does_not_read_holds_nobody_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """And gets everything, also what is no longer kept in memory when it reads on."""
    lacked: list[Position] = []

    def counted(engine: Engine, run_id: str, since: Position, until: Position | None = None) -> Changes | None:
        if until is not None:  # else it is what is new to all
            lacked.append(since)
        return changes(engine, run_id, since, until)

    monkeypatch.setattr("server.event_stream.changes", counted)
    monkeypatch.setattr(limits, "STREAM_FRAMES", 1)
    monkeypatch.setattr(Server, "startup", _little_is_on_its_way(Server.startup))
    little = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)]
    with start(quick_seconds=0) as client, httpx.HTTPTransport(socket_options=little) as transport:
        run = create_run(client)
        slow = httpx.Client(base_url=client.base_url, timeout=60, transport=transport)
        with following(slow, run) as later, following(client, run) as events:
            client.post(f"{API}/runs/{run}/steps", json={"count": 2000})
            heard = until_rest(events)
            state = finished(client, run)
            assert steps_of(heard) == list(enumerate(state["history"]["loss"], 1))
            lacked.clear()  # each read where it begins
            read_late = until_rest(later)
        assert steps_of(read_late) == steps_of(heard)
        for kind in ("validation", "observation"):
            assert [event.data for event in read_late if event.kind == kind] == [event.data for event in heard if event.kind == kind]
        assert lacked, "all was on its way already"


def _little_is_on_its_way(startup: Callable[[Server, Any], Awaitable[None]]) -> Callable[[Server, Any], Awaitable[None]]:
    """A server's start, after which its system keeps little of what a client has not taken."""

    async def started(self: Server, sockets: Any = None) -> None:
        await startup(self, sockets)
        for listening in self.servers[0].sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)

    return started


def test_how_many_may_listen(start: Start) -> None:
    with start(visitor_streams=2, streams=3) as client:
        run = create_run(client)
        with following(client, run), following(client, run) as events:
            next(events)
            refused = client.get(f"{API}/runs/{run}/events")
            assert (refused.status_code, refused.json()["limit"], refused.json()["actual"]) == (429, 2, 3)
            assert refused.json()["type"].endswith(":limit")
            with httpx.Client(base_url=client.base_url, timeout=60, trust_env=False) as other:
                other.headers["Cookie"] = "retrograd_visitor=none"  # a made-up one is none: the address counts
                assert other.get(f"{API}/runs/{run}/events").status_code == 429
        wait_until(lambda: "retrograd_streams_open 0.0" in client.get("/metrics").text)
        with following(client, run) as events:
            assert next(events).kind == "status"
    with start(visitor_streams=9, streams=1) as client:
        run = create_run(client)
        with following(client, run) as events:
            next(events)
            refused = client.get(f"{API}/runs/{run}/events")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:retrograd:problem:busy")
        assert refused.headers["retry-after"]


def test_guards_hold_for_streams_too(start: Start) -> None:
    """EventSource sends no headers of its own: the cookie that the token gave comes by itself."""
    token = "a token of some length"
    with start(token=token) as client:
        bearer = {"Authorization": f"Bearer {token}"}
        run = client.post(f"{API}/runs", json={"program": {"task": "adding"}}, headers=bearer).json()["id"]
        place = f"{API}/runs/{run}/events"
        assert client.get(place).status_code == 401
        assert client.get(place, headers={**bearer, "Host": "example.com"}).status_code == 421
        with following(client, run, None, **bearer) as events:
            assert next(events).kind == "status"
        client.get("/", params={"token": token})
        assert COOKIE in client.cookies
        with following(client, run) as events:
            assert next(events).kind == "status"


def test_what_a_stream_is_over_http(client: httpx.Client) -> None:
    run = create_run(client)
    with client.stream("GET", f"{API}/runs/{run}/events", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert "content-encoding" not in response.headers
        assert response.headers["x-content-type-options"] == "nosniff"
    head = client.head(f"{API}/runs/{run}/events")
    assert (head.status_code, head.content) == (200, b"")
    assert client.get(f"{API}/runs/r_0/events").status_code == 404
    wrong = client.get(f"{API}/runs/{run}/events", headers={"Last-Event-ID": "17"})
    assert wrong.status_code == 422
    assert "four whole numbers" in wrong.json()["detail"]
    with following(client, run, "999999999.999999999.999999999.999999999") as events:  # of another database, say
        client.post(f"{API}/runs/{run}/steps", json={"count": 3})
        assert steps_of(until_rest(events)) == list(enumerate(finished(client, run)["history"]["loss"], 1))


def test_a_stream_is_counted_by_how_long_it_took_to_begin(start: Start) -> None:
    with start() as client:
        run = create_run(client)
        with following(client, run) as events:
            next(events)
            assert "retrograd_streams_open 1.0" in client.get("/metrics").text
            time.sleep(1.2)
        series = f'retrograd_request_seconds_bucket{{le="0.5",route="{API}/runs/{{run_id}}/events"}} 1.0'
        wait_until(lambda: series in client.get("/metrics").text)


def test_a_stream_shows_that_it_lives(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEARTBEAT_SECONDS", 0.1)
    with start() as client:
        run = create_run(client)
        with client.stream("GET", f"{API}/runs/{run}/events") as response:
            lines = response.iter_lines()
            assert [line for _, line in zip(range(12), lines, strict=False)].count(": ") >= 2


def test_a_run_that_is_deleted_ends_its_stream(start: Start) -> None:
    with start() as client:
        run = create_run(client)
        with following(client, run) as events:
            next(events)
            client.delete(f"{API}/runs/{run}")
            assert [event.kind for event in events] == ["deleted"]


def test_what_another_server_trains_is_told_too(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(tmp_path) as one, start(tmp_path) as other:
        run = create_run(one)
        with following(other, run) as events:
            next(events)
            one.post(f"{API}/runs/{run}/steps", json={"count": 300})
            assert [told[0] for told in steps_of(until_rest(events))] == list(range(1, 301))
            assert other.post(f"{API}/runs/{run}/pause").json()["status"] == "idle"


def test_a_server_that_stops_ends_its_streams_at_once(start: Start) -> None:
    ended: list[float] = []

    def listen(address: httpx.URL, run: str, told: threading.Event) -> None:
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as own, following(own, run) as events:
            next(events)
            told.set()
            assert list(events) == []  # and not a connection that broke
            ended.append(time.monotonic())

    with start() as client:
        told = threading.Event()
        thread = threading.Thread(target=listen, args=(client.base_url, create_run(client), told))
        thread.start()
        assert told.wait(30)
        began = time.monotonic()
    thread.join()
    assert ended[0] - began < 1


def test_an_id_of_an_event_is_read_as_it_was_written() -> None:
    for position in (Position(), Position(250, 240, 200, 3)):
        assert Position.read(str(position)) == position
    for wrong in ("", "1.2.3", "1.2.3.x", "-1.2.3.4", "1.2.3.4.5", "1" * 10 + ".0.0.0"):
        with pytest.raises(ValueError, match="four whole numbers"):
            Position.read(wrong)
