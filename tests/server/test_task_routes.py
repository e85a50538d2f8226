"""Tasks over HTTP, and programs that ask for the length of one."""

from __future__ import annotations

import httpx
import pytest

from tests.server.helpers import API, finished

NETWORK = {"kind": "network", "cell": "rnn", "hidden_size": 3, "task": "adding", "example": 2, "seed": 1}


def test_examples_of_a_length_are_listed(client: httpx.Client) -> None:
    page = client.get(f"{API}/tasks/adding/examples", params={"length": 25, "limit": 2}).json()
    assert [example["length"] for example in page["items"]] == [25, 25]
    refused = client.get(f"{API}/tasks/surnames/examples", params={"length": 25})
    assert refused.status_code == 422
    assert "the sequences of surnames are as they are" in refused.json()["detail"]


def test_a_run_of_a_length_opens_as_a_film_of_it(client: httpx.Client) -> None:
    run = client.post(f"{API}/runs", json={"program": {"task": "adding", "length": 12, "cell": "rnn", "hidden_size": 3}}).json()
    assert run["program"]["length"] == 12
    client.post(f"{API}/runs/{run['id']}/steps", json={"count": 2})
    finished(client, run["id"])
    trace = client.get(f"{API}/runs/{run['id']}/steps/2/trace", params={"example": 0}).json()
    assert trace["program"]["length"] == 12
    assert [example["length"] for example in trace["batch"]["examples"]] == [12]


def test_the_usual_length_is_not_written(client: httpx.Client) -> None:
    plain = client.post(f"{API}/traces", json={"program": NETWORK})
    assert "length" not in plain.json()["program"]
    assert client.post(f"{API}/traces", json={"program": {**NETWORK, "length": None}}).json()["id"] == plain.json()["id"]
    asked = client.post(f"{API}/traces", json={"program": {**NETWORK, "length": 15}}).json()
    assert asked["program"]["length"] == 15
    assert asked["batch"]["examples"][0]["length"] == 15


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ({"task": "digits", "length": 20}, "the sequences of digits are as they are, no length can be chosen; leave length out"),
        ({"task": "adding", "length": 5}, "adding has lengths of 10 to 200 steps; given 5"),
    ],
)
def test_a_length_that_a_task_cannot_have_is_refused(client: httpx.Client, program: dict[str, object], words: str) -> None:
    for address, body in (("runs", program), ("traces", {**NETWORK, **program})):
        refused = client.post(f"{API}/{address}", json={"program": body})
        assert refused.status_code == 422
        assert words in refused.text
        assert "/program/length" in refused.text


def test_own_sequences_have_the_lengths_they_have(client: httpx.Client) -> None:
    sequences = {"kind": "classification", "examples": [{"tokens": ["a"], "target": 0}]}
    refused = client.post(f"{API}/traces", json={"program": {"kind": "network", "sequences": sequences, "length": 12}})
    assert refused.status_code == 422
    assert "sequences have the lengths they have; leave length out" in refused.text
