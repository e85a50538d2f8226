"""Every edge says why: what comes back over it is the API's contribution, and its factors multiply to it."""

from __future__ import annotations

import random
import re
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from engine.trace import Document
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, choose_theme, number, to_end_of_backward, wait_for_film
from tests.e2e.test_accessibility import violations
from tests.e2e.test_numbers import TOLERANCE, document, open_film, why

SHOWN = 5e-4  # half of the last decimal of a factor that is written with three
SUPERSCRIPTS = {
    ord(raised): plain
    for raised, plain in zip("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789", strict=True)
}
POWER = "\u00b710([\u207b\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)"


def read(text: str) -> float:
    """A number as the page writes it, a power of ten included."""
    plain = re.sub(POWER, lambda found: "e" + found.group(1).translate(SUPERSCRIPTS), text.replace("\u2212", "-"))
    return float(plain)


def rows(page: Page) -> Locator:
    return page.get_by_test_id("inspector").locator("[data-testid^=why-row-]")


def factors_multiply(page: Page) -> int:
    """Asserts that the factors written in each row make its number, as far as their decimals go. How many rows had factors."""
    found = 0
    for row in rows(page).all():
        text = row.locator(".detail").inner_text()
        if "\u00d7" not in text:
            continue
        factors = [read(part) for part in text.split("\u00d7")]
        slack = sum(SHOWN * np.prod([abs(f) + SHOWN for k, f in enumerate(factors) if k != i]) for i in range(len(factors)))
        assert np.prod(factors) == pytest.approx(number(row), abs=float(slack) + 1e-12)
        found += 1
    return found


def adds_up(page: Page) -> None:
    others = page.get_by_test_id("inspector").get_by_test_id("why-others")
    total = sum(number(row) for row in rows(page).all()) + (number(others) if others.count() else 0)
    assert total == pytest.approx(number(page.get_by_test_id("why-value")), rel=1e-9, abs=TOLERANCE)


def agrees(page: Page, value: float) -> None:
    page.get_by_test_id("inspector").get_by_test_id("why-check").click()
    expect(page.get_by_test_id("inspector").locator("div[data-testid=why-check]")).to_contain_text("\u2713", timeout=READY)
    assert number(page.get_by_test_id("why-check")) == pytest.approx(value, rel=1e-5, abs=1e-8)


def steps_of(page: Page, prefix: str) -> list[int]:
    """The steps whose `prefix` is wholly in view, the first step of all left out: nothing goes back from there."""
    left = page.get_by_role("main").bounding_box()
    assert left is not None
    found = []
    expect(page.locator(f"[data-testid^={prefix}]").first).to_be_visible(timeout=READY)
    for one in page.locator(f"[data-testid^={prefix}]").all():
        box, step = one.bounding_box(), str(one.get_attribute("data-testid")).removeprefix(prefix)
        if step.isdigit() and int(step) > 1 and box and left["x"] <= box["x"] and box["x"] + box["width"] <= left["x"] + left["width"]:
            found.append(int(step))
    assert found, f"no {prefix} is in view"
    return found


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_shares_and_hops_of_a_network_are_the_contributions_of_the_api(open_page: OpenPage, api: httpx.Client, cell: str) -> None:
    trace = document(api, {"cell": cell})
    page = open_film(open_page, trace)
    to_end_of_backward(page)
    weight = next(node for node in trace["nodes"] if node["path"] == "rnn.weight_hh_l0")
    height, width = weight["shape"]
    chance = random.Random(11)

    steps = steps_of(page, "share-")
    for t, i, j in [(chance.choice(steps), chance.randrange(height), chance.randrange(width)) for _ in range(4)]:
        share = page.get_by_test_id(f"share-{t}")
        box = share.bounding_box()
        assert box is not None
        share.click(position={"x": (j + 0.5) * box["width"] / width, "y": (i + 0.5) * box["height"] / height})
        contribution = next(one for one in why(api, trace, weight["id"], [i, j])["backward"]["contributions"] if one["time"] == t)
        assert number(page.get_by_test_id("why-value")) == pytest.approx(contribution["value"], rel=0, abs=TOLERANCE)
        adds_up(page)
        assert factors_multiply(page) == 1
    agrees(page, contribution["value"])
    page.get_by_test_id("why-all").click()  # from one edge to the whole gradient
    assert number(page.get_by_test_id("why-value")) == pytest.approx(
        why(api, trace, weight["id"], [i, j])["gradient"], rel=0, abs=TOLERANCE
    )

    numbers = Document(trace)

    def norm(state: str, t: int) -> float:
        node = next(node["id"] for node in trace["nodes"] if node["scope"] == f"{cell}/t={t}" and node["label"] == state)
        gradient = numbers.gradient(node)
        assert gradient is not None
        return float(np.linalg.norm(gradient))

    for state in "ch" if cell == "lstm" else "h":
        for t in steps_of(page, f"edge-hop-{state}-"):
            hop = page.get_by_test_id(f"edge-hop-{state}-{t}")
            hop.focus()
            page.keyboard.press("Enter")
            expect(hop).to_have_class(re.compile("chosen"))
            value = number(page.get_by_test_id("why-value"))
            assert value == pytest.approx(norm(state, t - 1) / norm(state, t), rel=1e-9)
            assert value == pytest.approx(number(page.get_by_test_id(f"hop-{state}-{t}")), rel=1e-9)
            adds_up(page)
            assert factors_multiply(page) == rows(page).count()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_edges_of_an_opened_cell_are_contributions(open_page: OpenPage, api: httpx.Client, cell: str) -> None:
    trace = document(api, {"cell": cell})
    page = open_film(open_page, trace)
    to_end_of_backward(page)
    page.get_by_test_id("open-3").click()
    kept = [numbers for node in trace["nodes"] if (numbers := Document(trace).gradient(node["id"])) is not None]
    found = kept + [
        one.array for node in trace["nodes"] if node["gradient"] is not None for one in Document(trace).contributions(node["id"])
    ]
    links = {"rnn": 2, "gru": 3, "lstm": 6}[cell]
    assert page.get_by_test_id(re.compile(r"^rail-link-3-\d$")).count() == links
    for k in range(links):
        page.get_by_test_id(f"rail-link-3-{k}").click()
        value = number(page.get_by_test_id("why-value"))
        if (cell, k) not in {("gru", 1), ("lstm", 2)}:  # several gates lead there into a delta, so that all of its gradient is told
            adds_up(page)
        assert any(np.isclose(array, value, rtol=0, atol=TOLERANCE).any() for array in found)
        agrees(page, value)
    if cell == "rnn":
        weight = next(node["id"] for node in trace["nodes"] if node["path"] == "rnn.weight_hh_l0")
        share = page.get_by_test_id("open-share-W-3-1-2")
        share.click()
        contribution = next(one for one in why(api, trace, weight, [1, 2])["backward"]["contributions"] if one["time"] == 3)
        assert number(page.get_by_test_id("why-value")) == number(share) == pytest.approx(contribution["value"], rel=0, abs=TOLERANCE)


