"""Compare: several networks under one transport. What stands on the page is what the API computes."""

from __future__ import annotations

import base64
import json
import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, choose_theme, number, saved
from tests.e2e.test_accessibility import violations

CELLS = ("rnn", "lstm", "gru")
STEPS = 50


def wait_for_panes(page: Page, count: int = 3) -> None:
    expect(page.get_by_test_id(re.compile(r"^pane-\d$"))).to_have_count(count, timeout=READY)
    expect(page.get_by_role("status")).to_have_count(0, timeout=READY)


@pytest.fixture
def compare(open_page: OpenPage) -> Page:
    page = open_page("#/compare")
    wait_for_panes(page)
    return page


@pytest.fixture(scope="module")
def traces(api: httpx.Client) -> dict[str, dict[str, Any]]:
    """The traces that the page opens on, by cell."""
    found = {}
    for item in api.get("/checkpoints").json()["items"]:
        program = {"kind": "network", **item["program"], "step": 1, "example": 0, "start": {"checkpoint": item["name"]}}
        found[item["program"]["cell"]] = api.post("/traces", json={"program": program}).raise_for_status().json()
    return found


def itemised(api: httpx.Client, trace: dict[str, Any]) -> dict[str, list[float]]:
    norms: dict[str, list[float]] = api.get(f"/traces/{trace['id']}/bptt").raise_for_status().json()["state_norms"]
    return norms


def arrived(page: Page, pane: int, state: str = "h") -> list[int]:
    """The steps at which a gradient stands in a pane."""
    found = page.get_by_test_id(re.compile(rf"^norms-{pane}-{state}-\d+$")).evaluate_all("all => all.map((e) => e.dataset.testid)")
    return sorted(int(name.rsplit("-", 1)[1]) for name in found)


def link(films: list[dict[str, Any]], **more: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"films": films, **more}).encode()).decode().rstrip("=")
    return f"#/compare?v=2&c={payload}"


def test_it_opens_on_trained_networks_whose_numbers_are_the_apis(
    compare: Page, api: httpx.Client, traces: dict[str, dict[str, Any]]
) -> None:
    for pane, cell in enumerate(CELLS):
        expect(compare.get_by_test_id(f"pane-{pane}")).to_have_attribute("data-cell", cell)
        for state, norms in itemised(api, traces[cell]).items():
            bars = compare.get_by_test_id(re.compile(rf"^norms-{pane}-{state}-\d+$")).evaluate_all(
                "all => Object.fromEntries(all.map((e) => [e.dataset.testid.split('-')[3], [+e.dataset.value, +e.dataset.share]]))"
            )
            assert sorted(map(int, bars)) == list(range(1, STEPS + 1))
            for t, norm in enumerate(norms, start=1):
                assert bars[str(t)] == pytest.approx([norm, norm / norms[-1]], rel=1e-9)
            assert number(compare.get_by_test_id(f"ratio-{pane}-{state}")) == pytest.approx(norms[0] / norms[-1], rel=1e-9)
    expect(compare.get_by_test_id("caption")).to_contain_text(re.compile("72,000 times smaller in the RNN.*LSTM and GRU keep theirs"))
    hops = [number(compare.get_by_test_id(f"ratio-{pane}-h")) ** (1 / (STEPS - 1)) for pane in range(3)]
    slope, matrix, *said = [float(factor) for factor in re.findall(r"×(\d+\.\d+)", compare.get_by_test_id("because").inner_text())]
    assert said == pytest.approx(hops, abs=6e-4)
    assert slope < 1
    assert slope * matrix == pytest.approx(hops[0], abs=2e-3)  # what a slope leaves, times what the matrix makes of it


def test_a_factor_of_a_hop_is_taken_apart(compare: Page) -> None:
    for state in "hc":
        compare.get_by_test_id(f"hop-1-{state}").click()
        expect(compare.get_by_test_id("why-title")).to_contain_text(state)
        expect(compare.get_by_test_id("why-sentence")).to_contain_text("From step 2 back to step 1")
        assert number(compare.get_by_test_id("side-1")) == number(compare.get_by_test_id("why-value"))
    expect(compare.get_by_test_id("pane-1")).to_have_class(re.compile("followed"))


