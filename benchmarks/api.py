"""The benchmark of the API.

    python -m benchmarks.api              # measures everything and prints it; a minute and a half
    python -m benchmarks.api --seconds 5  # a shorter flood
    python -m benchmarks.api --write      # and writes docs/benchmarks-api.md

Servers and clients share this machine's processors; all traffic is on loopback. Exits with 1 when a request fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import benchmarks.one_thread  # noqa: F401 - before numpy
from benchmarks.graphs import recurrent
from benchmarks.machine import describe
from benchmarks.problem import Problem, Workload
from benchmarks.report import Goal, Section, Table, summary
from benchmarks.service import Client, bare, retrograd

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks-api.md"
API = "/api/v1"
HIDDEN, STEPS, CLIENTS = 16, 16, 32
GRAPH_NODES = 15_000
LARGE = {"RETROGRAD_BODY_BYTES": "30000000", "RETROGRAD_RESPONSE_BYTES": "100000000", "RETROGRAD_COMPUTE_SECONDS": "60"}
HEAD = """\
# Benchmarks of the API

Written by `python -m benchmarks.api --write`. Server and clients share this machine's processors, each server is one process (with the
worker processes of its own), all traffic is on loopback, with limits raised. Times are seen by the client.

The other benchmarks: [the engine](benchmarks.md), [the page](benchmarks-web.md)."""

LARGE_BODIES = """\
Two clients post a graph of {nodes:,} nodes for {seconds:g} s, again and again; each time it is read and traced, by worker processes. The
body is checked in the server's own process, on the event loop: pydantic keeps the interpreter's lock for nearly all of that time, so that
another thread would not help. For so long other requests wait, /healthz among them."""


def program(client: Client, seed: int) -> dict[str, Any]:
    """A step of an LSTM of 16 units on one sequence of 16 steps of the adding problem."""
    _, body = client.send("GET", f"{API}/tasks/adding/examples?limit=100")
    example = next(item["index"] for item in json.loads(body)["items"] if item["length"] == STEPS)
    return {"kind": "network", "task": "adding", "cell": "lstm", "hidden_size": HIDDEN, "example": example, "seed": seed}


def making(client: Client, repetitions: int) -> Section:
    """POST /traces."""
    bodies = [json.dumps({"program": program(client, seed)}).encode() for seed in range(repetitions + 3)]
    seconds, size = [], 0
    for count, body in enumerate(bodies):
        start = time.perf_counter()
        status, answer = client.send("POST", f"{API}/traces", body)
        if status != 201:
            raise RuntimeError(f"POST /traces answered {status}: {answer[:300].decode(errors='replace')}")
        if count >= 3:  # the first warm the workers up
            seconds.append(time.perf_counter() - start)
        size = len(answer)
    engine, serialised = _engine(), _serialised(json.loads(answer))
    median = statistics.median(seconds) * 1e3
    rows = [
        ["POST /traces, the whole answer", f"{median:.1f} ms"],
        ["of which the engine's own TRACE", f"{engine * 1e3:.2f} ms"],
        ["size of the answer, not compressed", f"{size:,} bytes"],
    ]
    text = f"A step of an LSTM (T={STEPS}, H={HIDDEN}, batch 1, statistics included), {repetitions} different seeds, median."
    return Section("Making a trace", text, [Table(["what", "measured"], rows)], [
        Goal("POST of the trace of an LSTM", median, 30, "ms"),
        Goal("serialising / orjson.dumps of plain dicts", serialised, 2, "x"),
    ])  # fmt: skip


def _engine() -> float:
    """Seconds of the same step in the engine alone, at TRACE."""
    from benchmarks.peers import retrograd as peer

    step = peer.prepare(Problem("lstm", Workload(1, STEPS, 2, HIDDEN)), level="TRACE")
    return _median(step, 50)


def _serialised(document: dict[str, Any]) -> float:
    """How much longer the server's way of writing a trace takes than orjson's."""
    import orjson

    from server.jobs.work import serialise

    return _median(lambda: serialise(document), 50) / _median(lambda: orjson.dumps(document), 50)


def _median(function: Callable[[], Any], repetitions: int) -> float:
    function()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def reading(client: Client, rounds: int) -> Section:
    """GET of a trace beside a bare route with the same bytes, requests in turn."""
    found = {"80 KB": _trace(client, 80_000), "1 MB": _trace(client, 1_000_000)}
    rows, goals = [], []
    with bare({str(len(content)): content for _, content in found.values()}) as port:
        plain = Client(port)
        for name, (path, content) in found.items():
            seconds: tuple[list[float], list[float]] = ([], [])
            for _ in range(rounds):
                for side, (who, where) in enumerate(((client, path), (plain, f"/{len(content)}"))):
                    start = time.perf_counter()
                    for _ in range(20):
                        status, answer = who.send("GET", where)
                        if status != 200 or answer != content:
                            raise RuntimeError(f"GET {where} answered {status} with {len(answer)} bytes; expected {len(content)}")
                    seconds[side].append((time.perf_counter() - start) / 20)
            ours, theirs = (1 / statistics.median(side) for side in seconds)
            rows.append([f"{name} ({len(content):,} bytes)", f"{ours:.0f}", f"{theirs:.0f}"])
            goals.append(Goal(f"GET of a trace of {name} / bare Starlette route", ours / theirs, 0.7, least=True))
    text = "Requests a second on one kept connection, uncompressed, in interleaved rounds of twenty."
    return Section("Reading a trace", text, [Table(["size", "GET /traces/{id}", "bare Starlette"], rows)], goals)


def _trace(client: Client, size: int) -> tuple[str, bytes]:
    """The path and the bytes of a trace of about that size: one example, hidden units added until it is large enough."""
    for hidden in (2, 4, 8, 16, 24, 32, 48):
        body = json.dumps({"program": {**program(client, 0), "hidden_size": hidden, "cell": "rnn" if size < 500_000 else "lstm"}}).encode()
        status, answer = client.send("POST", f"{API}/traces", body)
        if status not in (200, 201):
            raise RuntimeError(f"POST /traces answered {status}: {answer[:300].decode(errors='replace')}")
        if len(answer) >= size:
            break
    path = f"{API}/traces/{json.loads(answer)['id']}"
    return path, client.send("GET", path)[1]


def flood(port: int, process_id: int, seconds: float) -> Section:
    """Many clients at once, and what /healthz answers meanwhile."""
    first = program(Client(port), 0)
    end = time.monotonic() + seconds
    statuses: dict[int, int] = {}
    lock = threading.Lock()
    latencies: list[float] = []
    memory: list[float] = []

    def post(number: int) -> None:
        client, seed = Client(port), number
        while time.monotonic() < end:
            status, _ = client.send("POST", f"{API}/traces", json.dumps({"program": {**first, "hidden_size": 8, "seed": seed}}).encode())
            with lock:
                statuses[status] = statuses.get(status, 0) + 1
            seed += CLIENTS

    def watch() -> None:
        client = Client(port)
        while time.monotonic() < end:
            start = time.perf_counter()
            status, _ = client.send("GET", "/healthz")
            latencies.append(time.perf_counter() - start)
            if status != 200:
                with lock:
                    statuses[status] = statuses.get(status, 0) + 1
            memory.append(_resident(process_id))
            time.sleep(0.02)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(CLIENTS)] + [threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = sum(count for status, count in statuses.items() if status not in (200, 201))
    done = sum(statuses.values()) - failed
    p99 = statistics.quantiles(latencies, n=100)[98] * 1e3
    third = max(1, len(memory) // 3)
    growth = statistics.median(memory[-third:]) / statistics.median(memory[third : 2 * third])
    rows = [
        ["traces made a second", f"{done / seconds:.1f}"],
        ["answers that were errors", f"{failed} ({', '.join(f'{k}: {v}' for k, v in sorted(statuses.items()))})"],
        ["/healthz, median", f"{statistics.median(latencies) * 1e3:.1f} ms"],
        ["/healthz, 99th percentile", f"{p99:.1f} ms"],
        ["server's memory, largest", f"{max(memory):.0f} MiB"],
    ]
    text = f"{CLIENTS} clients post traces of an LSTM of 8 units for {seconds:g} s, each its next when it has its last."
    return Section("A flood", text, [Table(["what", "measured"], rows)], [
        Goal("errors among the answers", failed, 0, ""),
        Goal("99th percentile of /healthz", p99, 100, "ms"),
        Goal("memory, last third of the time / second third", growth, 1.1),
    ])  # fmt: skip


def large_bodies(port: int, seconds: float) -> Section:
    """What /healthz answers while graphs are posted whose bodies are large."""
    program = recurrent(GRAPH_NODES)
    graph = json.dumps({"program": program}, separators=(",", ":")).encode()
    checked, computed = _checked_and_computed(program)
    end = time.monotonic() + seconds
    posted: list[int] = []
    answered: list[float] = []
    latencies: list[float] = []

    def post() -> None:
        client = Client(port)
        while time.monotonic() < end:
            start = time.perf_counter()
            posted.append(client.send("POST", f"{API}/traces?tensors=none", graph)[0])
            answered.append(time.perf_counter() - start)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    watching = Client(port)
    while time.monotonic() < end:
        start = time.perf_counter()
        if watching.send("GET", "/healthz")[0] != 200:
            raise RuntimeError("/healthz did not answer 200 while large graphs were posted")
        latencies.append(time.perf_counter() - start)
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    refused = sum(status not in (200, 201) for status in posted)
    p99 = statistics.quantiles(latencies, n=100)[98] * 1e3
    rows = [
        ["size of a body", f"{len(graph):,} bytes"],
        ["bodies posted, of which refused", f"{len(posted)}, {refused}"],
        ["/healthz, median", f"{statistics.median(latencies) * 1e3:.1f} ms"],
        ["/healthz, longest", f"{max(latencies) * 1e3:.0f} ms"],
        ["an answer to a POST, median", f"{statistics.median(answered):.2f} s"],
        ["an answer to a POST, longest", f"{max(answered):.2f} s"],
        ["of which a worker computes, processor time", f"{computed:.2f} s"],
        ["of which the body is checked, processor time", f"{checked * 1e3:.0f} ms"],
    ]
    text = LARGE_BODIES.format(nodes=GRAPH_NODES, seconds=seconds)
    return Section("Large bodies", text, [Table(["what", "measured"], rows)], [
        Goal("large bodies that were refused", refused, 0, ""),
        Goal("99th percentile of /healthz, large bodies coming", p99, 200, "ms"),
    ])  # fmt: skip


def _checked_and_computed(program: dict[str, Any]) -> tuple[float, float]:
    """Seconds of the processor that a POST of a graph takes: to check its body; to make its trace, and cut it as it is sent."""
    from server.jobs.trace_work import cut_part
    from server.jobs.work import make_trace
    from server.schemas.requests import TraceRequest

    start = time.thread_time()
    checked = TraceRequest.model_validate({"program": program}).program.model_dump(by_alias=True)
    middle = time.thread_time()
    cut_part(make_trace(checked, None, 60.0, 10**8), "none", None, None)
    return middle - start, time.thread_time() - middle


def _resident(process_id: int) -> float:
    """MiB of the server's own process."""
    for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description="Measures the API.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the flood")
    parser.add_argument("--repetitions", type=int, default=40, help="traces made one after another")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-api.md")
    chosen = parser.parse_args(given)
    sections = []
    with retrograd(LARGE) as (port, process):
        client = Client(port)
        for measure in (
            lambda: making(client, chosen.repetitions), lambda: reading(client, 15),
            lambda: large_bodies(port, chosen.seconds / 2), lambda: flood(port, process.pid, chosen.seconds),
        ):  # fmt: skip
            sections.append(measure())
            print(sections[-1].markdown(), end="\n\n", flush=True)
    print(summary(sections))
    if chosen.write:
        machine = "\n".join(["## Machine", "", *(f"- {what}: {value}" for what, value in describe())])
        parts = [HEAD, "## Goals\n\n" + summary(sections), *(section.markdown() for section in sections), machine]
        DOCUMENT.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return 1 if sections[-1].goals[0].measured else 0


if __name__ == "__main__":
    sys.exit(main())
