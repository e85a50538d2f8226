"""Links that are too long to be sent: states of the page under short names."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from server import limits
from server.store.blobs import DamagedError
from server.store.links import LinkStore, id_of
from tests.server.helpers import API, Start

STATE = {"address": "#/network?v=2&at=91&why=gradient:0,2:rnn.weight_hh_l0"}


def post(client: httpx.Client, state: Any) -> httpx.Response:
    return client.post(f"{API}/links", json={"state": state})


def test_a_state_is_kept_under_a_short_name(client: httpx.Client) -> None:
    made = post(client, STATE)
    assert made.status_code in (200, 201)
    link = made.json()
    assert link["state"] == STATE
    assert len(link["id"]) == 16
    assert made.headers["location"] == f"{API}/links/{link['id']}"
    assert client.get(made.headers["location"]).json() == link


def test_one_state_has_one_link(client: httpx.Client) -> None:
    first = post(client, {"a": 1, "b": [{"c": 2, "d": None}]})
    again = post(client, {"b": [{"d": None, "c": 2}], "a": 1})  # members have no order
    other = post(client, {"a": 1, "b": [{"c": 2, "d": 0}]})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]


def test_anybody_may_open_a_link(start: Start) -> None:
    with start(visitor_runs=1) as client:
        link = post(client, STATE).json()["id"]
        client.cookies.clear()
        answer = client.get(f"{API}/links/{link}")
    assert answer.json()["state"] == STATE
    assert "set-cookie" not in answer.headers


def test_links_outlive_the_server(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        link = post(client, STATE).json()["id"]
    with start(tmp_path) as client:
        assert client.get(f"{API}/links/{link}").json()["state"] == STATE


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"__proto__": {"polluted": 1}, "constructor": {"prototype": 1}},
        {"": "", "emoji": "😀", "中文": "<script>alert(1)</script>"},
        {"whole": 2**53 - 1, "small": 5e-324, "large": 1.7976931348623157e308, "zero": -0.0},
        {"deep": [[[[[[[[[[{"a": [None, True, False]}]]]]]]]]]]},
    ],
)
def test_what_is_kept_is_given_back_as_it_was(client: httpx.Client, state: dict[str, Any]) -> None:
    link = post(client, state).json()["id"]
    assert json.dumps(client.get(f"{API}/links/{link}").json()["state"], sort_keys=True) == json.dumps(state, sort_keys=True)


@pytest.mark.parametrize("state", [None, [], "text", 7, True, [{"address": "#/network"}]])
def test_a_state_is_an_object(client: httpx.Client, state: Any) -> None:
    response = post(client, state)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/state"


@pytest.mark.parametrize("body", [b"{}", b'{"state": {}, "id": "mine"}', b'{"state": {}, "visitor": "me"}'])
def test_nothing_but_a_state_is_taken(client: httpx.Client, body: bytes) -> None:
    response = client.post(f"{API}/links", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"state": {"a": NaN}}', 400),
        (b'{"state": {"a": 1, "a": 2}}', 400),
        (b'{"state": {"a": "\\ud800"}}', 400),
        (b'{"state": ' + b'{"a":' * 80 + b"1" + b"}" * 80 + b"}", 400),
        (b'{"state": {"a": 9007199254740992}}', 422),
        (b'{"state": {"a": [{"b": -100000000000000000000000000}]}}', 422),
    ],
)
def test_strict_json_as_everywhere(client: httpx.Client, body: bytes, status: int) -> None:
    response = client.post(f"{API}/links", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert "9007199254740992" not in response.text


def test_a_state_has_a_largest_size(client: httpx.Client) -> None:
    room = limits.LINK_BYTES - len(json.dumps({"a": ""}, separators=(",", ":")))
    assert post(client, {"a": "x" * room}).status_code == 201
    response = post(client, {"a": "x" * (room + 1)})
    problem = response.json()
    assert (response.status_code, problem["limit"], problem["actual"]) == (422, limits.LINK_BYTES, limits.LINK_BYTES + 1)
    assert client.get(f"{API}/limits").json()["link_bytes"] == limits.LINK_BYTES


@pytest.mark.parametrize("link", ["aaaaaaaaaaaaaaaa", "A" * 16, "..", "%2e%2e%2fhealth", "x" * 41, "' OR 1=1 --", "%F0%9F%98%80", "%00"])
def test_a_link_that_there_is_not(client: httpx.Client, link: str) -> None:
    response = client.get(f"{API}/links/{link}")
    assert response.status_code in (404, 422)
    assert response.headers["content-type"] == "application/problem+json"


def test_links_are_written_at_the_pace_of_all_writes(start: Start) -> None:
    with start(writes_per_second=2) as client:
        statuses = [post(client, {"a": i}).status_code for i in range(6)]
    assert 429 in statuses
    assert statuses[0] == 201


def test_a_damaged_link_says_so_and_is_mended_when_it_is_made_again(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        link = post(client, STATE).json()["id"]
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            database.execute("UPDATE links SET data = x'00'")
        response = client.get(f"{API}/links/{link}")
        assert (response.status_code, response.json()["type"]) == (500, "urn:retrograd:problem:damaged")
        assert "share what it led to again" in response.json()["detail"]
        assert post(client, STATE).status_code == 200
        assert client.get(f"{API}/links/{link}").json()["state"] == STATE


def test_those_that_nobody_opened_for_longest_make_room(database: Engine) -> None:
    store = LinkStore(database, most=1_200)
    noise = [{"x": random.Random(n).randbytes(350).hex()} for n in range(5)]  # which compresses to half
    ids = [store.put(state)[0] for state in noise[:2]]
    with database.begin() as connection:
        connection.execute(text("UPDATE links SET opened = '2020-01-0' || number || 'T00:00:00Z'"))
    assert store.get(ids[0]) == noise[0]  # opened today; the second was not
    ids += [store.put(state)[0] for state in noise[2:]]
    kept = [store.get(link) for link in ids]
    assert kept[1] is None
    assert kept[4] == noise[4]
    with database.connect() as connection:
        size = connection.execute(text("SELECT sum(length(data)) FROM links")).scalar_one()
    assert size <= 1_200


def test_a_second_server_that_was_quicker_is_no_error(database: Engine) -> None:
    one, other = LinkStore(database, 2**20), LinkStore(database, 2**20)
    assert one.put(STATE) == (id_of(json.dumps(STATE, separators=(",", ":"), sort_keys=True).encode()), True)
    assert other.put(STATE) == (one.put(STATE)[0], False)


def test_damage_is_told_apart_from_absence(database: Engine) -> None:
    store = LinkStore(database, 2**20)
    link, _ = store.put(STATE)
    with database.begin() as connection:
        connection.execute(text("UPDATE links SET sha256 = 'x'"))
    with pytest.raises(DamagedError):
        store.get(link)
    assert store.get("aaaa") is None
