"""Large graphs in the page: steps and frames, and the same drawing by Cytoscape.js beside them."""

from __future__ import annotations

import statistics

from playwright.sync_api import Page

from benchmarks import cytoscape
from benchmarks.browsing import Bench, frames, p95, steps
from benchmarks.graphs import recurrent
from benchmarks.report import Goal, Section, Table

SIZES = (0.0, 0.1, 0.4, 1.0)  # of the drawing on the screen; 0: all in view
REST = "() => () => undefined"
MOVE = """() => {
    const host = document.querySelector("[data-testid=graph-view]"), box = host.getBoundingClientRect();
    const at = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true};
    return (i) => {
        const zooms = i % 4 === 3;
        const deltaY = zooms ? (i % 8 === 3 ? -20 : 20) : 0, deltaX = zooms ? 0 : (i % 60 < 30 ? 25 : -25);
        host.dispatchEvent(new WheelEvent("wheel", {...at, deltaX, deltaY, ctrlKey: zooms}));
    };
}"""
PRESS = '() => window.dispatchEvent(new KeyboardEvent("keydown", {key: "KEY", shiftKey: true, bubbles: true}))'
DRAWN = """async (hash) => {
    const canvas = () => document.querySelector("[data-testid=graph-canvas]");
    const frame = () => new Promise(requestAnimationFrame);
    const start = performance.now();
    location.hash = hash;
    while (!canvas()) await frame();
    await frame();
    await frame();
    return performance.now() - start;
}"""
TEXT = """\
{nodes:,} nodes as cards, none in closed groups. A step is one event, by its key; its time is the processor's.

Beside it Cytoscape.js {version}, a library for graphs that draws on a canvas as this page does; one that draws by WebGL would measure a
graphics card, which is not there. It gets the same cards at the same places and the same lines, straight, and the names; not the values,
gradients and their colours, so that it has less to draw. *Until drawn* is from asking for the data, the pages being open: Retrograd reads
a whole trace and places its cards too, Cytoscape.js reads the places only. A step of Cytoscape.js takes the mark from one node and its
edges and gives it to the next; one of Retrograd is an event of the film with its values and its caption, in the slower way; of both, all
time that the page's main thread takes is counted. While one moves the drawing, three frames of four are panned and one is zoomed.
*textureOnViewport* is the setting with which Cytoscape.js then moves a picture of the drawing, as Retrograd does with a crowded one. A
ratio is to the better of the two columns; a frame never takes less than a sixtieth of a second, of either. No measurement takes more
than 8 s, so that slow ones have fewer steps and frames."""
SAME = 1.1  # of frames: where both keep up with the screen, only chance is between them
VIEW = "(({width, height}) => ({width, height}))(document.querySelector('[data-testid=graph-view]').getBoundingClientRect())"
KEYS = {"back": "ArrowLeft", "forward": "ArrowRight"}


