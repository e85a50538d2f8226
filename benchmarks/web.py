"""The web app in a headless browser: how soon it plays, how smooth it is, what it holds. `npm run bench` in web/ calls this.

    python -m benchmarks.web            # measures, prints
    python -m benchmarks.web --write    # and writes docs/benchmarks-web.md
    python -m benchmarks.web --quick    # a few steps and frames of each: whether it works, not how fast

The app has to be built (`python hatch_build.py build`), and chromium has to be there. Server and browser share this machine.
"""

from __future__ import annotations

import argparse
import base64
import functools
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Response, sync_playwright

from benchmarks.browsing import Bench, Heap, Plan, heap
from benchmarks.graphs import recurrent
from benchmarks.machine import describe
from benchmarks.report import Goal, Section, Table, summary
from benchmarks.web_graph import large_graph
from tests.e2e.browser import chromium_path, launch_arguments, serving

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks-web.md"
HEAD = """# Benchmarks of the web app

Written by `npm run bench -- --write` in web/ (or `python -m benchmarks.web --write`). A headless Chromium of 1440x900 without a graphics
card, and the server, on this machine's processors; all traffic is on loopback. Graphs are a recurrent network of scalars written out
(benchmarks/graphs.py), sent by `POST /traces` with the limits of sizes raised.

The other benchmarks: [the engine](benchmarks.md), [the API](benchmarks-api.md)."""
LIMITS = {"RETROGRAD_BODY_BYTES": "30000000", "RETROGRAD_RESPONSE_BYTES": "100000000", "RETROGRAD_COMPUTE_SECONDS": "60"}
SIZES = {2_000: 8.0, 20_000: 16.0}  # nodes: ms of script that a step may take
WARMED = 2  # passes before the heap is read
MEMORY = """\
{stretch} events, half before and half after the loss, are played to and fro, again and again: {before:,} events before the heap is read, in
which comes to be what a film keeps of the numbers looked at, and {after:,} events between the first reading and the second. For each all
garbage is collected, and a snapshot is summed by kinds. What steps would leave behind are objects, texts and arrays: the goal is of these.
The browser's compiled code stands apart. It grows for ten thousand events and more, ever more slowly, as functions that run often are
compiled again for the kinds of values they met; in a browser that only interprets (`--js-flags=--no-opt,--no-maglev,--no-sparkplug`) the
whole heap of the LSTM grew by a thousandth in 2,000 events."""
PLAY = """async ([key, count]) => {
    for (let i = 0; i < count; i++) {
        window.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey: true, bubbles: true}));
        if (i % 5 === 4) await new Promise(requestAnimationFrame);
    }
    await new Promise(requestAnimationFrame);
}"""
WATCH = """new MutationObserver((_, observer) => {
    if (!document.querySelector("[data-testid=play][data-playing=true]")) return;
    window.playsSince = performance.now();  // since the navigation
    observer.disconnect();
}).observe(document, {subtree: true, childList: true, attributeFilter: ["data-playing"]});"""


def opening(bench: Bench) -> Section:
    """From navigation until the first film plays, and the scripts that this takes."""
    times, sizes = [], []
    for _ in range(bench.plan.loads):
        with bench.page(motion=True) as page:
            scripts: list[Response] = []
            page.on("response", lambda response, scripts=scripts: scripts.append(response) if ".js" in response.url else None)
            page.add_init_script(WATCH)
            page.goto(f"{bench.url}/", wait_until="commit")
            page.wait_for_selector("[data-testid=play][data-playing=true]")
            times.append(page.evaluate("window.playsSince / 1000"))
            before = page.evaluate(
                "performance.getEntriesByType('resource').filter((one) => one.startTime < window.playsSince).map((one) => one.name)"
            )
            sizes.append(sum(len(gzip.compress(script.body(), 6)) for script in scripts if script.url in before))
    rows = [["until the film plays, median", f"{statistics.median(times):.2f} s"], ["the slowest", f"{max(times):.2f} s"]]
    text = f"Navigation with an empty cache, {len(times)} times; scripts that are asked for when the film plays already are not counted."
    return Section("The first page", text, [Table(["what", "measured"], rows)], [
        Goal("until the first film plays", statistics.median(times), 1.5, "s"),
        Goal("JavaScript asked for until then, gzipped", max(sizes) / 1000, 200, "kB"),
    ])  # fmt: skip


