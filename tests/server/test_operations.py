"""What operators need: probes, metrics, logs, a prefix, an end in time, and the commands beside `serve`."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from engine.trace import Document
from server.cli import app
from server.logs import JsonFormatter, request_id
from tests.e2e.browser import serving
from tests.server.helpers import API, Start, create_run, expression, wait_until

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "server")


def test_the_probes(start: Start) -> None:
    with start(token="a token of some length") as client:
        for path in ("/healthz", "/readyz"):  # for machines that know neither name nor token
            response = client.get(path, headers={"Host": "10.1.2.3:8000"})
            assert response.status_code == 200, response.text
        assert client.get("/metrics").status_code == 401
        assert client.get("/healthz/x").status_code == 401


def test_not_ready_without_a_database(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_engine: Engine) -> Connection:
        raise OperationalError("SELECT 1", {}, Exception("a secret address"))

    with start() as client:
        assert client.get("/readyz").json()["status"] == "ready"
        monkeypatch.setattr(Engine, "connect", unreachable)
        response = client.get("/readyz")
        assert (response.status_code, response.json()["type"]) == (503, "urn:retrograd:problem:busy")
        assert "secret" not in response.text
        assert client.get("/healthz").status_code == 200
        read = client.get(f"{API}/runs")
        assert (read.status_code, read.headers["retry-after"]) == (503, "5")
        assert "secret" not in read.text
        monkeypatch.undo()
        assert client.get("/readyz").status_code == 200


def samples(client: httpx.Client) -> dict[tuple[str, ...], float]:
    found = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found[(sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items())))] = sample.value
    return found


def test_the_metrics(start: Start) -> None:
    with start() as client:
        client.post(f"{API}/traces", json=expression("w*w", {"w": 1}))
        client.get(f"{API}/traces/sha256:0")
        client.get(f"{API}/traces/sha256:1")
        client.get("/made/up/by/somebody")
        client.request("WAT", f"{API}/traces")
        # Processes that nobody has asked for anything yet are made ready meanwhile, and busy with that
        found = wait_until(lambda: read if (read := samples(client))[("retrograd_pool_workers_busy",)] == 0 else None)
    route = f"route={API}/traces/{{trace_id}}"
    assert found[("retrograd_requests_total", "method=POST", f"route={API}/traces", "status=201")] == 1
    assert found[("retrograd_requests_total", "method=GET", route, "status=404")] == 2
    assert found[("retrograd_request_seconds_count", route)] == 2
    assert found[("retrograd_pool_workers_lost",)] == found[("retrograd_quick_workers_lost",)] == 0
    assert not any("made" in part or "WAT" in part for key in found for part in key)


def test_a_line_of_the_log_for_machines() -> None:
    token = request_id.set("abc")
    try:
        record = logging.LogRecord("retrograd", logging.ERROR, "file", 1, 'it said "%s"\n', ("no",), None)
        record.ms = 1.5
        line = JsonFormatter().format(record)
    finally:
        request_id.reset(token)
    assert "\n" not in line
    read = json.loads(line)
    assert {name: read[name] for name in ("level", "logger", "message", "request_id", "ms")} == {
        "level": "error", "logger": "retrograd", "message": 'it said "no"\n', "request_id": "abc", "ms": 1.5,
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """`retrograd serve` in a process of its own, with logs for machines, and its log."""
    data = tmp_path_factory.mktemp("data")
    with serving(data, COMMAND, data, {**os.environ, "RETROGRAD_LOG": "json", "PYTHONPATH": str(ROOT)}) as url, \
            httpx.Client(base_url=url, timeout=60, trust_env=False) as client:  # fmt: skip
        yield client, data / "server.log"


def test_every_request_has_its_line(served: tuple[httpx.Client, Path]) -> None:
    client, log = served
    answer = client.get(f"{API}/traces/sha256:0?token=secret", headers={"Cookie": "secret=1"})
    number = answer.headers["x-request-id"]

    def logged() -> dict[str, object] | None:
        lines = [line for line in log.read_text().splitlines() if number in line]
        return dict(json.loads(lines[0])) if lines else None

    line = wait_until(logged)
    assert (line["request_id"], line["status"], line["method"]) == (number, 404, "GET")
    assert (line["path"], line["route"]) == (f"{API}/traces/sha256:0", f"{API}/traces/{{trace_id}}")
    assert "secret" not in log.read_text()
    assert all(json.loads(line)["time"] for line in log.read_text().splitlines() if line.startswith("{"))


def test_it_ends_within_ten_seconds_with_connections_open(tmp_path: Path) -> None:
    with serving(tmp_path, COMMAND, tmp_path, {**os.environ, "PYTHONPATH": str(ROOT)}) as url:
        port = int(url.rpartition(":")[2])
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            run = create_run(client, cell="lstm", hidden_size=128, batch_size=128)
            client.post(f"{API}/runs/{run}/steps", json={"count": 10_000})
            half = socket.create_connection(("127.0.0.1", port))  # a body that never comes
            half.sendall(
                b"POST /api/v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
            )
            idle = socket.create_connection(("127.0.0.1", port))
            idle.sendall(b"GET /api/v1/opening HTTP/1.1\r\nHost: localhost\r\n\r\n")  # an answer that nobody reads
            pids = subprocess.run(["pgrep", "-f", f"serve --host 127.0.0.1 --port {port}"], capture_output=True, text=True).stdout.split()
            started = time.monotonic()
            for pid in pids:
                os.kill(int(pid), signal.SIGTERM)
            wait_until(lambda: not any(Path(f"/proc/{pid}").exists() and "Z" not in _state(pid) for pid in pids))
            assert time.monotonic() - started < 10
            half.close()
            idle.close()
    with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database:
        assert database.execute("SELECT status FROM runs WHERE id = ?", (run,)).fetchone() == ("training",)  # it goes on next time


def _state(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_under_a_prefix(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    monkeypatch.setenv("RETROGRAD_ROOT_PATH", "/some/where")
    for headers in ({}, {"X-Forwarded-Prefix": "/some/where/"}):
        with start(static=tmp_path) as client:
            monkeypatch.delenv("RETROGRAD_ROOT_PATH", raising=False)
            made = client.post(f"{API}/traces", json=expression("w*w", {"w": 1}), headers=headers)
            assert made.headers["location"] == f"/some/where{API}/traces/{made.json()['id']}"
            assert "Path=/some/where/;" in client.get("/", headers=headers).headers["set-cookie"]
            assert client.get("/healthz", headers={**headers, "Host": "10.0.0.1"}).status_code == 200
            assert client.get(f"{API}/opening", headers=headers).headers["content-location"].startswith("/some/where/api/")


def test_a_cookie_is_for_encrypted_connections_where_the_proxy_has_one(start: Start, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    with start(static=tmp_path) as client:
        assert "Secure" not in client.get("/").headers["set-cookie"]
        client.cookies.clear()
        assert "Secure" in client.get("/", headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"]


@pytest.mark.parametrize("prefix", ["//evil.example", "/a/../b", "evil", "/<script>", "/a b", "/" + "%2f", "https://evil.example"])
def test_a_prefix_that_is_none_is_not_believed(client: httpx.Client, prefix: str) -> None:
    made = client.post(f"{API}/traces", json=expression("w*w", {"w": 1}), headers={"X-Forwarded-Prefix": prefix})
    assert made.headers["location"].startswith(f"{API}/traces/")


def test_only_a_known_proxy_is_believed(start: Start) -> None:
    headers = {"X-Forwarded-Prefix": "/where", "X-Forwarded-For": "1.2.3.4"}
    with start(proxies="10.0.0.1") as client:
        made = client.post(f"{API}/traces", json=expression("w*w", {"w": 1}), headers=headers)
        assert made.headers["location"].startswith(f"{API}/traces/")
    with start(writes_per_second=1) as client:  # believed: each address has a pace of its own
        answers = [client.delete(f"{API}/runs/r_0", headers={"X-Forwarded-For": f"1.2.3.{n}"}).status_code for n in range(5)]
        assert answers == [404] * 5


def test_a_trace_is_exported_without_a_server(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        made = client.post(f"{API}/traces", json=expression("w*w", {"w": 3}))
    drawn = CliRunner().invoke(app, ["export", made.json()["id"], "--data", str(tmp_path), "--format", "dot"])
    assert (drawn.exit_code, drawn.stdout.split()[0]) == (0, "digraph")
    wrong = CliRunner().invoke(app, ["export", made.json()["id"], "--data", str(tmp_path), "--format", "pickle"])
    assert (wrong.exit_code, "json, dot" in wrong.stderr) == (1, True)
    out, program = tmp_path / "trace.json", tmp_path / "program.json"
    done = CliRunner().invoke(app, ["export", made.json()["id"], "--data", str(tmp_path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == made.content
    program.write_text(json.dumps(expression("w*w", {"w": 3})))
    for text in (expression("w*w", {"w": 3}), expression("w*w", {"w": 3})["program"]):
        program.write_text(json.dumps(text))
        shown = CliRunner().invoke(app, ["export", "--program", str(program)])
        assert Document(json.loads(shown.stdout)).doc["id"] == made.json()["id"]


@pytest.mark.parametrize("alone", [False, True])
def test_whatever_a_post_takes_is_exported_alike(start: Start, tmp_path: Path, alone: bool) -> None:
    """A later step of a training, edits of it, and numbers of an upload."""
    network = {"kind": "network", "task": "adding", "cell": "rnn", "hidden_size": 2, "batch_size": 2, "step": 3}
    with start(tmp_path) as client:
        parent = client.post(f"{API}/traces", json={"program": network}).json()
        edited = client.post(
            f"{API}/traces/{parent['id']}/what-if", json={"edits": [{"node": "head.bias", "index": [0], "value": 2}]}
        ).json()
        buffer = io.BytesIO()
        np.save(buffer, np.array([1.0, 2.0]))
        sent = client.post(f"{API}/uploads", content=buffer.getvalue(), headers={"Content-Type": "application/x-npy"})
        assert sent.status_code == 201, sent.text
        reference = {"upload": sent.json()["id"], "tensor": sent.json()["tensors"][0]["name"]}
        nodes = [{"id": "w", "value": reference, "role": "parameter"}, {"id": "y", "op": "sum"}]
        graph = {"kind": "graph", "nodes": nodes, "edges": [{"from": "w", "to": "y"}]}
        summed = client.post(f"{API}/traces", json={"program": graph})
        assert summed.status_code == 201, summed.text
    for program, expected in ((network, parent), (edited["program"], edited), (graph, summed.json())):
        file = tmp_path / "program.json"
        file.write_text(json.dumps(program if alone else {"program": program}))
        done = CliRunner().invoke(app, ["export", "--program", str(file), "--data", str(tmp_path)])
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["id"] == expected["id"]


def test_a_graph_is_exported_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    nodes = [{"id": "w", "value": 2.0, "role": "parameter"}, {"id": "x", "value": 3.0}, {"id": "y", "op": "mul", "value": 6.0}]
    file.write_text(json.dumps({"kind": "graph", "nodes": nodes, "edges": [{"from": "w", "to": "y"}, {"from": "x", "to": "y"}]}))
    done = CliRunner().invoke(app, ["export", "--program", str(file), "--format", "mermaid"])
    assert (done.exit_code, done.stdout.split()[:2]) == (0, ["flowchart", "LR"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"kind": "wat"}', "kind is none of expression, network"), ("[1]", "body of POST /api/v1/traces"),
        ('{"edits": []}', "program is missing"), ('{"kind": "network", "task": "surnames", "step": 99999999}', "/program/step"),
        ('{"a": 1, "a": 2}', "two members"), ("", "not JSON"), (None, "cannot be read"),
        (json.dumps(expression("w*", {"w": 3})), "line 1, column 3: not a formula"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_said(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "program.json"
    if text is not None:
        file.write_text(text)
    done = CliRunner().invoke(app, ["export", "--program", str(file)])
    assert done.exit_code == 1
    assert words in done.stderr
    assert "Traceback" not in done.output


def test_export_asks_for_one_thing(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["export"]).exit_code == 2
    done = CliRunner().invoke(app, ["export", "sha256:0", "--data", str(tmp_path)])
    assert (done.exit_code, "no such trace" in done.stderr) == (1, True)


def test_the_doctor_finds_what_is_wrong(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    monkeypatch.setenv("RETROGRAD_STATIC", str(tmp_path))
    with start(tmp_path):
        pass
    well = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path)])
    assert well.exit_code == 0, well.output
    assert well.output.count("ok ") == 6
    with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
        database.execute("UPDATE traces SET document = x'00'")
    monkeypatch.setenv("RETROGRAD_STATIC", str(tmp_path / "nothing"))
    monkeypatch.setenv("RETROGRAD_HOST", "0.0.0.0")
    ill = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path)])
    assert ill.exit_code == 1
    assert [line.split(":")[0].split("  ")[1] for line in ill.output.splitlines() if line.startswith("NOT")] == ["blobs", "page", "access"]
    monkeypatch.setenv("RETROGRAD_DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder/x")
    lost = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path)])
    assert "NOT  database: the database cannot be opened" in lost.output


def test_a_taken_port_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "serve", "--port", str(port), "--data", str(tmp_path / "data")], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
    assert "http://" not in done.stdout  # nobody is sent to another's server
    assert not (tmp_path / "data").exists()
