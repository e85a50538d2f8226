"""The first film: it plays, steps back, opens a cell, and every number it explains is the API's."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, centre, moment, number, to_end_of_backward, wait_for_film

TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def opening(api: httpx.Client) -> dict[str, Any]:
    return dict(api.get("/opening").raise_for_status().json())


def why(api: httpx.Client, trace: str, node: int, index: list[int]) -> dict[str, Any]:
    return dict(api.get(f"/traces/{trace}/nodes/{node}", params={"index": ",".join(map(str, index))}).raise_for_status().json())


def node_at(document: dict[str, Any], scope: str, label: str) -> int:
    return next(node["id"] for node in document["nodes"] if node["scope"] == scope and node["label"] == label)


def test_the_first_visit_plays_by_itself_and_any_input_stops_it(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="no-preference")
    wait_for_film(page)
    shown = page.get_by_test_id("moment")
    for _ in range(2):
        expect(shown).not_to_have_text(shown.inner_text(), timeout=READY)
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "true")
    page.get_by_role("main").click(position={"x": 4, "y": 4})
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "false")


WATCH = """() => addEventListener("DOMContentLoaded", () => {
  const seen = window.seen = [];
  const last = {};
  const note = (what, now) => { if (now !== undefined && now !== null && last[what] !== now) seen.push([what, (last[what] = now)]); };
  new MutationObserver(() => {
    const flight = document.querySelector("[data-testid=flight]");
    if (flight && flight !== last.element) {
      last.element = flight;
      const { animationDuration } = getComputedStyle(flight);
      seen.push(["flight", document.querySelectorAll(".matrix [data-testid^=share-]").length]);
      note("takes", animationDuration);
    }
    note("tab", document.querySelector(".tray nav [aria-pressed=true]")?.dataset.testid);
    const hidden = document.querySelectorAll(".tray.folded").length;
    if (document.querySelector(".tray")) note("folded", hidden);
    const stage = document.querySelector(".scroller")?.getBoundingClientRect();
    const ends = [...document.querySelectorAll(".token, [data-testid=loss-value]")].map((one) => one.getBoundingClientRect());
    const beyond = (one) => one.right > stage.right + 1 || one.left < stage.left || one.bottom > stage.bottom + 1 || one.top < stage.top;
    const cut = ends.filter(beyond);
    if (document.querySelector("[data-testid^=share-]")) note("cut", cut.length);
  }).observe(document, { subtree: true, childList: true, attributes: true });
})"""
"""What a person sees of the film that plays by itself, in order: flights, tabs, and what of letters and loss is not in view."""

LONGEST = """() => Math.max(...[...document.querySelectorAll(".frame, .frame *")].flatMap((one) => {
  const { transitionDuration, animationDuration, animationName } = getComputedStyle(one);
  const times = [...transitionDuration.split(","), ...(animationName === "none" ? [] : animationDuration.split(","))];
  return times.map((time) => parseFloat(time) * (/ms$/.test(time) ? 1 : 1000));
}))"""
"""ms that anything in the frame of the film takes to change."""


def test_the_first_thirty_seconds_on_a_laptop(open_page: OpenPage) -> None:
    page = open_page("#/train", width=1366, height=768, reduced_motion="no-preference")
    page.add_init_script(f"({WATCH})(); localStorage.setItem('retrograd.speed', '4')")
    home = page.url.partition("#")[0]
    page.goto(f"{home}?watched")
    expect(page.get_by_test_id("caption")).to_contain_text("Tap any number: why?", timeout=READY)
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "false")
    seen = page.evaluate("seen")
    assert [what for name, what in seen if name == "flight"] == [1, 2, 3, 4, 5], "a share did not fly into the sum"
    assert [what for name, what in seen if name == "takes"] == ["0.35s"]
    assert [what for name, what in seen if name == "tab"] == ["tab-bptt", "tab-parameters"]
    order = [(name, what) for name, what in seen if name in ("flight", "tab")]
    assert order.index(("tab", "tab-parameters")) > order.index(("flight", 5)), "the parameters came before the sum was whole"
    assert [what for name, what in seen if name == "folded"] == [0], "the tray was folded"
    assert [what for name, what in seen if name == "cut"] == [0], "letters or the loss were out of view"
    expect(page.get_by_test_id("parameters")).to_be_in_viewport()
    # any input stops it, and nothing jumps under the hand
    for size, act in (((1440, 789), "key"), ((1366, 650), "wheel"), ((1366, 768), "touch")):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"{home}?{act}")
        expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "true", timeout=READY)
        expect(page.get_by_test_id("share-sum").or_(page.get_by_test_id("tab-bptt")).first).to_be_in_viewport()
        if act == "key":
            page.keyboard.press("x")
        elif act == "wheel":
            page.mouse.move(600, 300)
            page.mouse.wheel(0, 40)
        else:
            page.locator("main.stage").dispatch_event("pointerdown", {"pointerType": "touch", "isPrimary": True, "bubbles": True})
        expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "false")
        assert page.locator(".tray.folded").count() == 0
    # a step by key takes at most 150 ms, whatever shows it
    for _ in range(14):
        page.keyboard.press("ArrowRight")
        assert page.evaluate(LONGEST) <= 150
    assert page.locator(".frame").get_attribute("data-motion") == "key"
    # who folds the tray himself keeps it folded
    page.get_by_test_id("tab-bptt").click()
    folded = page.locator(".tray.folded")
    if folded.count() == 0:
        page.get_by_test_id("tab-bptt").click()
    expect(folded).to_have_count(1)
    page.get_by_test_id("help").click()
    page.get_by_test_id("help-claims").click()
    page.get_by_test_id("claim-vanishing_zero").click()
    expect(page.get_by_test_id("claim-gesture")).to_be_visible(timeout=READY)
    expect(folded).to_have_count(1)


def test_steps_of_a_graph_take_no_longer_either_and_a_large_window_is_filled(open_page: OpenPage) -> None:
    page = open_page("#/expression", reduced_motion="no-preference", width=2560, height=1440)
    wait_for_film(page)
    page.keyboard.press("End")
    expect(page.locator("g.back").first).to_be_attached()  # gradients, once the graph is laid out
    assert page.evaluate(LONGEST) <= 150
    page.get_by_test_id("nav-network").click()
    wait_for_film(page)
    expect(page.get_by_test_id("stage-zoom-reset")).to_have_text("150%", timeout=READY)
    expect(page.get_by_test_id("loss-value").or_(page.get_by_test_id("token-5")).first).to_be_in_viewport()
    page.get_by_test_id("stage-zoom-out").click()  # smaller: no reason to open a cell
    expect(page.get_by_test_id("stage-zoom-reset")).to_have_text("120%")
    expect(page.get_by_test_id("level-cell")).to_have_attribute("aria-pressed", "true")


def test_plays_from_a_late_moment_to_its_end_and_rests_there(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    for _ in range(3):
        page.get_by_test_id("step-back").click()
    late, whole = moment(page)
    assert late < whole
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("moment")).to_have_text(f"{whole} / {whole}", timeout=READY)
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "false", timeout=READY)


def test_another_film_begins_where_it_can_be_seen_and_one_come_back_to_keeps_its_place(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"kind": "network", "task": "adding", "cell": "rnn", "hidden_size": 4, "batch_size": 1, "seed": 0, "step": 1}
    trace = api.post("/traces", json={"program": program}).raise_for_status().json()["id"]
    page = open_page(f"#/network?v=2&trace={trace}", reduced_motion="no-preference")
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    scrolled = """() => { const { scrollLeft, clientWidth, scrollWidth } = document.querySelector(".scroller") ?? {};
      return scrollLeft > 600 && scrollLeft + clientWidth > scrollWidth - 2 && scrollLeft }"""
    place = page.wait_for_function(scrolled).json_value()
    page.get_by_test_id("nav-train").click()
    expect(page.get_by_test_id("run-start")).to_be_visible()
    page.get_by_test_id("nav-network").click()
    assert page.wait_for_function(scrolled).json_value() == pytest.approx(place, abs=1)
    last = page.locator("[data-testid^=tile-h-10-]")  # of ten columns; those out of view are not drawn
    expect(last.first).to_be_in_viewport()
    page.get_by_test_id("nav-train").click()
    expect(page.get_by_test_id("run-start")).to_be_visible()
    page.locator("a.brand").click()
    expect(page.get_by_test_id("open-1")).to_be_in_viewport()
    expect(page.get_by_test_id("open-5")).to_be_in_viewport()


def test_reduced_motion_never_plays_by_itself(page: Page) -> None:
    wait_for_film(page)
    assert moment(page)[0] == 0
    expect(page.get_by_test_id("play")).to_have_attribute("data-playing", "false")


def test_steps_back_as_well_as_forward(page: Page) -> None:
    wait_for_film(page)
    seen = [moment(page)[0]]
    for _ in range(4):
        page.get_by_test_id("step-forward").click()
        seen.append(moment(page)[0])
    assert seen == sorted(set(seen))
    for expected in reversed(seen[:-1]):
        page.get_by_test_id("step-back").click()
        assert moment(page)[0] == expected
    page.get_by_test_id("to-end").click()
    done, whole = moment(page)
    assert done == whole
    page.get_by_test_id("to-start").click()
    assert moment(page) == (0, whole)


def test_the_forward_pass_with_the_new_parameters_is_the_last_stop(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    loss, hop = page.get_by_test_id("loss-value"), page.get_by_test_id("hop-h-2")
    after = number(loss)
    expect(hop).to_have_count(0)
    expect(page.get_by_test_id("step-forward")).to_be_disabled()
    page.get_by_test_id("step-back").click()
    done, whole = moment(page)
    assert done == whole
    assert number(loss) != after
    expect(hop).to_have_count(1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert number(loss) == after


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (820, 1180), (600, 900), (390, 844)])
def test_the_trays_columns_stand_under_the_stages(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(width=width, height=height)
    wait_for_film(page)
    to_end_of_backward(page)
    for t in (1, 2):
        assert centre(page.get_by_test_id(f"share-{t}")) == pytest.approx(centre(page.get_by_test_id(f"tile-h-{t}-0")), abs=1)
    predictions = page.get_by_test_id("prediction-1")
    expect(predictions).to_have_count(0 if width < 480 else 1)


def test_a_low_window_shows_the_whole_stage_and_folds_the_tray(open_page: OpenPage) -> None:
    page = open_page(width=1280, height=720)
    wait_for_film(page)
    to_end_of_backward(page)
    token, ruler = page.locator(".token").first.bounding_box(), page.get_by_test_id("ruler").bounding_box()
    assert token is not None
    assert ruler is not None
    assert token["y"] + token["height"] < ruler["y"]
    expect(page.get_by_test_id("share-1")).to_have_count(0)
    page.get_by_test_id("tab-bptt").click()
    expect(page.get_by_test_id("share-1")).to_be_visible()


def test_every_hidden_value_shown_is_the_apis(page: Page, api: httpx.Client, opening: dict[str, Any]) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("step-back").click()  # from the forward pass with the new parameters to the film's own
    length = opening["batch"]["examples"][0]["length"]
    for t in range(1, length + 1):
        node = node_at(opening, f"rnn/t={t}", "h")
        for i in range(opening["program"]["hidden_size"]):
            value = why(api, opening["id"], node, [0, i])["value"]
            assert number(page.get_by_test_id(f"tile-h-{t}-{i}")) == pytest.approx(value, rel=0, abs=TOLERANCE)


def test_why_a_hidden_value(page: Page, api: httpx.Client, opening: dict[str, Any]) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("step-back").click()
    page.get_by_test_id("tile-h-3-1").click()
    answer = why(api, opening["id"], node_at(opening, "rnn/t=3", "h"), [0, 1])
    expect(page.get_by_test_id("why-title")).to_be_visible()
    assert number(page.get_by_test_id("why-value")) == pytest.approx(answer["value"], rel=0, abs=TOLERANCE)


def test_why_a_shared_weight_is_the_sum_of_one_share_a_step(page: Page, api: httpx.Client, opening: dict[str, Any]) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    page.get_by_test_id("badge-rnn.weight_hh_l0-2").click()
    weight = next(node["id"] for node in opening["nodes"] if node["path"] == "rnn.weight_hh_l0")
    answer = why(api, opening["id"], weight, [0, 0])
    length = opening["batch"]["examples"][0]["length"]

    assert number(page.get_by_test_id("why-value")) == pytest.approx(answer["gradient"], rel=0, abs=TOLERANCE)
    rows = page.locator("[data-testid^=why-row-]")
    expect(rows).to_have_count(length)
    shown = [number(rows.nth(i)) for i in range(length)]
    of_the_api = [part["value"] for part in answer["backward"]["contributions"]]
    assert shown == pytest.approx(of_the_api, rel=0, abs=TOLERANCE)
    assert shown[-1] == 0.0  # the share of t = 1: h_0 is 0
    assert number(page.get_by_test_id("why-sum")) == pytest.approx(sum(shown), rel=0, abs=TOLERANCE)


def test_the_bars_of_rows_that_have_arrived_stay_while_others_come(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("stride-cell").click()
    heights = """rows => rows.filter(row => row.dataset.value !== "")
        .map(row => row.querySelector("svg.bar").getBoundingClientRect().height)"""
    shares, (done, whole) = [], (0, 1)
    while done < whole:
        page.keyboard.press("ArrowRight")
        done, whole = moment(page)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")  # laid out anew
        arrived = page.locator("[data-testid^=why-row-]").evaluate_all(heights)
        assert all(height > 0 for height in arrived), f"bars without a height at {done} / {whole}: {arrived}"
        shares.append(len(arrived))
    assert max(shares) > 4


def test_finite_differences_agree_on_request(page: Page) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    page.get_by_test_id("badge-rnn.weight_hh_l0-2").click()
    page.get_by_test_id("why-check").click()
    expect(page.get_by_test_id("why-check")).to_have_attribute("data-value", re.compile(r"\d"), timeout=READY)
    assert number(page.get_by_test_id("why-check")) == pytest.approx(number(page.get_by_test_id("why-value")), rel=1e-6, abs=1e-8)


def test_the_update_of_a_weight_ends_at_its_new_value(page: Page, api: httpx.Client, opening: dict[str, Any]) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("badge-rnn.weight_hh_l0-2").click()
    weight = next(node["id"] for node in opening["nodes"] if node["path"] == "rnn.weight_hh_l0")
    terms = {term["name"]: term["value"] for term in why(api, opening["id"], weight, [0, 0])["update"]["terms"]}
    assert number(page.get_by_test_id("why-value")) == pytest.approx(terms["new"], rel=0, abs=TOLERANCE)


def test_opens_a_cell_and_closes_it(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("open-3").click()
    opened = page.get_by_test_id("open-cell")
    expect(opened).to_be_visible()
    expect(page.get_by_test_id("open-W-3-0-0")).to_be_visible()
    page.get_by_role("button", name="Cell", exact=True).click()
    expect(opened).to_have_count(0)
    expect(page.get_by_test_id("tile-h-1-0")).to_be_visible()


def test_the_answer_changes_with_the_step(page: Page) -> None:
    wait_for_film(page)
    expect(page.get_by_test_id("answer-before")).to_contain_text("not yet")
    page.get_by_test_id("to-end").click()
    expect(page.get_by_test_id("answer-before")).to_contain_text("✗")
    expect(page.get_by_test_id("answer-after")).to_contain_text("✓")
