"""Runs side by side: their curves, what differs, what they reached, and how far back their gradients go."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.several import trained
from tests.e2e.stage import READY


@pytest.mark.parametrize(("locale", "heading"), [("en-US", "Compare runs"), ("zh-CN", "比较运行")])
def test_runs_are_compared_added_hidden_and_taken_out(open_page: OpenPage, locale: str, heading: str) -> None:
    page = open_page("#/train", locale=locale)
    gru, rnn, sgd = trained(page), trained(page, cell="rnn"), trained(page, optimizer={"name": "sgd", "lr": 0.1})
    page.goto(f"{page.url.partition('#')[0]}#/train?runs={gru},{rnn}")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading, timeout=READY)
    expect(page.get_by_test_id("compare-train")).to_have_attribute("data-lines", "2", timeout=READY)
    expect(page.get_by_test_id("compare-settings").locator("tbody tr")).to_have_count(1)
    expect(page.get_by_test_id("differs-cell").locator("td")).to_have_text(["GRU", "RNN, tanh"])

    page.get_by_test_id("compare-add").select_option(sgd)
    expect(page.get_by_test_id("compare-train")).to_have_attribute("data-lines", "3", timeout=READY)
    assert page.url.endswith(f"runs={gru},{rnn},{sgd}")
    expect(page.get_by_test_id("differs-optimizer.lr").locator("td").last).to_have_text("0.1")
    expect(page.get_by_test_id("compare-scores").locator("tbody tr")).to_have_count(3)

    page.get_by_test_id("toggle-B").click()
    expect(page.get_by_test_id("compare-train")).to_have_attribute("data-lines", "2")
    expect(page.get_by_test_id("strip-B")).to_have_count(0)
    page.get_by_test_id("remove-B").click()
    page.wait_for_url(f"**/*runs={gru},{sgd}")
    page.reload()
    expect(page.get_by_test_id("compared-B")).to_contain_text("SGD 0.1", timeout=READY)


def test_a_step_of_the_curves_and_of_the_strips_is_read_by_keys(open_page: OpenPage) -> None:
    page = open_page("#/train")
    gru, rnn = trained(page), trained(page, cell="rnn")
    page.goto(f"{page.url.partition('#')[0]}#/train?runs={gru},{rnn}")
    chart = page.get_by_test_id("compare-validation")
    expect(chart).to_have_attribute("data-lines", "2", timeout=READY)
    chart.focus()
    chart.press("End")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"^step 60: A [\d.]+ %; B [\d.]+ %$"))
    expect(page.get_by_test_id("compare-validation-read")).to_contain_text("step 60")

    strip = page.get_by_test_id("strip-B")
    strip.focus()
    strip.press("Home")
    late = strip.get_attribute("aria-valuetext")
    assert late is not None
    assert re.match(r"^t = 1: \d", late)
    page.get_by_test_id("strips-step").press("Home")  # the first training step
    strip.focus()
    strip.press("Home")
    expect(strip).not_to_have_attribute("aria-valuetext", late)


def test_a_run_that_is_gone_is_named_and_can_be_taken_out(open_page: OpenPage) -> None:
    page = open_page("#/train", expected=("404",))
    run = trained(page, steps=20)
    page.goto(f"{page.url.partition('#')[0]}#/train?runs=r_gone,{run}")
    expect(page.get_by_test_id("compared-A")).to_contain_text("no run r_gone any more", timeout=READY)
    expect(page.get_by_test_id("compare-train")).to_have_attribute("data-lines", "1", timeout=READY)
    page.get_by_test_id("remove-A").click()
    page.wait_for_url(f"**/*runs={run}")


def test_six_runs_are_told_apart_and_a_seventh_waits(open_page: OpenPage) -> None:
    page = open_page("#/train")
    cells = ("rnn", "gru", "lstm", "rnn", "gru", "lstm")
    runs = [trained(page, 20, cell=cell, hidden_size=3 + number) for number, cell in enumerate(cells)]
    page.goto(f"{page.url.partition('#')[0]}#/train?runs={','.join([*runs[:5], runs[0]])}")
    page.get_by_test_id("compare-add").select_option(runs[5])
    page.wait_for_url(f"**/*runs={','.join(runs)}")
    for chart in ("compare-train", "compare-validation"):
        expect(page.get_by_test_id(chart)).to_have_attribute("data-lines", "6", timeout=READY)
    expect(page.get_by_test_id("differs-hidden_size").locator("td")).to_have_text([str(3 + number) for number in range(6)])
    expect(page.get_by_test_id("compare-scores").locator("tbody tr")).to_have_count(6)
    for letter in "ABCDEF":
        expect(page.get_by_test_id(f"strip-{letter}")).to_be_visible()
    swatches = {page.get_by_test_id(f"toggle-{letter}").locator("svg").evaluate("(svg) => svg.outerHTML") for letter in "ABCDEF"}
    assert len(swatches) == 6  # by colour or dashes
    expect(page.get_by_test_id("compare-add")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("6 runs are compared at most")
