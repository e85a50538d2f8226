"""Other sites can neither read nor write through a visitor's browser."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.server.helpers import API, Start, expression

WRITES = [("POST", f"{API}/traces"), ("POST", f"{API}/runs"), ("DELETE", f"{API}/runs/r_0"), ("DELETE", f"{API}/traces/sha256:0"),
          ("PUT", f"{API}/runs"), ("PATCH", "/nothing")]  # fmt: skip


def own(client: httpx.Client) -> str:
    return f"{client.base_url.host}:{client.base_url.port}"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil-localhost", "localhost@evil.example", "evil.example:8000",
     "localhost.", "127.0.0.2", "0.0.0.0", "[::2]", "127.1", "2130706433", "localhost:port", "localhost:123456", "", "null",
     "localhost/evil", "localhost\\evil", "localhost, evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_forged_host_is_refused(client: httpx.Client, method: str, host: str) -> None:
    """DNS rebinding: the name leads to this machine, and is not its own."""
    response = client.request(method, f"{API}/runs", headers={"Host": host})
    assert response.status_code in (400, 421)
    if response.status_code == 421:
        assert response.json()["type"] == "urn:retrograd:problem:host"
        assert "evil" not in response.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:8000"])
def test_this_machine_goes_by_these_names(client: httpx.Client, host: str) -> None:
    assert client.get(f"{API}/health", headers={"Host": host}).status_code == 200
    assert client.delete(f"{API}/runs/r_0", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 404


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "https://evil.example", "http://{own}.evil.example", "http://evil{own}", "http://{own}@evil.example",
     "http://evil.example/{own}", "http://{own}/", "http://{own}#", "http://{own} http://evil.example", "//{own}", "{own}", "",
     "file://", "http://127.0.0.1", "http://127.0.0.1:1", "http://localhost:{port}", "javascript://{own}", "http://{own}%00"],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_forged_origin_writes_nothing(client: httpx.Client, method: str, path: str, origin: str) -> None:
    given = origin.replace("{own}", own(client)).replace("{port}", str(client.base_url.port))
    body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    response = client.request(method, path, headers={"Origin": given}, **body)  # type: ignore[arg-type]
    assert response.status_code == 403
    assert response.json()["type"] == "urn:retrograd:problem:origin"
    assert "access-control-allow-origin" not in response.headers


def test_two_origins_are_none(client: httpx.Client) -> None:
    headers = [("Origin", f"http://{own(client)}"), ("Origin", f"http://{own(client)}")]
    assert client.request("DELETE", f"{API}/runs/r_0", headers=headers).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "wat"])
def test_a_browser_that_says_it_comes_from_elsewhere_writes_nothing(client: httpx.Client, site: str) -> None:
    assert client.delete(f"{API}/runs/r_0", headers={"Sec-Fetch-Site": site}).status_code == 403


def test_our_own_page_and_programs_write(client: httpx.Client) -> None:
    for headers in ({}, {"Origin": f"http://{own(client)}"}, {"Origin": f"HTTP://{own(client)}"}, {"Sec-Fetch-Site": "same-origin"}):
        assert client.post(f"{API}/traces", json=expression("w*w", {"w": 1}), headers=headers).status_code in (200, 201)


@pytest.fixture(scope="module")
def named(start: Start) -> Iterator[httpx.Client]:
    """A server with a name, behind a proxy that ends the encryption."""
    with start(hosts="retrograd.example, other.example", origins=("https://friend.example",)) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("retrograd.example", "https://retrograd.example", 404),
        ("retrograd.example", "https://retrograd.example:443", 404),
        ("retrograd.example:80", "http://retrograd.example", 404),
        ("Other.example:8443", "https://other.example:8443", 404),
        ("retrograd.example", "https://friend.example", 404),
        ("retrograd.example", "https://friend.example.evil.example", 403),
        ("retrograd.example", "http://friend.example", 403),
        ("retrograd.example", "https://other.example", 403),
        ("sub.retrograd.example", "https://sub.retrograd.example", 421),
        ("friend.example", "https://friend.example", 421),
        ("10.0.0.1", None, 421),
        ("127.0.0.1", None, 404),
    ],
)
def test_names_and_origins_that_were_set(named: httpx.Client, host: str, origin: str | None, status: int) -> None:
    headers = {"Host": host} if origin is None else {"Host": host, "Origin": origin}
    assert named.delete(f"{API}/runs/r_0", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({"host": "0.0.0.0", "token": "long enough"}, "192.168.1.7:8000", 200),  # an address cannot be made to lead elsewhere
        ({"host": "0.0.0.0", "token": "long enough"}, "rebound.example", 421),
        ({"host": "192.168.1.7", "public": True}, "any.example", 200),
        ({"host": "192.168.1.7", "public": True, "hosts": ("one.example",)}, "any.example", 421),
        ({"hosts": ("*",)}, "any.example", 200),
        ({"public": True}, "any.example", 421),  # at loopback nobody but this machine's browser comes
    ],
)
def test_what_others_can_reach(start: Start, settings: dict[str, object], host: str, status: int) -> None:
    with start(**settings) as client:
        response = client.get(f"{API}/health", headers={"Host": host, "Authorization": "Bearer long enough"})
        assert response.status_code == status
        assert client.delete(f"{API}/runs/r_0", headers={"Host": host, "Origin": "https://evil.example"}).status_code in (401, 403, 421)
