"""The built web app is served safely."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.helpers import Start


@pytest.fixture(scope="module")
def site(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server with a small web app."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><script type=module src=./assets/index-1a2b.js></script>")
    (folder / "assets" / "index-1a2b.js").write_text("export const long = " + repr("x" * 5000))
    (folder.parent / "secret.txt").write_text("secret")
    with start(static=folder) as client:
        yield client


def test_the_page_is_asked_for_anew_and_its_assets_never(site: httpx.Client) -> None:
    page, asset = site.get("/"), site.get("/assets/index-1a2b.js")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-cache"
    assert asset.headers["content-type"].startswith("text/javascript")
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-encoding"] == "gzip"
    assert site.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert site.head("/").status_code == 200


def test_a_browser_is_told_to_trust_this_server_alone(site: httpx.Client) -> None:
    for path in ("/", "/api/v1/health", "/nothing"):
        headers = site.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"


def test_files_that_come_and_go_under_a_running_server(start: Start, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("one")
    (tmp_path / "old.js").write_text("old")
    with start(static=tmp_path) as client:
        assert client.get("/old.js").text == "old"
        (tmp_path / "old.js").unlink()
        (tmp_path / "new.js").write_text("new")
        assert client.get("/old.js").status_code == 404
        assert client.get("/new.js").text == "new"


@pytest.mark.parametrize("path", ["/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets", "/assets/"])
def test_nothing_outside_the_folder_is_served(site: httpx.Client, path: str) -> None:
    assert site.get(path).status_code == 404


def test_a_page_that_is_not_built_says_how_to_build_it(client: httpx.Client) -> None:
    response = client.get("/")
    assert response.status_code == 503
    assert "make run" in response.json()["detail"]


def test_addresses_follow_the_prefix(start: Start) -> None:
    with start(root_path="/prefix") as client:
        response = client.post("/api/v1/runs", json={"program": {"task": "sunspots"}})
    assert response.headers["location"] == f"/prefix/api/v1/runs/{response.json()['id']}"
