"""Trainings and their streams under load: eight runs, fifty who listen; what fails, how long others wait, how memory goes.

Loopback alone; memory is read from /proc, as Linux has it.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from benchmarks.process_tree import memory, processor
from benchmarks.report import Goal, Progress, Section, Table
from benchmarks.served_run import API, ask, create
from benchmarks.service import Client, retrograd

RUNS, LISTENERS = 8, 50
RESPONSIVE = (250.0, 250.0, 250.0)  # ms: of the page, of /healthz, of an answer of the API
MEGABYTES, GROWTH = 1500.0, 1.1
PROGRAM = {"task": "adding", "cell": "gru", "hidden_size": 16, "batch_size": 32}
TEXT = f"""\
{RUNS} runs train at once (adding, GRU of 16 units), {LISTENERS} listeners each read the stream of one of them, and others ask for the page,
for `/healthz` and for an answer of the API ten times a second each, for {{seconds}} s. Who listens and who asks takes its part of the same
processors. Memory is that of the server and its workers together, what they share counted for each."""


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

    def within(self, percent: float) -> float:
        """The ms within which so many of 100 answers came."""
        return 1000 * float(np.percentile(self.seconds, percent))

    def row(self) -> list[str]:
        return [f"GET {self.path}", f"{len(self.seconds):,}", *(f"{self.within(percent):.1f}" for percent in (50, 99, 100))]


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


def again_and_again(port: int, end: float, waits: Waits) -> None:
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


def begin(client: Client, number: int) -> str:
    """A run that trains for longer than it is looked at."""
    run = create(client, {**PROGRAM, "seed": number})
    for _ in range(2):
        ask(client, "POST", f"/runs/{run}/steps", {"count": 10_000})
    return run


def measure(seconds: int, progress: Progress) -> Section:
    """seconds: for how long it is looked at."""
    with retrograd({"RETROGRAD_VISITOR_STREAMS": str(LISTENERS), "RETROGRAD_QUICK_SECONDS": "0"}) as (port, process):
        client, server = Client(port), process.pid
        progress(f"begins {RUNS} runs")
        runs = [begin(client, number) for number in range(RUNS)]
        progress(f"{LISTENERS} listen for {seconds} s")
        heard = [Heard() for _ in range(LISTENERS)]
        waits = [Waits(path) for path in ("/", "/healthz", f"{API}/limits")]
        spent, began = processor(server), time.monotonic()
        end = began + seconds
        threads = [threading.Thread(target=listen, args=(port, runs[n % RUNS], end, heard[n])) for n in range(LISTENERS)]
        threads += [threading.Thread(target=again_and_again, args=(port, end, wait)) for wait in waits]
        for thread in threads:
            thread.start()
        sizes = []
        while time.monotonic() < end:
            time.sleep(1)
            sizes.append(memory(server))
        for thread in threads:
            thread.join(30)
        spent = processor(server) - spent
        lost = _metric(Client(port), "retrograd_pool_workers_lost")
    took = time.monotonic() - began
    steps = sum(max(one.steps for one in heard[n::RUNS]) for n in range(RUNS))
    updates, received = [one.updates for one in heard], sum(one.bytes for one in heard) / 1e6
    errors = sum(bool(one.error) for one in heard) + sum(wait.errors for wait in waits) + lost
    half, most = sizes[len(sizes) // 2], max(sizes)
    goals = [
        Goal("errors: streams that broke off, refused answers, lost workers", errors, 0, ""),
        Goal("steps that a listener missed or got twice", sum(one.gaps for one in heard), 0, ""),
        *(Goal(f"GET {wait.path}: 99 of 100 answers", wait.within(99), most, "ms") for wait, most in zip(waits, RESPONSIVE, strict=True)),
        Goal("memory of all processes, most", most, MEGABYTES, "MB"),
        Goal("memory of all processes, most / half way", most / half, GROWTH),
    ]
    table = Table(("ms", "answers", "median", "99 of 100", "slowest"), [wait.row() for wait in waits])
    notes = [
        f"{steps / took:,.0f} steps a second of all runs together",
        f"updates that a listener got: {min(updates)} to {max(updates)} in {took:.0f} s; {received:.1f} MB in all",
        f"memory of all processes: {sizes[0]:.0f} MB at first, {half:.0f} half way, {sizes[-1]:.0f} at the end",
        f"the server's own process took {spent:.0f} s of processor time",
        *sorted({f"a stream: {one.error}" for one in heard if one.error}),
    ]
    return Section(f"{RUNS} runs at once, {LISTENERS} stream listeners", TEXT.format(seconds=seconds), [table], goals, notes)


def _metric(client: Client, name: str) -> float:
    """A figure of /metrics."""
    lines = client.send("GET", "/metrics")[1].decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
