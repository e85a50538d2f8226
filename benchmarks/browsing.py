"""A server and a browser, and what is measured in a page whoever drew it: frames, steps, the processor's time, the heap."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Browser, CDPSession, Page

NUMBERS = "system / JSArrayBufferData"  # how a snapshot calls what a typed array holds
LONGEST = 8_000  # ms of one measurement, however few frames that are
FRAMES = """async ([count, most]) => {
    const move = (MOVE)();
    const times = [];
    const start = await new Promise(requestAnimationFrame);
    let last = start;
    for (let i = 0; i < count && (last - start < most || i < 5); i++) {
        move(i);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
    }
    return times;
}"""
STEPS = """async ([count, most]) => {
    const step = STEP;
    const start = performance.now();
    let i = 0;
    for (; i < count && (performance.now() - start < most || i < 5); i++) {
        step(i);
        await new Promise(requestAnimationFrame);
    }
    await new Promise(requestAnimationFrame);
    return i;
}"""


@dataclass(frozen=True)
class Plan:
    """How often what is done. loads: of a page; steps: each way; frames: at each size of the drawing; stretch, passes: for the heap."""

    loads: int
    steps: int
    frames: int
    stretch: int
    passes: int


@dataclass(frozen=True)
class Step:
    """What a step takes of the page's main thread, in ms: in scripts, and in all. count: of the steps that were measured."""

    script: float
    whole: float
    count: int


class Bench:
    """One server and one browser."""

    def __init__(self, url: str, browser: Browser, plan: Plan) -> None:
        self.url, self.browser, self.plan = url, browser, plan
        self.client = httpx.Client(base_url=f"{url}/api/v1", timeout=300)

    def make(self, program: dict[str, Any]) -> str:
        """The id of the trace of a program."""
        answer = self.client.post("/traces", json={"program": program})
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"the server refused the program of a benchmark with {answer.status_code}: {answer.text[:500]}")
        return str(answer.json()["id"])

    @contextmanager
    def page(self, address: str = "", *, motion: bool = False) -> Iterator[Page]:
        """A page in a fresh profile, so that nothing is cached. address: of the app's own, or one that begins with http."""
        context = self.browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="no-preference" if motion else "reduce")
        context.set_default_timeout(120_000)
        page = context.new_page()
        if address:
            page.goto(address if address.startswith("http") else f"{self.url}/{address}")
        try:
            yield page
        finally:
            context.close()


def frames(page: Page, move: str, count: int) -> list[float]:
    """Times between frames, in ms. move: JavaScript of a function that gives the function which moves the drawing for the i-th frame."""
    return list(page.evaluate(FRAMES.replace("MOVE", move), [count, LONGEST]))


def steps(page: Page, step: str, count: int) -> Step:
    """The mean of a step, everything that it sets off until the next frame included. step: JavaScript of a function of its number."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    run = STEPS.replace("STEP", step)
    page.evaluate(run, [20, LONGEST])
    before = _metrics(session)
    done = page.evaluate(run, [count, LONGEST])
    after = _metrics(session)
    session.detach()
    script, whole = ((after[name] - before[name]) * 1e3 / done for name in ("ScriptDuration", "TaskDuration"))
    return Step(script, whole, done)


def _metrics(session: CDPSession) -> dict[str, float]:
    return {metric["name"]: float(metric["value"]) for metric in session.send("Performance.getMetrics")["metrics"]}


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


@dataclass(frozen=True)
class Heap:
    """MB of the heap of scripts. code: bytecode, machine code, and what the browser has learnt of how to make it; data: all else."""

    code: float
    data: float

    @property
    def whole(self) -> float:
        return self.code + self.data


def heap(session: CDPSession) -> Heap:
    """What is in use after all garbage is collected, by a snapshot of it."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    pieces: list[str] = []

    def take(event: dict[str, Any]) -> None:
        pieces.append(event["chunk"])

    session.on("HeapProfiler.addHeapSnapshotChunk", take)
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
    snapshot = json.loads("".join(pieces))
    fields = snapshot["snapshot"]["meta"]["node_fields"]
    kinds = snapshot["snapshot"]["meta"]["node_types"][0]
    nodes, width = snapshot["nodes"], len(fields)
    columns = [nodes[fields.index(field) :: width] for field in ("type", "name", "self_size")]
    sums = dict.fromkeys(kinds, 0)
    for kind, name, size in zip(*columns, strict=True):
        # The browser's own objects stand beside the heap of scripts, except the numbers of typed arrays
        sums["array" if snapshot["strings"][name] == NUMBERS else kinds[kind]] += size
    native, code = sums.pop("native"), sums.pop("code")
    if not native or not code or not sums["array"]:
        raise RuntimeError(f"the browser's snapshot of the heap tells kinds apart that are not known here: {sorted(kinds)}")
    return Heap(code / 1e6, sum(sums.values()) / 1e6)
