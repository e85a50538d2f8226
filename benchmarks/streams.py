"""Trainings and their streams under load: eight runs, fifty who listen, a minute; what fails, how long others wait, how memory goes.

Loopback alone; no time is asserted; memory is read from /proc, as Linux has it. python -m benchmarks.streams
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.service import Client, retrograd

RUNS, LISTENERS, SECONDS = 8, 50, 60
PROGRAM = {"task": "adding", "cell": "gru", "hidden_size": 16, "batch_size": 32}
API = "/api/v1"


@dataclass
class Heard:
    """What one listener got."""

    updates: int = 0
    steps: int = 0
    gaps: int = 0  # steps that were missing, or came twice
    bytes: int = 0
    error: str = ""


@dataclass
class Waits:
    """How long answers to one request took, in seconds."""

    path: str
    seconds: list[float] = field(default_factory=list)
    errors: int = 0


def listen(port: int, run: str, end: float, heard: Heard) -> None:
    """Reads a stream until the time is over."""
    try:
        client = Client(port)
        client.connection.request("GET", f"{API}/runs/{run}/events")
        response = client.connection.getresponse()
        if response.status != 200:
            heard.error = f"status {response.status}"
            return
        kind = b""
        while time.monotonic() < end:
            line = response.readline()
            heard.bytes += len(line)
            if not line:
                heard.error = "the stream ended"
                return
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: ") and kind == b"progress":
                data = json.loads(line[6:])
                heard.updates += 1
                heard.gaps += data["first"] != heard.steps + 1
                heard.steps = data["step"]
    except OSError as error:
        heard.error = str(error)


def ask(port: int, end: float, waits: Waits) -> None:
    """Asks again and again, ten times a second."""
    client = Client(port)
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            status, _ = client.send("GET", waits.path)
            waits.errors += status != 200
        except OSError:
            waits.errors += 1
            client = Client(port)
        waits.seconds.append(time.monotonic() - began)
        time.sleep(max(0.0, 0.1 - waits.seconds[-1]))


def create(client: Client, number: int) -> str:
    """A run that trains for longer than it is looked at."""
    status, body = client.send("POST", f"{API}/runs", json.dumps({"program": {**PROGRAM, "seed": number}}).encode())
    assert status == 201, body
    run = str(json.loads(body)["id"])
    for _ in range(2):
        status, body = client.send("POST", f"{API}/runs/{run}/steps", b'{"count": 10000}')
        assert status in (200, 202), body
    return run


def memory(pid: int) -> float:
    """MB of the server's own process, without its workers."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1000


def processor(pid: int) -> float:
    """Seconds of processor time that the server's own process has taken."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def measure() -> list[str]:
    """Lines of the report."""
    with retrograd({"RETROGRAD_VISITOR_STREAMS": str(LISTENERS), "RETROGRAD_QUICK_SECONDS": "0"}) as (port, process):
        client, server = Client(port), process.pid
        runs = [create(client, number) for number in range(RUNS)]
        heard = [Heard() for _ in range(LISTENERS)]
        waits = [Waits(path) for path in ("/", "/healthz", f"{API}/limits")]
        before, spent, began = memory(server), processor(server), time.monotonic()
        end = began + SECONDS
        threads = [threading.Thread(target=listen, args=(port, runs[n % RUNS], end, heard[n])) for n in range(LISTENERS)]
        threads += [threading.Thread(target=ask, args=(port, end, wait)) for wait in waits]
        for thread in threads:
            thread.start()
        sizes = [before]
        while time.monotonic() < end:
            time.sleep(1)
            sizes.append(memory(server))
        for thread in threads:
            thread.join(30)
        spent = processor(server) - spent
        lost = [
            line for line in Client(port).send("GET", "/metrics")[1].decode().splitlines() if line.startswith("retrograd_pool_workers_lost")
        ]
    seconds = time.monotonic() - began
    steps = [max(one.steps for one in heard[n::RUNS]) for n in range(RUNS)]
    updates, received = [one.updates for one in heard], sum(one.bytes for one in heard) / 1e6
    errors = ", ".join(sorted({one.error for one in heard if one.error})) or "none"
    at_begin, at_half, at_end = sizes[0], sizes[len(sizes) // 2], sizes[-1]
    report = [
        f"{RUNS} runs, {LISTENERS} listeners, {SECONDS} s, {os.cpu_count()} cores",
        f"steps of each run: {steps}; {sum(steps) / seconds:.0f} a second in all",
        f"updates that a listener got: {min(updates)} to {max(updates)}; {received:.1f} MB in all; gaps: {sum(one.gaps for one in heard)}",
        f"errors of streams: {errors}; {lost[0]}",
        f"server: {at_begin:.0f} MB before, {at_half:.0f} MB half way, {at_end:.0f} MB at the end; {spent:.0f} s of processor time",
    ]
    for wait in waits:
        half, most = (1000 * float(np.percentile(wait.seconds, percent)) for percent in (50, 99))
        report.append(f"GET {wait.path}: {len(wait.seconds)} answers, {wait.errors} errors, p50 {half:.1f} ms, p99 {most:.1f} ms")
    return report


if __name__ == "__main__":
    print("\n".join(measure()))
