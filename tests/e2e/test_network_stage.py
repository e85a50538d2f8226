"""Layers and directions, the mean of a batch, one element at a time, breakpoints and the keys: by pointer, keyboard and touch."""

from __future__ import annotations

import random
import re
from typing import Any, Literal

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.trace import Document
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import centre, moment, number, to_end_of_backward, wait_for_film
from tests.e2e.test_accessibility import violations, violations_in_every_theme

STACK: dict[str, Any] = {
    "kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 4, "layers": 2, "bidirectional": True, "batch_size": 8, "seed": 0,
    "step": 4, "example": 3,
}  # fmt: skip
BATCH: dict[str, Any] = {"kind": "network", "task": "surnames", "cell": "rnn", "hidden_size": 4, "batch_size": 6, "seed": 2, "step": 3}
CHAINS = ("l0", "l0_reverse", "l1", "l1_reverse")
EXACT = 1e-12


def make(api: httpx.Client, program: dict[str, Any]) -> Document:
    return Document(api.post("/traces", json={"program": program}).raise_for_status().json())


def open_trace(open_page: OpenPage, document: Document, view: str = "", **settings: Any) -> Page:
    page = open_page(f"#/network?v=2&trace={document.doc['id']}{view}", **settings)
    wait_for_film(page)
    return page


def scope(chain: str, t: int) -> str:
    return f"gru/t={t}" if chain == "l0" else f"gru/{chain}/t={t}"


def labelled(document: Document, scope: str, label: str) -> int:
    (found,) = [node["id"] for node in document.nodes if node["scope"] == scope and node["label"] == label]
    return int(found)


def shown(page: Page) -> dict[str, float]:
    """The numbers of the stage by test id: values on tiles, gradients on lanes."""
    script = """() => Object.fromEntries(
      [...document.querySelectorAll('[data-testid^="tile-"], [data-testid^="lane-"], [data-testid^="open-"]')]
      .filter((one) => one.dataset.value).map((one) => [one.dataset.testid, Number(one.dataset.value)]))"""
    return dict(page.evaluate(script))


def places(document: Document, numbers: dict[str, float], chain: str | None = None) -> list[tuple[str, int, int, float]]:
    """(value or gradient, node, element, number) of what stands on the stage; chain: of an opened cell, whose ids do not name it."""
    found = []
    for name, value in numbers.items():
        closed = re.fullmatch(r"(tile|lane)-(l\d(?:_reverse)?)-h-(\d+)-(\d)", name)
        opened = re.fullmatch(r"(open|open-lane)-([rzn])-(\d+)-(\d)", name)
        if closed:
            kind, own, label, t, i = closed[1] == "lane", closed[2], "h", int(closed[3]), int(closed[4])
            place = scope(own, t)
        elif opened and chain:
            kind, label, t, i = opened[1] == "open-lane", opened[2], int(opened[3]), int(opened[4])
            place = f"{scope(chain, t)}/{label}"
        else:
            continue
        found.append(("gradient" if kind else "value", labelled(document, place, label), i, value))
    return found


def test_200_numbers_of_a_two_layer_bidirectional_gru_are_the_apis(open_page: OpenPage, api: httpx.Client) -> None:
    document = make(api, STACK)
    page = open_trace(open_page, document, width=1920, height=1200)
    to_end_of_backward(page)
    numbers = places(document, shown(page))
    for chain in CHAINS:
        page.get_by_test_id(f"chain-{chain}").click()
        page.get_by_test_id("open-3").click()
        expect(page.get_by_test_id("open-cell")).to_be_visible()
        numbers += places(document, shown(page), chain)
        page.get_by_test_id("level-cell").click()
    assert {document.nodes[node]["scope"].split("/t=")[0] for _, node, _, _ in numbers} == {
        "gru",
        "gru/l0_reverse",
        "gru/l1",
        "gru/l1_reverse",
    }
    sample = random.Random(0).sample(numbers, 200)
    for kind, node, i, value in sample:
        answer = api.get(f"/traces/{document.doc['id']}/nodes/{node}", params={"index": f"0,{i}"}).raise_for_status().json()
        said = answer["value"] if kind == "value" else answer["gradient"]
        assert value == pytest.approx(float(said), rel=0, abs=EXACT), (kind, document.nodes[node]["path"], i)


