"""Every error is a problem document, and none gives anything away."""

from __future__ import annotations

import httpx
import pytest

from server.jobs.pool import WorkerPool
from tests.server.helpers import API, Start, expression


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{API}/nothing", None, 404),
        ("GET", "/api", None, 404),
        ("GET", "/nothing.html", None, 404),
        ("GET", "/..%2f..%2fpyproject.toml", None, 404),
        ("GET", f"{API}/traces/sha256:0", None, 404),
        ("GET", f"{API}/traces/%ED%A0%80", None, 404),
        ("DELETE", f"{API}/traces/sha256:0", None, 404),
        ("GET", f"{API}/runs/r_0", None, 404),
        ("DELETE", f"{API}/runs/r_0", None, 404),
        ("GET", f"{API}/runs/r_0/steps/1/trace", None, 404),
        ("GET", f"{API}/runs/r_0/figures/loss", None, 404),
        ("GET", f"{API}/tasks/nothing/examples", None, 404),
        ("POST", f"{API}/runs/r_0/steps", b'{"count": 1}', 404),
        ("PUT", f"{API}/traces", b"{}", 405),
        ("PUT", f"{API}/nothing", b"{}", 404),
        ("POST", f"{API}/traces", b"", 400),
        ("POST", f"{API}/traces", b"{", 400),
        ("POST", f"{API}/traces", b"\xff", 400),
        ("POST", f"{API}/traces", b'{"program": NaN}', 400),
        ("POST", f"{API}/traces", b'{"program": -Infinity}', 400),
        ("POST", f"{API}/traces", b'{"program": "\\ud800"}', 400),
        ("POST", f"{API}/traces", b"[" * 100_000, 400),
        ("POST", f"{API}/traces", b" " * (2**20 + 1), 413),
        ("POST", f"{API}/traces", b"null", 422),
        ("POST", f"{API}/traces", b'{"program": {"kind": "network", "task": "surnames", "seed": 1e400}}', 400),
        ("POST", f"{API}/traces", b'{"program": {"kind": "network", "task": "surnames", "seed": ' + b"9" * 30 + b"}}", 422),
        ("POST", f"{API}/runs", b'{"program": {"task": "nothing"}}', 422),
        ("GET", f"{API}/traces?limit=nan", None, 422),
        ("GET", f"{API}/traces?limit=101", None, 422),
        ("GET", f"{API}/runs?after=-1", None, 422),
    ],
)
def test_errors_are_problem_documents(client: httpx.Client, method: str, path: str, body: bytes | None, status: int) -> None:
    response = client.request(method, path, content=body, headers={} if body is None else {"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "instance", "request_id"}
    assert len(problem["detail"]) > 20
    assert "Traceback" not in response.text


def test_a_body_that_is_not_json_by_its_type_is_refused(client: httpx.Client) -> None:
    response = client.post(f"{API}/traces", content=b"{}", headers={"Content-Type": "text/plain"})
    assert response.status_code == 415
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{API}/traces", "GET, HEAD, POST"),
        ("PATCH", f"{API}/runs/r_0", "GET, HEAD, DELETE"),
        ("DELETE", f"{API}/health", "GET, HEAD"),
        ("GET", f"{API}/runs/r_0/steps", "POST"),
        ("POST", "/nothing", "GET, HEAD"),
    ],
)
def test_a_method_too_many_is_told_the_others(client: httpx.Client, method: str, path: str, allowed: str) -> None:
    response = client.request(method, path, **({} if method in ("GET", "DELETE") else {"json": {}}))
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/opening", "/api/v1/tasks", "/api/v1/runs/r_0", "/api/v1/schema/trace-1.json"])
def test_head_answers_as_get_without_the_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("content-type", "content-length", "etag", "content-encoding"):
        if name != "content-length" or get.status_code == 200:  # an error's body names the request's number
            assert head.headers.get(name) == get.headers.get(name)


def test_a_bug_tells_nothing_but_its_number(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret")

    with start() as client:
        monkeypatch.setattr(WorkerPool, "run", broken)
        response = client.post(f"{API}/traces", json=expression("w*w", {"w": 1}))
        monkeypatch.undo()
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert response.headers["content-security-policy"].startswith("default-src 'self';")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in response.text
