"""A POST with a key is done once, whatever happens to its answer."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, create_engine, update

from server.msgpack import MEDIA_TYPE as MSGPACK
from server.msgpack import unpack
from server.store.answers import Answer, AnswerStore, Once, UnderWayError
from server.store.blobs import DamagedError
from server.store.runs import RunStore
from server.store.tables import answers
from tests.server.helpers import API, Start, create_run, expression, finished, wait_until

RUN = {"program": {"task": "sunspots", "cell": "rnn", "hidden_size": 3, "batch_size": 4}}
SEARCH = {**RUN, "space": {"lr": {"choices": [0.1, 0.2]}}, "steps": 4, "trials": 1, "sampler": "grid"}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def runs_of(client: httpx.Client) -> list[str]:
    return [item["id"] for item in client.get(f"{API}/runs", params={"limit": 100}).json()["items"]]


def test_a_run_is_created_once(client: httpx.Client) -> None:
    headers, before = key(), len(runs_of(client))
    first, second = (client.post(f"{API}/runs", json=RUN, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert ("idempotent-replayed" in first.headers, second.headers["idempotent-replayed"]) == (False, "true")
    assert len(runs_of(client)) == min(before + 1, 100)
    assert client.post(f"{API}/runs", json=RUN, headers=key()).json()["id"] != first.json()["id"]


def test_steps_are_trained_once(client: httpx.Client) -> None:
    run, headers = create_run(client), key()
    first, second = (client.post(f"{API}/runs/{run}/steps", json={"count": 3}, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert client.get(f"{API}/runs/{run}").json()["requested_step"] == 3


def test_a_part_of_a_trace_is_sent_again_and_made_again_once_it_is_deleted(client: httpx.Client) -> None:
    headers, body, place = key(), expression("x**2 - 8", {"x": 1.5}), f"{API}/traces?tensors=stats"
    first, second = (client.post(place, json=body, headers=headers) for _ in range(2))
    assert first.content == second.content
    for name in ("location", "content-location", "content-type", "vary"):
        assert first.headers[name] == second.headers[name]
    assert not {"etag", "cache-control"} & set(second.headers)
    assert second.headers["idempotent-replayed"] == "true"
    packed = client.post(place, json=body, headers={**headers, "Accept": MSGPACK})
    assert unpack(packed.content) == first.json()
    assert client.delete(first.headers["location"]).status_code == 204
    third = client.post(place, json=body, headers=headers)
    assert (third.status_code, third.content) == (201, first.content)
    assert client.get(third.headers["location"]).status_code == 200


def test_a_trace_is_sent_again_from_where_it_is_stored(client: httpx.Client) -> None:
    headers, body = key(), expression("x**2 - 7", {"x": 1.5})
    first, second = (client.post(f"{API}/traces", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    for name in ("location", "etag", "content-type", "vary"):
        assert first.headers[name] == second.headers[name]
    assert "cache-control" not in second.headers
    packed = client.post(f"{API}/traces", json=body, headers={**headers, "Accept": MSGPACK})
    assert (packed.status_code, packed.headers["idempotent-replayed"]) == (201, "true")
    assert unpack(packed.content) == first.json()


def test_a_trace_that_is_gone_is_made_again(client: httpx.Client) -> None:
    headers, body = key(), expression("x**2 - 8", {"x": 1.5})
    first = client.post(f"{API}/traces", json=body, headers=headers)
    client.delete(first.headers["location"]).raise_for_status()
    second = client.post(f"{API}/traces", json=body, headers=headers)
    assert (second.status_code, second.content) == (201, first.content)
    assert "idempotent-replayed" not in second.headers
    assert client.post(f"{API}/traces", json=body, headers=headers).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("path", ["runs", "traces"])
def test_a_key_belongs_to_one_request(client: httpx.Client, path: str) -> None:
    headers = key()
    client.post(f"{API}/runs", json=RUN, headers=headers).raise_for_status()
    other = RUN if path == "traces" else {"program": {**RUN["program"], "seed": 9}}
    response = client.post(f"{API}/{path}", json=other, headers=headers)
    assert response.status_code == 422
    assert "another request" in response.json()["detail"]


def test_a_request_that_failed_may_be_sent_again(client: httpx.Client) -> None:
    headers = key()
    wrong = client.post(f"{API}/traces", json=expression("x +", {"x": 1}), headers=headers)
    assert wrong.status_code == 422
    assert client.post(f"{API}/traces", json=expression("x + 12", {"x": 1}), headers=headers).status_code == 201


@pytest.mark.parametrize("given", ["", "x" * 201, "tab\there", b"\xe4\xf6"])
def test_what_is_no_key_is_said(client: httpx.Client, given: str | bytes) -> None:
    response = client.post(f"{API}/runs", json=RUN, headers=[(b"Idempotency-Key", given.encode() if isinstance(given, str) else given)])
    assert response.status_code == 400
    assert "printable ASCII" in response.json()["detail"]


def test_two_keys_are_none(client: httpx.Client) -> None:
    response = client.post(f"{API}/runs", json=RUN, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert response.status_code == 400


def test_a_get_needs_no_key_and_takes_any(client: httpx.Client) -> None:
    assert client.get(f"{API}/health", headers={"Idempotency-Key": "x" * 500}).status_code == 200


def test_requests_at_the_same_time_are_one(client: httpx.Client) -> None:
    headers, barrier, before = key(), threading.Barrier(6), set(runs_of(client))

    def post(_: int) -> httpx.Response:
        barrier.wait()
        return client.post(f"{API}/runs", json=RUN, headers=headers)

    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(post, range(6)))
    assert {response.status_code for response in responses} <= {201, 409}
    made = {response.json()["id"] for response in responses if response.status_code == 201}
    assert len(made) == 1
    assert len(set(runs_of(client)) - before) == 1
    for response in responses:
        if response.status_code == 409:
            assert (response.headers["retry-after"], response.json()["type"]) == ("1", "urn:retrograd:problem:conflict")


def test_keys_are_known_after_a_restart_and_under_a_prefix(start: Start, tmp_path: Path) -> None:
    headers, body, seen = key(), expression("x + 3", {"x": 2}), []
    for _ in range(2):
        with start(tmp_path, root_path="/deep") as client:
            seen.append(client.post(f"{API}/traces", json=body, headers=headers))
    assert [response.status_code for response in seen] == [201, 201]
    assert seen[0].content == seen[1].content
    assert seen[0].headers["location"] == seen[1].headers["location"]
    assert seen[1].headers["idempotent-replayed"] == "true"
    assert seen[1].headers["location"].startswith(f"/deep{API}/traces/")


def test_what_was_done_before_its_answer_got_lost_is_not_done_again(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the server is killed between the two: nothing is kept but what the transaction of the change itself kept."""
    bodies: dict[str, Any] = {"runs": RUN, "sweeps": SEARCH, "datasets": {"text": "a,b\n1,2\n3,4\n"}}
    keys = {place: key() for place in (*bodies, "steps")}

    def killed(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed before it answers")

    with start(tmp_path) as client:
        run = create_run(client)
        steps = f"runs/{run}/steps"
        bodies[steps], keys[steps] = {"count": 3}, keys.pop("steps")
        with monkeypatch.context() as broken:
            broken.setattr(AnswerStore, "put", killed)
            for place, body in bodies.items():
                assert client.post(f"{API}/{place}", json=body, headers=keys[place]).status_code == 500

    def unreadable(*_: Any) -> None:
        raise DamagedError("this cannot be read now")

    with start(tmp_path) as client:
        finished(client, run)
        with monkeypatch.context() as broken:
            broken.setattr(RunStore, "history", unreadable)
            assert client.post(f"{API}/{steps}", json=bodies[steps], headers=keys[steps]).status_code == 500
        for place, body in bodies.items():
            again = client.post(f"{API}/{place}", json=body, headers=keys[place])
            assert (again.status_code, again.headers["idempotent-replayed"]) == (202 if place == steps else 201, "true")
            if place == steps:
                assert [again.json()[name] for name in ("id", "step", "requested_step")] == [run, 3, 3]
            else:
                made = [item["id"] for item in client.get(f"{API}/{place}").json()["items"]]
                assert [one for one in made if one != run] == [again.json()["id"]]
                assert client.get(again.headers["location"]).json()["id"] == again.json()["id"]
            other = client.post(f"{API}/{place}", json={**body, "name": "other"}, headers=keys[place])
            assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)