def test_four_rows_are_seen_at_once_and_the_inspector_says_what_a_tile_of_any_does(open_page: OpenPage, api: httpx.Client) -> None:
    document = make(api, STACK)
    page = open_trace(open_page, document)
    assert page.locator(".scroller").evaluate("(one) => one.scrollHeight - one.clientHeight") <= 2
    shown_at = zoom(page)
    assert 0.7 <= shown_at < 1
    expect(page.get_by_test_id("stage-zoom-reset")).to_have_text(f"{shown_at:.0%}")
    page.get_by_test_id("stride-phase").click()
    page.get_by_test_id("step-forward").click()
    for chain in CHAINS:
        tile = page.get_by_test_id(f"tile-{chain}-h-2-1")
        tile.click()
        assert number(page.get_by_test_id("why-value")) == number(tile)
        assert number(page.get_by_test_id("why-sum")) == pytest.approx(number(tile), abs=1e-9)
        gate = document.value(labelled(document, scope(chain, 2) + "/z", "z"))[0, 1]
        assert f"{100 * gate:.0f}" in page.get_by_test_id("inspector").inner_text()
    to_end_of_backward(page)
    page.get_by_test_id("tab-bptt").click()
    page.wait_for_timeout(200)
    shown_at = zoom(page)  # a taller tray leaves the stage less room
    assert 0.7 <= shown_at < 1
    columns = [(page.get_by_test_id(f"share-{t}"), page.get_by_test_id(f"tile-l1-h-{t}-0")) for t in (2, 3)]
    for larger in (1, 1.25):
        wait_for_zoom(page, f"{shown_at * larger:.4f}"[:4].rstrip("0"))
        for share, tile in columns:
            assert centre(share) == pytest.approx(centre(tile), abs=1), f"the tray's columns are not under those of the stage at {larger}"
        page.get_by_test_id("stage-zoom-in").click()


