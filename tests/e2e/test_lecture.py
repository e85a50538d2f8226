"""Lecture mode in a real browser: what is read from the last row, cues, keys, notation."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, number, wait_for_film
from tests.e2e.test_accessibility import violations
from tests.e2e.test_numbers import document, open_film, why

MEASURE = (Path(__file__).parent / "legibility.js").read_text(encoding="utf-8")
LEAST = {False: 28, True: 32}
"""Pixels of the canvas: Latin letters and figures, and Chinese."""
CONTRAST = 4.5


def lecture(page: Page) -> None:
    wait_for_film(page)
    page.keyboard.press("l")
    expect(page.get_by_test_id("lecture-canvas")).to_be_visible()
    page.mouse.move(2, 2)


def legible(page: Page, where: str) -> None:
    """What stands on the canvas is large, dark, whole and apart."""
    found: dict[str, Any] = page.evaluate(MEASURE)
    viewport = page.viewport_size
    assert viewport is not None
    assert found["scale"] == pytest.approx(min(viewport["width"] / 1280, viewport["height"] / 720), rel=1e-6)
    units = found["units"]
    assert len(units) >= 3, where
    for unit in units:
        name = f"{where}: {unit['text']!r}"
        assert unit["size"] * found["scale"] >= LEAST[unit["chinese"]] * found["scale"] - 0.01, f"{name} is {unit['size']} px on the canvas"
        assert unit["contrast"] >= CONTRAST, f"{name} has a contrast of {unit['contrast']:.2f}: {unit['colours']}"
        assert unit["opacity"] == 1, name
        assert unit["clipped"] == "", f"{name} {unit['clipped']}"
    assert found["overlaps"] == [], where


def language(page: Page, lang: str, both: bool, size: tuple[int, int]) -> None:
    """Chooses what the captions are in, and how large the projector's picture is."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    press_if(page, f"lecture-lang-{lang}", True)
    press_if(page, "captions-both", both)
    expect(page.locator("[data-testid^=lecture-caption-]")).to_have_count(2 if both else 1)


def press_if(page: Page, button: str, on: bool) -> None:
    """Presses a button of the bar, which is out of sight, unless it is as wanted."""
    element = page.get_by_test_id(button)
    if (element.get_attribute("aria-pressed") == "true") != on:
        element.focus()
        page.keyboard.press("Enter")
    page.evaluate("document.activeElement.blur()")


WIDE, NARROW = (1280, 720), (1024, 768)
BOTH = [("zh", True, WIDE), ("en", True, NARROW)]  # the fullest canvas of either size
ALONE = [("en", False, WIDE), ("zh", False, WIDE)]
FILMS: dict[str, dict[str, Any]] = {
    "rnn": {"hidden_size": 4},
    "lstm": {"cell": "lstm", "hidden_size": 4},
    "gru": {"cell": "gru", "hidden_size": 4, "example": 11},
    "wide": {"hidden_size": 16, "example": 11},
    "sunspots": {"task": "sunspots"},
    "stack": {"task": "digits", "cell": "gru", "layers": 2, "bidirectional": True},
}


@pytest.mark.parametrize("film", FILMS)
def test_everything_can_be_read_from_the_last_row(open_page: OpenPage, api: httpx.Client, film: str) -> None:
    trace = document(api, FILMS[film])
    page = open_film(open_page, trace, width=WIDE[0], height=WIDE[1])
    lecture(page)
    for lang, both, size in BOTH + (ALONE if film == "lstm" else []):
        language(page, lang, both, size)
        page.keyboard.press("Home")
        cues = 0
        shown = ""
        while True:
            page.keyboard.press("n")
            page.wait_for_timeout(60)
            before, shown = shown, page.get_by_test_id("cues-open").inner_text()
            if shown == before:
                break
            legible(page, f"{film}, {lang}{', both' if both else ''}, {size[0]} px, cue {shown}")
            cues += 1
        assert cues >= 5
        page.keyboard.press("Escape")  # cues begin anew
        page.keyboard.press("l")
        page.mouse.move(2, 2)
    if film == "stack":
        language(page, "en", False, WIDE)
        rows_and_layers(page, trace)


