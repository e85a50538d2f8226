"""How long a step of a run takes to open as a film: asked over HTTP, replayed from the nearest checkpoint, traced, written out."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.report import Goal, Progress, Section, Table
from benchmarks.served_run import API, ask, create, train
from benchmarks.service import Client, retrograd

STEPS, WITHIN = 2000, 1.0
CLASSROOM = {"task": "surnames", "cell": "gru", "hidden_size": 16}
BESIDE = {"task": "digits-pixels", "cell": "gru", "hidden_size": 32}
TEXT = f"""\
A run of {STEPS:,} steps of a classroom network (surnames, GRU of 16 units, batches of 32), trained over HTTP. Steps drawn from all of them
are opened one after another, `GET /runs/{{id}}/steps/{{k}}/trace`: seconds by the clock from the request to the answer's last byte, the
whole step (its batch of 32) and one example of it; on a server that has nothing else to do, and while another run trains (digits by pixels,
GRU of 32 units)."""


def measure(asked: int, progress: Progress) -> Section:
    """asked: how many steps are opened in each way."""
    rows: list[list[str]] = []
    goals: list[Goal] = []
    chance = random.Random(0)
    with retrograd() as (port, _):
        progress(f"trains {STEPS:,} steps")
        run = create(Client(port), CLASSROOM)
        train(port, run, STEPS)
        client = Client(port)
        for busy in (False, True):
            if busy:
                other = create(client, BESIDE)
                ask(client, "POST", f"/runs/{other}/steps", {"count": 10_000})
            for what, query in (("a whole step", ""), ("one example", "?example=0")):
                progress(f"opens {asked} steps: {what}{', while another run trains' if busy else ''}")
                steps = [STEPS, *chance.sample(range(1, STEPS), asked - 1)]
                seconds = [_opened(client, run, step, query) for step in steps]
                rows.append(_row(f"{what}, {'while another run trains' if busy else 'idle server'}", seconds))
                if not busy:
                    goals.append(Goal(f"{what} of a {STEPS:,}-step run as a film, the slowest of {asked}", max(seconds), WITHIN, "s"))
    table = Table(("seconds", "median", "95 of 100", "slowest"), rows)
    return Section("Any step as a film", TEXT, [table], goals)


def _opened(client: Client, run: str, step: int, query: str) -> float:
    began = time.perf_counter()
    status, body = client.send("GET", f"{API}/runs/{run}/steps/{step}/trace{query}")
    seconds = time.perf_counter() - began
    assert status == 200, body[:300]
    return seconds


def _row(what: str, seconds: Sequence[float]) -> list[str]:
    return [what, *(f"{np.percentile(seconds, percent):.2f}" for percent in (50, 95, 100))]