def test_the_reverse_direction_runs_the_other_way_and_back(open_page: OpenPage, api: httpx.Client) -> None:
    document = make(api, STACK)
    steps = document.doc["batch"]["examples"][0]["length"]
    page = open_trace(open_page, document, height=1200)
    for _ in range(steps):
        page.get_by_test_id("step-forward").click()
    expect(page.get_by_test_id(f"tile-l0_reverse-h-{steps}-0")).to_be_disabled()
    page.get_by_test_id("step-forward").click()
    expect(page.get_by_test_id(f"tile-l0_reverse-h-{steps}-0")).to_be_enabled()
    expect(page.get_by_test_id(f"tile-l0_reverse-h-{steps - 1}-0")).to_be_disabled()
    to_end_of_backward(page)
    # the gradient of the reverse chain goes from step 1 to the last one; its factors are the ratios of norms
    for t in (1, 2):
        hop = number(page.get_by_test_id(f"hop-l1_reverse-h-{t}"))
        norms = [np.linalg.norm(document.gradient(labelled(document, scope("l1_reverse", step), "h"))) for step in (t, t + 1)]
        assert hop == pytest.approx(norms[1] / norms[0], rel=1e-12)
    expect(page.get_by_test_id("hop-l0-h-2")).to_have_count(0)  # what comes back there is of the layer above, too


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_the_tray_and_the_opened_cell_show_the_chosen_layer(open_page: OpenPage, api: httpx.Client, locale: str) -> None:
    document = make(api, STACK)
    page = open_trace(open_page, document, locale=locale, height=1200)
    to_end_of_backward(page)
    page.get_by_test_id("tab-gradient").click()
    for chain in ("l0_reverse", "l1"):
        page.get_by_test_id(f"chain-{chain}").click()
        norm = float(np.linalg.norm(document.gradient(labelled(document, scope(chain, 2), "h"))))
        assert number(page.get_by_test_id("gradient-h-2")) == pytest.approx(norm, rel=1e-12)
    box = page.get_by_test_id("cell-l0-3").bounding_box()
    assert box
    page.mouse.click(box["x"] + 4, box["y"] + 4)
    card = page.get_by_test_id("open-cell").bounding_box()
    assert card
    assert card["x"] <= box["x"] + 4 <= card["x"] + card["width"], "the opened card is not under the pointer"
    expect(page.get_by_test_id("show-l0")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("show-l0_reverse").click()
    r = document.value(labelled(document, scope("l0_reverse", 3) + "/r", "r"))
    assert number(page.get_by_test_id("open-r-3-2")) == pytest.approx(r[0, 2], abs=EXACT)


def test_the_mean_of_a_batch_is_the_mean_of_its_values_and_the_sum_of_its_gradients(open_page: OpenPage, api: httpx.Client) -> None:
    document = make(api, BATCH)
    page = open_trace(open_page, document)
    to_end_of_backward(page)
    rows = len(document.doc["batch"]["examples"])
    expect(page.get_by_test_id("example-shown")).to_have_text(f"example 1 of {rows}")
    page.get_by_test_id("example-next").click()
    expect(page.get_by_test_id("example-shown")).to_have_text(f"example 2 of {rows}")
    h = labelled(document, "rnn/t=1", "h")
    assert number(page.get_by_test_id("tile-h-1-2")) == document.value(h)[1, 2]
    page.get_by_test_id("mean").click()
    expect(page.get_by_test_id("mean-says")).to_contain_text(str(rows))
    expect(page.get_by_test_id("mean-means")).to_contain_text("sum over the examples")
    gradient = document.gradient(h)
    assert gradient is not None
    for i in range(4):
        assert number(page.get_by_test_id(f"tile-h-1-{i}")) == pytest.approx(document.value(h)[:, i].mean(), abs=EXACT)
        assert number(page.get_by_test_id(f"lane-h-1-{i}")) == pytest.approx(gradient[:, i].sum(), abs=EXACT)
    expect(page.get_by_test_id("tile-h-1-2")).to_be_disabled()  # none of the record's numbers
    expect(page.get_by_test_id("level-scalar")).to_be_disabled()
    page.get_by_test_id("mean").click()
    expect(page.get_by_test_id("example-shown")).to_have_text(f"example 2 of {rows}")


def test_one_element_by_keyboard(open_page: OpenPage, api: httpx.Client) -> None:
    document = make(api, {**BATCH, "hidden_size": 16, "example": 0})
    page = open_trace(open_page, document)
    to_end_of_backward(page)
    page.get_by_test_id("level-scalar").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("scalar")).to_be_visible()
    page.get_by_test_id("navigate-2").focus()
    page.keyboard.press("Enter")
    first = int(page.get_by_test_id("crumb-element").inner_text()[2:-1])  # of the unit that counts most
    step = "unit-next" if first < 3 else "unit-previous"
    page.get_by_test_id(step).focus()
    for _ in range(abs(3 - first)):
        page.keyboard.press("Enter")
    expect(page.get_by_test_id("crumb-element")).to_have_text("h[3]")
    h, W = labelled(document, "rnn/t=2", "h"), document.node("rnn.weight_hh_l0")["id"]
    gradient = document.gradient(h)
    assert gradient is not None
    assert number(page.get_by_test_id("scalar-value")) == document.value(h)[0, 3]
    assert number(page.get_by_test_id("scalar-gradient")) == gradient[0, 3]
    for j in (0, 15):
        assert number(page.get_by_test_id(f"scalar-W-{j}")) == document.value(W)[3, j]
        assert number(page.get_by_test_id(f"scalar-column-{j}")) == document.value(W)[j, 3]
    forward, back = page.get_by_role("region", name="forward"), page.get_by_role("region", name="backward")
    expect(back).to_contain_text("13 others")
    expect(forward.get_by_test_id(re.compile("^why-row-"))).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("level-cell")).to_have_attribute("aria-pressed", "true")