def rows_and_layers(page: Page, trace: dict[str, Any]) -> None:
    """A digit's rows stand over the cells that read them; the layer and direction that the film is in is shown, and named."""
    page.keyboard.press("Home")
    for t, row in enumerate(trace["batch"]["examples"][0]["tokens"][:3], start=1):
        shown = page.get_by_test_id(f"lecture-row-{t}").locator("i").evaluate_all("all => all.map((e) => Number(e.dataset.value))")
        assert shown == row
    note = page.get_by_test_id("lecture-note")
    seen = set()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        if page.get_by_test_id("lecture-readout").count():
            break
        seen.add(note.inner_text().split(".")[0])
    assert seen == {f"Shown: layer {layer}, {way}" for layer in (1, 2) for way in ("forward", "backward in time")}


def test_a_lecture_is_held_by_keys_alone(open_page: OpenPage) -> None:
    page = open_page()
    lecture(page)
    canvas = page.get_by_test_id("lecture-canvas")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    moments = []
    for key in ("PageDown", "ArrowRight", "PageDown", "PageUp", "Shift+ArrowRight", "End", "Home"):
        page.keyboard.press(key)
        page.wait_for_timeout(420)
        moments.append(page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('at')"))
    first, second, third, back, event, end, home = moments
    assert 0 < int(first) < int(second) < int(third)
    assert (back, home, end) == (second, "0", "after")
    assert int(event) == int(back) + 1
    page.keyboard.press("b")
    expect(page.get_by_test_id("blank")).to_be_visible()
    assert page.evaluate("document.elementFromPoint(640, 360).dataset.testid") == "blank"
    page.keyboard.press(".")
    expect(page.get_by_test_id("blank")).to_have_count(0)
    page.keyboard.press("PageDown")
    page.wait_for_timeout(450)
    address = page.url
    page.reload()
    expect(canvas).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("lecture-card-1")).to_be_visible(timeout=READY)
    assert page.url == address
    page.keyboard.press("Escape")
    expect(canvas).to_have_count(0)
    expect(page.get_by_test_id("lecture-open")).to_be_focused()
    page.wait_for_timeout(450)
    assert "lecture" not in page.url
    page.keyboard.press("Enter")
    expect(canvas).to_be_visible()


def test_the_numbers_shown_are_the_films(open_page: OpenPage, api: httpx.Client) -> None:
    trace = document(api, {"cell": "lstm", "hidden_size": 3, "example": 11})
    page = open_film(open_page, trace, width=1280, height=720)
    lecture(page)
    page.keyboard.press("n")
    steps = trace["batch"]["examples"][0]["length"]
    seen: set[int] = set()
    for _ in range(10):
        for step in range(1, steps + 1):
            for name in "hc":
                tile = page.get_by_test_id(f"lecture-{name}-{step}-1")
                if tile.count() and tile.get_attribute("data-value"):
                    node = next(n["id"] for n in trace["nodes"] if n["scope"] == f"lstm/t={step}" and n["label"] == name)
                    if step not in seen:
                        assert number(tile) == why(api, trace, node, [0, 1])["value"]
                    if name == "c":
                        seen.add(step)
            norm = page.get_by_test_id(f"lecture-norm-h-{step}")
            hop = page.get_by_test_id(f"lecture-hop-h-{step}")
            if hop.count():
                assert number(hop) == pytest.approx(number(page.get_by_test_id(f"lecture-norm-h-{step - 1}")) / number(norm), rel=1e-12)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
    assert len(seen) >= min(steps, 4)


