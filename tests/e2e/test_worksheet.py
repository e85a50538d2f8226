"""Worksheets in a real browser: the paper, its blanks, its key."""

from __future__ import annotations

import base64
import json
import re
import struct
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, number
from tests.e2e.test_accessibility import violations
from tests.e2e.test_lecture import lecture
from tests.e2e.test_numbers import PROGRAM, document, open_film

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


@pytest.mark.parametrize(("cell", "locale"), [("rnn", "en-US"), ("gru", "zh-CN"), ("lstm", "en-US"), ("lstm", "zh-CN")])
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


EXPRESSIONS: dict[str, dict[str, Any]] = {
    "two layers": {
        "expression": "h = tanh(W1 @ x + b1)\ny_hat = W2 @ h + b2\nL = mean((y_hat - y)**2)",
        "inputs": {"W1": [[0.5, -0.3], [0.8, 0.2], [-0.6, 0.9]], "x": [1, -0.5], "b1": [0, 0.1, -0.1], "W2": [[0.7, -0.4, 0.3]],
                   "b2": [0.1], "y": [0.8]},
        "wrt": ["W1", "b1", "W2", "b2"],
    },
    "long": {
        "expression": "sum(tanh(a*b + c*d - sin(a + c)*exp(b - d)) * sigmoid(a*c + b*d - cos(a*d + b*c)))",
        "inputs": {name: [0.1 * i + 0.3 * k for i in range(8)] for k, name in enumerate("abcd")},
        "wrt": list("abcd"),
    },
}  # fmt: skip


def sheet_of(open_page: OpenPage, program: dict[str, Any], locale: str = "en-US") -> Page:
    packed = base64.urlsafe_b64encode(json.dumps(program).encode()).decode().rstrip("=")
    page = open_page(f"#/worksheet?v=2&p={packed}", locale=locale)
    expect(page.get_by_test_id("paper")).to_be_visible(timeout=READY)
    return page


CUT = """() => {
  const paper = document.querySelector("[data-testid=paper]").getBoundingClientRect();
  const parts = [...document.querySelectorAll("[data-testid=paper] :is(table, math, p, li)")];
  return parts.filter((part) => part.getBoundingClientRect().right > paper.right + 1).map((part) => part.textContent.slice(0, 60));
}"""
MARGIN = 28  # mm, both sides of a page together


@pytest.mark.parametrize(("film", "locale"), [("layers", "zh-CN"), ("long", "en-US"), ("two layers", "zh-CN")])
def test_every_film_prints_whole_on_either_paper(open_page: OpenPage, film: str, locale: str) -> None:
    layers = {**PROGRAM, "hidden_size": 16, "layers": 2, "bidirectional": True}
    page = sheet_of(open_page, layers if film == "layers" else {"kind": "expression", **EXPRESSIONS[film]}, locale)
    for size, width in (("a4", 210), ("letter", 216)):
        page.get_by_test_id("sheet-paper").select_option(size)
        for key in (False, True):
            page.get_by_test_id("show-key" if key else "show-sheet").click()
            expect(page.get_by_test_id("answer-A" if key else "question-A")).to_be_visible()
            count, sizes = pages(page)
            assert 1 <= count <= 4
            assert sizes == {POINTS[size]}
            page.emulate_media(media="print")
            page.set_viewport_size({"width": int((width - MARGIN) / 25.4 * 96), "height": 1000})
            assert page.evaluate(CUT) == []
            page.emulate_media(media="screen")
            page.set_viewport_size({"width": 1440, "height": 900})


