"""Visitors have a signed number, and the newest of their runs are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.visitors import COOKIE, secret_in
from tests.server.helpers import API, Start, create_run


@pytest.fixture
def site(start: Start, tmp_path: Path) -> Iterator[httpx.Client]:
    (tmp_path / "index.html").write_text("<!doctype html>")
    with start(static=tmp_path, visitor_runs=3) as client:
        yield client


def runs(client: httpx.Client) -> set[str]:
    return {run["id"] for run in client.get(f"{API}/runs").json()["items"]}


def test_the_page_brings_a_number_once(site: httpx.Client) -> None:
    first = site.get("/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=v_")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert first.headers["vary"].startswith("Cookie")
    assert "set-cookie" not in site.get("/").headers
    assert "set-cookie" not in site.get(f"{API}/health").headers
    for forged in ("v_1.x", cookie.partition(";")[0].partition("=")[2][:-1], "", "\xff"):
        given = httpx.get(site.base_url, headers=[(b"Cookie", f"{COOKIE}={forged}".encode("latin-1"))], trust_env=False)
        assert given.headers["set-cookie"].startswith(f"{COOKIE}=v_")


def test_the_newest_runs_of_a_visitor_are_kept(site: httpx.Client) -> None:
    programs = [create_run(site) for _ in range(2)]  # without a cookie: those of the address
    site.get("/")
    mine = [create_run(site) for _ in range(5)]
    assert runs(site) == set(mine[2:])
    cookie = site.cookies[COOKIE]
    site.cookies.set(COOKIE, "v_forged.signature")
    more = [create_run(site) for _ in range(2)]
    assert runs(site) == {programs[1], *more}
    assert site.get(f"{API}/runs/{mine[2]}").status_code == 200  # whoever knows it may read it
    site.cookies.set(COOKIE, cookie)
    assert runs(site) == set(mine[2:])


def test_a_number_outlives_a_restart(start: Start, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    with start(tmp_path, static=tmp_path) as client:
        client.get("/")
        cookie = client.cookies[COOKIE]
    for secret, known in ((None, True), ("another secret of some length", False)):
        with start(tmp_path, static=tmp_path, secret=secret) as client:
            client.cookies.set(COOKIE, cookie)
            assert ("set-cookie" not in client.get("/").headers) == known


def test_the_secret_is_its_owners_alone(tmp_path: Path) -> None:
    assert secret_in(tmp_path) == secret_in(tmp_path)
    assert len(secret_in(tmp_path)) > 40
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
