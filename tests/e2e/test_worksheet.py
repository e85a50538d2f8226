"""Worksheets in a real browser: the paper, its blanks, its key."""

from __future__ import annotations

import base64
import re
import struct

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, number
from tests.e2e.test_accessibility import violations
from tests.e2e.test_lecture import lecture
from tests.e2e.test_numbers import document, open_film

POINTS = {"a4": (595, 842), "letter": (612, 792)}
"""Width and height of a page in PDF's units."""


def paper(page: Page) -> None:
    expect(page.get_by_test_id("paper")).to_be_visible(timeout=READY)


def pages(page: Page) -> tuple[int, set[tuple[int, int]]]:
    """How many pages Chromium prints, and their sizes."""
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", pdf)
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)), {(round(float(w)), round(float(h))) for w, h in boxes}


def answers(page: Page) -> dict[str, tuple[float, str]]:
    """Letter -> the number to its last digit, and as it is written."""
    page.get_by_test_id("show-key").click()
    expect(page.get_by_test_id("answer-A")).to_be_visible()
    items = page.locator("[data-testid^=answer-]").all()
    return {(item.get_attribute("data-testid") or "")[-1]: (number(item), item.locator("b").first.inner_text()) for item in items}


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_sheet_hides_what_its_key_tells(open_page: OpenPage, api: httpx.Client, cell: str, locale: str) -> None:
    trace = document(api, {"cell": cell, "hidden_size": 3})
    page = open_film(open_page, trace, locale=locale, width=1280, height=720)
    lecture(page)
    page.get_by_test_id("lecture-sheet").focus()
    page.keyboard.press("Enter")
    paper(page)
    for seed in ("1", "7"):
        page.get_by_test_id("sheet-seed").fill(seed)
        page.get_by_test_id("sheet-seed").press("Tab")
        sheet = page.get_by_test_id("paper").inner_html()
        text = page.get_by_test_id("paper").inner_text()
        assert page.locator("[data-testid^=blank-]").count() == page.locator("[data-testid^=question-]").count() == 8
        key = answers(page)
        assert len(key) == 8
        for exact, written in key.values():
            assert repr(exact) not in sheet
            assert not re.search(rf"(?<![\d.+\u2212]){re.escape(written)}(?!\d)", text), f"{written} stands on the sheet"
        page.get_by_test_id("show-sheet").click()
        paper(page)


def test_the_key_has_the_numbers_of_the_trace(open_page: OpenPage, api: httpx.Client) -> None:
    trace = document(api, {"hidden_size": 3})
    page = open_film(open_page, trace)
    address = page.url.replace("#/network", "#/worksheet").split("/", 3)[3]
    sheet = open_page(address)
    paper(sheet)
    arena = base64.b64decode(trace["tensors"]["arenas"]["f8"]["bdata"])
    known = set(struct.unpack(f"<{len(arena) // 8}d", arena))
    key = answers(sheet)
    assert len(key) == 8
    missing = [letter for letter, (exact, _) in key.items() if exact not in known]
    assert missing == []


@pytest.mark.parametrize("size", ["a4", "letter"])
def test_it_prints_on_few_pages_of_the_paper_that_was_chosen(open_page: OpenPage, size: str) -> None:
    page = open_page("#/worksheet")
    paper(page)
    page.get_by_test_id("sheet-paper").select_option(size)
    count, sizes = pages(page)
    assert 2 <= count <= 4
    assert sizes == {POINTS[size]}
    page.get_by_test_id("show-key").click()
    expect(page.get_by_test_id("answer-A")).to_be_visible()
    count, sizes = pages(page)
    assert 1 <= count <= 2
    assert sizes == {POINTS[size]}


def test_the_print_button_prints_and_the_address_brings_the_same_sheet(open_page: OpenPage) -> None:
    page = open_page("#/worksheet")
    paper(page)
    page.evaluate("window.print = () => { window.printed = true; }")
    page.get_by_test_id("sheet-print").click()
    assert page.evaluate("window.printed")
    page.get_by_test_id("sheet-loss").uncheck()
    page.get_by_test_id("sheet-another").click()
    page.get_by_test_id("sheet-count").fill("5")
    page.get_by_test_id("sheet-count").press("Enter")
    expect(page.locator("[data-testid^=question-]")).to_have_count(5)
    mine = page.get_by_test_id("paper").inner_text()
    guest = open_page(page.url.split("/", 3)[3])
    paper(guest)
    assert guest.get_by_test_id("paper").inner_text() == mine
    page.get_by_test_id("sheet-count").fill("99")
    page.get_by_test_id("sheet-count").press("Enter")
    expect(page.get_by_test_id("sheet-count")).to_have_value("5")


def test_a_sheet_is_written_as_the_lecture_was(open_page: OpenPage) -> None:
    page = open_page("#/network?v=2&notation=row.keep", width=1280, height=720)
    lecture(page)
    page.get_by_test_id("lecture-sheet").focus()
    page.keyboard.press("Enter")
    paper(page)
    assert "notation=row.keep" in page.url
    formulas = page.locator("[data-testid=question-A] annotation").all_text_contents()
    assert any("^{\\top}" in formula for formula in formulas), formulas
    guest = open_page(page.url.split("/", 3)[3])
    paper(guest)
    assert guest.get_by_test_id("paper").inner_text() == page.get_by_test_id("paper").inner_text()


def test_a_film_that_is_too_large_says_so(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_film(open_page, document(api, {"hidden_size": 16}))
    other = open_page(page.url.replace("#/network", "#/worksheet").split("/", 3)[3])
    expect(other.get_by_test_id("worksheet")).to_contain_text("This one has 16", timeout=READY)
    expect(other.get_by_test_id("sheet-print")).to_be_disabled()


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_axe_finds_nothing_serious_on_paper(open_page: OpenPage, locale: str) -> None:
    page = open_page("#/worksheet", locale=locale)
    paper(page)
    page.wait_for_timeout(300)
    assert violations(page) == []
    page.get_by_test_id("show-key").click()
    expect(page.get_by_test_id("answer-A")).to_be_visible()
    assert violations(page) == []
