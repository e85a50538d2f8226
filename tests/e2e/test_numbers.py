"""What the stage and the panel show is what the inspector and the API say, in films that are not the first one."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import number, wait_for_film

TOLERANCE = 1e-12
PROGRAM: dict[str, Any] = {
    "kind": "network", "task": "surnames", "cell": "rnn", "hidden_size": 3, "optimizer": {"name": "adamw", "lr": 0.01},
    "clip_norm": 1.0, "batch_size": 4, "seed": 5, "step": 3, "example": 0,
}  # fmt: skip


def document(api: httpx.Client, changes: dict[str, Any]) -> dict[str, Any]:
    return dict(api.post("/traces", json={"program": {**PROGRAM, **changes}}).raise_for_status().json())


def open_film(open_page: OpenPage, trace: dict[str, Any], **settings: Any) -> Page:
    packed = base64.urlsafe_b64encode(json.dumps(trace["program"]).encode()).decode().rstrip("=")
    page = open_page(f"#/network?p={packed}", **settings)
    wait_for_film(page)
    return page


def why(api: httpx.Client, trace: dict[str, Any], node: int, index: list[int]) -> dict[str, Any]:
    return dict(api.get(f"/traces/{trace['id']}/nodes/{node}", params={"index": ",".join(map(str, index))}).raise_for_status().json())


def test_the_panel_of_a_sunspots_film_has_the_numbers_of_the_last_year(open_page: OpenPage, api: httpx.Client) -> None:
    trace = document(api, {"task": "sunspots"})
    page = open_film(open_page, trace)
    page.get_by_test_id("to-end").click()
    target = trace["batch"]["examples"][0]["target"][-1]
    right = target[0] if isinstance(target, list) else target
    expect(page.get_by_test_id("answer-right")).to_have_text(f"{right:+.2f}".replace("-", "\u2212"))
    last = trace["batch"]["examples"][0]["length"]
    node = next(node["id"] for node in trace["nodes"] if node["scope"] == f"predict/t={last}" and node["label"] == "y_hat")
    before = page.get_by_test_id("answer-before").locator("[data-value]")
    assert number(before) == pytest.approx(why(api, trace, node, [0, 0])["value"], rel=0, abs=TOLERANCE)
    assert not re.search("∞|NaN|undefined", page.get_by_role("complementary").first.inner_text())


def test_a_shorter_example_of_a_mini_batch_ends_where_it_ends(open_page: OpenPage, api: httpx.Client) -> None:
    trace = document(api, {"example": None})
    examples = trace["batch"]["examples"]
    lengths = [example["length"] for example in examples]
    assert len(set(lengths)) > 1, "the test wants a mini-batch of names of different lengths; choose another seed"
    row = lengths.index(min(lengths))
    page = open_film(open_page, trace)
    page.get_by_test_id("to-end").click()
    for _ in range(row):
        page.get_by_test_id("example-next").click()
    expect(page.get_by_role("complementary").get_by_label(examples[row]["text"], exact=True)).to_be_visible()
    last = next(node["id"] for node in trace["nodes"] if node["scope"] == f"rnn/t={min(lengths)}" and node["label"] == "h")
    page.get_by_test_id("step-back").click()  # before the forward pass with the new parameters
    for i in range(3):
        value = why(api, trace, last, [row, i])["value"]
        assert number(page.get_by_test_id(f"tile-h-{min(lengths)}-{i}")) == pytest.approx(value, rel=0, abs=TOLERANCE)
    page.get_by_test_id(f"tile-h-{min(lengths)}-0").click()
    assert number(page.get_by_test_id("why-value")) == number(page.get_by_test_id(f"tile-h-{min(lengths)}-0"))
    assert not re.search("NaN|undefined", page.get_by_role("main").inner_text())


def test_the_ladder_of_sgd_with_momentum_is_the_rules(open_page: OpenPage, api: httpx.Client) -> None:
    trace = document(api, {"optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}, "clip_norm": 0.01})
    page = open_film(open_page, trace)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("badge-rnn.weight_hh_l0-2").click()
    weight = next(node["id"] for node in trace["nodes"] if node["path"] == "rnn.weight_hh_l0")
    terms = {term["name"]: term["value"] for term in why(api, trace, weight, [0, 0])["update"]["terms"]}
    names = ["gradient", "clipped", "decayed", "momentum_buffer_prev", "momentum_buffer", "delta", "new"]
    rungs = page.get_by_test_id("inspector").get_by_role("row")
    expect(rungs).to_have_count(len(names))
    expect(rungs.get_by_role("rowheader")).to_have_text(
        ["gradient", "clipped", "with decay", "momentum before", "momentum", "step", "new value"]
    )
    shown = [number(rungs.nth(i).locator("[data-value]")) for i in range(len(names))]
    assert shown == pytest.approx([terms[name] for name in names], rel=0, abs=TOLERANCE)


def test_right_after_the_end_a_tile_and_its_explanation_are_one_number(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    for t in (1, 3, 5):
        tile = page.get_by_test_id(f"tile-h-{t}-0")
        tile.click()
        assert number(page.get_by_test_id("why-value")) == number(tile)


def test_the_sheet_of_a_phone_has_three_heights_and_the_formula_comes_first(open_page: OpenPage) -> None:
    page = open_page("#/network", width=390, height=844)
    wait_for_film(page)
    sheet, handle = page.get_by_test_id("sheet"), page.get_by_test_id("sheet-handle")

    def height(size: str) -> float:
        expect(sheet).to_have_attribute("data-size", size)
        box = sheet.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] == pytest.approx(844, abs=1)  # at the window's lower edge, wherever the page is scrolled to
        return box["height"]

    page.get_by_test_id("step-forward").click()
    peek = height("peek")  # a film that plays by itself is seen whole, with what stops it
    play, number_there = page.get_by_test_id("play").bounding_box(), page.get_by_test_id("why-value").bounding_box()
    assert play is not None
    assert number_there is not None
    assert play["y"] + play["height"] <= 844 - peek
    assert number_there["y"] + number_there["height"] <= 844
    page.get_by_test_id("predict").click()
    half = height("half")  # a question is asked in it
    page.get_by_test_id("predict").click()
    page.get_by_test_id("play").scroll_into_view_if_needed()
    handle.click()
    full = height("full")
    handle.press("ArrowDown")
    handle.press("ArrowDown")
    assert height("peek") == peek
    assert peek < half < full < 844
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(195, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(195, box["y"] - 180, steps=5)
    page.mouse.up()
    assert height("half") == half

    page.get_by_test_id("tile-h-1-0").click()
    handle.press("ArrowDown")
    assert height("peek") == peek  # also while a number is chosen
    page.get_by_test_id("tile-h-1-1").click()
    assert height("half") == half  # another number is asked for

    page.get_by_test_id("nav-expression").click()
    wait_for_film(page)
    formula, graph = page.get_by_test_id("expression-input").bounding_box(), page.get_by_role("main").bounding_box()
    assert formula is not None
    assert graph is not None
    assert formula["y"] < graph["y"]


def test_a_film_that_has_diverged_is_walked_through_hatched_and_in_honest_words(open_page: OpenPage, api: httpx.Client) -> None:
    # open_page watches the console: a shape without a size would be an error there
    trace = document(api, {"task": "sunspots", "hidden_size": 2, "step": 45, "clip_norm": None, "optimizer": {"name": "sgd", "lr": 1000}})
    page = open_film(open_page, trace)
    page.get_by_test_id("stride-phase").click()
    for _ in range(4):
        page.get_by_test_id("step-forward").click()
    page.get_by_test_id("tab-gradient").click()
    expect(page.get_by_test_id("gradient-lost")).to_contain_text("no finite number at 20 of 20 steps")
    assert page.get_by_test_id("gradient-h-1").get_attribute("data-value") == "NaN"
    for tab in ("bptt", "pairs", "parameters", "histograms", "curves"):
        page.get_by_test_id(f"tab-{tab}").click()
        expect(page.get_by_test_id(f"tab-{tab}")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("lane-h-3-0").click()
    expect(page.get_by_test_id("why-value")).to_have_text("NaN")
    expect(page.get_by_test_id("why-note")).to_contain_text("is no number")
    page.get_by_test_id("badge-rnn.weight_hh_l0-3").click()
    expect(page.get_by_test_id("no-line")).to_be_visible()
    expect(page.get_by_test_id("inspector")).to_contain_text("before this step, no finite number")
