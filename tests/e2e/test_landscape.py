"""The loss as a map, with the ways of runs upon it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.several import trained
from tests.e2e.stage import READY

LONG = 120_000  # ms for a map on a busy machine


@pytest.mark.parametrize(("locale", "share"), [("en-US", "of its movement lies in this plane"), ("zh-CN", "在这个平面内")])
def test_two_weights_span_a_map_on_which_two_runs_walk(open_page: OpenPage, locale: str, share: str) -> None:
    page = open_page("#/train", locale=locale)
    adamw, sgd = trained(page, steps=40), trained(page, steps=40, optimizer={"name": "sgd", "lr": 0.1})
    page.goto(f"{page.url.partition('#')[0]}#/train?landscape={adamw}")
    page.get_by_test_id("landscape-add").select_option(sgd, timeout=READY)
    expect(page.get_by_test_id("mapped-B")).to_contain_text("SGD", timeout=READY)
    page.get_by_test_id("landscape-parameters").click()
    page.get_by_test_id("landscape-index-0").fill("99, 0")
    page.get_by_test_id("landscape-draw").click()
    expect(page.get_by_role("alert")).to_contain_text("18 × 6")  # the hidden-to-hidden weights of a GRU of size 6
    page.get_by_test_id("landscape-index-0").fill("0, 0")
    page.get_by_test_id("landscape-name-1").select_option("head.bias")
    page.get_by_test_id("landscape-index-1").fill("9")
    page.get_by_test_id("landscape-resolution").select_option("11")
    page.get_by_test_id("landscape-draw").click()
    expect(page.get_by_test_id("landscape-map").locator("svg").first).to_be_visible(timeout=LONG)
    for run in "AB":
        expect(page.get_by_test_id(f"landscape-plane-{run}")).to_contain_text(share)
    steps = page.get_by_test_id("landscape-paths").locator("tbody tr")
    assert {row.split()[0] for row in steps.all_inner_texts()} == {"A", "B"}
    page.locator("summary").click()
    expect(page.get_by_test_id("landscape-grid").locator("td")).to_have_count(121)


def test_a_map_is_cancelled_and_the_ways_are_gone_closer_to(open_page: OpenPage) -> None:
    page = open_page("#/train")
    run = trained(page, steps=40)
    page.goto(f"{page.url.partition('#')[0]}#/train?landscape={run}")
    page.get_by_test_id("landscape-resolution").select_option("41", timeout=READY)
    expect(page.get_by_test_id("landscape-pca")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("landscape-draw").click(timeout=READY)
    page.get_by_test_id("landscape-cancel").click()
    expect(page.get_by_test_id("landscape-cancel")).to_have_count(0)
    expect(page.get_by_test_id("landscape-map")).to_have_count(0)

    page.get_by_test_id("landscape-resolution").select_option("11")
    page.get_by_test_id("landscape-draw").click()
    expect(page.get_by_test_id("landscape-map")).to_contain_text("of the way", timeout=LONG)  # that each axis holds
    share = re.search(r"([\d.]+) %", page.get_by_test_id("landscape-plane-A").inner_text())
    assert share is not None
    assert float(share[1]) > 90
    expect(page.get_by_test_id("landscape-closer")).to_have_count(0)  # the map is as large as the way
    page.get_by_test_id("landscape-random").click()
    page.get_by_test_id("landscape-draw").click()
    page.get_by_test_id("landscape-closer").click(timeout=LONG)  # random directions hold little of what training moved
    expect(page.get_by_test_id("landscape-span")).not_to_have_value("")
    expect(page.get_by_test_id("landscape-map")).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("landscape-closer")).to_have_count(0)
