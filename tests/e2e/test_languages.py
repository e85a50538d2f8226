"""In Chinese nothing on the page is English but names, symbols and data; numbers, dates and plural forms are those of the language."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, wait_for_film

NAMES = {
    "Retrograd",
    "LSTM",
    "BPTT",
    "AdamW",
    "Adam",
    "PyTorch",
    "Chung",
    "Ctrl",
    "Delta",
    "delta",
    "tanh",
    "sigmoid",
    "softmax",
    "RMSE",
    "HTML",
    "JSON",
    "Home",
    "Enter",
    "Shift",
    "Space",
}
"""Names, symbols and keys: the same in every language."""

DATA = (
    'math, code, kbd, [lang="en"], .token, .tokens, .word, textarea, option, .formula, [data-testid^="token"], [data-testid^="label-"], '
    '[data-testid="expression-marks"]'
)
"""What shows data, formulas, or somebody's own words."""

TEXTS = """(data) => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!parent || parent.closest(`script, style, noscript, ${data}`) || !parent.checkVisibility({ visibilityProperty: true })) continue;
    found.push(walk.currentNode.textContent);
  }
  for (const name of ["aria-label", "title", "placeholder"])
    for (const e of document.querySelectorAll(`[${name}]`)) if (!e.closest(data) && e.checkVisibility()) found.push(e.getAttribute(name));
  return found;
}"""


def english(page: Page, operations: frozenset[str] = frozenset()) -> list[str]:
    """Words of four letters and more that are no names; shorter ones are symbols, units, letters of a surname; before a bracket, code.

    Ids of requests are no words either, though 'abef' may stand in one.
    """
    words: list[str] = []
    skipped = r"\w+\(|[\w.\[\]]*[_./:][\w./:]*|[\"“「][^\"”」]*[\"”」]|\b[0-9a-f]{32}\b"
    for text in page.evaluate(TEXTS, DATA):
        for word in re.findall(r"[A-Za-z]{4,}", re.sub(skipped, " ", text)):
            if word not in NAMES | operations and not word.startswith(("bias", "weight", "sha")):
                words.append(f"{word}: {text.strip()[:60]}")
    return sorted(set(words))


@pytest.mark.parametrize("address", ["#/network", "#/expression", "#/train", "#/compare", "#/worksheet", "#/nowhere"])
def test_no_english_is_left_on_a_chinese_page(open_page: OpenPage, api: httpx.Client, address: str) -> None:
    operations = frozenset(str(op["name"]) for op in api.get("/ops").json()["items"])
    page = open_page(address, locale="zh-CN")
    if address in ("#/network", "#/expression"):
        wait_for_film(page)
        expect(page.get_by_test_id("inspector")).to_be_visible(timeout=READY)
        page.wait_for_load_state("networkidle")  # the names of classes come with the tasks
    elif address == "#/compare":
        expect(page.get_by_test_id("follow-0")).to_be_visible(timeout=READY)
    elif address == "#/train":
        expect(page.get_by_test_id("run-start")).to_be_visible(timeout=READY)
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert re.search(r"[\u4e00-\u9fff]", page.title())
    assert english(page, operations) == []
    if address != "#/network":
        return
    for _ in range(4):  # every phase, every tab
        page.get_by_test_id("stride-phase").click()
        page.get_by_test_id("step-forward").click()
        assert english(page, operations) == []
    for tab in ("gradient", "bptt", "pairs", "parameters", "histograms"):
        page.get_by_test_id(f"tab-{tab}").click()
        page.wait_for_timeout(300)
        assert (tab, english(page, operations)) == (tab, [])
    for entry in ("tour", "glossary"):
        page.get_by_test_id("help").click()
        page.get_by_test_id(f"help-{entry}").click()
        expect(page.get_by_test_id("tour" if entry == "tour" else "glossary")).to_be_visible()
        assert english(page, operations) == []
        page.keyboard.press("Escape")


def test_errors_are_in_the_language_of_the_page_and_say_what_to_do_there(open_page: OpenPage) -> None:
    page = open_page("#/expression", locale="zh-CN", expected=("404", "422"))
    wait_for_film(page)
    wrong = {"nosuch(w*x)": "没有运算“nosuch”", "tanh(w*x": "这个“(”没有配对的右括号", "w*2x": "这个数无法读取"}
    wrong["sum(w, axis=3)"] = "没有轴 3"
    for formula, words in wrong.items():
        page.get_by_test_id("expression-input").fill(formula)
        expect(page.get_by_test_id("expression-error")).to_contain_text(words)
        assert (formula, english(page)) == (formula, [])
    program = {"kind": "network", "sequences": {"kind": "regression", "classes": ["a"], "examples": [{"values": [1], "target": 1}]}}
    page.get_by_test_id("graph-file").set_input_files({"name": "own.json", "mimeType": "", "buffer": json.dumps(program).encode()})
    expect(page.get_by_test_id("error")).to_contain_text("回归没有类别", timeout=READY)
    assert english(page) == []
    start = page.url.partition("#")[0]
    for address, words in (("#/train?run=r_0", "没有这个运行"), (f"#/network?trace=sha256:{'0' * 64}", "这段影片已不再保存")):
        page.goto(start + address)
        expect(page.get_by_test_id("error")).to_contain_text(words, timeout=READY)
        assert (address, english(page)) == (address, [])


@pytest.mark.parametrize(
    ("locale", "date"), [("en-US", r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}"), ("zh-CN", r"\d{4}年\d{1,2}月\d{1,2}日 \d{1,2}:\d{2}")]
)
def test_dates_are_written_as_the_language_writes_them(open_page: OpenPage, locale: str, date: str) -> None:
    page = open_page("#/train", locale=locale)
    page.get_by_test_id("run-start").click()
    expect(page.get_by_test_id("run-step")).to_be_visible(timeout=READY)
    assert re.search(date, page.locator(".runs li").first.inner_text())