def large_graph(bench: Bench, nodes: int, most: float) -> Section:
    """Steps and frames in a graph drawn whole. most: ms of script that a step may take."""
    trace = bench.make(recurrent(nodes))
    address = f"#/expression?trace={trace}"
    with bench.page(address) as page:
        page.wait_for_selector("[data-testid=graph-canvas]")
        page.wait_for_timeout(1500)
        size = page.evaluate(VIEW)
        ways = {way: steps(page, PRESS.replace("KEY", key), bench.plan.steps) for way, key in KEYS.items()}
        moved = {size: _moved(page, size, bench.plan.frames) for size in SIZES}
        rest = p95(frames(page, REST, bench.plan.frames))
    document = bench.client.get(f"/traces/{trace}").json()
    with cytoscape.drawing(document, size) as drawing:
        peers = {
            name: cytoscape.measure(bench, drawing, options, SIZES, len(document["nodes"])) for name, options in cytoscape.SETTINGS.items()
        }
        ours, theirs = _drawn(bench, address, drawing)
    rows = [[f"a step {way}, mean", f"{step.script:.2f} ms of script"] for way, step in ways.items()]
    rows += [[f"a frame while moving, {_size(at)}, p95", f"{time:.1f} ms"] for at, time in moved.items()]
    rows.append(["a frame of the page at rest, p95", f"{rest:.1f} ms"])
    beside = _Beside(list(peers))
    beside.add("until drawn, median", ours, theirs, "s", f"until drawn, {nodes:,} nodes", 1)
    slower = max(step.whole for step in ways.values())
    beside.add("a step, mean", slower, [peer.step.whole for peer in peers.values()], "ms", f"a step, {nodes:,} nodes", 1)
    for at, time in moved.items():
        goal = f"a frame while moving, {nodes:,} nodes, {_size(at)}"
        beside.add(f"a frame while moving, {_size(at)}, p95", time, [peer.frames[at] for peer in peers.values()], "ms", goal, SAME)
    text = TEXT.format(nodes=nodes, version=cytoscape.version())
    return Section(f"A graph of {nodes:,} nodes", text, [Table(["what", "measured"], rows), beside.table()], [
        Goal(f"a step at {nodes:,} nodes, either way", max(step.script for step in ways.values()), most, "ms"),
        Goal(f"a frame of panning and zooming at {nodes:,} nodes, p95", max(moved.values()), 20, "ms"),
        *beside.goals,
    ])  # fmt: skip


class _Beside:
    """The table of both, and the goals of their ratios."""

    def __init__(self, peers: list[str]) -> None:
        self.peers, self.rows = peers, list[list[str]]()
        self.goals = list[Goal]()

    def add(self, what: str, ours: float, theirs: list[float], unit: str, goal: str, most: float) -> None:
        digits = 2 if unit == "s" else 1
        ratio = ours / min(theirs)
        self.rows.append([what, *(f"{time:.{digits}f} {unit}" for time in (ours, *theirs)), f"{ratio:.2f}"])
        self.goals.append(Goal(f"Retrograd / Cytoscape.js: {goal}", ratio, most))

    def table(self) -> Table:
        return Table(["what", "Retrograd", *(f"Cytoscape.js, {name}" for name in self.peers), "Retrograd / Cytoscape.js"], self.rows)


def _size(size: float) -> str:
    return f"{size:.0%} of its size" if size else "all in view"


def _moved(page: Page, size: float, count: int) -> float:
    """p95 of the times between frames, in ms, while the drawing is moved by the wheel and its size is changed a little in turns."""
    page.get_by_test_id("zoom-fit").click()
    page.wait_for_timeout(300)
    view = page.get_by_test_id("graph-view")
    zoom = """() => {
        const host = document.querySelector("[data-testid=graph-view]"), box = host.getBoundingClientRect();
        const at = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true};
        host.dispatchEvent(new WheelEvent("wheel", {...at, deltaY: -120, ctrlKey: true}));
    }"""
    while float(view.get_attribute("data-k") or 1) < size:
        page.evaluate(zoom)
        page.wait_for_timeout(20)
    page.wait_for_timeout(600)
    return p95(frames(page, MOVE, count))


def _drawn(bench: Bench, address: str, drawing: cytoscape.Drawing) -> tuple[float, list[float]]:
    """Seconds until the graph is drawn, medians: by Retrograd, and by the peer in each of its settings. In turns, on fresh pages."""
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in cytoscape.SETTINGS}
    for _ in range(bench.plan.loads):
        with bench.page("#/expression") as page:
            page.wait_for_selector("[data-testid=moment]")
            ours.append(float(page.evaluate(DRAWN, address)) / 1e3)
        for name, options in cytoscape.SETTINGS.items():
            with bench.page(drawing.url) as page:
                theirs[name].append(drawing.draw(page, options))
    return statistics.median(ours), [statistics.median(times) for times in theirs.values()]
