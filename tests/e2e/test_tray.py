"""The tray: its numbers are the API's, pairs of steps lead to the stage, truncation and clipping are seen, figures open as charts."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engine.trace import Document
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, number, to_end_of_backward, wait_for_film, wait_for_new_film
from tests.e2e.test_accessibility import AXE, EXCEPTIONS

TOLERANCE = 1e-12
PROGRAM: dict[str, Any] = {
    "kind": "network", "task": "surnames", "cell": "lstm", "hidden_size": 3, "optimizer": {"name": "adamw", "lr": 0.01},
    "clip_norm": 0.5, "batch_size": 4, "seed": 5, "step": 1, "example": 0,
}  # fmt: skip
TABS = ["gradient", "bptt", "pairs", "parameters", "histograms", "curves"]


def film(api: httpx.Client, **changes: Any) -> dict[str, Any]:
    return dict(api.post("/traces", json={"program": {**PROGRAM, **changes}}).raise_for_status().json())


def itemised(api: httpx.Client, trace: dict[str, Any]) -> dict[str, Any]:
    return dict(api.get(f"/traces/{trace['id']}/bptt", params={"row": 0}).raise_for_status().json())


def show(open_page: OpenPage, trace: dict[str, Any], tab: str, *, end: bool = False, **settings: Any) -> Page:
    """The film at the end of its backward pass (or at its end), with a tab of the tray opened."""
    packed = base64.urlsafe_b64encode(json.dumps(trace["program"]).encode()).decode().rstrip("=")
    page = open_page(f"#/network?p={packed}", **settings)
    wait_for_film(page)
    if end:
        page.get_by_test_id("to-end").click()
    else:
        to_end_of_backward(page)
    page.get_by_test_id(f"tab-{tab}").click()
    return page


def same(shown: float, expected: float) -> None:
    assert shown == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


def test_the_gradient_through_time_has_the_norms_of_the_api_for_h_and_c(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api)
    norms = itemised(api, trace)["state_norms"]
    page = show(open_page, trace, "gradient")
    for t in (1, 2, 3):
        for state in ("h", "c"):
            same(number(page.get_by_test_id(f"gradient-{state}-{t}")), norms[state][t - 1])
    for t in (2, 3):
        same(number(page.get_by_test_id(f"factor-c-{t}")), norms["c"][t - 2] / norms["c"][t - 1])
        same(number(page.get_by_test_id(f"factor-h-{t}")), number(page.get_by_test_id(f"hop-h-{t}")))
        for state in ("h", "c"):  # two factors an arrow's width apart: each says whose it is
            expect(page.get_by_test_id(f"rail-{state}-{t}")).to_have_text(state)
    keys = [page.get_by_test_id(f"key-{state}") for state in ("h", "c")]  # without colour: full and solid, open and dashed
    assert [key.locator("path").get_attribute("stroke-dasharray") for key in keys] == [None, "4 3"]
    assert len({key.locator("rect").evaluate("bar => getComputedStyle(bar).fill") for key in keys}) == 2


def test_pairs_are_those_of_the_layer_and_direction_that_is_looked_at(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api, cell="gru", layers=2, bidirectional=True)
    page = show(open_page, trace, "pairs")
    page.get_by_test_id("tray-layer").select_option("l1_reverse")
    answer = api.get(f"/traces/{trace['id']}/bptt", params={"row": 0, "cell": "gru/l1_reverse"}).raise_for_status().json()
    steps = answer["times"]
    assert steps == list(range(len(steps), 0, -1))
    page.get_by_test_id("pairs-jacobian").click()
    chart = page.get_by_test_id("pairs-map")
    chart.focus()
    chart.press("Home")
    expect(page.get_by_test_id("pairs-words")).to_contain_text(f"= {steps[0]}")
    same(float(chart.get_attribute("data-value") or "nan"), answer["jacobian_norms"][-1][0])
    page.get_by_test_id("pairs-table").click()
    expect(page.get_by_test_id("pairs-numbers").locator("thead th").nth(1)).to_have_text(str(steps[0]))


def test_a_truncated_gradient_ends_at_the_border_and_the_state_goes_on(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api, cell="rnn", task="sunspots", truncation=3)
    whole = film(api, cell="rnn", task="sunspots")
    page = show(open_page, trace, "gradient")
    expect(page.get_by_test_id("cut-4")).to_have_count(1)
    expect(page.get_by_test_id("cut-3")).to_have_count(0)
    expect(page.get_by_test_id("stage-cut-4")).to_have_count(1)
    expect(page.get_by_test_id("cuts")).to_contain_text("between t = 4 and t = 3")
    norms = itemised(api, trace)
    same(number(page.get_by_test_id("gradient-h-3")), norms["state_norms"]["h"][2])
    assert norms["loss_norms"]["h"][3][2] == 0  # the loss of step 4 does not reach step 3
    same(number(page.get_by_test_id("tile-h-3-0")), float(Document(whole).value(state_node(whole, 3))[0, 0]))

    page.get_by_test_id("tab-pairs").click()
    chart = page.get_by_test_id("pairs-map")
    expect(chart).to_have_attribute("data-t", re.compile(r"\d+"))
    page.get_by_test_id("pairs-table").click()
    page.get_by_test_id("pair-5-2").click()
    expect(page.get_by_test_id("pairs-words")).to_contain_text("truncated after")

    field = page.get_by_test_id("program-truncation")
    expect(field).to_have_value("3")
    address = page.url
    field.fill("")
    field.press("Enter")
    wait_for_new_film(page, address)
    to_end_of_backward(page)
    page.get_by_test_id("tab-gradient").click()
    expect(page.get_by_test_id("gradient-h-1")).to_have_count(1)
    expect(page.get_by_test_id("cut-4")).to_have_count(0)
    expect(page.get_by_test_id("stage-cut-4")).to_have_count(0)


def state_node(trace: dict[str, Any], t: int) -> int:
    cell = trace["program"]["cell"]
    return next(int(node["id"]) for node in trace["nodes"] if node["scope"] == f"{cell}/t={t}" and node["label"] == "h")


def test_a_truncation_that_cannot_be_is_refused_in_words(api: httpx.Client) -> None:
    answer = api.post("/traces", json={"program": {**PROGRAM, "truncation": 2, "bidirectional": True}})
    assert answer.status_code == 422
    assert "forward alone" in answer.text
    assert api.post("/traces", json={"program": {**PROGRAM, "truncation": 0}}).status_code == 422


def test_a_pair_of_steps_is_the_apis_and_leads_to_both_cells(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api, task="sunspots")
    answer = itemised(api, trace)
    page = show(open_page, trace, "pairs")
    chart = page.get_by_test_id("pairs-map")
    chart.focus()
    count = len(answer["times"])
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        chart.press(key)
    t, s = count - 1, count - 3
    expect(chart).to_have_attribute("data-t", str(t))
    expect(chart).to_have_attribute("data-s", str(s))
    same(number(chart), answer["loss_norms"]["h"][t - 1][s - 1])
    words = page.get_by_test_id("pairs-words")
    expect(words).to_have_attribute("aria-live", "polite")
    expect(words).to_contain_text("reaches")
    gradient = Document(trace).gradient(state_node(trace, s))
    assert gradient is not None
    same(abs(number(page.get_by_test_id("why-value"))), float(np.abs(gradient[0]).max()))

    page.get_by_test_id("pairs-c").click()
    same(number(chart), answer["loss_norms"]["c"][t - 1][s - 1])
    page.get_by_test_id("pairs-jacobian").click()
    same(number(chart), answer["jacobian_norms"][t - 1][s - 1])
    page.get_by_test_id("pairs-log").click()
    expect(page.get_by_test_id("pairs-log")).to_have_attribute("aria-pressed", "true")

    page.get_by_test_id("pairs-table").click()
    for row, column in ((1, 1), (5, 2), (count, 1)):
        same(number(page.get_by_test_id(f"pair-{row}-{column}")), answer["jacobian_norms"][row - 1][column - 1])
    page.get_by_test_id("pair-3-1").click()
    page.get_by_test_id("pairs-table").click()
    expect(chart).to_have_attribute("data-t", "3")
    for ring in ("pair-s", "pair-t"):
        expect(page.get_by_test_id(ring)).to_have_count(1)
    page.get_by_test_id("tab-gradient").click()
    expect(page.get_by_test_id("pair-s")).to_have_count(0)


def test_touching_the_map_chooses_the_pair_under_the_finger(open_page: OpenPage, api: httpx.Client) -> None:
    page = show(open_page, film(api, cell="gru", task="sunspots"), "pairs")
    chart = page.get_by_test_id("pairs-map")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    cell = box["width"] / 20
    page.mouse.click(box["x"] + 3.5 * cell, box["y"] + 9.5 * cell)
    expect(chart).to_have_attribute("data-t", "10")
    expect(chart).to_have_attribute("data-s", "4")
    page.mouse.click(box["x"] + 15.5 * cell, box["y"] + 2.5 * cell)  # above the diagonal: the nearest below
    expect(chart).to_have_attribute("data-s", "3")


def test_one_loss_says_so_and_shows_the_jacobians(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api, cell="rnn")
    page = show(open_page, trace, "pairs")
    expect(page.get_by_test_id("pairs-loss")).to_be_disabled()
    chart = page.get_by_test_id("pairs-map")
    norms = itemised(api, trace)["jacobian_norms"]
    same(number(chart), norms[-1][-2])


@pytest.mark.parametrize("what", ["values", "gradients", "updates"])
def test_a_histogram_counts_every_number_of_the_moment(open_page: OpenPage, api: httpx.Client, what: str) -> None:
    trace = film(api)
    page = show(open_page, trace, "histograms", end=True)
    page.get_by_test_id("step-back").click()  # the update is done, the forward pass with the new parameters not shown
    page.get_by_test_id(f"histogram-of-{what}").click()
    document = Document(trace)
    events = trace["events"]
    terms = {
        trace["nodes"][events["node"][int(event)]]["path"]: about["terms"]
        for event, about in events["details"].items() if events["node"][int(event)] >= 0
    }  # fmt: skip
    totals = {"size": 0, "zeros": 0}
    for node in trace["nodes"]:
        if node["role"] != "parameter":
            continue
        if what == "values":
            numbers = document.tensor(terms[node["path"]]["new"])
        elif what == "updates":
            numbers = document.tensor(terms[node["path"]]["delta"])
        else:
            gradient = document.gradient(node["id"])
            assert gradient is not None
            numbers = gradient
        block = page.get_by_test_id(f"histogram-{node['path']}")
        zeros = int((numbers == 0).sum())
        expect(block).to_have_attribute("data-zeros", str(zeros))
        expect(block).to_have_attribute("data-nonfinite", "0")
        counts = [int(n) for n in (block.get_attribute("data-counts") or "").split(",")]
        assert sum(counts) == numbers.size - (0 if what == "values" else zeros)
        totals["size"] += numbers.size
        totals["zeros"] += zeros
    total = page.get_by_test_id("histogram-total")
    expect(total).to_have_attribute("data-size", str(totals["size"]))
    expect(total).to_have_attribute("data-zeros", str(totals["zeros"]))


def test_histograms_by_time_step_stand_under_their_columns(open_page: OpenPage, api: httpx.Client) -> None:
    page = show(open_page, film(api), "histograms")
    page.get_by_test_id("histogram-by-step").click()
    expect(page.get_by_test_id("histogram-of-updates")).to_be_disabled()
    for t in (1, 2):
        block, card = page.get_by_test_id(f"histogram-{t}").bounding_box(), page.get_by_test_id(f"open-{t}").bounding_box()
        assert block is not None
        assert card is not None
        assert block["x"] + block["width"] / 2 == pytest.approx(card["x"] + card["width"] / 2, abs=1.5)


def test_the_first_step_of_adamw_is_the_learning_rate_for_every_gradient(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api)
    page = show(open_page, trace, "parameters", end=True)
    page.get_by_test_id("parameters-steps").click()
    expect(page.get_by_test_id("steps-words")).to_contain_text(re.compile(r"the largest step 1\.0\d times the smallest"))  # but for eps
    document = Document(trace)
    gradients = [document.gradient(node["id"]) for node in trace["nodes"] if node["role"] == "parameter"]
    without = sum(int((g == 0).sum()) for g in gradients if g is not None)
    shown = page.get_by_test_id("steps-without")
    expect(shown).to_have_attribute("data-count", str(without))
    decays = int(shown.get_attribute("data-decay") or "0")
    assert 0 < decays <= without
    page.get_by_test_id("steps-show-decay").click()
    rungs = page.get_by_test_id("inspector").get_by_role("row")
    shown_numbers = {row.get_by_role("rowheader").inner_text(): row for row in rungs.all()}
    assert number(shown_numbers["gradient"].locator("[data-value]")) == 0
    assert number(shown_numbers["adaptive step"].locator("[data-value]")) == 0
    assert number(shown_numbers["decoupled decay"].locator("[data-value]")) != 0


def test_clipping_shortens_the_gradient_and_does_not_turn_it(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api)
    events = trace["events"]
    (clip,) = [about["terms"] for event, about in events["details"].items() if events["node"][int(event)] < 0]
    document = Document(trace)
    page = show(open_page, trace, "parameters", end=True)
    page.get_by_test_id("parameters-steps").click()
    arrow = page.get_by_test_id("clip-arrow")
    before, after, cosine = (float(arrow.get_attribute(f"data-{name}") or "nan") for name in ("before", "after", "cosine"))
    assert before == pytest.approx(float(document.tensor(clip["norm"])), rel=1e-10)
    assert before > after
    assert after == pytest.approx(0.5, rel=1e-4)
    assert cosine == pytest.approx(1, abs=1e-12)
    expect(arrow).to_contain_text("not turned")


def test_the_length_of_an_update_stands_beside_its_parameter(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api)
    page = show(open_page, trace, "parameters", end=True)
    events, document = trace["events"], Document(trace)
    for event, about in events["details"].items():
        node = events["node"][int(event)]
        if node < 0:
            continue
        old, delta = document.tensor(about["terms"]["old"]), document.tensor(about["terms"]["delta"])
        shown = number(page.get_by_test_id(f"ratio-{trace['nodes'][node]['path']}"))
        assert shown == pytest.approx(float(np.linalg.norm(delta) / np.linalg.norm(old)), rel=1e-10)


def test_a_large_matrix_is_read_under_a_loupe_and_by_the_keys(open_page: OpenPage, api: httpx.Client) -> None:
    page = show(open_page, film(api, hidden_size=64), "parameters", end=True)
    texture = page.get_by_test_id("parameter-rnn.weight_hh_l0").locator("button.texture")
    texture.hover(position={"x": 30, "y": 40})
    expect(page.get_by_test_id("loupe")).to_be_visible()
    page.mouse.move(5, 5)
    expect(page.get_by_test_id("loupe")).to_have_count(0)
    texture.focus()
    texture.press("ArrowRight")
    texture.press("ArrowDown")
    expect(page.get_by_test_id("parameter-rnn.weight_hh_l0")).to_contain_text(re.compile(r"\[\d+, \d+\] [+−]"))
    texture.press("Enter")
    expect(page.get_by_test_id("inspector")).to_contain_text("adaptive step")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_view_opens_as_a_chart_in_the_language_shown_and_can_be_taken_along(open_page: OpenPage, api: httpx.Client, lang: str) -> None:
    trace = film(api, task="sunspots")
    page = show(open_page, trace, "gradient", locale="zh-CN" if lang == "zh" else "en-US")
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    page.get_by_test_id("chart-open").click()
    chart = page.get_by_test_id("chart")
    expect(chart.locator(".js-plotly-plot")).to_be_visible(timeout=READY)
    expect(chart.locator(".js-plotly-plot")).to_contain_text("time step" if lang == "en" else "时间步")
    figure = api.get(f"/traces/{trace['id']}/figures/gradient-through-time", params={"lang": lang, "row": 0}).json()
    for form, begins in (("png", b"\x89PNG"), ("svg", b"<svg"), ("json", b"{")):
        with page.expect_download() as download:
            page.get_by_test_id(f"chart-{form}").click()
        saved = download.value.path().read_bytes()
        assert saved.startswith(begins)
        if form == "json":
            assert json.loads(saved)["data"] == figure["data"]
    page.keyboard.press("Escape")
    expect(chart).not_to_be_visible()
    expect(page.get_by_test_id("chart-open")).to_be_focused()


def test_a_film_of_its_own_can_be_trained_for_its_curve(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api, cell="rnn", step=3, seed=71)
    page = show(open_page, trace, "curves")
    before = {run["id"] for run in api.get("/runs").json()["items"]}
    steps = re.compile(r"/runs/[^/]+/steps$")
    page.route(steps, lambda _: None)  # a training that does not come on
    page.get_by_test_id("train-here").click()
    expect(page.get_by_role("progressbar")).to_have_attribute("max", "1")
    with page.expect_request(lambda request: request.method == "DELETE" and "/runs/" in request.url):
        page.get_by_test_id("train-here-cancel").click()
    page.unroute(steps)
    page.get_by_test_id("train-here").click()
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=60_000)
    # Runs are their visitor's own: this client, which other files of tests have made runs with, sees none of the page's
    assert {run["id"] for run in api.get("/runs").json()["items"]} == before
    page.get_by_test_id("tab-gradient").click()
    page.get_by_test_id("tab-curves").click()
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("train-here")).to_have_count(0)


def test_a_layer_and_direction_is_chosen_in_the_tray(open_page: OpenPage, api: httpx.Client) -> None:
    trace = film(api, cell="gru", layers=2, bidirectional=True)
    page = show(open_page, trace, "bptt")
    page.get_by_test_id("tray-layer").select_option("l1_reverse")
    expect(page.get_by_test_id("choose-rnn.weight_hh_l1_reverse")).to_be_visible()
    expect(page.get_by_test_id("choose-rnn.weight_hh_l0")).to_have_count(0)
    (weight,) = [node["id"] for node in trace["nodes"] if node["path"] == "rnn.weight_hh_l1_reverse"]
    gradient = Document(trace).gradient(weight)
    assert gradient is not None
    assert number(page.get_by_test_id("share-size")) == pytest.approx(float(np.linalg.norm(gradient)), rel=1e-10)


def test_two_hundred_steps_have_an_overview_that_moves_the_stage(open_page: OpenPage, api: httpx.Client) -> None:
    values = [[float(np.sin(t / 7))] for t in range(201)]
    own = {"kind": "regression", "readout": "every", "examples": [{"values": values[:-1], "target": values[1:]}]}
    program = {key: value for key, value in PROGRAM.items() if key != "task"}
    trace = dict(api.post("/traces", json={"program": {**program, "sequences": own}}).raise_for_status().json())
    page = show(open_page, trace, "gradient")
    overview = page.get_by_test_id("overview")
    expect(overview).to_be_visible()
    overview.press("End")
    expect(page.get_by_test_id("gradient-h-200")).to_have_count(1)
    expect(page.get_by_test_id("gradient-h-1")).to_have_count(0)
    box = overview.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
    expect(page.get_by_test_id("gradient-h-100")).to_have_count(1)
    expect(page.get_by_test_id("tile-h-100-0")).to_have_count(1)  # the stage went along
    page.get_by_test_id("tab-pairs").click()
    chart = page.get_by_test_id("pairs-map")
    same(number(chart), itemised(api, trace)["loss_norms"]["h"][199][198])
    expect(page.get_by_test_id("pairs-loupe")).to_be_visible()


@pytest.mark.parametrize(("width", "theme", "locale"), [(1440, "light", "en-US"), (1024, "dark", "zh-CN"), (390, "light", "zh-CN")])
def test_axe_finds_nothing_serious_in_any_tab(open_page: OpenPage, api: httpx.Client, width: int, theme: str, locale: str) -> None:
    page = show(open_page, film(api, task="sunspots"), "gradient", width=width, height=900, locale=locale)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for tab in TABS:
        page.get_by_test_id(f"tab-{tab}").click()
        if tab == "pairs":
            expect(page.get_by_test_id("pairs-words")).to_be_visible(timeout=READY)
        page.wait_for_timeout(300)
        found = page.evaluate("async () => (await axe.run('section.tray', { resultTypes: ['violations'] })).violations")
        assert [(tab, one["id"], node["html"], node["failureSummary"]) for one in found for node in one["nodes"]
                if not any(markup in node["html"] for markup in EXCEPTIONS.get(one["id"], ()))] == []  # fmt: skip
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