def test_the_cell_of_a_large_network_and_its_units_are_chosen(open_page: OpenPage) -> None:
    page = sheet_of(open_page, {**PROGRAM, "hidden_size": 16, "layers": 2, "bidirectional": True})
    page.get_by_test_id("sheet-chain").select_option("l0_reverse")
    page.get_by_test_id("sheet-from").fill("2")
    page.get_by_test_id("sheet-from").press("Tab")
    page.get_by_test_id("sheet-to").fill("4")
    page.get_by_test_id("sheet-to").press("Tab")
    page.get_by_test_id("sheet-units").fill("3, 14")
    page.get_by_test_id("sheet-units").press("Tab")
    paper = page.get_by_test_id("paper")
    expect(paper).to_contain_text("layer 1, backward in time")
    expect(paper).to_contain_text("units 3, 14 of 16")
    expect(page.locator("[data-testid^=question-]")).to_have_count(8)
    heads = paper.locator("table").nth(1).locator("thead th").all_inner_texts()
    assert len(heads) == 3
    for loss in ("loss", "update"):
        page.get_by_test_id(f"sheet-{loss}").uncheck()
    assert page.locator("[data-testid^=rest-]").count() > 0
    mine = paper.inner_text()
    page.reload()
    expect(paper).to_be_visible(timeout=READY)
    assert paper.inner_text() == mine
    page.get_by_test_id("sheet-units").fill("3-99")
    page.get_by_test_id("sheet-units").press("Tab")
    expect(page.get_by_role("alert")).to_contain_text("from 0 to 15")
    assert paper.inner_text() == mine


def test_a_formula_has_a_sheet_whose_key_has_the_numbers_of_its_trace(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"kind": "expression", **EXPRESSIONS["two layers"]}
    trace = api.post("/traces", json={"program": program}).raise_for_status().json()
    page = sheet_of(open_page, program)
    assert page.get_by_test_id("sheet-update").count() == 0
    page.get_by_test_id("sheet-count").fill("20")
    page.get_by_test_id("sheet-count").press("Enter")
    expect(page.get_by_test_id("question-H")).to_be_visible()
    arena = base64.b64decode(trace["tensors"]["arenas"]["f8"]["bdata"])
    known = set(struct.unpack(f"<{len(arena) // 8}d", arena))
    key = answers(page)
    assert len(key) > 8
    assert [letter for letter, (exact, _) in key.items() if exact not in known] == []
    assert violations(page) == []
    page.get_by_role("link", name="Back to the film").click()
    expect(page.get_by_test_id("graph-view")).to_be_visible(timeout=READY)


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_axe_finds_nothing_serious_on_paper(open_page: OpenPage, locale: str) -> None:
    page = open_page("#/worksheet", locale=locale)
    paper(page)
    page.wait_for_timeout(300)
    assert violations(page) == []
    page.get_by_test_id("show-key").click()
    expect(page.get_by_test_id("answer-A")).to_be_visible()
    assert violations(page) == []
    large = sheet_of(open_page, {**PROGRAM, "hidden_size": 16, "layers": 2, "bidirectional": True}, locale)
    large.get_by_test_id("sheet-units").fill("none")
    large.get_by_test_id("sheet-units").press("Tab")
    expect(large.get_by_role("alert")).to_be_visible()
    assert violations(large) == []


def test_share_leads_to_the_sheet_of_the_film_on_a_phone_too(open_page: OpenPage) -> None:
    page = open_page("#/network", width=390, height=844)
    page.get_by_test_id("share").first.click()
    expect(page.get_by_test_id("share-sheet")).to_have_attribute("href", re.compile(r"^#/worksheet\?v=2"))


def test_a_step_that_is_too_large_to_be_shown_whole_has_a_sheet_of_one_of_its_examples(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"task": "adding", "length": 100, "hidden_size": 32, "batch_size": 32}
    run = api.post("/runs", json={"program": program}).json()["id"]
    api.post(f"/runs/{run}/steps", json={"count": 2}).raise_for_status()
    step = api.get(f"/runs/{run}/steps/2").json()
    assert not step["whole"]["fits"]
    page = open_page(f"#/worksheet?run={run}&step=2")
    paper(page)
    assert f"example={step['examples'][0]['index']}" in page.url
    assert page.locator("[data-testid^=question-]").count() == 8
    page.get_by_test_id("sheet-another").click()
    expect(page.get_by_test_id("sheet-seed")).to_have_value("2")
    paper(page)
