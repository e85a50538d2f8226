"""The limits: published, and each held where it applies."""

from __future__ import annotations

import time
from typing import Any

import httpx
import numpy as np
import pytest

from engine.ops import REGISTRY
from engine.tensor import Tensor, apply
from server import limits
from server.jobs.processor_time import processor_time
from server.programs.errors import LimitError
from server.programs.lines import OPERATIONS
from server.programs.sizes import bound
from server.settings import Settings
from tests.server.helpers import API, Start, create_run, expression, finished

NETWORK = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 16, "example": 0}


def test_the_limits_are_those_that_were_promised(start: Start) -> None:
    with start(writes_per_second=Settings().writes_per_second) as client:
        published = client.get(f"{API}/limits").json()
    promised = {
        "body_bytes": 2**20, "upload_bytes": 8 * 2**20, "json_depth": 64, "expression_characters": 2000, "expression_nodes": 500,
        "graph_nodes": 20_000, "trace_elements": 4_000_000, "dimensions": 8, "compute_seconds": 2, "response_bytes": 16 * 2**20,
        "writes_per_second": 30, "visitor_runs": 64,
    }  # fmt: skip
    assert {name: published[name] for name in promised} == promised
    assert all(isinstance(value, int | float) for value in published.values())


def test_a_limit_that_was_set_is_published_and_held(start: Start) -> None:
    """Each is set so low that a request which passes otherwise does not."""
    with start(body_bytes=1024, upload_bytes=2048, response_bytes=2**16) as client:
        published = client.get(f"{API}/limits").json()
        assert (published["body_bytes"], published["upload_bytes"], published["response_bytes"]) == (1024, 2048, 2**16)
        large = client.post(f"{API}/traces", content=b" " * 1025, headers={"Content-Type": "application/json"})
        upload = client.post(f"{API}/traces", content=b" " * 2049, headers={"Content-Type": "application/octet-stream"})
        answer = client.post(f"{API}/traces", json={"program": NETWORK})
    assert (large.status_code, large.json()["limit"], large.json()["actual"]) == (413, 1024, 1025)
    assert (upload.status_code, upload.json()["limit"], upload.json()["actual"]) == (413, 2048, 2049)
    assert (answer.status_code, answer.json()["limit"]) == (422, 2**16)
    assert answer.json()["actual"] > 2**16


def test_a_trace_too_large_to_be_sent_is_stored_and_read_in_parts(start: Start) -> None:
    large = {**NETWORK, "hidden_size": 64}
    with start(response_bytes=2**18) as client:
        refused = client.post(f"{API}/traces", json={"program": large})
        place = refused.headers["location"]
        whole = client.get(place)
        linked = client.get(refused.headers["link"].partition(">")[0].removeprefix("<"), headers={"Accept": "application/json"})
        posted = client.post(f"{API}/traces?tensors=none", json={"program": large}, headers={"Idempotency-Key": "one"})
        again = client.post(f"{API}/traces?tensors=none", json={"program": large}, headers={"Idempotency-Key": "one"})
        edits = {"edits": [{"node": "head.bias", "index": [0], "value": 2}]}
        edited = client.post(f"{place}/what-if?tensors=none", json=edits)
        tensor = client.get(f"{place}/tensors/0")
        run = create_run(client, hidden_size=64)
        client.post(f"{API}/runs/{run}/steps", json={"count": 1})
        finished(client, run)
        of_run = [client.get(f"{API}/runs/{run}/steps/1/trace{query}") for query in ("", "?tensors=none&example=0")]
    for response in (refused, whole, of_run[0]):
        assert (response.status_code, response.json()["limit"]) == (422, 2**18)
        assert response.json()["actual"] > 2**18
        assert "?tensors=stats" in response.json()["detail"]
        assert response.json()["type"].endswith(":limit")
    assert (linked.status_code, linked.json()["part"]) == (200, {"tensors": "stats"})
    for response, status in ((posted, 200), (edited, 201), (of_run[1], 200)):
        assert response.status_code == status, response.text
        assert response.headers["content-location"].endswith("?tensors=none")
        assert response.json()["part"]["tensors"] == "none"
        assert response.json()["tensors"]["arenas"] == {}
    assert place.endswith(posted.json()["id"])
    assert (again.headers["idempotent-replayed"], again.content) == ("true", posted.content)
    assert tensor.status_code == 200


@pytest.mark.parametrize(("setting", "most"), [("graph_nodes", 50), ("trace_elements", 5000)])
def test_a_trace_is_refused_by_its_shapes(start: Start, monkeypatch: pytest.MonkeyPatch, setting: str, most: int) -> None:
    """Before any worker hears of it, whether posted or asked of a run."""
    with start(**{setting: most}) as client:
        posted = client.post(f"{API}/traces", json={"program": NETWORK})
        run = create_run(client, hidden_size=64)
        client.post(f"{API}/runs/{run}/steps", json={"count": 1})
        finished(client, run)
        of_run = client.get(f"{API}/runs/{run}/steps/1/trace")
    for response, errors in ((posted, 1), (of_run, 0)):
        problem = response.json()
        assert (response.status_code, problem["limit"]) == (422, most)
        assert problem["actual"] > most
        assert len(problem.get("errors", [])) == errors