def test_cues_are_written_kept_saved_and_opened_again(open_page: OpenPage, api: httpx.Client, tmp_path: Path) -> None:
    page = open_page(width=1280, height=720)
    lecture(page)
    page.keyboard.press("c")
    panel = page.get_by_test_id("cues")
    count = panel.get_by_role("listitem").count()
    assert count >= 6
    page.get_by_test_id("cue-go-2").click()
    caption = page.get_by_test_id("lecture-caption-en")
    shown = page.get_by_test_id("cue-shown-en-4")  # a formula as it will be seen, below what is typed
    assert "$" in page.get_by_test_id("cue-caption-en-4").input_value()
    assert "$" not in shown.inner_text()
    expect(shown.locator("math")).to_have_count(1)
    page.get_by_test_id("cue-caption-en-2").fill("Look at the second letter.")
    expect(caption).to_have_text("Look at the second letter.")
    page.get_by_test_id("cue-columns-2").fill("2, 9")
    page.get_by_test_id("cue-columns-2").press("Tab")
    expect(panel.get_by_role("alert")).to_be_visible()
    page.get_by_test_id("cue-columns-2").fill("1-3")
    page.get_by_test_id("cue-columns-2").press("Tab")
    expect(page.get_by_test_id("lecture-card-4")).to_have_count(0)
    expect(page.get_by_test_id("lecture-note")).to_contain_text("4")
    page.keyboard.press("Home")
    page.get_by_test_id("cue-add").click()
    expect(panel.get_by_role("listitem")).to_have_count(count + 1)
    page.get_by_test_id("cue-up-3").click()
    page.get_by_test_id("cue-delete-1").click()
    expect(page.get_by_test_id("cue-caption-en-2")).to_have_value("Look at the second letter.")
    with page.expect_download() as download:
        page.get_by_test_id("cues-save").click()
    file = tmp_path / "cues.json"
    download.value.save_as(file)
    saved = json.loads(file.read_text(encoding="utf-8"))
    assert (saved["schema"], saved["program"]["kind"], len(saved["cues"])) == ("retrograd.cues/1", "network", count)
    assert saved["cues"][1]["columns"] == [1, 2, 3]
    page.reload()
    page.get_by_test_id("lecture-canvas").wait_for(timeout=READY)
    page.keyboard.press("c")
    expect(page.get_by_test_id("cue-caption-en-2")).to_have_value("Look at the second letter.", timeout=READY)
    page.get_by_test_id("cues-clear").click()
    expect(panel.get_by_role("listitem")).to_have_count(count)
    expect(page.get_by_test_id("cue-caption-en-2")).not_to_have_value("Look at the second letter.")

    # another film, another browser: the file brings its own film along
    other = open_film(open_page, document(api, {"cell": "gru"}), width=1280, height=720)
    lecture(other)
    other.keyboard.press("c")
    other.get_by_test_id("cues-load").set_input_files(file)
    expect(other.get_by_test_id("cue-caption-en-2")).to_have_value("Look at the second letter.", timeout=READY)
    expect(other.get_by_test_id("cue-go-1")).to_have_attribute("aria-current", "step")
    other.get_by_test_id("cue-go-2").click()
    expect(other.get_by_test_id("lecture-caption-en")).to_have_text("Look at the second letter.")
    expect(other.get_by_test_id("lecture-h-1-3")).to_be_visible()  # hidden size 4, as the opening film; the GRU had 3
    saved["cues"][0]["at"] = "never"
    (tmp_path / "bad.json").write_text(json.dumps(saved), encoding="utf-8")
    other.get_by_test_id("cues-load").set_input_files(tmp_path / "bad.json")
    expect(other.get_by_test_id("cues-problem")).to_contain_text("Cue 1")
    expect(other.get_by_test_id("cue-caption-en-2")).to_have_value("Look at the second letter.")


