"""Predict in a browser: what is asked is nowhere on the page until it is answered; score, skipping, keyboard, both languages."""

from __future__ import annotations

import base64
import struct
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import moment, to_end_of_backward, wait_for_film
from tests.e2e.test_accessibility import violations

EVERYTHING = """() => {
  const texts = [document.body.textContent];
  for (const element of document.querySelectorAll("*")) for (const { value } of element.attributes) texts.push(value);
  return texts.join("\\n");
}"""
MINUS = "\u2212"


def tensor(trace: dict[str, Any], reference: int) -> list[float]:
    """Its numbers, in C order."""
    tensors = trace["tensors"]

    def column(given: Any) -> list[int]:
        if isinstance(given, list):
            return given
        data = base64.b64decode(given["bdata"])
        code = {"i4": "i", "u1": "B"}[given["dtype"]]
        return list(struct.unpack(f"<{len(data) // struct.calcsize(code)}{code}", data))

    dtype = tensors["dtypes"][column(tensors["dtype"])[reference]]
    offset = column(tensors["offset"])[reference]
    size = 1
    for length in tensors["shape"][reference]:
        size *= length
    data = base64.b64decode(tensors["arenas"][dtype]["bdata"])
    code, width = {"f8": ("d", 8), "f4": ("f", 4)}[dtype]
    return list(struct.unpack(f"<{size}{code}", data[offset * width : (offset + size) * width]))


def written(value: float) -> list[str]:
    """A number as the page writes it where it is explained, summed or listed, and in full."""
    sign = MINUS if value < 0 else ""
    return [sign + f"{abs(value):.{digits}f}" for digits in (3, 4, 5, 6)] + [repr(value), repr(value)[:12]]


def states(api: httpx.Client) -> list[list[float]]:
    """The hidden states of the opening film, by step."""
    trace = api.get("/opening").json()
    nodes = [node for node in trace["nodes"] if node["label"] == "h"]
    return [tensor(trace, node["value"]) for node in sorted(nodes, key=lambda node: int(node["time"]))]


def start(page: Page) -> None:
    wait_for_film(page)
    page.keyboard.press("q")
    expect(page.get_by_test_id("predict-card")).to_have_attribute("data-state", "asking")


def test_the_number_that_is_asked_for_is_nowhere_on_the_page(page: Page, api: httpx.Client) -> None:
    hidden = states(api)[0]
    wait_for_film(page)
    to_end_of_backward(page)  # all of it was on the page before
    page.get_by_test_id("stride-cell").click()
    assert any(text in page.evaluate(EVERYTHING) for text in written(hidden[3]))
    page.get_by_test_id("to-start").click()
    start(page)
    assert moment(page)[0] == 0
    for _ in range(3):  # no key of the film shows it
        for key in ("ArrowRight", "End", "PageDown"):
            page.get_by_test_id("predict-end").press(key)
        everything = page.evaluate(EVERYTHING)
        for value in hidden:
            for text in written(value):
                assert text not in everything
        page.get_by_test_id("level-vector").click()
    expect(page.get_by_test_id("share")).to_be_disabled()
    field = page.get_by_test_id("predict-field")
    field.fill("nothing")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    field.fill(f"{hidden[3] + 0.02:.3f}")
    field.press("Enter")
    expect(page.get_by_test_id("predict-outcome")).to_have_attribute("data-right", "true")
    expect(page.get_by_test_id("predict-score")).to_have_attribute("data-right", "1")
    assert float(page.get_by_test_id("why-value").get_attribute("data-value") or "nan") == hidden[3]


def test_a_number_beyond_the_tolerance_is_wrong_and_a_skipped_question_does_not_count(page: Page, api: httpx.Client) -> None:
    hidden = states(api)[0][3]
    start(page)
    page.get_by_test_id("predict-field").fill(f"{hidden + 0.06:.3f}")
    page.get_by_test_id("predict-field").press("Enter")
    expect(page.get_by_test_id("predict-outcome")).to_have_attribute("data-right", "false")
    expect(page.get_by_test_id("predict-next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("predict-card")).to_have_attribute("data-state", "asking")
    page.get_by_test_id("predict-skip").click()
    score = page.get_by_test_id("predict-score")
    assert [score.get_attribute(f"data-{name}") for name in ("right", "asked")] == ["0", "1"]


def test_the_whole_film_by_keyboard_alone_and_its_end(page: Page) -> None:
    start(page)
    card = page.get_by_test_id("predict-card")
    asked = 0
    while card.get_attribute("data-state") != "over":
        assert card.get_attribute("data-state") == "asking"
        asked += 1
        assert asked < 40
        if page.get_by_test_id("predict-field").count():
            expect(page.get_by_test_id("predict-field")).to_be_focused()
            page.keyboard.type("0.5")
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("1")
        expect(card).to_have_attribute("data-state", "told")
        page.keyboard.press("Enter")
        expect(card).not_to_have_attribute("data-state", "told")
    assert page.get_by_test_id("predict-score").get_attribute("data-asked") == str(asked)
    assert asked >= 12
    page.keyboard.press("q")
    expect(card).to_have_count(0)
    page.get_by_test_id("step-back").click()
    expect(page.get_by_test_id("step-forward")).to_be_enabled()


def test_an_expression_hides_its_result_too(open_page: OpenPage) -> None:
    page = open_page("#/expression")
    wait_for_film(page)
    loss = page.get_by_test_id("loss-value").get_attribute("data-value")
    assert loss is not None
    page.get_by_test_id("to-start").click()
    start(page)
    everything = page.evaluate(EVERYTHING)
    assert loss not in everything
    for text in written(float(loss))[1:]:
        assert text not in everything
    page.get_by_test_id("predict-end").click()
    expect(page.get_by_test_id("loss-value")).to_have_attribute("data-value", loss)


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_axe_finds_nothing_in_a_question(open_page: OpenPage, language: str, width: int) -> None:
    page = open_page(locale="zh-CN" if language == "zh" else "en-US", width=width)
    wait_for_film(page)
    page.get_by_test_id("predict").click()
    expect(page.get_by_test_id("predict-card")).to_contain_text("会是多少" if language == "zh" else "What will")
    page.wait_for_timeout(300)
    assert violations(page) == []
    page.get_by_test_id("predict-skip").click()
    expect(page.get_by_test_id("predict-outcome")).to_be_visible()
    assert violations(page) == []
