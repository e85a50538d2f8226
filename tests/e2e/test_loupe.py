"""The loupe over a gradient lane: a scale fitted around the number, told apart from the locked one, which stays as it is."""

from __future__ import annotations

import math
import re

from playwright.sync_api import Page, expect

from tests.e2e.stage import number, to_end_of_backward, wait_for_film
from tests.e2e.test_accessibility import violations


def test_the_loupe_by_pointer_key_and_focus(page: Page) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    lane = page.get_by_test_id("lane-h-2-0")
    locked = lane.inner_html()
    lane.hover()
    loupe, value = page.get_by_test_id("gradient-loupe"), page.get_by_test_id("loupe-value")
    expect(loupe).to_contain_text("refitted, not the locked scale")
    assert number(value) == number(lane)
    zone = float(loupe.get_attribute("data-zone") or "nan")
    assert zone == 10 ** math.floor(math.log10(abs(number(lane))))
    steps = [number(cell) for cell in loupe.get_by_test_id("loupe-time").locator("td.value").all()]
    assert steps == [number(page.get_by_test_id(f"lane-h-{t}-0")) for t in range(1, 6)]
    beside = [number(cell) for cell in loupe.get_by_test_id("loupe-elements").locator("td.value").all()]
    assert beside == [number(page.get_by_test_id(f"lane-h-2-{i}")) for i in range(4)]
    assert lane.inner_html() == locked, "the lane itself was drawn anew"
    assert violations(page) == []
    page.mouse.move(5, 5)
    expect(loupe).to_have_count(0)

    page.keyboard.press("g")
    expect(page.get_by_test_id("loupe-said")).to_have_text(re.compile(r"^Loupe: gradient of hidden state h\[0\] at t = 1, "))
    page.keyboard.press("Escape")
    expect(loupe).to_have_count(0)

    page.get_by_test_id("tile-h-1-0").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("lane-h-1-0")).to_be_focused()
    expect(loupe).to_be_visible()
    page.keyboard.press("Home")  # before any gradient
    expect(loupe).to_have_count(0)
    page.keyboard.press("g")
    expect(page.get_by_test_id("loupe-said")).to_have_text("No gradient is in view.")


def test_the_loupe_is_in_nobodys_way_once_its_lane_is_clicked(page: Page) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    lane, loupe = page.get_by_test_id("lane-h-2-0"), page.get_by_test_id("gradient-loupe")
    lane.hover()
    expect(loupe).to_be_visible()
    card, tile = loupe.bounding_box(), page.get_by_test_id("tile-h-2-0").bounding_box()
    assert card
    assert tile
    assert card["x"] >= tile["x"] + tile["width"]
    lane.click()
    below = page.get_by_test_id("tile-h-3-2")  # under the card
    below.click()
    expect(below).to_have_class(re.compile("selected"))
    expect(loupe).to_have_count(0)
    lane.hover()
    expect(loupe).to_be_visible()
    page.keyboard.press("Escape")
    expect(loupe).to_have_count(0)