def test_each_bar_of_an_lstm_gives_its_own_gradient_and_a_film_opens_there(compare: Page) -> None:
    found = []
    for state in "hc":
        compare.get_by_test_id(f"norms-1-{state}-25").scroll_into_view_if_needed()
        box = compare.get_by_test_id(f"norms-1-{state}-25").bounding_box()
        assert box is not None
        compare.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2)
        expect(compare.get_by_test_id("why-title")).to_contain_text(state)
        found.append(number(compare.get_by_test_id("why-value")))
    assert found[0] != found[1]
    drawn = [  # each line of the logarithmic strip by its dashes and whether it has rings: no two alike
        (line.locator("path").get_attribute("stroke-dasharray"), line.locator("circle").count() > 0)
        for line in compare.get_by_test_id(re.compile(r"^compare-line-\d-[hc]$")).all()
    ]
    assert len(drawn) == len(set(drawn)) == 4
    compare.get_by_test_id("open-1").click()
    expect(compare.get_by_test_id("program-cell")).to_have_value("lstm", timeout=READY)
    assert number(compare.get_by_test_id("why-value")) == found[1]


def test_the_linear_scale_is_one_for_all_panes(compare: Page) -> None:
    for measure, attribute in (("share", "data-share"), ("absolute", "data-value")):
        compare.get_by_test_id(f"measure-{measure}").click()
        bars = compare.get_by_test_id(re.compile(r"^norms-\d-[hc]-\d+$")).evaluate_all(
            f"all => all.map((e) => [Number(e.getAttribute('{attribute}')), Number(e.getAttribute('height'))])"
        )
        scales = [height / value for value, height in bars if height > 0.5]
        assert len(scales) > STEPS
        assert max(scales) == pytest.approx(min(scales), rel=1e-6)


def test_before_training_it_vanishes_in_all(compare: Page) -> None:
    compare.get_by_test_id("compare-before").click()
    expect(compare.get_by_test_id("compare-before")).to_have_attribute("aria-pressed", "true", timeout=READY)
    wait_for_panes(compare)
    for name in ("ratio-0-h", "ratio-1-h", "ratio-1-c", "ratio-2-h"):
        assert 0 < number(compare.get_by_test_id(name)) < 1e-8
    expect(compare.get_by_test_id("caption")).to_contain_text("vanishes in every network")
    compare.go_back()
    expect(compare.get_by_test_id("compare-after")).to_have_attribute("aria-pressed", "true", timeout=READY)
    compare.route("**/traces", lambda _: None)  # films that do not come can be given up: those before stay
    example = compare.get_by_test_id("compare-example")
    example.fill("2")
    example.press("Enter")
    compare.get_by_test_id("give-up").click()
    expect(compare.get_by_test_id("give-up")).to_have_count(0)
    expect(compare.get_by_test_id("compare-text")).to_have_text("0.327 + 0.586")
    expect(example).to_have_value("0")
    compare.unroute("**/traces")
    assert number(compare.get_by_test_id("ratio-2-h")) > 0.5


