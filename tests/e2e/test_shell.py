"""Language, theme, narrow screens, and that nothing but this server is ever asked for anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import choose_theme, wait_for_film

PAGES = ["#/network", "#/expression", "#/train"]


def test_the_language_changes_at_once_and_is_remembered(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    expect(page.get_by_test_id("nav-network")).to_have_text("Network")
    page.get_by_test_id("lang-zh").click()
    expect(page.get_by_test_id("nav-network")).to_have_text("网络")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.reload()
    wait_for_film(page)
    expect(page.get_by_test_id("nav-network")).to_have_text("网络")
    page.get_by_test_id("lang-en").click()
    expect(page.get_by_test_id("nav-network")).to_have_text("Network")


def test_the_keyboard_gets_past_the_bar_and_the_panel(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("Tab")
    skip = page.get_by_test_id("skip")
    expect(skip).to_be_focused()
    box = skip.bounding_box()
    assert box
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main.stage') !== null")


def test_the_frame_around_a_focused_tab_is_not_cut(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    tab = page.get_by_test_id("nav-network")
    tab.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(tab).to_be_focused()
    beyond = tab.evaluate("(e) => { const s = getComputedStyle(e); return parseFloat(s.outlineOffset) + parseFloat(s.outlineWidth); }")
    box = tab.bounding_box()
    assert box is not None
    assert box["y"] - beyond >= 0


def test_a_chinese_browser_is_greeted_in_chinese(open_page: OpenPage) -> None:
    page = open_page(locale="zh-CN")
    expect(page.get_by_test_id("nav-train")).to_have_text("训练")


def test_the_theme_changes_at_once_and_is_remembered(open_page: OpenPage) -> None:
    page = open_page("#/train")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    choose_theme(page, "dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(ground) != light
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("width", [390, 820])
def test_no_page_scrolls_sideways(open_page: OpenPage, address: str, width: int) -> None:
    page = open_page(address, width=width, height=844)
    if address != "#/train":
        wait_for_film(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.scrollWidth") <= width


@pytest.mark.parametrize("address", PAGES)
def test_nothing_asks_another_host(open_page: OpenPage, url: str, address: str) -> None:
    """The watch on every page of these tests asserts it too; here all requests of a page are listed."""
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/{address}")
    page.reload()
    expect(page.get_by_test_id("nav-network")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert asked
    assert [request for request in asked if not request.startswith((url, "data:", "blob:"))] == []