def test_the_notation_is_chosen_once_and_shown_everywhere(open_page: OpenPage, api: httpx.Client) -> None:
    trace = document(api, {"cell": "gru"})
    page = open_film(open_page, trace)
    z = next(n["id"] for n in trace["nodes"] if n["scope"] == "gru/t=2/z" and n["label"] == "z")
    found = why(api, trace, z, [0, 1])
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("step-back").click()
    page.get_by_test_id("open-2").click()
    tile, lane = page.get_by_test_id("open-z-2-1"), page.get_by_test_id("open-lane-z-2-1")
    assert (number(tile), number(lane)) == (found["value"], found["gradient"])
    before = page.get_by_test_id("open-cell").inner_text()
    page.get_by_test_id("notation-open").click()
    page.locator("#notation").get_by_test_id("notation-row").click()
    page.locator("#notation").get_by_test_id("notation-renew").click()
    page.keyboard.press("Escape")
    assert (number(tile), number(lane)) == (1 - found["value"], -found["gradient"])
    assert page.get_by_test_id("open-cell").inner_text() != before
    tile.click()
    assert number(page.get_by_test_id("why-value")) == 1 - found["value"]
    lane.click()
    assert number(page.get_by_test_id("why-value")) == -found["gradient"]
    page.get_by_test_id("why-check").click()
    expect(page.locator("[data-testid=why-check][data-value]")).to_be_visible(timeout=READY)
    assert number(page.get_by_test_id("why-check")) == pytest.approx(-found["gradient"], abs=1e-6)
    page.wait_for_timeout(450)
    assert "notation=row.renew" in page.url
    guest = open_page(page.url.split("/", 3)[3])  # somebody else, by the link
    wait_for_film(guest)
    assert number(guest.get_by_test_id("open-z-2-1")) == 1 - found["value"]


def test_axe_finds_nothing_serious_in_a_lecture(open_page: OpenPage) -> None:
    page = open_page(locale="zh-CN", width=1280, height=720)
    lecture(page)
    for _ in range(3):
        page.keyboard.press("n")
    page.keyboard.press("c")
    page.get_by_test_id("cue-add").focus()
    assert violations(page) == []


def test_those_who_scan_come_to_the_moment_on_the_screen(open_page: OpenPage) -> None:
    page = open_page(width=1280, height=720)
    lecture(page)
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("q")
    card = page.get_by_test_id("follow-card")
    expect(card.get_by_role("img")).to_be_visible(timeout=READY)
    address = card.get_attribute("data-address") or ""
    at = page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('at')")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(page.get_by_test_id("lecture-canvas")).to_be_visible()
    guest = open_page(address.split("/", 3)[3])
    wait_for_film(guest)
    expect(guest.get_by_test_id("moment")).to_contain_text(f"{at} /", timeout=READY)
    expect(guest.get_by_test_id("lecture-canvas")).to_have_count(0)


FORMULAS: dict[str, dict[str, Any]] = {
    "neuron": {"expression": "tanh(w*x + b)", "inputs": {"w": 0.5, "x": [1, 2], "b": 0}, "wrt": ["w", "b"]},
    "layers": {
        "expression": "h = tanh(W1 @ x + b1)\ny_hat = W2 @ h + b2\nL = mean((y_hat - y)**2)",
        "inputs": {
            "W1": [[0.5, -0.3], [0.8, 0.2], [-0.6, 0.9]], "x": [1, -0.5], "b1": [0, 0.1, -0.1],
            "W2": [[0.7, -0.4, 0.3]], "b2": [0.1], "y": [0.8],
        },
        "wrt": ["W1", "b1", "W2", "b2"],
    },
    "softmax": {
        "expression": "z = W @ x + b\np = softmax(z)\nL = -sum(y*log(p))",
        "inputs": {"W": [[0.6, -0.2], [-0.4, 0.9], [0.1, 0.3]], "x": [1, 2], "b": [0, 0, 0], "y": [0, 1, 0]},
        "wrt": ["W", "b"],
    },
}  # fmt: skip


def formula(open_page: OpenPage, api: httpx.Client, name: str, **settings: Any) -> tuple[Page, dict[str, Any]]:
    """The lecture of a formula, and its trace."""
    trace = dict(api.post("/traces", json={"program": {"kind": "expression", **FORMULAS[name]}}).raise_for_status().json())
    packed = base64.urlsafe_b64encode(json.dumps(trace["program"]).encode()).decode().rstrip("=")
    page = open_page(f"#/expression?p={packed}&at=0", **settings)
    lecture(page)
    expect(page.locator("[data-testid^=lecture-node-]").first).to_be_visible(timeout=READY)
    return page, trace