def test_the_factors_of_a_pair_of_steps_multiply_to_its_norm(open_page: OpenPage, api: httpx.Client) -> None:
    trace = document(api, {"task": "sunspots"})
    page = open_film(open_page, trace)
    to_end_of_backward(page)
    page.get_by_test_id("tab-pairs").click()
    page.get_by_test_id("pairs-table").click()
    chance = random.Random(3)
    rows_there = [int(str(cell.get_attribute("data-testid")).split("-")[1]) for cell in page.locator("[data-testid^=pair-]").all()]
    for t in chance.sample(sorted({t for t in rows_there if t > 2}), 3):
        cell = page.get_by_test_id(f"pair-{t}-{t - 2}")
        if cell.count() == 0:
            continue
        cell.click()
        factors, value = str(page.get_by_test_id("pairs-product").get_attribute("data-value")).split(" = ")
        assert np.prod([float(x) for x in factors.split(" \u00d7 ")]) == pytest.approx(float(value), rel=1e-9)
        assert float(value) == number(cell)


def test_edges_of_an_expression_are_clicked_and_reached_by_the_keyboard(open_page: OpenPage, api: httpx.Client) -> None:
    program: dict[str, Any] = {
        "kind": "expression", "expression": "z = w*x + b; mean((tanh(z) * z - y)**2) + (w @ x) * b + sum(softmax(z) * x)",
        "inputs": {"w": [0.5, -0.3], "x": [1.0, 2.0], "b": 0.1, "y": [0.0, 1.0]}, "wrt": ["w", "b"],
    }  # fmt: skip
    trace = dict(api.post("/traces", json={"program": program}).raise_for_status().json())
    page = open_page(f"#/expression?trace={trace['id']}")
    wait_for_film(page)
    if page.get_by_test_id("to-end").is_enabled():
        page.get_by_test_id("to-end").click()
    numbers = Document(trace)
    edges = [one for node in trace["nodes"] if node["gradient"] is not None for one in numbers.contributions(node["id"]) if one.node >= 0]
    assert len(edges) > 10
    for k, one in enumerate(random.Random(5).sample(edges, 8)):
        edge = page.get_by_test_id(f"edge-{one.node}-{one.port}")
        if k % 2:
            edge.focus()
            page.keyboard.press("Enter")
        else:
            edge.click()
        expect(edge).to_have_class(re.compile("chosen"))
        strongest = float(one.array.flat[int(np.argmax(np.abs(one.array)))])
        assert number(page.get_by_test_id("why-value")) == pytest.approx(strongest, rel=0, abs=TOLERANCE)
        adds_up(page)
        factors_multiply(page)
        agrees(page, strongest)
    assert violations(page) == []
    page.get_by_test_id("lang-zh").click()
    choose_theme(page, "dark")
    page.wait_for_timeout(600)  # colours are on their way
    assert violations(page) == []