def test_a_computation_is_ended_by_its_processor_time(start: Start) -> None:
    with start(compute_seconds=0.001) as client:
        response = client.post(f"{API}/traces", json={"program": NETWORK})
        problem = response.json()
        assert (response.status_code, problem["limit"]) == (422, 0.001)
        assert problem["actual"] >= 0.001


def compute(seconds: float) -> None:
    with processor_time(seconds):
        while True:
            sum(range(1000))


def test_waiting_is_not_computing() -> None:
    with processor_time(0.2):
        time.sleep(0.4)
    with pytest.raises(LimitError) as error:
        compute(0.05)
    assert error.value.actual >= error.value.limit == 0.05


class Swallowing:
    """An object that computes when it goes; what is raised meanwhile Python drops."""

    def __del__(self) -> None:
        sum(range(100_000))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_limit_that_came_while_an_object_went_comes_again() -> None:
    def use() -> None:
        with processor_time(0.02):
            end = time.process_time() + 0.05
            while time.process_time() < end:
                Swallowing()
            while True:
                sum(range(1000))

    with pytest.raises(LimitError):
        use()


def test_a_step_far_away_is_trained_in_slices(start: Start) -> None:
    """What comes before the step is not part of the one computation, and the trace is the same."""
    program = {**NETWORK, "task": "sunspots", "hidden_size": 4, "batch_size": 4, "step": 300}
    with start(slice_seconds=0.01) as sliced, start(slice_seconds=10) as whole:
        one, other = (client.post(f"{API}/traces", json={"program": program}) for client in (sliced, whole))
    assert one.status_code == other.status_code == 201
    assert one.json()["id"] == other.json()["id"]


def samples() -> list[Any]:
    return [
        pytest.param(name, number, id=f"{name}-{number}") for name in sorted(OPERATIONS) for number, _ in enumerate(REGISTRY[name].samples)
    ]


@pytest.mark.parametrize(("name", "number"), samples())
def test_no_result_is_larger_than_what_is_counted_before(name: str, number: int) -> None:
    sample = REGISTRY[name].samples[number]
    operands = [Tensor(np.asarray(value, dtype=np.float64)) for value in sample.inputs]
    result = apply(name, *operands, **sample.attributes)
    attributes = {key: list(value) if isinstance(value, tuple) else value for key, value in sample.attributes.items()}
    assert result.size <= bound(name, operands, attributes)


@pytest.mark.parametrize("text", ["mse_loss(a, b)", "a + b", "kl_div(a, b)", "outer(a, b)", "dot(b, a)", "b @ a",
                                  "sum(broadcast_to(sum(a), shape=(99999999, 0)), axis=1)"])  # fmt: skip
def test_what_grows_by_broadcasting_is_refused_before_it_is_computed(client: httpx.Client, text: str) -> None:
    column = [[1.0]] * 10_000
    response = client.post(f"{API}/traces", json=expression(text, {"a": [[1.0] * 10_000], "b": column}))
    assert response.status_code == 422
    assert f"{limits.EXPRESSION_ELEMENTS:,}" in response.json()["detail"]


@pytest.mark.parametrize("text", ["broadcast_to(w, shape=(1, 1, 1, 1, 1, 1, 1, 1, 1))", "stack(w, w)"])
def test_a_result_has_eight_dimensions_at_most(client: httpx.Client, text: str) -> None:
    response = client.post(f"{API}/traces", json=expression(f"sum({text})", {"w": [[[[[[[[1.0]]]]]]]]}))
    assert response.status_code == 422
    assert "at most 8" in response.json()["detail"]
    assert response.json()["errors"][0]["column"] == 5


def test_layers_and_directions_are_limited_by_what_they_cost(client: httpx.Client) -> None:
    too_many = client.post(f"{API}/traces", json={"program": {**NETWORK, "layers": 5}})
    assert too_many.status_code == 422
    wide = {"task": "digits", "cell": "lstm", "hidden_size": 256, "layers": 4, "bidirectional": True}
    for path, program in ((f"{API}/traces", {"kind": "network", "example": 0, **wide}), (f"{API}/runs", wide)):
        response = client.post(path, json={"program": program})
        assert response.status_code == 422, response.text
        assert response.json()["limit"] == client.get(f"{API}/limits").json()["parameters"] < response.json()["actual"]
    answer = client.post(f"{API}/traces", json={"program": {**NETWORK, "hidden_size": 4, "layers": 2, "bidirectional": True}})
    assert answer.status_code in (200, 201), answer.text
    assert (answer.json()["program"]["layers"], answer.json()["program"]["bidirectional"]) == (2, True)