@pytest.mark.parametrize("film", FORMULAS)
def test_a_formula_can_be_read_from_the_last_row(open_page: OpenPage, api: httpx.Client, film: str) -> None:
    page, trace = formula(open_page, api, film, width=WIDE[0], height=WIDE[1])
    page.keyboard.press("End")
    page.wait_for_url(re.compile(r"at=[1-9]"))
    events = int(re.search(r"at=(\d+)", page.url)[1])  # type: ignore[index]
    assert events >= len(trace["nodes"])
    for lang, both, size in (("en", False, WIDE), ("zh", True, NARROW)):
        language(page, lang, both, size)
        page.keyboard.press("Home")
        for event in range(events + 1):
            page.wait_for_timeout(60)
            legible(page, f"{film}, {lang}, {size[0]} px, event {event}")
            lit = page.locator(".card.lit")
            if event > 0 and lit.count():
                assert lit.locator("p").count() >= 2, f"{film}: what has just happened is not seen at event {event}"
            page.keyboard.press("Shift+ArrowRight")


def test_the_lecture_of_a_formula_has_cues_keys_and_the_films_numbers(open_page: OpenPage, api: httpx.Client, tmp_path: Path) -> None:
    page, trace = formula(open_page, api, "layers", width=1280, height=720)
    page.keyboard.press("c")
    panel = page.get_by_test_id("cues")
    assert panel.get_by_role("listitem").count() >= 6
    page.get_by_test_id("cue-caption-en-2").fill("A product of a matrix and a vector.")
    page.get_by_test_id("cue-go-2").click()
    expect(page.get_by_test_id("lecture-caption-en")).to_have_text("A product of a matrix and a vector.")
    with page.expect_download() as download:
        page.get_by_test_id("cues-save").click()
    file = tmp_path / "cues.json"
    download.value.save_as(file)
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    loss = next(node for node in trace["nodes"] if node["id"] == trace["loss"])["id"]
    expect(page.get_by_test_id(f"lecture-value-{loss}")).to_have_count(0)  # what moves at the end is a leaf, far from the loss
    for _ in range(60):
        page.keyboard.press("Shift+ArrowLeft")
        if page.get_by_test_id(f"lecture-gradient-{loss}").count():
            break
    assert number(page.get_by_test_id(f"lecture-gradient-{loss}")) == 1
    assert number(page.get_by_test_id(f"lecture-value-{loss}")) == why(api, trace, loss, [])["value"]
    page.keyboard.press("b")
    expect(page.get_by_test_id("blank")).to_be_visible()
    page.keyboard.press("b")
    # somebody else, at another formula: the file brings this one along; at a network it says where it belongs
    other, _ = formula(open_page, api, "neuron", width=1280, height=720)
    other.keyboard.press("c")
    other.get_by_test_id("cues-load").set_input_files(file)
    expect(other.get_by_test_id("cue-caption-en-2")).to_have_value("A product of a matrix and a vector.", timeout=READY)
    expect(other.get_by_test_id("lecture-graph")).to_be_visible()
    other.keyboard.press("Escape")
    other.get_by_test_id("lecture-sheet").focus()
    other.keyboard.press("Enter")
    expect(other.get_by_test_id("paper")).to_be_visible(timeout=READY)
    network = open_page(width=1280, height=720)
    lecture(network)
    network.keyboard.press("c")
    network.get_by_test_id("cues-load").set_input_files(file)
    expect(network.get_by_test_id("cues-problem")).to_contain_text("Expression page")


def test_axe_finds_nothing_serious_in_the_lecture_of_a_formula(open_page: OpenPage, api: httpx.Client) -> None:
    page, _ = formula(open_page, api, "softmax", width=1280, height=720)
    page.keyboard.press("n")
    page.keyboard.press("n")
    assert violations(page) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768), (800, 700), (390, 844)])
def test_the_bar_stands_beside_an_open_cue_list_or_below_it(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(width=width, height=height)
    lecture(page)
    page.keyboard.press("c")
    cues, bar = page.get_by_test_id("cues").bounding_box(), page.get_by_test_id("lecture-bar").bounding_box()
    assert cues is not None
    assert bar is not None
    assert bar["x"] >= 0
    assert bar["x"] + bar["width"] <= cues["x"] or bar["y"] >= cues["y"] + cues["height"]
    page.get_by_test_id("lecture-leave").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("lecture")).to_have_count(0)
