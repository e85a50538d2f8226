"""Every error is a problem document, and none gives anything away."""

from __future__ import annotations

import string
from pathlib import Path

import httpx
import pytest

from server import limits
from server.jobs.pool import WorkerPool
from server.problems import KINDS
from tests.server.helpers import API, Start, expression

ROOT = Path(__file__).resolve().parents[2]


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
    assert problem["schema_version"] == 1
    assert problem["request_id"] == response.headers["x-request-id"]
    optional = {"errors", "limit", "actual", "code", "params"}
    assert set(problem) - optional == {"schema_version", "type", "title", "status", "detail", "instance", "request_id"}
    assert len(problem["detail"]) > 20
    assert problem["type"].removeprefix("urn:retrograd:problem:") in KINDS
    assert ("limit" in problem) == ("actual" in problem)
    assert ("code" in problem) == ("params" in problem)
    assert "Traceback" not in response.text


def test_a_body_that_is_not_json_by_its_type_is_refused(client: httpx.Client) -> None:
    response = client.post(f"{API}/traces", content=b"{}", headers={"Content-Type": "text/plain"})
    assert response.status_code == 415
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{API}/traces", "GET, HEAD, POST"),
        ("PUT", f"{API}/runs/r_0", "GET, HEAD, PATCH, DELETE"),
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


def test_every_kind_of_problem_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for kind, title in KINDS.items():
        assert f"| `{kind}` | {title} |" in text


@pytest.mark.parametrize(
    ("key", "pointer"), [("<script>", "/program"), ("a/b", "/program"), ("~", "/program"), ("x" * 41, "/program"), ("wat", "/program/wat")]
)
def test_a_name_that_a_request_made_up_is_repeated_only_where_it_is_plain(client: httpx.Client, key: str, pointer: str) -> None:
    response = client.post(f"{API}/traces", json=expression("w*w", {"w": 1}, **{key: 1}))
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert (key in response.text) == (key == "wat")


@pytest.mark.parametrize("path", ["/<script>alert(1)<", "/%00", "/" + "long" * 1000, '/"{}'])
def test_the_path_in_a_problem_is_harmless(client: httpx.Client, path: str) -> None:
    response = client.get(f"{API}{path}")
    assert response.status_code == 404
    assert len(response.json()["instance"]) <= 200
    assert set(response.json()["instance"]) <= set(string.ascii_letters + string.digits + "/:-._~%")


def test_what_passes_a_limit_is_told_the_limit(client: httpx.Client) -> None:
    network = {"kind": "network", "task": "surnames", "cell": "lstm", "hidden_size": 256, "batch_size": 256}
    response = client.post(f"{API}/traces", json={"program": network})
    problem = response.json()
    assert (response.status_code, problem["type"], problem["limit"]) == (422, "urn:retrograd:problem:limit", limits.TRACE_ELEMENTS)
    assert problem["actual"] > problem["limit"]
    assert problem["errors"][0]["pointer"] == "/program"
