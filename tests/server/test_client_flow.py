"""The client's requests and streams without a network: what is tried again, what is given up, how bytes become events."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest

from server.client import (
    BusyError,
    ConflictError,
    ConnectionFailedError,
    InvalidError,
    NotFoundError,
    ProblemError,
    Progress,
    UnexpectedAnswerError,
)
from server.client.answers import RateEdit
from server.client.arrays import floats, written
from server.client.events import event_of
from server.client.flow import Flow, Pause, Request, ask, object_of, segment
from server.client.subscription import Decoder, Message, Subscription


class Idle:
    """A transport that is never asked to do anything."""

    base_url, retries = "", 3

    def run(self, flow: Flow[Any]) -> Any:
        raise AssertionError

    def listen(self, subscription: Subscription[Any]) -> Any:
        raise AssertionError


def problem(status: int, retry_after: int | None = None, **more: Any) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return httpx.Response(status, json={"type": "urn:retrograd:problem:x", "title": "No", "detail": "because", **more}, headers=headers)


def driven(request: Request, *answers: httpx.Response | httpx.TransportError) -> tuple[list[Request], list[float], httpx.Response]:
    """The requests, the pauses and the result of asking, where these are the answers in their order."""
    flow, waiting = ask(Idle(), request), list(answers)
    requests: list[Request] = []
    pauses: list[float] = []
    try:
        step = next(flow)
        while True:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                step = flow.send(None)
                continue
            requests.append(step)
            answer = waiting.pop(0)
            step = flow.send(answer) if isinstance(answer, httpx.Response) else flow.throw(answer)
    except StopIteration as end:
        assert waiting == []
        return requests, pauses, end.value


BROKEN = httpx.ReadError("cut")


def test_a_broken_request_is_sent_again_under_its_key() -> None:
    requests, pauses, response = driven(Request("POST", "/runs"), BROKEN, problem(502), httpx.Response(201))
    assert response.status_code == 201
    assert [request.headers["Idempotency-Key"] for request in requests] == [requests[0].headers["Idempotency-Key"]] * 3
    assert pauses == sorted(pauses)
    others, _, _ = driven(Request("POST", "/runs"), httpx.Response(201))
    assert others[0].headers["Idempotency-Key"] != requests[0].headers["Idempotency-Key"]


def test_a_busy_server_is_left_alone_for_as_long_as_it_says() -> None:
    _, pauses, _ = driven(Request("GET", "/runs"), problem(429, 3), problem(503, 2), httpx.Response(200))
    assert pauses == [3, 2]
    _, pauses, _ = driven(Request("POST", "/runs"), problem(409, 1), httpx.Response(200))  # the first one is under way still
    assert pauses == [1]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((problem(503, 60),), BusyError),  # longer than a request waits by itself
        ((problem(422),), InvalidError),
        ((problem(404),), NotFoundError),
        ((problem(409),), ConflictError),
        ((problem(429, 1),) * 4, BusyError),
        ((BROKEN,) * 4, ConnectionFailedError),
        ((httpx.UnsupportedProtocol("ftp"),), ConnectionFailedError),
        ((httpx.Response(418, text="<h1>teapot</h1>"),), ProblemError),
    ],
)
def test_what_will_not_change_is_not_tried_again(answers: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        driven(Request("GET", "/runs"), *answers)


def test_what_is_gone_after_a_broken_delete_was_deleted() -> None:
    assert driven(Request("DELETE", "/runs/r_1"), BROKEN, problem(404))[2].status_code == 404
    with pytest.raises(NotFoundError):
        driven(Request("DELETE", "/runs/r_1"), problem(404))


def test_a_problem_says_where_and_how_much() -> None:
    errors = [
        {"pointer": "/program/cell", "detail": "no cell"},
        {"pointer": "/program/expression", "detail": "odd", "line": 1, "column": 3},
    ]
    error = InvalidError(problem(422, errors=errors, limit=5, actual=7, request_id="abc"))
    assert (error.pointer, error.limit, error.actual, error.kind, error.request_id) == ("/program/cell", 5, 7, "x", "abc")
    assert (error.errors[1].line, error.errors[1].column) == (1, 3)
    assert str(error) == "422 No: because\n  /program/cell: no cell\n  /program/expression: odd"
    odd = ProblemError(httpx.Response(418, text="<h1>teapot</h1>"))
    assert "418" in str(odd)
    assert odd.pointer is None


STREAM = (
    b'retry: 2000\n\n: \n\nevent: validation\nid: 5.0.5.1\ndata: {"step":5,"loss":"NaN","text":"a\xe2\x80\xa8b"}\r\n\r\n'
    b'event: progress\nid: 7.0.5.1\ndata: {"step":7}\n\nevent: deleted\ndata: {}\n\nevent: cut\ndata: {'
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_bytes_become_events_wherever_they_are_cut(size: int) -> None:
    decoder = Decoder()
    messages = [message for at in range(0, len(STREAM), size) for message in decoder.feed(STREAM[at : at + size])]
    assert messages == [
        Message("validation", "5.0.5.1", {"step": 5, "loss": "NaN", "text": "a\u2028b"}), Message("progress", "7.0.5.1", {"step": 7}),
        Message("deleted", None, {}),
    ]  # fmt: skip
    assert decoder.comments == 1


def told(step: int, number: int) -> bytes:
    data = {"step": step, "first": step, "losses": ["Infinity"], "gradient_norms": [1.5], "learning_rates": [0.1]}
    data |= {"steps_per_second": None, "seconds_left": None, "newer": [1]}
    return b"event: progress\nid: %d.0.0.0\ndata: %b\n\n" % (number, json.dumps(data).encode())


def subscribed(**more: Any) -> Subscription[Any]:
    def at_rest() -> Flow[bool]:
        raise AssertionError
        yield Pause(0)

    return Subscription("/runs/r_1/events", event_of, lambda event: event.step == 9, at_rest, **more)


def test_a_subscription_goes_on_after_the_last_event_that_came_whole() -> None:
    subscription = subscribed()
    assert "Last-Event-ID" not in subscription.request().headers
    heard = list(subscription.feed(told(1, 1) + told(2, 2) + told(3, 3)[:-1]))
    assert [event.step for event in heard] == [1, 2]
    assert isinstance(heard[0], Progress)
    assert heard[0].losses.tolist() == [np.inf]
    subscription.broken(BROKEN)
    assert subscription.request().headers["Last-Event-ID"] == "2.0.0.0"
    assert [event.step for event in subscription.feed(told(3, 3) + told(9, 9) + told(10, 10))] == [3, 9]  # nothing after the end
    assert subscription.over
    assert subscribed(after="4.0.0.0").request().headers["Last-Event-ID"] == "4.0.0.0"


def test_events_of_a_kind_that_came_later_are_passed_over() -> None:
    assert list(subscribed().feed(b'event: novel\nid: 8\ndata: {"x":1}\n\n')) == []


def test_a_silent_stream_asks_whether_anything_will_come() -> None:
    subscription = subscribed()
    assert not subscription.unsure()
    assert list(subscription.feed(b": \n\n")) == []
    assert subscription.unsure()
    assert not subscription.unsure()


def test_a_subscription_is_given_up_after_its_patience() -> None:
    subscription = subscribed(patience=0)
    subscription.broken(BROKEN)  # the first connection broke just now
    with pytest.raises(ConnectionFailedError, match="broke off"):
        subscription.broken(BROKEN)
    with pytest.raises(NotFoundError):
        subscribed().refused(problem(404))
    with pytest.raises(BusyError):
        subscribed(patience=20).refused(problem(503, 30))
    patient = subscribed(patience=60)
    patient.refused(problem(503, 30))
    assert patient.delay() == 30
    assert patient.delay() < 1


def test_ids_are_one_part_of_an_address() -> None:
    assert segment("sha256:0ab") == "sha256:0ab"
    assert segment("../limits?x=ü") == "..%2Flimits%3Fx%3D%C3%BC"
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="is no id"):
            segment(name)


def test_bodies_take_what_numpy_makes() -> None:
    body = {"x": np.array([[0.1, 2.0], [3.0, 1 / 3]]), "k": np.int64(3), "lr": np.float32(0.5), "on": np.bool_(True)}
    assert json.loads(written(body)) == {"x": [[0.1, 2.0], [3.0, 1 / 3]], "k": 3, "lr": 0.5, "on": True}
    with pytest.raises(ValueError, match="JSON lacks"):
        written({"x": np.array([np.nan])})
    with pytest.raises(TypeError, match="cannot hold a set"):
        written({"x": {1}})


def test_answers_of_somebody_else_are_told_as_such() -> None:
    request = httpx.Request("GET", "http://school.example/api/v1/tasks")
    for content in (b"<html>please log in</html>", b"[1]", b""):
        with pytest.raises(UnexpectedAnswerError, match="Retrograd server"):
            object_of(httpx.Response(200, content=content, request=request))
    with pytest.raises(UnexpectedAnswerError, match="no RateEdit"):
        RateEdit.read({"step": "soon"})
    assert RateEdit.read({"step": 3, "lr": "NaN", "schema_version": 1, "newer": 1}).model_dump().keys() == {"step", "lr", "newer"}


def test_numbers_that_json_lacks() -> None:
    assert np.array_equal(floats([[1, "NaN"], ["Infinity", "-Infinity"]]), [[1, np.nan], [np.inf, -np.inf]], equal_nan=True)
    assert floats([]).shape == (0,)