def test_servers_of_one_database_do_it_once(start: Start, database_url: str) -> None:
    """A client whose first server does not answer asks another with the same key."""
    shared: dict[str, Any] = {"database_url": database_url, "secret": "shared by both of them"}
    with start(quick_seconds=30, **shared) as one, start(quick_seconds=0, **shared) as other, ThreadPoolExecutor(1) as pool:
        run, headers, more = create_run(one), key(), {"count": 10_000}
        first = pool.submit(one.post, f"{API}/runs/{run}/steps", headers=headers, json=more)
        wait_until(lambda: other.get(f"{API}/runs/{run}").json()["requested_step"])
        again = other.post(f"{API}/runs/{run}/steps", headers=headers, json=more)
        assert (again.status_code, again.json()["requested_step"], again.headers["idempotent-replayed"]) == (202, 10_000, "true")
        other.post(f"{API}/runs/{run}/cancel").raise_for_status()
        assert first.result().json()["reason"] == "cancelled"
        assert other.post(f"{API}/runs/{run}/steps", headers=headers, json=more).content == first.result().content


def test_visitors_have_keys_of_their_own(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        client.get(f"{API}/runs")
        if not client.cookies:
            pytest.skip("this server knows its visitors by their addresses alone")
        headers = key()
        first = client.post(f"{API}/runs", json=RUN, headers=headers).json()["id"]
        with closing(httpx.Client(base_url=client.base_url, trust_env=False, timeout=60)) as other:
            assert other.post(f"{API}/runs", json=RUN, headers=headers).json()["id"] != first


# -- the store ----------------------------------------------------------------------------------------


@pytest.fixture
def kept(database: Engine) -> AnswerStore:
    return AnswerStore(database, most=3, most_bytes=2_000)


def answer(body: bytes | None = b"body", **more: Any) -> Answer:
    return Answer("request", 201, {"location": "/somewhere", **more}, body)


def test_who_comes_second_is_told_and_changes_nothing(kept: AnswerStore, database: Engine) -> None:
    first, second = Once("a", "request"), Once("a", "request")
    with database.begin() as connection:
        first.mark(connection, 202, "/runs/r_1")
    runs = RunStore(database)
    with pytest.raises(UnderWayError):
        runs.create({"task": "adding"}, done=lambda connection, made: second.mark(connection, 201, made))
    assert runs.page(None, 10, None) == ([], None)
    assert (first.marked, second.marked) == (True, False)
    assert kept.get("a") == Answer("request", 202, {"content-location": "/runs/r_1"}, None)
    kept.put("a", answer(), marked=True)
    assert kept.get("a") == answer()


def test_an_answer_comes_back_as_it_was(kept: AnswerStore) -> None:
    for name, given in (("a", answer()), ("b", answer(None)), ("c", answer(b""))):
        kept.put(name, given)
        assert kept.get(name) == given
    kept.put("a", answer(b"another"))
    assert kept.get("a") == answer()
    kept.forget("a")
    assert kept.get("a") is None


def test_the_oldest_answers_go(kept: AnswerStore) -> None:
    for name in "abcde":
        kept.put(name, answer())
    assert [name for name in "abcde" if kept.get(name)] == ["c", "d", "e"]
    kept.put("f", answer(os.urandom(5_000)))
    assert [name for name in "abcdef" if kept.get(name)] == ["f"]


def test_a_damaged_answer_is_noticed(kept: AnswerStore, database: Engine) -> None:
    kept.put("a", answer())
    with database.begin() as connection:
        connection.execute(update(answers).values(data=b"x"))
    with pytest.raises(DamagedError, match="an answer is damaged"):
        kept.get("a")


def test_a_damaged_answer_is_given_anew(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        headers = key()
        client.post(f"{API}/runs", json=RUN, headers=headers).raise_for_status()
        engine = create_engine(f"sqlite:///{tmp_path}/retrograd.sqlite3")
        with engine.begin() as connection:
            connection.execute(update(answers).values(data=b"x"))
        engine.dispose()
        again = client.post(f"{API}/runs", json=RUN, headers=headers)
        assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)
        assert client.post(f"{API}/runs", json=RUN, headers=headers).content == again.content