def test_one_transport_moves_all_films_to_the_same_step(compare: Page) -> None:
    body = compare.locator("body")
    for steps in range(1, 6):  # back over the cells of the backward pass
        body.press("ArrowLeft")
        for pane in range(3):
            assert arrived(compare, pane) == list(range(steps, STEPS + 1))  # step t's cell gives to h of the step before
    moments = [int(compare.get_by_test_id(f"pane-{pane}").get_attribute("data-moment") or -1) for pane in range(3)]
    assert len(set(moments)) == 3  # their events differ in number
    body.press("ArrowRight")
    assert [arrived(compare, pane)[0] for pane in range(3)] == [4, 4, 4]
    body.press("Home")
    expect(compare.get_by_test_id("caption")).to_contain_text("Nothing has happened yet")
    for pane in range(3):
        expect(compare.get_by_test_id(f"pane-{pane}")).to_have_attribute("data-moment", "0")
    compare.get_by_test_id("stride-phase").click()
    compare.get_by_test_id("step-forward").click()
    expect(compare.get_by_test_id("caption")).to_have_attribute("data-message", "compare.caption.read_out")
    compare.get_by_test_id("step-forward").click()
    compare.get_by_test_id("step-forward").click()
    assert [arrived(compare, pane) for pane in range(3)] == [list(range(1, STEPS + 1))] * 3
    ruler = compare.get_by_test_id("ruler")
    box = ruler.bounding_box()
    assert box is not None
    ruler.click(position={"x": box["width"] * 0.2, "y": 36})
    expect(compare.get_by_test_id("caption")).to_contain_text(re.compile(r"Every network has read step \d+ of 50"))
    compare.get_by_test_id("play").click()
    expect(compare.get_by_test_id("play")).to_have_attribute("data-playing", "true")
    before = int(ruler.get_attribute("aria-valuenow") or 0)
    compare.wait_for_function("n => Number(document.querySelector('[data-testid=ruler]').ariaValueNow) > n + 2", arg=before)
    body.press(" ")
    expect(compare.get_by_test_id("play")).to_have_attribute("data-playing", "false")


def test_by_event_the_film_that_is_followed_goes_and_the_others_wait_for_its_cell(compare: Page) -> None:
    compare.get_by_test_id("follow-2").click()
    compare.locator("body").press("Home")
    moments = lambda: [int(compare.get_by_test_id(f"pane-{pane}").get_attribute("data-moment") or -1) for pane in range(3)]  # noqa: E731
    compare.locator("body").press("Shift+ArrowRight")
    assert moments() == [0, 0, 1]
    compare.locator("body").press("Shift+ArrowRight")
    assert moments() == [0, 0, 2]
    compare.locator("body").press("Shift+ArrowLeft")
    assert moments() == [0, 0, 1]
    compare.locator("body").press("ArrowRight")
    assert min(moments()) > 1
    compare.get_by_test_id("to-end").click()
    compare.get_by_test_id("stride-op").click()
    at = moments()
    compare.locator("body").press("b")
    expect(compare.get_by_test_id("blank")).to_be_visible()
    compare.locator("body").press("ArrowLeft")  # the picture comes back with what is pressed next
    expect(compare.get_by_test_id("blank")).to_have_count(0)
    assert moments()[2] < at[2]
    expect(compare).to_have_url(re.compile("by=op"))


def test_playing_stops_where_the_number_that_was_marked_is_touched(compare: Page) -> None:
    strip = compare.get_by_test_id("strip-0-h")
    box = strip.bounding_box()
    assert box is not None
    strip.click(position={"x": box["width"] * 2.5 / STEPS, "y": 5})  # h of step 3
    compare.locator("body").press("k")
    compare.get_by_test_id("to-start").click()
    compare.get_by_test_id("play").click()
    expect(compare.get_by_test_id("play")).to_have_attribute("data-playing", "false", timeout=READY)
    expect(compare.get_by_test_id("caption")).to_contain_text("Every network has read step")
    expect(compare.get_by_test_id("here-0")).to_have_text("")  # no gradient yet
    assert compare.get_by_test_id("ruler").get_attribute("aria-valuenow") in ("2", "3")


