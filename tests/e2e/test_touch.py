"""Fingers alone, on a phone: changes, predictions, statements, the tour, the tray and Compare are reached by taps."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.stage import READY, number, wait_for_film
from tests.e2e.train import choose, rests


def what_if(page: Page) -> None:
    """A number is chosen, nudged, and as it was again."""
    page.get_by_test_id("stride-phase").tap()
    page.get_by_test_id("step-forward").tap()
    page.get_by_test_id("step-forward").tap()
    page.get_by_test_id("tile-h-1-0").tap()
    before = number(page.get_by_test_id("why-value"))
    loss = number(page.get_by_test_id("loss-value"))
    page.get_by_test_id("nudge-up").tap()
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=READY)
    assert number(page.get_by_test_id("why-value")) == pytest.approx(before + 0.01, rel=1e-12)
    assert number(page.get_by_test_id("loss-value")) != loss
    page.get_by_test_id("undo").tap()
    expect(page.get_by_test_id("changes")).to_have_count(0)
    assert number(page.get_by_test_id("loss-value")) == loss


def predict(page: Page) -> None:
    """A number is asked for, answered and told."""
    page.get_by_test_id("predict").tap()
    card = page.get_by_test_id("predict-card")
    expect(card).to_have_attribute("data-state", "asking")
    page.get_by_test_id("predict-field").tap()
    page.keyboard.type("0.5")  # the phone's own
    page.get_by_test_id("predict-answer").tap()
    expect(card).to_have_attribute("data-state", "told")
    assert page.get_by_test_id("predict-score").get_attribute("data-asked") == "1"
    page.get_by_test_id("predict-end").tap()
    expect(card).to_have_count(0)


def claim(page: Page) -> None:
    """A statement is chosen, tried and answered."""
    page.get_by_test_id("help").tap()
    page.get_by_test_id("help-claims").tap()
    page.get_by_test_id("claim-vanishing_zero").tap()
    page.get_by_test_id("claim-gesture").tap()
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=READY)
    page.get_by_test_id("claim-answer").tap()
    expect(page.get_by_test_id("claim-text")).to_be_in_viewport()


def tour(page: Page) -> None:
    """The tour is taken a stop on and a stop back, and left."""
    page.get_by_test_id("tour-offer-row").tap()
    expect(page.get_by_test_id("tour")).to_have_attribute("data-stop", "forward")
    page.get_by_test_id("tour-next").tap()
    expect(page.get_by_test_id("tour")).to_have_attribute("data-stop", "loss")
    page.get_by_test_id("tour-back").tap()
    expect(page.get_by_test_id("tour")).to_have_attribute("data-stop", "forward")
    page.get_by_test_id("tour-skip").tap()
    expect(page.get_by_test_id("tour")).to_have_count(0)


def tray(page: Page) -> None:
    """A share of the gradient explains itself, another tab opens."""
    page.get_by_test_id("stride-phase").tap()
    for _ in range(3):  # to the end of the backward pass
        page.get_by_test_id("step-forward").tap()
    page.get_by_test_id("tab-bptt").tap()
    page.get_by_test_id("share-3").tap()
    expect(page.get_by_test_id("why-value")).to_be_visible()
    assert "at=" in page.url
    page.get_by_test_id("tab-parameters").tap()
    expect(page.get_by_test_id("parameters")).to_be_visible()


@pytest.mark.parametrize("gesture", [what_if, predict, claim, tour, tray], ids=lambda gesture: gesture.__name__)
def test_a_film_is_used_by_taps(browser: Browser, url: str, gesture: Callable[[Page], None]) -> None:
    page = phone(browser, f"{url}/#/network")
    wait_for_film(page)
    gesture(page)
    page.context.close()


def test_networks_are_compared_by_taps(browser: Browser, url: str) -> None:
    page = phone(browser, f"{url}/#/compare")
    expect(page.get_by_test_id("follow-2")).to_be_visible(timeout=READY)
    pane = page.get_by_test_id("pane-0")
    before = page.get_by_test_id("why-value").get_attribute("data-value")
    box = pane.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
    expect(page.get_by_test_id("why-value")).not_to_have_attribute("data-value", before or "")
    page.get_by_test_id("compare-before").tap()
    expect(page.get_by_test_id("compare-before")).to_have_attribute("aria-pressed", "true", timeout=READY)
    page.context.close()


def test_a_run_begun_on_a_phone_is_led_to_and_its_curves_scroll_past_a_finger(browser: Browser, url: str) -> None:
    page = phone(browser, f"{url}/#/train")
    expect(page.get_by_test_id("run-start")).to_be_visible(timeout=READY)
    for name, value in (("hidden_size", 4), ("batch_size", 8), ("count", 20)):
        choose(page, name, value)
    for _ in range(2):  # where there is none yet, and from under the one that is shown
        page.get_by_test_id("run-start").tap()
        expect(page.get_by_test_id("run-step")).to_be_in_viewport(timeout=READY)
        rests(page, 20)
    curve = page.get_by_test_id("chart-loss").get_by_role("slider")
    curve.scroll_into_view_if_needed()
    expect(curve).to_have_attribute("aria-valuenow", "20", timeout=READY)
    screen = page.context.new_cdp_session(page)

    def drag(right: float, down: float) -> None:
        box = curve.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for part in (0.1, 0.25, 0.5, 0.75, 1):
            points = [{"x": x + part * right, "y": y + part * down}]
            screen.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
        screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    top = page.evaluate("scrollY")
    drag(6, -160)
    page.wait_for_function("(top) => scrollY > top + 60", arg=top)
    expect(curve).to_have_attribute("aria-valuenow", "20")
    assert "step=" not in page.url
    page.evaluate("(top) => scrollTo(0, top)", top)
    drag(80, 4)
    dragged = int(curve.get_attribute("aria-valuenow") or "0")
    assert 11 < dragged < 20
    page.wait_for_timeout(400)  # a second finger at once would be a double tap
    box = curve.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(curve).not_to_have_attribute("aria-valuenow", str(dragged))
    expect(curve).to_be_in_viewport()  # a tap chooses, and opens no film
    page.context.close()


def test_a_change_is_undone_in_the_sheet_and_a_sheet_that_was_lowered_stays_so(browser: Browser, url: str) -> None:
    page = phone(browser, f"{url}/#/network")
    wait_for_film(page)
    sheet, handle = page.get_by_test_id("sheet"), page.get_by_test_id("sheet-handle")
    page.get_by_test_id("stride-phase").tap()
    page.get_by_test_id("step-forward").tap()
    for undo in ("sheet-undo", "undo"):
        page.get_by_test_id("tile-h-1-0").tap()
        expect(sheet).to_have_attribute("data-size", re.compile("half|full"))
        page.get_by_test_id("nudge-up").tap()
        expect(page.get_by_test_id("sheet-undo")).to_be_in_viewport(timeout=READY)
        if undo == "undo":
            while sheet.get_attribute("data-size") != "peek":
                handle.press("ArrowDown")
        size = sheet.get_attribute("data-size") or ""
        page.get_by_test_id(undo).tap()
        for test_id in ("changes", "sheet-undo"):
            expect(page.get_by_test_id(test_id)).to_have_count(0, timeout=READY)
        expect(page.locator("main.stage")).to_have_attribute("aria-busy", "false")
        expect(sheet).to_have_attribute("data-size", size)
    page.get_by_test_id("tile-h-1-0").tap()  # is asked for anew
    expect(sheet).to_have_attribute("data-size", "half")
    page.context.close()


def test_what_plays_the_film_stays_under_the_finger(browser: Browser, url: str) -> None:
    page = phone(browser, f"{url}/#/network")
    wait_for_film(page)
    page.get_by_test_id("stride-cell").tap()
    lines, tops = set(), set()
    for _ in range(8):
        page.get_by_test_id("step-forward").tap()
        sentence = page.get_by_test_id("caption").locator("span").last.bounding_box()
        play = page.get_by_test_id("play").bounding_box()
        assert sentence is not None
        assert play is not None
        lines.add(sentence["height"] > 24)
        tops.add(round(play["y"] + page.evaluate("scrollY")))
    assert lines == {False, True}  # of one line, and of two
    assert len(tops) == 1
    page.context.close()


def phone(browser: Browser, address: str) -> Page:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce", locale="en-US"
    )
    page = context.new_page()
    page.goto(address)
    return page
