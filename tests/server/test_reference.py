"""What the service says of itself: tasks, operations, health, OpenAPI."""

from __future__ import annotations

import httpx

from engine.ops import catalogue
from server.tasks import NAMES
from tests.server.helpers import API


def test_tasks(client: httpx.Client) -> None:
    tasks = client.get(f"{API}/tasks").json()["items"]
    assert [task["name"] for task in tasks] == list(NAMES)
    for task in tasks:
        assert task["title"]["zh"]
        assert task["sizes"]["train"] > task["sizes"]["validation"] > 0


def test_examples_by_pages(client: httpx.Client) -> None:
    path = f"{API}/tasks/surnames/examples"
    first = client.get(path, params={"limit": 3}).json()
    second = client.get(path, params={"limit": 2, "after": first["next"]}).json()
    assert [example["index"] for example in first["items"] + second["items"]] == [0, 1, 2, 3, 4]
    assert first["items"][0]["text"] == "".join(first["items"][0]["tokens"])
    size = next(task["sizes"]["test"] for task in client.get(f"{API}/tasks").json()["items"] if task["name"] == "surnames")
    last = client.get(path, params={"part": "test", "after": size - 2}).json()
    assert ([example["index"] for example in last["items"]], last["next"]) == ([size - 1], None)
    assert client.get(path, params={"part": "nothing"}).status_code == 422


def test_examples_by_their_beginning(client: httpx.Client) -> None:
    path = f"{API}/tasks/surnames/examples"
    found = client.get(path, params={"starts_with": "st", "limit": 2}).json()
    assert len(found["items"]) == 2
    more = client.get(path, params={"starts_with": "st", "limit": 100, "after": found["next"]}).json()
    assert all(example["text"].startswith("st") for example in found["items"] + more["items"])
    assert more["items"][0]["index"] > found["items"][1]["index"]
    assert client.get(path, params={"starts_with": "qqqq"}).json() == {"items": [], "next": None, "schema_version": 1}


def test_operations(client: httpx.Client) -> None:
    assert [op["name"] for op in client.get(f"{API}/ops").json()["items"]] == [op["name"] for op in catalogue()]


def test_health_and_openapi(client: httpx.Client) -> None:
    assert client.get(f"{API}/health").json() == {"status": "ok", "schema_version": 1}
    document = client.get(f"{API}/openapi.json").json()
    assert f"{API}/traces/{{trace_id}}/nodes/{{node}}/check" in document["paths"]
    assert client.get("/docs").status_code == 503  # it is a page of the web app, which is not built here, and of nobody else