def long_network(bench: Bench) -> Section:
    """A recurrence of 200 steps."""
    answer = bench.client.get(f"/traces/{bench.make(_lstm(200))}")
    packed = base64.urlsafe_b64encode(json.dumps(answer.json()["program"]).encode()).decode().rstrip("=")
    times = []
    for _ in range(bench.plan.loads):
        with bench.page("#/network") as page:
            page.wait_for_selector("[data-testid=moment]")
            before = page.get_by_test_id("moment").inner_text()
            start = time.perf_counter()
            page.evaluate("hash => { location.hash = hash }", f"#/network?p={packed}")
            page.wait_for_function("text => document.querySelector('[data-testid=moment]')?.innerText !== text", arg=before)
            times.append(time.perf_counter() - start)
    text = "From the link to the film on the stage, the page being open and the trace stored; LSTM, T=200, H=8, batch 1."
    return Section("A long network", text, goals=[Goal("LSTM of 200 steps opens", statistics.median(times), 1.0, "s")])


def memory(bench: Bench) -> Section:
    """The heap before and after many steps are played, of a graph and of a network with its cells open."""
    stretch, passes = bench.plan.stretch, bench.plan.passes
    rows: list[list[str]] = []
    goals: list[Goal] = []
    for what, place, program in (
        ("a graph of 2,000 nodes", "#/expression?v=2", recurrent(2_000)),
        ("an LSTM, T=20, H=8, its cells open", "#/network?v=2&cell=3", _lstm(20)),
    ):
        trace = bench.make(program)
        ops = sum(node["op"] is not None for node in bench.client.get(f"/traces/{trace}").json()["nodes"])
        before, after = _heaps(bench, f"{place}&trace={trace}&at={ops - stretch // 2}")
        for part, first, last in (
            ("objects, texts, arrays", before.data, after.data),
            ("compiled code", before.code, after.code),
            ("the whole", before.whole, after.whole),
        ):
            rows.append([f"{what}: {part}", f"{first:.3f} MB", f"{last:.3f} MB", f"{last / first:.3f} x"])
        growth = f"growth of objects, texts and arrays over {2 * passes * stretch:,} steps played"
        goals.append(Goal(f"{growth}, {what}", after.data / before.data, 1.02))
    text = MEMORY.format(stretch=stretch, before=WARMED * 2 * stretch, after=2 * passes * stretch)
    return Section("Memory", text, [Table(["what", "before", "after", "growth"], rows)], goals)


def _heaps(bench: Bench, address: str) -> tuple[Heap, Heap]:
    """What is held before the passes that count, and after them, at the same event."""
    with bench.page(address) as page:
        page.wait_for_selector("[data-testid=moment]")
        page.wait_for_timeout(1500)
        session = page.context.new_cdp_session(page)
        readings = []
        for passes in (WARMED, bench.plan.passes):
            for _ in range(passes):
                page.evaluate(PLAY, ["ArrowRight", bench.plan.stretch])
                page.evaluate(PLAY, ["ArrowLeft", bench.plan.stretch])
            readings.append(heap(session))
    return readings[0], readings[1]


def _lstm(steps: int) -> dict[str, Any]:
    """The program of one step of an LSTM over so many time steps; H=8, batch 1."""
    values = [[round(((i * 7) % 13) / 6 - 1, 3)] for i in range(steps)]
    sequences = {"kind": "regression", "readout": "last", "examples": [{"values": values, "target": [0.5]}]}
    optimizer = {"name": "sgd", "lr": 0.1}
    return {"kind": "network", "cell": "lstm", "hidden_size": 8, "sequences": sequences, "optimizer": optimizer, "batch_size": 1}


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description="Measures the web app in a headless browser.")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-web.md")
    parser.add_argument("--quick", action="store_true", help="a little of everything: whether it works, not how fast it is")
    chosen = parser.parse_args(given)
    plan = Plan(2, 40, 40, 20, 1) if chosen.quick else Plan(7, 400, 300, 250, 10)
    sections = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), environment={**os.environ, **LIMITS}) as url,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=chromium_path(), args=launch_arguments())
        bench = Bench(url, browser, plan)
        graphs = [functools.partial(large_graph, nodes=nodes, most=most) for nodes, most in SIZES.items()]
        parts: list[Callable[[Bench], Section]] = [opening, long_network, *graphs, memory]
        for measure in parts:
            sections.append(measure(bench))
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