def test_a_number_chosen_in_one_is_shown_in_the_others(compare: Page, api: httpx.Client, traces: dict[str, dict[str, Any]]) -> None:
    strip = compare.get_by_test_id("strip-1-h")
    box = strip.bounding_box()
    assert box is not None
    strip.click(position={"x": box["width"] * 19.5 / STEPS, "y": box["height"] * 6.5 / 16})
    expect(compare.get_by_test_id("follow-1")).to_have_attribute("aria-pressed", "true")
    values = []
    for pane, cell in enumerate(CELLS):
        (node,) = [n for n in traces[cell]["nodes"] if n["label"] == "h" and n["time"] == 20 and n["role"] == "intermediate"]
        values.append(api.get(f"/traces/{traces[cell]['id']}/nodes/{node['id']}?index=0,6").json()["value"])
        assert number(compare.get_by_test_id(f"side-{pane}")) == pytest.approx(values[-1], rel=1e-12)
    for pane in (0, 2):
        difference = compare.get_by_test_id(f"side-{pane}").get_attribute("data-difference")
        assert float(difference or "nan") == pytest.approx(values[pane] - values[1], rel=1e-9)
        written = compare.get_by_test_id(f"side-{pane}").locator("td").last.inner_text()
        assert float(written.replace("\u2212", "-")) == pytest.approx(values[pane] - values[1], rel=5e-3)  # three digits of it
    assert number(compare.get_by_test_id("why-value")) == pytest.approx(values[1], rel=1e-12)
    strip.press("ArrowDown")
    (node,) = [n for n in traces["lstm"]["nodes"] if n["label"] == "h" and n["time"] == 20 and n["role"] == "intermediate"]
    below = api.get(f"/traces/{traces['lstm']['id']}/nodes/{node['id']}?index=0,7").json()["value"]
    assert number(compare.get_by_test_id("side-1")) == pytest.approx(below, rel=1e-12)
    compare.get_by_test_id("strip-1-c").click(position={"x": 100, "y": 10})
    expect(compare.get_by_test_id("side-0")).to_contain_text("none there")


def test_a_link_leads_to_the_same_moment_and_number(compare: Page, open_page: OpenPage) -> None:
    compare.get_by_test_id("follow-1").click()
    for _ in range(4):
        compare.locator("body").press("ArrowLeft")
    compare.get_by_test_id("norms-1").click(position={"x": 400, "y": 20})
    compare.get_by_test_id("measure-absolute").click()
    told = {name: compare.get_by_test_id(name).inner_text() for name in ("caption", "moment", "side-by-side", "here-0", "here-2")}
    value = number(compare.get_by_test_id("why-value"))
    compare.wait_for_timeout(600)  # the address is written no more often than browsers bear
    for page in (open_page(f"#{compare.url.split('#', 1)[1]}"), compare):
        if page is compare:
            page.reload()
        wait_for_panes(page)
        page.mouse.move(2, 2)
        for name, text in told.items():
            if not name.startswith("here"):
                expect(page.get_by_test_id(name)).to_have_text(text, use_inner_text=True)
        assert number(page.get_by_test_id("why-value")) == value
        expect(page.get_by_test_id("follow-1")).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_test_id("measure-absolute")).to_have_attribute("aria-pressed", "true")


def test_it_is_shared_as_a_picture_as_files_of_each_film_and_as_a_frame(
    compare: Page, open_page: OpenPage, url: str, tmp_path: Path, traces: dict[str, dict[str, Any]]
) -> None:
    ratio = compare.get_by_test_id("ratio-0-h").locator("b").inner_text()
    box = compare.locator("main").bounding_box()
    assert box is not None
    compare.get_by_test_id("share").click()
    root = ET.parse(saved(compare, "svg", tmp_path)).getroot()
    texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {ratio, "RNN", "LSTM", "GRU", "LSTM c 1.46"} <= set(texts)
    assert any("event 1055 / 1062 of RNN" in text for text in texts), "the caption"
    assert "side by side" not in texts, "what only a page can do is not drawn"
    png = saved(compare, "png", tmp_path).read_bytes()
    assert struct.unpack(">II", png[16:24]) == (round(2 * box["width"]), round(2 * (box["height"] + 36)))
    for film, cell in enumerate(CELLS[:2]):
        compare.get_by_test_id(f"share-of-{film}").click()
        assert json.loads(saved(compare, "json", tmp_path).read_text())["id"] == traces[cell]["id"]
    expect(compare.get_by_test_id("share-sheet")).to_have_attribute("href", re.compile("^#/worksheet"))
    expect(compare.get_by_test_id("embed-tray")).to_have_count(0)
    compare.get_by_test_id("embed-transport").check()
    code = compare.get_by_test_id("embed-code").input_value()
    source = compare.evaluate("(code) => new DOMParser().parseFromString(code, 'text/html').querySelector('iframe').src", code)
    assert source.startswith(f"{url}/?embed=1&hide=panel,inspector,transport&theme=")
    framed = open_page(source[len(url) + 1 :], width=900, height=640)
    wait_for_panes(framed)
    expect(framed.get_by_test_id("ratio-0-h").locator("b")).to_have_text(ratio)
    for gone in ("nav-compare", "compare-text", "why-value"):
        expect(framed.get_by_test_id(gone)).to_have_count(0)
    expect(framed.get_by_test_id("ruler")).to_be_hidden()
    framed.locator("body").press("Home")  # the keys go on
    expect(framed.get_by_test_id("pane-2")).to_have_attribute("data-moment", "0")
    assert violations(framed) == []


