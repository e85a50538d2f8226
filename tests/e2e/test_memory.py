"""A film that is played for long leaves nothing behind: no element, no listener, and no heap that grows with the steps."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest
from playwright.sync_api import CDPSession, Page

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import moment, wait_for_film

STEPS = 400
# Forward and back over the whole film, a frame now and then, from its start to its start
PLAY = """async (count) => {
    const press = (key) => window.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey: true, bubbles: true}));
    for (let i = 0; i < count; i++) {
        press(i < count / 2 ? "ArrowRight" : "ArrowLeft");
        if (i % 10 === 9) await new Promise(requestAnimationFrame);
    }
}"""


class Held(NamedTuple):
    nodes: int
    listeners: int
    heap: float  # bytes


def held(session: CDPSession) -> Held:
    """What the page holds when all garbage is collected, detached elements included."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    counts = session.send("Memory.getDOMCounters")
    return Held(counts["nodes"], counts["jsEventListeners"], session.send("Runtime.getHeapUsage")["usedSize"])


def play(page: Page) -> None:
    page.evaluate(PLAY, STEPS)
    assert moment(page)[0] == 0, "the film did not go back to where it began"


@pytest.mark.parametrize(
    "address",
    ["#/network?v=2&cell=2", *(f"#/network?v=2&tab={tab}" for tab in ("bptt", "pairs", "parameters", "histograms")), "#/expression"],
    ids=["open-cells", "bptt", "pairs", "parameters", "histograms", "expression"],
)
def test_many_steps_leave_nothing_behind(open_page: OpenPage, address: str) -> None:
    page = open_page(address)
    wait_for_film(page)
    page.keyboard.press("Home")
    session = page.context.new_cdp_session(page)
    play(page)  # what a film keeps of each number is kept once
    passes = [held(session)]
    for _ in range(3):
        play(page)
        passes.append(held(session))
    # Something may still come late or be compiled once; what leaks grows in every pass
    nodes, listeners, heap = (min(after[i] - before[i] for before, after in pairwise(passes)) for i in range(3))
    assert nodes < STEPS / 20, passes
    assert listeners < STEPS / 100, passes
    assert heap < 1e6, passes