def test_playing_stops_at_a_breakpoint_set_by_a_key(open_page: OpenPage, api: httpx.Client) -> None:
    document = make(api, {**BATCH, "example": 0})
    events = document.doc["events"]
    h = labelled(document, "rnn/t=2", "h")
    touching = [k + 1 for k, (node, target) in enumerate(zip(events["node"], events["target"], strict=True)) if h in (node, target)]
    page = open_trace(open_page, document)
    page.get_by_test_id("stride-phase").click()
    page.get_by_test_id("step-forward").click()
    page.get_by_test_id("tile-h-2-0").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("k")
    expect(page.get_by_test_id("break")).to_have_attribute("aria-pressed", "true")
    assert page.get_by_test_id("ruler-break").count() >= 2
    page.get_by_test_id("speed").select_option("4")
    page.get_by_test_id("moment").click()  # away from the menu, whose keys are its own
    page.locator("body").press("Home")
    for at in touching[:2]:
        page.locator("body").press(" ")
        expect(page.get_by_test_id("moment")).to_contain_text(re.compile(rf"^{at}\b"), timeout=20_000)
        expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "false")
    page.get_by_test_id("breaks").click()
    expect(page.get_by_test_id("break-list")).to_contain_text(document.nodes[h]["path"])
    page.get_by_test_id("break-clear").click()
    expect(page.get_by_test_id("ruler-break")).to_have_count(0)
    page.reload()
    wait_for_film(page)
    expect(page.get_by_test_id("speed")).to_have_value("4")


def test_a_key_darkens_the_screen_and_any_key_of_the_film_brings_it_back(page: Page) -> None:
    wait_for_film(page)
    for key in ("b", "."):
        page.keyboard.press(key)
        expect(page.get_by_test_id("blank")).to_be_visible()
        page.keyboard.press(key)
        expect(page.get_by_test_id("blank")).to_have_count(0)
    page.keyboard.press("Home")
    page.keyboard.press("b")
    page.keyboard.press("PageDown")
    expect(page.get_by_test_id("blank")).to_have_count(0)
    assert moment(page)[0] > 0
    page.keyboard.press("b")
    page.get_by_test_id("blank").click()
    expect(page.get_by_test_id("blank")).to_have_count(0)


