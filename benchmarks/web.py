"""The web app in a headless browser: how soon it plays, how smooth it is, what it holds. `npm run bench` in web/ calls this.

    python -m benchmarks.web            # measures, prints
    python -m benchmarks.web --write    # and writes docs/benchmarks-web.md
    python -m benchmarks.web --quick    # a few steps and frames of each: whether it works, not how fast

The app has to be built (`python hatch_build.py build`), and chromium has to be there. Server and browser share this machine.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Response, sync_playwright

from benchmarks.graphs import recurrent
from benchmarks.machine import describe
from benchmarks.report import Goal, Section, Table, summary
from tests.e2e.browser import chromium_path, launch_arguments, serving

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks-web.md"
HEAD = """# Benchmarks of the web app

Written by `npm run bench -- --write` in web/ (or `python -m benchmarks.web --write`). A headless Chromium of 1440x900 without a graphics
card, and the server, on this machine's processors; all traffic is on loopback. Graphs are a recurrent network of scalars written out
(benchmarks/graphs.py), sent by `POST /traces` with the limits of sizes raised."""
LIMITS = {"RETROGRAD_BODY_BYTES": "30000000", "RETROGRAD_RESPONSE_BYTES": "100000000", "RETROGRAD_COMPUTE_SECONDS": "60"}
SIZES = {2_000: 8.0, 20_000: 16.0}  # nodes: ms of script that a step may take
PLAYED = 5_000
ROUNDS = 5  # of playing: garbage and compiled code come and go, so that the least of them is taken
WARMED = 3  # passes over a film before its heap is read
WATCH = """new MutationObserver((_, observer) => {
    if (!document.querySelector("[data-testid=play][data-playing=true]")) return;
    window.playsSince = performance.now();  // since the navigation
    observer.disconnect();
}).observe(document, {subtree: true, childList: true, attributeFilter: ["data-playing"]});"""
REST = """async (count) => {
    const times = [];
    let last = await new Promise(requestAnimationFrame);
    for (let i = 0; i < count; i++) {
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
    }
    return times;
}"""


@dataclass(frozen=True)
class Plan:
    """How often what is done. loads: of a page; steps: each way; frames: at each size of the drawing."""

    loads: int
    steps: int
    frames: int
    played: int


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
        """A page in a fresh profile, so that nothing is cached."""
        context = self.browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="no-preference" if motion else "reduce")
        context.set_default_timeout(120_000)
        page = context.new_page()
        if address:
            page.goto(f"{self.url}/{address}")
        try:
            yield page
        finally:
            context.close()

    # -- parts --------------------------------------------------------------------------------------

    def opening(self) -> Section:
        """From navigation until the first film plays, and the scripts that this takes."""
        times, sizes = [], []
        for _ in range(self.plan.loads):
            with self.page(motion=True) as page:
                scripts: list[Response] = []
                page.on("response", lambda response, scripts=scripts: scripts.append(response) if ".js" in response.url else None)
                page.add_init_script(WATCH)
                page.goto(f"{self.url}/", wait_until="commit")
                page.wait_for_selector("[data-testid=play][data-playing=true]")
                times.append(page.evaluate("window.playsSince / 1000"))
                before = page.evaluate(
                    "performance.getEntriesByType('resource').filter((one) => one.startTime < window.playsSince).map((one) => one.name)"
                )
                sizes.append(sum(len(gzip.compress(script.body(), 6)) for script in scripts if script.url in before))
        rows = [["until the film plays, median", f"{statistics.median(times):.2f} s"], ["the slowest", f"{max(times):.2f} s"]]
        text = (
            f"Navigation with an empty cache, {len(times)} times; scripts that are asked for when the film plays already are not counted."
        )
        return Section("The first page", text, [Table(["what", "measured"], rows)], [
            Goal("until the first film plays", statistics.median(times), 1.5, "s"),
            Goal("JavaScript asked for until then, gzipped", max(sizes) / 1000, 200, "kB"),
        ])  # fmt: skip

    def long_network(self) -> Section:
        """A recurrence of 200 steps."""
        answer = self.client.get(f"/traces/{self.make(_lstm(200))}")
        packed = base64.urlsafe_b64encode(json.dumps(answer.json()["program"]).encode()).decode().rstrip("=")
        times = []
        for _ in range(self.plan.loads):
            with self.page("#/network") as page:
                page.wait_for_selector("[data-testid=moment]")
                before = page.get_by_test_id("moment").inner_text()
                start = time.perf_counter()
                page.evaluate("hash => { location.hash = hash }", f"#/network?p={packed}")
                page.wait_for_function("text => document.querySelector('[data-testid=moment]')?.innerText !== text", arg=before)
                times.append(time.perf_counter() - start)
        text = "From the link to the film on the stage, the page being open and the trace stored; LSTM, T=200, H=8, batch 1."
        return Section("A long network", text, goals=[Goal("LSTM of 200 steps opens", statistics.median(times), 1.0, "s")])

    def large_graph(self, nodes: int, most: float) -> Section:
        """Steps and frames in a graph drawn whole."""
        trace = self.make(recurrent(nodes))
        with self.page(f"#/expression?trace={trace}") as page:
            page.wait_for_selector("[data-testid=graph-canvas]")
            page.wait_for_timeout(1500)
            steps = {way: self._steps(page, key) for way, key in (("back", "ArrowLeft"), ("forward", "ArrowRight"))}
            frames = {size: self._frames(page, size) for size in (0.0, 0.1, 0.4, 1.0)}
            rest = list(page.evaluate(REST, self.plan.frames))
        rows = [[f"a step {way}, mean", f"{time:.2f} ms of script"] for way, time in steps.items()]
        rows += [
            [f"a frame while moving, {'all in view' if size == 0 else f'{size:.0%} of its size'}, p95", f"{p95(list_):.1f} ms"]
            for size, list_ in frames.items()
        ]
        rows.append(["a frame of the page at rest, p95", f"{p95(rest):.1f} ms"])
        slowest = max(p95(list_) for list_ in frames.values())
        text = f"{nodes:,} nodes as cards, none in closed groups. A step is one event, by its key; its time is the processor's."
        return Section(f"A graph of {nodes:,} nodes", text, [Table(["what", "measured"], rows)], [
            Goal(f"a step at {nodes:,} nodes, either way", max(steps.values()), most, "ms"),
            Goal(f"a frame of panning and zooming at {nodes:,} nodes, p95", slowest, 20, "ms"),
        ])  # fmt: skip

    def _steps(self, page: Page, key: str) -> float:
        """Mean processor time in scripts of an event's step, in ms, everything that it sets off until the next frame included."""
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        press = """async ([key, count]) => {
            for (let i = 0; i < count; i++) {
                window.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey: true, bubbles: true}));
                await new Promise(requestAnimationFrame);
            }
            await new Promise(requestAnimationFrame);
        }"""
        page.evaluate(press, [key, 20])
        before = _metric(session.send("Performance.getMetrics"), "ScriptDuration")
        page.evaluate(press, [key, self.plan.steps])
        after = _metric(session.send("Performance.getMetrics"), "ScriptDuration")
        session.detach()
        return (after - before) * 1e3 / self.plan.steps

    def _frames(self, page: Page, size: float) -> list[float]:
        """Times between frames, in ms, while the drawing is moved by the wheel and its size is changed a little in turns."""
        page.get_by_test_id("zoom-fit").click()
        page.wait_for_timeout(300)
        view = page.get_by_test_id("graph-view")
        zoom = """([size, factor]) => {
            const host = document.querySelector("[data-testid=graph-view]"), box = host.getBoundingClientRect();
            const at = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true};
            host.dispatchEvent(new WheelEvent("wheel", {...at, deltaY: factor, ctrlKey: true}));
            return Number(host.dataset.k);
        }"""
        while float(view.get_attribute("data-k") or 1) < size:
            page.evaluate(zoom, [size, -120])
            page.wait_for_timeout(20)
        page.wait_for_timeout(600)
        move = """async (count) => {
            const host = document.querySelector("[data-testid=graph-view]"), box = host.getBoundingClientRect();
            const at = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true};
            const times = [];
            let last = await new Promise(requestAnimationFrame);
            for (let i = 0; i < count; i++) {
                const zooms = i % 4 === 3;
                const deltaY = zooms ? (i % 8 === 3 ? -20 : 20) : 0, deltaX = zooms ? 0 : (i % 60 < 30 ? 25 : -25);
                host.dispatchEvent(new WheelEvent("wheel", {...at, deltaX, deltaY, ctrlKey: zooms}));
                const now = await new Promise(requestAnimationFrame);
                times.push(now - last);
                last = now;
            }
            return times;
        }"""
        return list(page.evaluate(move, self.plan.frames))

    def memory(self) -> Section:
        """The heap while many steps are played, of a graph and of a network with its cells open."""
        addresses = {
            "a graph of 2,000 nodes": f"#/expression?trace={self.make(recurrent(2_000))}",
            "an LSTM, T=20, H=8, its cells open": f"#/network?v=2&trace={self.make(_lstm(20))}&cell=3",
        }
        rows, goals = [], []
        for what, address in addresses.items():
            before, after = self._heaps(address)
            rows += [[f"{what}, after {WARMED} passes", f"{before:.1f} MB"], [f"{what}, after one more", f"{after:.1f} MB"]]
            goals.append(Goal(f"growth over the steps played, {what}", after / before, 1.02))
        text = (
            f"The heap, garbage collected, while {self.plan.played:,} events are played, back too where the film is shorter, and once "
            f"more: the least of {ROUNDS} readings each. Before the first reading the same was played {WARMED} times, so that what a film "
            "keeps of each number looked at, the formulas kept and the compiled code are there: what grows after that grows with the steps."
        )
        return Section("Memory", text, [Table(["what", "measured"], rows)], goals)

    def _heaps(self, address: str) -> tuple[float, float]:
        """MB held in the first measured pass over a film, and in the second."""
        play = """async (count) => {
            const press = (key, shiftKey) => window.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey, bubbles: true}));
            const moment = () => document.querySelector("[data-testid=moment]").innerText.split("/").map(Number);
            let key = "ArrowRight";
            for (let i = 0; i < count; i++) {
                press(key, true);
                if (i % 5 !== 4) continue;
                await new Promise(requestAnimationFrame);
                const [at, end] = moment();
                if (at === 0 || at === end) key = at === 0 ? "ArrowRight" : "ArrowLeft";
            }
        }"""
        with self.page(address) as page:
            page.wait_for_selector("[data-testid=moment]")
            page.wait_for_timeout(1500)
            session = page.context.new_cdp_session(page)
            passes = []
            for _ in range(WARMED + 2):
                page.keyboard.press("Home")
                heaps = []
                for _ in range(ROUNDS):
                    page.evaluate(play, self.plan.played // ROUNDS)
                    heaps.append(_heap(session))
                passes.append(min(heaps))
        return passes[-2], passes[-1]


def _lstm(steps: int) -> dict[str, Any]:
    """The program of one step of an LSTM over so many time steps; H=8, batch 1."""
    values = [[round(((i * 7) % 13) / 6 - 1, 3)] for i in range(steps)]
    sequences = {"kind": "regression", "readout": "last", "examples": [{"values": values, "target": [0.5]}]}
    optimizer = {"name": "sgd", "lr": 0.1}
    return {"kind": "network", "cell": "lstm", "hidden_size": 8, "sequences": sequences, "optimizer": optimizer, "batch_size": 1}


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _metric(answer: dict[str, Any], name: str) -> float:
    return next(float(metric["value"]) for metric in answer["metrics"] if metric["name"] == name)


def _heap(session: Any) -> float:
    """MB in use after all garbage is collected."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description="Measures the web app in a headless browser.")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-web.md")
    parser.add_argument("--quick", action="store_true", help="a little of everything: whether it works, not how fast it is")
    chosen = parser.parse_args(given)
    plan = Plan(2, 40, 40, 500) if chosen.quick else Plan(7, 400, 300, PLAYED)
    sections = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), environment={**os.environ, **LIMITS}) as url,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=chromium_path(), args=launch_arguments())
        bench = Bench(url, browser, plan)
        parts = [bench.opening, bench.long_network, *(lambda n=n, most=most: bench.large_graph(n, most) for n, most in SIZES.items())]
        for measure in (*parts, bench.memory):
            sections.append(measure())
            print(sections[-1].markdown(), end="\n\n", flush=True)
        browser.close()
    print(summary(sections))
    if chosen.write:
        machine = "\n".join(["## Machine", "", *(f"- {what}: {value}" for what, value in describe())])
        written = [HEAD, "## Goals\n\n" + summary(sections), *(section.markdown() for section in sections), machine]
        DOCUMENT.write_text("\n\n".join(written) + "\n", encoding="utf-8")
    return 0 if all(goal.reached for section in sections for goal in section.goals) else 1


if __name__ == "__main__":
    sys.exit(main())
