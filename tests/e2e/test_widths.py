"""From 360 to 2560 px: no page scrolls sideways, nothing is cut, fingers find what they press; the stage answers to drag and pinch."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, wait_for_film

SEVERAL = {"#/train?runs=": "train-view-compare", "#/train?sweep=new": "sweep-start", "#/train?landscape=": "landscape-draw"}
"""Views of several runs, and what is there when they are."""

PAGES = ["#/network", "#/expression", "#/train", *SEVERAL, "#/compare", "#/nowhere"]

CUT = """() => {
  const scrolls = (e) => {
    for (let p = e; p; p = p.parentElement) if (["auto", "scroll"].includes(getComputedStyle(p).overflowX)) return true;
    return false;
  };
  return [...document.querySelectorAll("header.top *, main h1, main .seg button, main p, aside button, aside h2, .transport button")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".sr-only, [popover], svg") && !scrolls(e))
    .filter((e) => { const b = e.getBoundingClientRect(); return b.width > 0 && (b.left < -1 || b.right > innerWidth + 1) })
    .map((e) => `${e.tagName} ${e.dataset.testid ?? e.className} ${e.textContent.trim().slice(0, 30)}`)
}"""
"""Elements that reach over the sides of the window, where nothing can be scrolled to see the rest."""

SMALL = """() => [...document.querySelectorAll(
    ".top :is(button, a), .seg button, .transport :is(button, select), .tray nav button, .menu > *, .button, " +
    ".program :is(button, select, input:not([type=checkbox]))")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".sr-only") && !e.matches(".brand"))
  .map((e) => [e.dataset.testid ?? e.className, e.getBoundingClientRect()])
  .filter(([, b]) => b.width > 0 && (b.width < 43.5 || b.height < 43.5))
  .map(([name, b]) => `${name}: ${b.width} x ${b.height}`)"""
"""What is pressed and measures less than 44 px."""


def ready(page: Page, address: str) -> None:
    if address in ("#/network", "#/expression"):
        wait_for_film(page)
    elif address == "#/compare":
        expect(page.get_by_test_id("follow-0")).to_be_visible(timeout=READY)
    elif address in SEVERAL:
        expect(page.get_by_test_id(SEVERAL[address])).to_be_visible(timeout=READY)
    elif address == "#/train":
        expect(page.get_by_test_id("run-start")).to_be_visible(timeout=READY)
    else:
        expect(page.get_by_test_id("missing")).to_be_visible()


@pytest.mark.parametrize("address", PAGES)
def test_nothing_is_cut_at_any_width(open_page: OpenPage, address: str) -> None:
    for locale in ("en-US", "zh-CN"):
        page = open_page(address, width=2560, height=1440, locale=locale)
        ready(page, address)
        for width, height in ((2560, 1440), (1920, 1080), (1440, 900), (1280, 720), (1024, 768), (768, 1024), (390, 844), (360, 740)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(150)
            assert (locale, width, page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")) == (
                locale,
                width,
                [width, width],
            )
            assert (locale, width, page.evaluate(CUT)) == (locale, width, [])


SHORTENED = """() => [...document.querySelectorAll(".frame > aside")]
  .filter((e) => e.scrollHeight > e.clientHeight + 1 && e.clientHeight < 300)
  .map((e) => `${e.className}: ${e.clientHeight} of ${e.scrollHeight}`)"""
"""Panels with a scroll box of their own that shows a line or two of them."""

ENDS = """() => {
  const [frame, program] = [document.querySelector(".frame"), document.querySelector("aside.program")];
  frame.scrollTo(0, frame.scrollHeight);
  return program.scrollHeight <= program.clientHeight + 1 && Math.abs(program.getBoundingClientRect().bottom - innerHeight) <= 2;
}"""
"""The page ends where the program ends, all of which is there."""


@pytest.mark.parametrize("address", ["#/network", "#/expression", "#/compare"])
@pytest.mark.parametrize(("width", "height"), [(1024, 768), (820, 1180), (700, 900)])
def test_panels_under_the_films_of_a_tablet_stand_at_their_full_height(open_page: OpenPage, address: str, width: int, height: int) -> None:
    page = open_page(address, width=width, height=height)
    ready(page, address)
    expect(page.locator("aside.program h2").first).to_be_visible()
    assert page.evaluate(SHORTENED) == []
    page.wait_for_function(ENDS)


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (820, 1180), (700, 900)])
def test_a_number_that_is_chosen_brings_its_panel_into_sight(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page("#/compare", width=width, height=height)
    ready(page, "#/compare")
    page.get_by_test_id("hop-0-h").click()
    for part in ("side-0", "why-value"):
        expect(page.get_by_test_id(part)).to_be_in_viewport()
    expect(page.get_by_test_id("caption")).to_be_in_viewport()  # and some of the films stays


def touch(browser: Browser, url: str, address: str, width: int, height: int) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True, reduced_motion="reduce", locale="en-US"
    )
    page = context.new_page()
    page.goto(f"{url}/{address}")
    ready(page, address)
    return page


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1024, 768)])
def test_fingers_find_what_they_press(browser: Browser, url: str, address: str, width: int, height: int) -> None:
    page = touch(browser, url, address, width, height)
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert page.evaluate(SMALL) == []
    page.get_by_test_id("theme").tap()
    assert page.evaluate(SMALL) == []
    page.context.close()


def test_a_phone_shows_the_prediction_and_answers_to_taps(browser: Browser, url: str, api: httpx.Client) -> None:
    page = touch(browser, url, "#/network", 390, 844)
    caption, transport = page.get_by_test_id("caption").bounding_box(), page.locator("section[data-transport]").bounding_box()
    assert caption is not None
    assert transport is not None
    assert caption["y"] + caption["height"] <= transport["y"] + 1  # the sentence stands on what plays the film
    page.get_by_test_id("to-end").tap()
    page.get_by_test_id("step-back").tap()
    bars = page.get_by_test_id("slim-prediction").locator("button[data-value]")
    shown = sorted(float(bar.get_attribute("data-value") or "nan") for bar in bars.all())
    trace = api.get("/opening").json()
    assert len(shown) == 4
    assert 0 < sum(shown) <= 1
    assert trace["program"]["kind"] == "network"
    wide = {float(bar.get_attribute("data-value") or "nan"): bar.locator(".bar").bounding_box() for bar in bars.all()}
    scales = [box["width"] / p for p, box in wide.items() if box is not None]
    assert max(scales) == pytest.approx(min(scales), rel=0.03)  # also of the row that has a mark
    bars.first.tap()
    expect(page.get_by_test_id("why-value")).to_have_attribute("data-value", bars.first.get_attribute("data-value") or "")
    page.context.close()


def test_a_huge_loss_stays_on_the_stage(open_page: OpenPage) -> None:
    page = open_page("#/network", width=1280, height=720)
    wait_for_film(page)
    page.get_by_test_id("program-task").select_option("sunspots")
    expect(page.get_by_test_id("program-task")).to_have_value("sunspots", timeout=READY)
    page.get_by_test_id("program-optimizer").select_option("sgd")
    for field, value in (("lr", "100"), ("clip_norm", ""), ("step", "9")):
        page.get_by_test_id(f"program-{field}").fill(value)
        page.get_by_test_id(f"program-{field}").press("Enter")
        expect(page.locator("main.stage")).to_have_attribute("aria-busy", "false", timeout=READY)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("step-back").click()
    loss = page.get_by_test_id("loss-value")
    expect(loss).to_have_attribute("data-value", re.compile(r"^\d{7}|e\+"), timeout=READY)
    assert float(loss.get_attribute("data-value") or "nan") > 1e6
    box, stage = loss.bounding_box(), page.locator("main").bounding_box()
    assert box is not None
    assert stage is not None
    assert box["x"] + box["width"] <= stage["x"] + stage["width"]