def test_by_touch(browser: Browser, url: str, api: httpx.Client) -> None:
    document = make(api, BATCH)
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce", locale="en-US"
    )
    page = context.new_page()
    try:
        page.goto(f"{url}/#/network?v=2&trace={document.doc['id']}")
        wait_for_film(page)
        expect(page.get_by_test_id("tab-bptt")).to_be_visible(timeout=60_000)  # what comes after the first picture moves the ruler
        page.wait_for_load_state("networkidle")
        page.get_by_test_id("ruler").evaluate("(ruler) => ruler.scrollIntoView({ block: 'start' })")  # above the sheet
        ruler = page.get_by_test_id("ruler").bounding_box()
        assert ruler
        y, touch = ruler["y"] + 16, page.context.new_cdp_session(page)
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": ruler["x"] + 30, "y": y}]})
        seen = [moment(page)[0]]
        for part in (0.4, 0.7, 0.95):
            touch.send(
                "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": ruler["x"] + part * ruler["width"], "y": y}]}
            )
            page.wait_for_timeout(60)
            seen.append(moment(page)[0])
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert seen == sorted(set(seen)), "the film did not follow the finger"
        page.get_by_test_id("mean").tap()
        expect(page.get_by_test_id("mean")).to_have_attribute("aria-pressed", "true")
        page.get_by_test_id("mean").tap()
        page.get_by_test_id("example-next").tap()
        expect(page.get_by_test_id("example-shown")).to_have_text(re.compile("example 2 of"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        context.close()


def test_a_row_of_a_digit_is_lit_and_a_series_has_its_years(open_page: OpenPage, api: httpx.Client) -> None:
    digits = make(api, {**BATCH, "task": "digits", "hidden_size": 10, "example": 5})
    page = open_trace(open_page, digits)
    for row in (1, 2, 3):
        page.get_by_test_id("step-forward").click()
        expect(page.get_by_test_id("row-lit")).to_have_attribute("data-row", str(row))
    tile = page.get_by_test_id("tile-h-2-4")
    tile.hover()
    value = f"{number(tile):+.2f}".replace("-", "\u2212")
    assert tile.evaluate("(one) => getComputedStyle(one, '::after').content") == f'"{value}"'
    years = make(api, {**BATCH, "task": "sunspots", "example": 5})
    first = int(years.doc["batch"]["examples"][0]["text"].split("\u2013")[0])
    page = open_trace(open_page, years)
    for t in (1, 4):
        expect(page.get_by_test_id(f"label-{t}")).to_have_text(str(first + t - 1))
    expect(page.get_by_test_id("prediction-1")).to_be_visible()
    expect(page.get_by_test_id("prediction-1")).not_to_contain_text("no loss")  # every step has one


def test_axe_finds_nothing_serious_in_any_state(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_trace(open_page, make(api, STACK), locale="zh-CN")
    to_end_of_backward(page)
    for level in ("cell", "vector", "scalar"):
        page.get_by_test_id(f"level-{level}").click()
        page.get_by_test_id("breaks").click()
        # neighbours of the opened cell are dimmed on purpose; undimmed they are reached by pointing at them
        page.evaluate("document.querySelectorAll('.dimmed').forEach((one) => one.classList.remove('dimmed'))")
        assert violations_in_every_theme(page) == [], level
        page.keyboard.press("Escape")
        page.get_by_test_id("stage-zoom-in").click()
        assert violations(page) == [], f"{level}, larger"
        page.keyboard.press("0")
    page = open_trace(open_page, make(api, BATCH))
    to_end_of_backward(page)
    page.get_by_test_id("mean").click()
    assert violations_in_every_theme(page) == [], "mean"


def test_a_film_of_200_steps_opens_in_a_second(open_page: OpenPage, api: httpx.Client) -> None:
    numbers = random.Random(1)
    values = [[numbers.random(), float(t in (20, 150))] for t in range(200)]
    sequences = {"kind": "regression", "examples": [{"values": values, "target": [1.0]}]}
    document = make(api, {"kind": "network", "cell": "lstm", "hidden_size": 16, "example": 0, "sequences": sequences})
    page = open_page("#/expression")
    wait_for_film(page)
    script = """async (address) => {
      const start = performance.now();
      location.hash = address;
      await new Promise((seen) => {
        const watch = new MutationObserver(() => {
          if (!document.querySelector('[data-testid="cell-1"]')) return;
          watch.disconnect();
          requestAnimationFrame(() => setTimeout(seen, 0));
        });
        watch.observe(document.body, { childList: true, subtree: true });
      });
      return performance.now() - start;
    }"""
    taken = page.evaluate(script, f"#/network?v=2&trace={document.doc['id']}")
    assert taken < 3_000, f"{taken:.0f} ms; a quiet machine takes about 500"  # slack for machines that do other things meanwhile
    assert page.get_by_test_id(re.compile(r"^cell-\d+$")).count() < 20, "columns out of sight are drawn"


# -- how large the stage is shown -----------------------------------------------------------------------


def zoom(page: Page) -> float:
    return float(page.get_by_test_id("stage-shown").evaluate("(shown) => shown.style.zoom"))


def middle(page: Page, testid: str) -> tuple[float, float, float]:
    """The middle of what is shown, and its width, in pixels of the screen."""
    box = page.get_by_test_id(testid).bounding_box()
    assert box is not None, f"{testid} is not shown"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def turn(page: Page, x: float, y: float, by: float) -> None:
    """The wheel with Ctrl, over (x, y); up (negative) is larger."""
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, by)
    page.keyboard.up("Control")


def wait_for_zoom(page: Page, wanted: str) -> None:
    expect(page.get_by_test_id("stage-shown")).to_have_attribute("style", re.compile(rf"zoom: {wanted}"))


@pytest.mark.parametrize(("locale", "motion"), [("en-US", "reduce"), ("zh-CN", "no-preference")])
def test_wheel_keys_and_buttons_zoom_around_what_is_looked_at(
    open_page: OpenPage, api: httpx.Client, locale: str, motion: Literal["reduce", "no-preference"]
) -> None:
    document = make(api, STACK)
    page = open_trace(open_page, document, width=1280, height=720, locale=locale, reduced_motion=motion)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("step-back").click()
    page.keyboard.press("0")
    address = page.url
    caption = page.get_by_test_id("caption").bounding_box()
    page.get_by_test_id("tile-l1-h-2-1").scroll_into_view_if_needed()
    x, y, width = middle(page, "tile-l1-h-2-1")
    turn(page, x, y, -150)
    wait_for_zoom(page, r"1\.[1-9]")
    now = middle(page, "tile-l1-h-2-1")
    assert now[:2] == pytest.approx((x, y), abs=2.5), "what lies under the pointer has gone elsewhere"
    assert now[2] == pytest.approx(width * zoom(page), rel=0.02)
    assert page.evaluate("[visualViewport.scale, devicePixelRatio]") == [1, 1], "the page was zoomed, not the stage"
    assert page.get_by_test_id("caption").bounding_box() == caption
    # the names at the left stay at the left, as large as the rest
    page.locator(".scroller").evaluate("(scroller) => (scroller.scrollLeft = 500)")
    left = page.locator("section.stage").bounding_box()
    gutter = page.locator(".gutter").bounding_box()
    assert left is not None
    assert gutter is not None
    assert gutter["x"] == pytest.approx(left["x"], abs=1)
    # a wheel without Ctrl scrolls
    before = zoom(page)
    top = page.locator(".scroller").evaluate("(scroller) => scroller.scrollTop")
    page.mouse.wheel(0, 120)
    page.wait_for_function("(top) => document.querySelector('.scroller').scrollTop > top", arg=top)
    assert zoom(page) == before
    # keys, and what is pressed
    page.keyboard.press("0")
    wait_for_zoom(page, "1;")
    page.keyboard.press("-")
    wait_for_zoom(page, r"0\.8;")
    expect(page.get_by_test_id("stage-zoom-reset")).to_have_text("80%")
    page.keyboard.press("+")
    wait_for_zoom(page, "1;")
    page.get_by_test_id("stage-zoom-fit").click()
    wait_for_zoom(page, r"0\.[4-9]")
    sizes = page.locator(".scroller").evaluate("(one) => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight]")
    assert max(sizes) <= 2, f"not all of it is seen: {sizes}"
    page.get_by_test_id("stage-zoom-reset").click()
    wait_for_zoom(page, "1;")
    assert page.get_by_test_id("level-cell").get_attribute("aria-pressed") == "true"
    assert page.url == address, "looking closer made another link"
    page.get_by_test_id("help").click()
    page.get_by_test_id("help-keys").click()
    expect(page.get_by_test_id("glossary")).to_contain_text("恢复原大小" if locale == "zh-CN" else "the usual size")


def test_the_focus_is_seen_and_hit_however_large_the_stage_is(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_trace(open_page, make(api, {**STACK, "hidden_size": 16}), width=1280, height=720)
    page.get_by_test_id("to-end").click()
    page.keyboard.press("0")
    for _ in range(5):
        page.get_by_test_id("stage-zoom-in").click()
    wait_for_zoom(page, r"3\.0")
    assert page.get_by_test_id("level-cell").get_attribute("aria-pressed") == "true"  # rows of 6 px are below 32
    texture = page.get_by_test_id("texture-l0-h-4")
    texture.focus()
    box, stage = texture.bounding_box(), page.locator(".scroller").bounding_box()
    assert box is not None
    assert stage is not None
    assert box["x"] < stage["x"] + stage["width"]
    assert box["x"] + box["width"] > stage["x"]
    assert box["y"] < stage["y"] + stage["height"]
    texture.click(position={"x": 20, "y": box["height"] - 4})  # the last of its rows
    expect(page.get_by_test_id("why-value")).to_have_attribute("data-value", re.compile(r"\d"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.get_by_test_id("share").click()
    page.keyboard.press("Escape")


def test_a_cell_whose_tiles_pass_32_pixels_opens_under_the_pointer_and_closes_again(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_trace(open_page, make(api, {**BATCH, "example": 0}))
    page.keyboard.press("Home")
    x, y, _ = middle(page, "tile-h-3-1")
    turn(page, x, y, -150)
    expect(page.get_by_test_id("level-vector")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("navigate-3")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".crumbs b")).to_have_text("t = 3")
    box = page.get_by_test_id("open-cell").bounding_box()
    assert box is not None
    assert box["x"] < x < box["x"] + box["width"]
    turn(page, x, y, 300)
    expect(page.get_by_test_id("level-cell")).to_have_attribute("aria-pressed", "true")
    assert zoom(page) <= 1
    page.keyboard.press("0")
    page.keyboard.press("+")
    expect(page.get_by_test_id("level-vector")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("0")  # the way back from an opening by accident is one key
    expect(page.get_by_test_id("level-cell")).to_have_attribute("aria-pressed", "true")
    wait_for_zoom(page, "1;")
    # who wants large closed cells says so once
    page.keyboard.press("+")
    page.get_by_test_id("level-cell").click()
    page.keyboard.press("+")
    wait_for_zoom(page, r"1\.5")
    expect(page.get_by_test_id("level-cell")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("0")
    # opened by hand it is shown small or large, and stays open
    page.get_by_test_id("open-2").click()
    for _ in range(3):
        page.keyboard.press("-")
    wait_for_zoom(page, r"0\.5")
    expect(page.get_by_test_id("level-vector")).to_have_attribute("aria-pressed", "true")


def test_a_level_does_not_change_while_the_film_plays(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_trace(open_page, make(api, {**BATCH, "example": 0}), reduced_motion="no-preference")
    page.locator("body").press("Home")
    page.get_by_test_id("play").click()
    page.keyboard.press("+")
    page.keyboard.press("+")
    wait_for_zoom(page, r"1\.5")
    expect(page.get_by_test_id("level-cell")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "true")
    page.get_by_test_id("play").click()
    page.keyboard.press("+")
    expect(page.get_by_test_id("level-vector")).to_have_attribute("aria-pressed", "true")


def test_the_mouse_drags_a_large_stage_and_presses_nothing(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_trace(open_page, make(api, STACK), width=1280, height=720)
    page.get_by_test_id("to-end").click()
    page.locator(".scroller").evaluate("(one) => one.scrollTo(0, 0)")
    chosen = page.get_by_test_id("inspector").inner_text()
    x, y, _ = middle(page, "tile-l1-h-3-1")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 30, steps=4)
    page.mouse.move(x - 120, y - 60, steps=4)
    page.mouse.up()
    now = middle(page, "tile-l1-h-3-1")
    assert now[:2] == pytest.approx((x - 120, y - 60), abs=3)
    assert page.get_by_test_id("inspector").inner_text() == chosen


@pytest.mark.parametrize(("locale", "motion"), [("en-US", "reduce"), ("zh-CN", "no-preference")])
def test_two_fingers_zoom_and_move_the_stage(
    browser: Browser, url: str, api: httpx.Client, locale: str, motion: Literal["reduce", "no-preference"]
) -> None:
    document = make(api, STACK)
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion=motion, locale=locale
    )
    page = context.new_page()
    try:
        page.goto(f"{url}/#/network?v=2&trace={document.doc['id']}")
        wait_for_film(page)
        expect(page.get_by_test_id("tab-bptt")).to_be_visible(timeout=60_000)  # what comes after the first picture moves the stage
        page.wait_for_load_state("networkidle")
        page.get_by_test_id("to-end").tap()
        page.wait_for_timeout(500)  # what the film's end has set moving has come to rest
        tile = "tile-l1_reverse-h-2-1"
        page.wait_for_function(
            """tile => {
              for (const one of [window, document.querySelector('.scroller')]) one.scrollTo({ left: 0, top: 0, behavior: 'instant' });
              return document.querySelector(`[data-testid="${tile}"]`) !== null;
            }""",
            arg=tile,
        )
        screen = context.new_cdp_session(page)

        def touch(kind: str, *places: tuple[float, float]) -> None:
            points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
            screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        x, y, width = middle(page, tile)
        transport = page.get_by_test_id("play").bounding_box()
        touch("touchStart", (x - 30, y), (x + 30, y))
        for apart in (36, 42, 48):
            touch("touchMove", (x - apart, y), (x + apart, y))
        touch("touchEnd")
        wait_for_zoom(page, r"1\.[5-7]")
        now = middle(page, tile)
        assert now[2] == pytest.approx(width * 1.6, rel=0.05)
        assert now[:2] == pytest.approx((x, y), abs=4), "what lies between the fingers has gone elsewhere"
        touch("touchStart", (x - 30, y), (x + 30, y))
        for by in (15, 30, 45):
            touch("touchMove", (x - 30 - by, y - by), (x + 30 - by, y - by))
        touch("touchEnd")
        moved = middle(page, tile)
        assert moved[:2] == pytest.approx((now[0] - 45, now[1] - 45), abs=4)
        assert page.evaluate("visualViewport.scale") == 1, "the page was zoomed, not the stage"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.get_by_test_id("play").bounding_box() == transport
        page.get_by_test_id("stage-zoom").tap()  # one tap back
        wait_for_zoom(page, "1;")
        page.get_by_test_id("stage-zoom").tap()  # now it brings what one finger can zoom with
        page.get_by_test_id("stage-zoom-out").tap()
        wait_for_zoom(page, r"0\.8;")
        page.locator(".scroller").evaluate("(one) => one.scrollTo({ left: 0, top: one.scrollHeight, behavior: 'instant' })")
        ground = page.evaluate(GROUND)
        page.touchscreen.tap(*ground)
        page.touchscreen.tap(*ground)
        wait_for_zoom(page, "1;")
        expect(page.get_by_test_id("stage-zoom-in")).to_be_visible()
        assert violations(page) == []
    finally:
        context.close()


def test_playing_on_a_phone_follows_the_cell_and_leaves_a_scroll_by_hand_alone(browser: Browser, url: str, api: httpx.Client) -> None:
    document = make(api, STACK)
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce", locale="en-US"
    )
    page = context.new_page()
    try:
        page.goto(f"{url}/#/network?v=2&trace={document.doc['id']}")
        wait_for_film(page)
        page.locator("body").press("Home")
        for _ in range(10):
            page.locator("body").press("ArrowRight")
            if page.get_by_test_id("ring-done").count() == 0:
                continue
            ring, stage = page.get_by_test_id("ring-done").bounding_box(), page.locator(".scroller").bounding_box()
            assert ring is not None
            assert stage is not None
            middle_of_ring = (ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
            assert stage["x"] < middle_of_ring[0] < stage["x"] + stage["width"], "the cell of the film is beside the stage"
            assert stage["y"] < middle_of_ring[1] < stage["y"] + stage["height"], "the cell of the film is above or below the stage"
        page.get_by_test_id("speed").select_option("0.5")
        page.locator("body").press("Home")
        page.get_by_test_id("play").tap()
        page.locator(".scroller").evaluate("""(one) => {
          one.dispatchEvent(new Event("touchmove", { bubbles: true }));
          one.scrollTo({ left: 300, top: 0, behavior: "instant" });
        }""")
        begun = moment(page)[0]
        page.wait_for_function("(from) => Number(document.querySelector('[data-testid=moment] b').textContent) > from + 40", arg=begun)
        assert page.locator(".scroller").evaluate("(one) => [one.scrollLeft, one.scrollTop]") == [300, 0]
        page.get_by_test_id("play").tap()
        page.locator("body").press("ArrowRight")
        page.wait_for_function(
            "() => { const one = document.querySelector('.scroller'); return one.scrollLeft !== 300 || one.scrollTop !== 0 }"
        )
    finally:
        context.close()


GROUND = """() => {
  const { left, top, right, bottom } = document.querySelector(".scroller").getBoundingClientRect();
  const pressed = [...document.querySelectorAll(".scroller :is(button, input)")].map((one) => one.getBoundingClientRect());
  // on a phone what plays the film, and its sentence, lie over the end of a long stage
  const over = ["[data-transport]", "main.stage footer"].map((one) => document.querySelector(one).getBoundingClientRect().top);
  const end = Math.min(bottom, ...over);
  for (let y = end - 12; y > top + 12; y -= 6) for (let x = left + 12; x < right - 12; x += 6) {
    if (pressed.every((box) => x < box.left - 16 || x > box.right + 16 || y < box.top - 16 || y > box.bottom + 16)) return [x, y];
  }
  throw new Error("no ground on the stage");
}"""
"""A place of the stage on which nothing can be pressed, nor near it (a finger is as wide as a button)."""
