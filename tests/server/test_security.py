"""The token, the pace of writes, and the headers that keep a browser safe."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from server.cli import app
from server.rates import _ADDRESSES, Buckets, client_address
from server.settings import Settings
from server.token import COOKIE
from tests.server.helpers import API, Start, expression

TOKEN = "a token of some length"


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xff"]
)
def test_without_the_token_nothing_is_told(start: Start, given: str) -> None:
    with start(token=TOKEN) as client:
        for path in ("/", f"{API}/health", f"{API}/runs", f"{API}/openapi.json", "/assets/x.js", "/nothing"):
            response = client.get(path, headers={"Authorization": given.encode("latin-1")})
            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
            assert response.json()["type"] == "urn:retrograd:problem:token"
            assert TOKEN not in response.text
        assert client.post(f"{API}/traces", json=expression("w*w", {"w": 1})).status_code == 401
        assert client.delete(f"{API}/runs/r_0").status_code == 401


def test_the_token_opens(start: Start) -> None:
    with start(token=TOKEN) as client:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert client.post(f"{API}/traces", json=expression("w*w", {"w": 1}), headers=headers).status_code == 201
        assert client.get("/", params={"token": "wrong"}).status_code == 401
        shown = client.get("/", params={"token": TOKEN})
        assert (shown.status_code, shown.headers["location"], shown.headers["cache-control"]) == (303, "/", "no-store")
        cookie = shown.headers["set-cookie"]
        assert TOKEN not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert client.get(f"{API}/health").status_code == 200  # by the cookie
        assert client.post(f"{API}/traces", json=expression("w*w", {"w": 1})).status_code == 200
        value = client.cookies[COOKIE]
    for forged in ("in", value[:-1], value + "x", "in." + "A" * 27, "out" + value[2:]):
        with start(token=TOKEN) as client:
            assert client.get(f"{API}/health", headers={"Cookie": f"{COOKIE}={forged}"}).status_code == 401
    with start(token="another token") as client:
        assert client.get(f"{API}/health", headers={"Cookie": f"{COOKIE}={value}"}).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2"])
def test_others_are_let_in_only_where_that_was_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str) -> None:
    served: list[dict[str, object]] = []
    monkeypatch.setattr("server.serving.serve", lambda _app, **options: served.append(options))
    monkeypatch.setattr("server.cli._check_address", lambda _host, _port: None)  # not all of them are this machine's
    monkeypatch.delenv("RETROGRAD_TOKEN", raising=False)
    words = ["serve", "--host", host, "--data", str(tmp_path)]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert "RETROGRAD_TOKEN" in re.sub(r"[\s│]+", " ", refused.output)
    assert served == []
    assert CliRunner().invoke(app, [*words, "--public"]).exit_code == 0
    monkeypatch.setenv("RETROGRAD_TOKEN", TOKEN)
    assert CliRunner().invoke(app, words).exit_code == 0
    assert [options["host"] for options in served] == [host, host]


def test_a_setting_that_cannot_be_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROGRAD_TOKEN", "short")
    monkeypatch.setenv("RETROGRAD_WORKERS", "many")
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "RETROGRAD_TOKEN" in result.output
    assert "RETROGRAD_WORKERS" in result.output
    assert "short" not in result.output
    assert "many" not in result.output


def test_thirty_writes_a_second_and_no_more(start: Start) -> None:
    with start(writes_per_second=Settings().writes_per_second) as client:
        answers = [client.delete(f"{API}/runs/r_0") for _ in range(120)]
        too_many = [answer for answer in answers if answer.status_code == 429]
        assert {answer.status_code for answer in answers} == {404, 429}
        assert [answer.status_code for answer in answers[:30]] == [404] * 30
        assert too_many[0].headers["retry-after"] == "1"
        assert too_many[0].json()["type"] == "urn:retrograd:problem:rate"
        assert client.get(f"{API}/runs").status_code == 200  # to read is free


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    buckets = Buckets(30, lambda: now[0])
    assert [buckets.take("a") for _ in range(30)] == [0] * 30
    assert buckets.take("a") == pytest.approx(1 / 30)
    assert buckets.take("b") == 0  # another address
    now[0] = 0.05
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    now[0] = 1000
    assert [buckets.take("a") for _ in range(31)].count(0) == 30
    for n in range(_ADDRESSES + 5):
        buckets.take(str(n))
    assert len(buckets._buckets) == _ADDRESSES


@pytest.mark.parametrize(
    ("given", "counted"),
    [("10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::/64"), ("2001:db8::ffff:1", "2001:db8::/64"),
     ("2001:db8:0:1::1", "2001:db8:0:1::/64"), ("testclient", "testclient"), ("", "")],
)  # fmt: skip
def test_an_address_is_its_network_where_one_has_many(given: str, counted: str) -> None:
    assert client_address({"client": (given, 1)}) == counted
    assert client_address({"client": None}) == ""


def policy(client: httpx.Client, path: str = "/") -> dict[str, str]:
    header = client.get(path).headers["content-security-policy"]
    return {name: values for name, _, values in (part.strip().partition(" ") for part in header.split(";"))}


@pytest.mark.parametrize("path", ["/", f"{API}/health", f"{API}/nothing", "/nothing"])
def test_no_script_but_ours_and_none_inline(client: httpx.Client, path: str) -> None:
    rules = policy(client, path)
    assert rules["script-src"] == rules["default-src"] == "'self'"
    assert rules["object-src"] == rules["base-uri"] == "'none'"
    assert rules["frame-ancestors"] == "'self'"


def test_the_built_page_has_no_inline_script() -> None:
    for page in (Path(__file__).resolve().parents[2] / "web").glob("*.html"):
        scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
        assert scripts
        assert all("src=" in attributes and not content.strip() for attributes, content in scripts)
        assert not re.search(r"\son\w+=", page.read_text(encoding="utf-8"))


def test_who_may_show_the_page_in_a_frame_can_be_set(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(frame_ancestors="'self' https://school.example") as client:
        assert policy(client)["frame-ancestors"] == "'self' https://school.example"
    with pytest.raises(ValueError, match="pattern"):
        Settings(frame_ancestors="'self'; script-src *")
