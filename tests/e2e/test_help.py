"""The tour, symbols and formulas, keys: by keyboard and by finger, in both languages, and that nothing is covered that is pointed at."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, choose_theme, moment, number, wait_for_film
from tests.e2e.test_accessibility import violations

STOPS = ["forward", "loss", "backward", "sum", "update", "again"]


def boxes(page: Page, testid: str) -> list[dict[str, float]]:
    found = [one.bounding_box() for one in page.get_by_test_id(testid).all()]
    return [dict(box) for box in found if box is not None]


def overlap(one: dict[str, float], other: dict[str, float]) -> float:
    width = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    height = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return max(0, width) * max(0, height)


def covers_nothing(page: Page) -> None:
    """The callout lies in the window and over none of what it points at."""
    page.wait_for_timeout(400)
    (callout,) = boxes(page, "tour")
    size = page.viewport_size
    assert size is not None
    assert callout["x"] >= 0
    assert callout["y"] >= 0
    assert callout["x"] + callout["width"] <= size["width"] + 1
    assert callout["y"] + callout["height"] <= size["height"] + 1
    rings = boxes(page, "tour-ring")
    assert rings
    seen = {"x": 0.0, "y": 0.0, "width": float(size["width"]), "height": float(size["height"])}
    assert any(overlap(ring, seen) > 0 for ring in rings)
    assert [overlap(callout, ring) for ring in rings if overlap(callout, ring) > 0] == []


@pytest.mark.parametrize(("width", "height", "locale"), [(1440, 900, "en-US"), (1280, 720, "zh-CN")])
def test_the_tour_goes_by_keyboard_and_covers_nothing(open_page: OpenPage, api: httpx.Client, locale: str, width: int, height: int) -> None:
    page = open_page(locale=locale, width=width, height=height)
    wait_for_film(page)
    page.get_by_test_id("tour-offer").focus()
    page.keyboard.press("Enter")
    tour = page.get_by_test_id("tour")
    phases = []
    for at, stop in enumerate(STOPS):
        expect(tour).to_have_attribute("data-stop", stop)
        expect(page.get_by_test_id("tour-next")).to_be_focused()
        covers_nothing(page)
        phases.append(page.get_by_test_id("caption").locator(".phase").get_attribute("class"))
        if stop == "loss":
            assert f"{number(page.get_by_test_id('loss-value')):.6g}"[:6] in page.get_by_test_id("tour-words").inner_text()
        if at == 2:  # back, and on again
            page.keyboard.press("ArrowLeft")
            expect(tour).to_have_attribute("data-stop", STOPS[1])
            page.keyboard.press("ArrowRight")
            expect(tour).to_have_attribute("data-stop", stop)
        page.keyboard.press("ArrowRight" if at % 2 else "Enter")
    assert [re.findall("forward|loss|backward|update", phase or "")[0] for phase in phases] == [
        "forward",
        "loss",
        "backward",
        "backward",
        "update",
        "forward",
    ]
    expect(tour).to_have_count(0)
    expect(page.get_by_test_id("help")).to_be_focused()
    page.reload()
    wait_for_film(page)
    expect(page.get_by_test_id("tour-offer")).to_have_count(0)


def test_the_tour_is_skipped_by_escape_remembered_and_taken_again_from_the_menu(open_page: OpenPage) -> None:
    page = open_page("#/train")
    page.get_by_test_id("tour-offer").click()
    tour = page.get_by_test_id("tour")
    expect(tour).to_have_attribute("data-stop", "forward", timeout=READY)  # it leads to the page that it shows
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    expect(page.get_by_test_id("tour-offer")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_test_id("help-tour")).to_be_focused()
    page.keyboard.press("Enter")
    expect(tour).to_have_attribute("data-stop", "forward")
    page.get_by_test_id("nav-train").click()
    expect(tour).to_have_count(0)


def test_nobody_is_made_to_take_the_tour(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="no-preference")
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "true", timeout=READY)
    expect(page.get_by_test_id("tour")).to_have_count(0)
    page.get_by_test_id("tour-offer").click()
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "false")


@pytest.mark.parametrize("width", [360, 768, 1024])
def test_the_tour_fits_narrow_screens(open_page: OpenPage, width: int) -> None:
    page = open_page(width=width, height=844)
    wait_for_film(page)
    offer, play = page.get_by_test_id("tour-offer-row").bounding_box(), page.get_by_test_id("play").bounding_box()
    assert offer is not None
    assert play is not None
    if width < 700:
        sheet = page.get_by_test_id("sheet").bounding_box()
        assert sheet is not None
        assert play["y"] + play["height"] <= min(offer["y"], sheet["y"]), "the offer covers or pushes away what plays the film"
    page.get_by_test_id("tour-offer-row").click()
    for stop in STOPS:
        expect(page.get_by_test_id("tour")).to_have_attribute("data-stop", stop)
        covers_nothing(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_test_id("tour-next").click()
    expect(page.get_by_test_id("tour")).to_have_count(0)


@pytest.mark.parametrize(("theme", "locale"), [("light", "en-US"), ("dark", "zh-CN"), ("contrast", "en-US")])
def test_axe_finds_nothing_serious_in_the_help(open_page: OpenPage, locale: str, theme: str) -> None:
    page = open_page(locale=locale)
    wait_for_film(page)
    choose_theme(page, theme)
    page.get_by_test_id("help").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
    page.get_by_test_id("help-glossary").click()
    expect(page.get_by_test_id("glossary")).to_be_visible()
    page.wait_for_timeout(300)
    assert violations(page) == []


def test_formulas_are_searched_and_shown_where_they_happen(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    page.keyboard.press("?")
    page.get_by_test_id("help-glossary").click()
    search = page.get_by_test_id("glossary-search")
    expect(search).to_be_focused()
    search.fill("forget GATE")
    expect(page.get_by_test_id("entry-lstm")).to_be_visible()
    expect(page.get_by_test_id("entry-softmax")).to_have_count(0)
    page.get_by_test_id("show-lstm").click()
    expect(page.get_by_test_id("glossary")).to_have_count(0)
    expect(page.get_by_test_id("program-cell")).to_have_value("lstm", timeout=READY)
    expect(page.get_by_test_id("level-vector")).to_have_attribute("aria-pressed", "true", timeout=READY)
    wait_for_film(page)

    page.get_by_test_id("help").click()
    page.get_by_test_id("help-glossary").click()
    page.get_by_test_id("show-bptt").click()
    expect(page.get_by_test_id("why-title")).to_contain_text("W")
    expect(page.get_by_test_id("tab-bptt")).to_have_attribute("aria-pressed", "true")
    assert page.get_by_test_id("share-sum").is_visible()
    assert 0 < moment(page)[0] <= moment(page)[1]


def test_formulas_follow_the_notation_and_nothing_found_says_so(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    page.get_by_test_id("help").click()
    page.get_by_test_id("help-glossary").click()
    dialog = page.get_by_test_id("glossary")
    before = dialog.get_by_test_id("entry-bptt").locator(".formula").inner_html()
    dialog.get_by_test_id("notation-row").click()
    assert dialog.get_by_test_id("entry-bptt").locator(".formula").inner_html() != before
    page.get_by_test_id("glossary-search").fill("nothing of the kind")
    expect(dialog).to_contain_text("Nothing here is called")
    page.keyboard.press("Escape")  # empties the field
    expect(dialog.get_by_test_id("entry-bptt")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("help")).to_be_focused()


def test_the_keys_that_are_listed_work(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    page.keyboard.press("?")
    page.get_by_test_id("help-keys").click()
    expect(page.get_by_test_id("glossary").get_by_text("Lecture mode", exact=True)).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    assert moment(page)[0] == moment(page)[1]
    page.keyboard.press("Home")
    assert moment(page)[0] == 0
