"""A film exported as HTML, opened from a disk: it plays, it explains, and it asks nobody for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.trace import Document
from server.export import FORMATS
from tests.e2e.stage import moment, number, wait_for_film
from tests.server.traces import hostile_document

NETWORK = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 4, "example": 3}
EXPRESSION = {"kind": "expression", "expression": "tanh(w*x + b)", "inputs": {"w": 0.5, "x": [1, 2], "b": 0}, "wrt": ["w", "b"]}
OpenSaved = Callable[[Any], Page]


@pytest.fixture
def open_saved(browser: Browser, api: httpx.Client, tmp_path: Path) -> Iterator[OpenSaved]:
    """Exports the film of a program and opens the file. Afterwards: no request but for the file itself, no error in the console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", offline=True)
    requests: list[str] = []
    problems: list[str] = []
    files: list[str] = []

    def open_saved(program: Any) -> Page:
        made = api.post("/traces", json={"program": program})
        assert made.status_code in (200, 201), made.text
        response = api.get(f"/traces/{made.json()['id']}/export/html")
        assert response.status_code == 200, response.text
        file = tmp_path / "film.html"
        file.write_bytes(response.content)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(file.as_uri())
        files.append(file.as_uri())
        return page

    yield open_saved
    context.close()
    assert [url for url in requests if url.partition("#")[0] not in files and not url.startswith(("data:", "blob:"))] == []
    assert problems == []


def test_a_network_plays_and_explains(open_saved: OpenSaved) -> None:
    page = open_saved(NETWORK)
    wait_for_film(page)
    assert moment(page)[0] == 0
    page.get_by_test_id("step-forward").click()
    assert moment(page)[0] > 0
    page.get_by_test_id("to-end").click()
    done, whole = moment(page)
    assert done == whole > 100
    expect(page.get_by_test_id("why-value")).to_be_visible()
    expect(page.get_by_test_id("nav-network")).to_be_visible()
    expect(page.get_by_test_id("nav-train")).to_have_count(0)


def test_figures_are_drawn_from_the_file_in_both_languages(open_saved: OpenSaved) -> None:
    page = open_saved(NETWORK)
    wait_for_film(page)
    page.get_by_test_id("figures-open").click()
    shown = page.get_by_test_id("figures")
    for key in ("through_time", "bptt", "jacobian", "histogram", "update"):
        expect(shown.get_by_test_id(f"figure-{key}").locator(".main-svg").first).to_be_visible()
    expect(shown.get_by_test_id("figure-through_time").locator(".scatterlayer .trace")).to_have_count(2)  # a GRU has no c
    expect(shown.get_by_test_id("figure-update")).to_contain_text("after clipping")
    page.get_by_test_id("figures-close").click()
    page.get_by_test_id("lang-zh").click()
    page.get_by_test_id("figures-open").click()
    expect(shown.get_by_test_id("figure-update")).to_contain_text("裁剪之后")
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()


def test_an_expression_is_laid_out_and_shows_its_numbers(open_saved: OpenSaved) -> None:
    page = open_saved(EXPRESSION)
    wait_for_film(page)
    expect(page.get_by_test_id("nav-expression")).to_be_visible()
    expect(page.get_by_test_id("graph-node-0")).to_be_visible()
    assert moment(page)[0] == moment(page)[1]  # an expression's is shown at its end
    assert number(page.get_by_test_id("gradient-w")) == pytest.approx(
        1 - 0.4621171572600098**2 + 2 * (1 - 0.7615941559557649**2), rel=1e-12
    )


def test_what_needs_a_server_is_said(open_saved: OpenSaved) -> None:
    page = open_saved(NETWORK)
    wait_for_film(page)
    field = page.get_by_test_id("program-hidden_size")
    field.fill("5")
    field.press("Enter")
    expect(page.get_by_test_id("error")).to_contain_text("This film is a file")


def test_a_film_with_edits_comes_with_its_original_and_a_network_with_its_pairs(open_saved: OpenSaved, api: httpx.Client) -> None:
    edits = [{"node": "rnn.weight_hh_l0", "index": [0, 0], "value": 0.75}]
    programs = (NETWORK, {"kind": "what-if", "program": NETWORK, "edits": edits})
    films = [Document(api.post("/traces", json={"program": program}).json()) for program in programs]
    before, after = (float(film.value(film.loss)) for film in films)
    assert before != after
    page = open_saved(programs[1])
    wait_for_film(page)
    change = page.get_by_test_id("change-loss")
    assert float(change.get_attribute("data-from") or "nan") == pytest.approx(before, abs=1e-12)
    assert float(change.get_attribute("data-to") or "nan") == pytest.approx(after, abs=1e-12)
    expect(page.get_by_test_id("change-alone")).to_have_count(0)
    page.get_by_test_id("tab-pairs").click()
    expect(page.get_by_test_id("pairs-map")).to_be_visible()


def test_a_graph_that_was_imported_is_shown_without_a_formula(open_saved: OpenSaved) -> None:
    nodes = [{"id": "w", "value": 2.0, "role": "parameter"}, {"id": "x", "value": 3.0}, {"id": "y", "op": "mul", "value": 6.0}]
    page = open_saved({"kind": "graph", "nodes": nodes, "edges": [{"from": "w", "to": "y"}, {"from": "x", "to": "y"}]})
    wait_for_film(page)
    expect(page.get_by_test_id("graph-node-2")).to_be_visible()
    expect(page.get_by_test_id("expression-input")).to_have_count(0)


def test_hostile_names_are_shown_and_nothing_else(browser: Browser, tmp_path: Path) -> None:
    """No trace of the API has such names; a file may."""
    file = tmp_path / "film.html"
    file.write_bytes(FORMATS["html"].writer()(Document(hostile_document())))
    context = browser.new_context(reduced_motion="reduce", offline=True)
    page = context.new_page()
    dialogs: list[str] = []
    requests: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    wait_for_film(page)
    page.get_by_test_id("graph-view").wait_for(timeout=60_000)
    assert dialogs == []
    assert [url for url in requests if url.partition("#")[0] != file.as_uri() and not url.startswith(("data:", "blob:"))] == []
    assert page.evaluate("[...document.querySelectorAll('script')].map((script) => script.id || script.type)") == [
        "retrograd-film",
        "retrograd-plotly",
        "retrograd-elk",
        "module",
    ]
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed').length") == 0
    context.close()