def test_settings_make_other_films(compare: Page) -> None:
    example = compare.get_by_test_id("compare-example")
    example.fill("2")
    example.press("Enter")
    expect(compare.get_by_test_id("compare-text")).to_have_text("0.222 + 0.526", timeout=READY)
    wait_for_panes(compare)
    assert number(compare.get_by_test_id("ratio-0-h")) < 1e-4
    compare.get_by_test_id("compare-cell-lstm").click()
    wait_for_panes(compare, 2)
    expect(compare.get_by_test_id("compare-cell-rnn")).to_be_disabled()  # two are the least
    size = compare.get_by_test_id("compare-hidden_size")
    size.fill("4")
    size.press("Enter")
    expect(compare.get_by_test_id("compare-note")).to_contain_text("No trained networks of this task and size", timeout=READY)
    expect(compare.get_by_test_id("compare-after")).to_be_disabled()
    compare.get_by_test_id("compare-task").select_option("surnames")
    expect(compare.get_by_test_id("compare-length")).not_to_have_text("50", timeout=READY)
    wait_for_panes(compare, 2)
    assert compare.get_by_test_id("answer-0").inner_text() in ("not yet",) or compare.get_by_test_id("answer-0").inner_text().isalpha()


def test_a_what_if_stands_beside_its_original(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 4, "example": 3}
    original = api.post("/traces", json={"program": program}).json()
    edits = [{"node": "rnn.weight_hh_l0", "index": [1, 2], "value": 1.5}]
    edited = api.post(f"/traces/{original['id']}/what-if", json={"edits": edits}).json()
    page = open_page(link([{"trace": original["id"]}, {"trace": edited["id"]}]))
    wait_for_panes(page, 2)
    expect(page.get_by_test_id("follow-0")).to_have_text("GRU, original")
    expect(page.get_by_test_id("follow-1")).to_have_text("GRU, changed")
    found = page.get_by_test_id("differences-1").locator("rect").evaluate_all("all => all.map((e) => Number(e.dataset.value))")

    def states(trace: dict[str, Any]) -> list[list[float]]:
        nodes = sorted((n for n in trace["nodes"] if n["label"] == "h" and n["role"] == "intermediate"), key=lambda n: n["time"])
        return [[api.get(f"/traces/{trace['id']}/nodes/{n['id']}?index=0,{i}").json()["value"] for i in range(4)] for n in nodes]

    largest = [
        max(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in zip(states(original), states(edited), strict=True)
    ]
    assert found == pytest.approx([x for x in largest if x > 0], rel=1e-9)
    assert largest[0] == 0  # h0 is 0: the weight is first felt at the second step
    page.get_by_test_id("norms-1").click(position={"x": 5, "y": 10})
    expect(page.get_by_test_id("side-0")).to_have_class(re.compile("differs"))
    expect(page.get_by_test_id("compare-task")).to_be_visible()
    expect(page.get_by_test_id("compare-note")).to_contain_text("stored traces")


def test_a_pane_opens_on_the_network_page(compare: Page, traces: dict[str, dict[str, Any]]) -> None:
    compare.get_by_test_id("open-2").click()
    expect(compare.get_by_test_id("nav-network")).to_have_attribute("aria-current", "page")
    expect(compare.get_by_test_id("program-cell")).to_have_value("gru", timeout=READY)
    compare.go_back()
    wait_for_panes(compare)


@pytest.mark.parametrize("payload", [{"films": []}, {"films": [{"trace": "sha256:" + "0" * 64}, {"trace": "sha256:" + "0" * 64}]}])
def test_a_link_that_leads_nowhere_has_a_way_out(open_page: OpenPage, payload: dict[str, Any]) -> None:
    page = open_page(link(**payload), expected=("404",))
    expect(page.get_by_test_id("error")).to_be_visible(timeout=READY)
    page.get_by_role("link", name="Compare the trained networks").click()
    wait_for_panes(page)


def test_what_is_read_stands_over_the_steps(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"kind": "network", "task": "digits", "cell": "rnn", "hidden_size": 4, "example": 0}
    page = open_page(link([{"program": program}, {"program": {**program, "cell": "gru"}}]), width=1366, height=768)
    wait_for_panes(page, 2)
    pixels = api.post("/traces", json={"program": program}).raise_for_status().json()["batch"]["examples"][0]["tokens"]
    for t, row in enumerate(pixels, start=1):
        shown = page.get_by_test_id(re.compile(rf"^input-{t}-\d$"))
        assert shown.evaluate_all("all => all.map((e) => Number(e.dataset.value))") == row
        assert len(set(shown.evaluate_all("all => all.map((e) => getComputedStyle(e).fill)"))) >= len(set(row)) // 2 > 0
    expect(page.get_by_test_id("row-lit")).to_be_visible()  # the digit, with the row that the films have come to
    page.get_by_test_id("compare-task").select_option("sunspots")
    expect(page.get_by_test_id("compare-length")).to_have_text("20", timeout=READY)
    wait_for_panes(page, 2)
    expect(page.get_by_test_id("inputs")).to_contain_text("1719")
    expect(page.get_by_test_id("answer-right")).to_have_text(re.compile(r"^\+?\d\.\d{3}$"))


@pytest.mark.parametrize(("theme", "lang"), [("light", "zh"), ("dark", "en")])
def test_axe_in_both_languages_and_themes(open_page: OpenPage, theme: str, lang: str) -> None:
    page = open_page("#/compare")
    wait_for_panes(page)
    page.get_by_test_id(f"lang-{lang}").click()
    if page.evaluate("document.documentElement.dataset.theme") != theme:
        choose_theme(page, theme)
    words = {"en": "which therefore cannot learn", "zh": "因此学不到最初几步的内容"}
    expect(page.get_by_test_id("caption")).to_contain_text(words[lang])
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.wait_for_timeout(600)
    assert violations(page) == []
    page.get_by_test_id("layout-side").click()
    expect(page.get_by_test_id("scroll-2")).to_be_visible()
    assert violations(page) == [], "side by side"


@pytest.mark.parametrize(("width", "height"), [(2560, 1440), (1440, 900), (1366, 768), (1280, 720), (1024, 768), (390, 844)])
def test_panes_are_aligned_and_nothing_hangs_over(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page("#/compare", width=width, height=height)
    wait_for_panes(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    columns = []
    for pane in range(3):
        boxes = [page.get_by_test_id(f"norms-{pane}-h-{t}").bounding_box() for t in (1, STEPS)]
        columns.append([round(box["x"]) for box in boxes if box])
    assert columns[0][0] == columns[1][0] == columns[2][0]
    assert columns[0][1] >= width * 0.4
    tops = [(page.get_by_test_id(f"pane-{pane}").bounding_box() or {"y": 0})["y"] for pane in range(3)]
    assert tops == sorted(tops)
    for pane in range(3):
        said, states = page.get_by_test_id(f"left-{pane}").bounding_box(), page.get_by_test_id(f"strip-{pane}-h").bounding_box()
        assert said is not None
        assert states is not None
        assert said["y"] + said["height"] <= states["y"] + 1, "what is said of a film stands above its states"
        for factor in page.get_by_test_id(re.compile(rf"^hop-{pane}-")).all():
            box = factor.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= states["y"] + 1
    assert page.get_by_test_id("moment").evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    if width >= 960:  # the whole argument at once: panes, logarithmic strip, sentence; and they make use of the room
        strip, footer = page.get_by_test_id("compare-log").bounding_box(), page.get_by_test_id("caption").bounding_box()
        assert strip is not None
        assert footer is not None
        assert footer["y"] - 0.12 * height <= strip["y"] + strip["height"] <= footer["y"] + 1
    elif width < 700:
        ruler = page.get_by_test_id("ruler").bounding_box()
        assert ruler is not None
        assert ruler["y"] + ruler["height"] <= height, "what plays the films is in reach"


def test_panes_stand_side_by_side_and_scroll_together(open_page: OpenPage) -> None:
    page = open_page("#/compare", width=1440, height=900)
    wait_for_panes(page)
    expect(page.get_by_test_id("layout-stacked")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("layout-side").click()
    expect(page.get_by_test_id("scroll-2")).to_be_visible()
    boxes = [page.get_by_test_id(f"pane-{i}").bounding_box() for i in range(3)]
    assert all(box is not None for box in boxes)
    tops, widths = {round(box["y"]) for box in boxes if box}, {round(box["width"]) for box in boxes if box}
    assert len(tops) == 1
    assert max(widths) - min(widths) <= 1
    page.get_by_test_id("scroll-1").evaluate("scroller => { scroller.scrollLeft = 120; }")
    page.wait_for_function("[0, 1, 2].every((i) => document.querySelector(`[data-testid=scroll-${i}]`).scrollLeft === 120)")
    lanes = [page.get_by_test_id(f"strip-{i}-h").bounding_box() for i in range(3)]
    offsets = {round(lane["x"] - box["x"]) for lane, box in zip(lanes, boxes, strict=True) if lane and box}
    assert max(offsets) - min(offsets) <= 1, "step t stands at the same place of each pane"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.wait_for_function("location.hash.includes('c=')")
    page.wait_for_timeout(450)
    assert violations(page) == []
    guest = open_page(page.url.split("/", 3)[3], width=1024, height=768)
    wait_for_panes(guest)
    expect(guest.get_by_test_id("scroll-0")).to_be_visible()
    assert guest.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(guest) == []
    page.goto(page.url.split("#")[0])  # this browser remembers it
    page.goto(page.url.split("#")[0] + "#/compare")
    wait_for_panes(page)
    expect(page.get_by_test_id("layout-side")).to_have_attribute("aria-pressed", "true")
    page.set_viewport_size({"width": 800, "height": 900})
    expect(page.get_by_test_id("layout-side")).to_have_count(0)
    expect(page.get_by_test_id("scroll-0")).to_have_count(0)


def test_side_by_side_says_what_differs(open_page: OpenPage, api: httpx.Client, traces: dict[str, dict[str, Any]]) -> None:
    original = traces["rnn"]
    edit = {"node": "rnn.weight_hh_l0", "index": [0, 0], "value": 0.9}
    changed = api.post(f"/traces/{original['id']}/what-if", json={"edits": [edit]}).raise_for_status().json()
    page = open_page(link([{"trace": original["id"]}, {"trace": changed["id"]}], layout="side"), width=1024, height=768)
    wait_for_panes(page, 2)
    expect(page.get_by_test_id("scroll-1")).to_be_visible()
    assert page.get_by_test_id("differences-1").locator("rect").count() > 0
