"""Answers in the form that a client takes: JSON and MessagePack, each plain and compressed, each with a tag of its own."""

from __future__ import annotations

import math
from typing import Any

import httpx
import ormsgpack
import pytest

from server.accept import preferred
from server.encoding import dumps
from server.msgpack import MEDIA_TYPE as MSGPACK
from server.msgpack import unpack
from tests.server.helpers import API, create_run, expression

JSON = "application/json"
FORMS = (JSON, MSGPACK)


@pytest.fixture(scope="module")
def trace(client: httpx.Client) -> dict[str, Any]:
    response = client.post(f"{API}/traces", json=expression("log(w*x)", {"w": [0.5, -1], "x": [0, 2]}))
    doc: dict[str, Any] = response.json()
    return doc


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", JSON), ("*/*", JSON), ("application/*", JSON), ("application/msgpack", MSGPACK), ("APPLICATION/MSGPACK", MSGPACK),
        ("application/json;q=0.5, application/msgpack", MSGPACK), ("application/json, application/msgpack", JSON),
        ("application/json;q=0, */*", MSGPACK), ("*/*;q=0.1, application/msgpack;q=0.2", MSGPACK),
        ("text/html, */*;q=0.8", JSON), ("application/msgpack;q=nonsense, */*;q=0.1", JSON), ("application/msgpack; a=b; q=1", MSGPACK),
        ("text/html", None), ("application/json;q=0, application/msgpack;q=0", None), (";;,,=", None),
    ],
)  # fmt: skip
def test_the_form_that_is_preferred(header: str, chosen: str | None) -> None:
    assert preferred(header, FORMS) == chosen


def addresses(trace: dict[str, Any]) -> list[str]:
    return [f"traces/{trace['id']}", "opening", f"traces/{trace['id']}?tensors=stats"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_trace_comes_in_both_forms(client: httpx.Client, trace: dict[str, Any], number: int) -> None:
    path = f"{API}/{addresses(trace)[number]}"
    json, packed = client.get(path), client.get(path, headers={"Accept": MSGPACK})
    assert (json.headers["content-type"], packed.headers["content-type"]) == FORMS
    assert json.headers["vary"] == packed.headers["vary"] == "Accept, Accept-Encoding"
    assert unpack(packed.content) == json.json()
    assert len(packed.content) < len(json.content)
    assert packed.headers.get("cache-control") == json.headers.get("cache-control")


def test_arrays_are_bytes(client: httpx.Client, trace: dict[str, Any]) -> None:
    packed = client.get(f"{API}/traces/{trace['id']}", headers={"Accept": MSGPACK})
    arena = ormsgpack.unpackb(packed.content)["tensors"]["arenas"]["f8"]
    assert len(arena["bdata"]) == 8 * math.prod(arena["shape"])


def test_what_is_made_comes_in_the_form_that_is_taken(client: httpx.Client) -> None:
    body = expression("x**2 + 1", {"x": 4})
    packed = client.post(f"{API}/traces", json=body, headers={"Accept": MSGPACK})
    assert packed.status_code in (200, 201)
    assert unpack(packed.content) == client.post(f"{API}/traces", json=body).json()
    run = create_run(client, task="adding")
    client.post(f"{API}/runs/{run}/steps", json={"count": 1}).raise_for_status()
    step = client.get(f"{API}/runs/{run}/steps/1/trace", headers={"Accept": MSGPACK})
    assert unpack(step.content)["program"]["task"] == "adding"


def test_each_of_the_four_representations_has_a_tag_of_its_own(client: httpx.Client, trace: dict[str, Any]) -> None:
    path, tags = f"{API}/traces/{trace['id']}", {}
    for form in FORMS:
        for coding in ("gzip", "identity"):
            headers = {"Accept": form, "Accept-Encoding": coding}
            response = client.get(path, headers=headers)
            assert "immutable" in response.headers["cache-control"]
            assert response.headers.get("content-encoding", "identity") == coding
            tags[form, coding] = tag = response.headers["etag"]
            known = client.get(path, headers={**headers, "If-None-Match": tag})
            assert (known.status_code, known.content, known.headers["vary"]) == (304, b"", "Accept, Accept-Encoding")
    assert len(set(tags.values())) == 4
    other = {"Accept": MSGPACK, "If-None-Match": tags[JSON, "gzip"]}
    assert client.get(path, headers=other).status_code == 200


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_client_that_takes_neither_is_told_what_there_is(client: httpx.Client, trace: dict[str, Any], number: int) -> None:
    response = client.get(f"{API}/{addresses(trace)[number]}", headers={"Accept": "text/html"})
    assert response.status_code == 406
    assert response.json()["type"] == "urn:retrograd:problem:not-acceptable"
    assert "application/json or application/msgpack" in response.json()["detail"]
    assert response.headers["vary"].startswith("Accept")


@pytest.mark.parametrize("content", [b"", b"\x93\x01\x02\x03", b"\xc1", b"\x01"])
def test_what_is_no_document_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        unpack(content)


@pytest.mark.parametrize("path", ["traces?limit=2", "runs?limit=1", "tasks/surnames/examples?part=test&limit=40&starts_with=st"])
def test_a_list_names_its_next_page(client: httpx.Client, trace: dict[str, Any], path: str) -> None:
    for _ in range(2):
        create_run(client)
    for k in range(2):
        client.post(f"{API}/traces", json=expression("x + 1", {"x": k}))
    seen: list[bytes] = []
    address: str | None = f"{API}/{path}"
    while address is not None:
        response = client.get(address)
        document = response.json()
        assert document["schema_version"] == 1
        seen.extend(dumps(item) for item in document["items"])
        link = response.links.get("next")
        assert (link is None) == (document["next"] is None)
        address = link["url"] if link else None
        if address is not None:
            assert f"after={document['next']}" in address
            assert set(path.partition("?")[2].split("&")) < set(address.partition("?")[2].split("&"))
    assert len(seen) == len(set(seen)) >= (2 if path.startswith(("traces", "runs")) else 1)


def test_links_hold_nothing_that_a_query_made_up(client: httpx.Client) -> None:
    response = client.get(f"{API}/traces", params={"limit": 1, "x": '"><script>,<'})
    assert "<script" not in response.headers["link"]
    assert response.headers["link"].count("<") == response.headers["link"].count(">") == 1
