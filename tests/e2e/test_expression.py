"""The expression page: closed forms to 1e-12, errors marked at their column, any input editable."""

from __future__ import annotations

import math

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from engine.trace import Document
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import film_of, moment, number, wait_for_film, wait_for_new_film

TOLERANCE = 1e-12


@pytest.fixture
def expression(open_page: OpenPage) -> Page:
    page = open_page("#/expression")
    wait_for_film(page)
    return page


def test_the_example_has_the_gradients_of_its_closed_form(expression: Page) -> None:
    w, xs, b = 0.5, [1.0, 2.0], 0.0
    slopes = [1 - math.tanh(w * x + b) ** 2 for x in xs]
    assert number(expression.get_by_test_id("loss-value")) == pytest.approx(sum(math.tanh(w * x + b) for x in xs), rel=0, abs=TOLERANCE)
    assert number(expression.get_by_test_id("gradient-w")) == pytest.approx(
        sum(s * x for s, x in zip(slopes, xs, strict=True)), rel=0, abs=TOLERANCE
    )
    assert number(expression.get_by_test_id("gradient-b")) == pytest.approx(sum(slopes), rel=0, abs=TOLERANCE)
    expect(expression.get_by_role("complementary").first).to_contain_text("summed to the loss")


def test_another_formula_with_other_inputs(expression: Page) -> None:
    before = expression.url
    expression.get_by_test_id("expression-input").fill("exp(a) * sin(a)")
    expression.get_by_test_id("input-a").fill("0.75, -2")
    expression.get_by_test_id("wrt-a").check()
    expression.get_by_test_id("expression-run").click()
    wait_for_new_film(expression, before)
    for i, a in enumerate([0.75, -2.0]):
        expect(expression.get_by_test_id(f"gradient-a-{i}")).to_be_visible()
        assert number(expression.get_by_test_id(f"gradient-a-{i}")) == pytest.approx(
            math.exp(a) * (math.sin(a) + math.cos(a)), rel=0, abs=TOLERANCE
        )


def test_the_graph_shows_values_forward_and_contributions_backward(expression: Page) -> None:
    expect(expression.locator("[data-testid^=graph-node-]").first).to_be_visible(timeout=30_000)
    assert number(expression.get_by_test_id("tile-3-1")) == 1.0  # w * x at x = 2
    assert number(expression.get_by_test_id("lane-0")) == number(expression.get_by_test_id("gradient-w"))
    expect(expression.locator("[data-testid^=contribution-]")).to_have_count(5)  # one an edge but that to x, which was not asked for
    expression.get_by_test_id("to-start").click()
    expect(expression.locator("[data-testid^=contribution-]")).to_have_count(0)
    expect(expression.get_by_test_id("tile-3-1")).to_be_disabled()
    expression.get_by_test_id("step-forward").click()
    assert moment(expression)[0] == 1
    assert number(expression.get_by_test_id("tile-3-1")) == 1.0


def test_why_a_gradient_in_the_graph(expression: Page) -> None:
    expression.get_by_test_id("gradient-w").click()
    assert number(expression.get_by_test_id("why-value")) == number(expression.get_by_test_id("gradient-w"))


def test_an_error_is_marked_at_its_column_as_one_types(expression: Page) -> None:
    field, marked = expression.get_by_test_id("expression-input"), expression.get_by_test_id("expression-marks").locator("mark.error")
    address = expression.url
    field.fill("tanh(w) + nosuch(w)")
    error = expression.get_by_test_id("expression-error")
    expect(error).to_have_attribute("data-column", "11", timeout=30_000)
    expect(marked).to_have_text("nosuch")
    under, over = marked.bounding_box(), field.bounding_box()
    assert under is not None
    assert over is not None
    assert over["x"] < under["x"] < over["x"] + over["width"]
    described = expression.locator(f"#{(field.get_attribute('aria-describedby') or '').split()[0]}")
    expect(described).to_contain_text("nosuch")
    field.press("End")
    field.press_sequentially(" * w")  # behind the error: it stays where it is, until it is mended
    expect(marked).to_have_text("nosuch")
    field.fill("tanh(w)")
    expect(error).to_have_count(0)
    expect(field).to_have_attribute("aria-invalid", "false")
    assert expression.url == address  # nothing was sent to be shown
    field.press("Control+z")
    expect(field).to_have_value("tanh(w) + nosuch(w) * w")
    expect(error).to_have_attribute("data-column", "11", timeout=30_000)


def test_a_formula_that_cannot_run_keeps_the_film_and_the_text(open_page: OpenPage) -> None:
    page = open_page("#/expression", expected=("422",))
    wait_for_film(page)
    page.get_by_test_id("expression-input").fill("tanh(w) + nosuch(w)")
    page.get_by_test_id("expression-input").press("Control+Enter")
    expect(page.get_by_test_id("expression-error")).to_have_attribute("data-column", "11", timeout=30_000)
    expect(page.get_by_test_id("expression-input")).to_have_value("tanh(w) + nosuch(w)")
    expect(page.get_by_test_id("graph-node-0")).to_be_visible()
    page.get_by_test_id("expression-input").fill("tanh(w)")
    page.get_by_test_id("expression-run").click()
    expect(page.get_by_test_id("gradient-w")).to_be_visible(timeout=30_000)


def test_a_late_answer_does_not_mark_a_newer_text(expression: Page) -> None:
    held = []

    def hold(route: Route) -> None:
        if "nosuch" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    expression.route("**/expressions/check", hold)
    field = expression.get_by_test_id("expression-input")
    with expression.expect_request("**/expressions/check"):
        field.fill("nosuch(w)")
    with expression.expect_response("**/expressions/check"):
        field.fill("tanh(w) * 2")
    assert held
    expect(expression.get_by_test_id("expression-error")).to_have_count(0)


def test_brackets_are_matched_at_the_caret(expression: Page) -> None:
    field, marked = expression.get_by_test_id("expression-input"), expression.get_by_test_id("expression-marks").locator("mark.bracket")
    field.fill("tanh((w) * 2)")
    field.press("End")
    expect(marked).to_have_text(["(", ")"])
    field.press("Home")
    expect(marked).to_have_count(0)
    field.press("Escape")
    expect(field).not_to_be_focused()


def test_lines_with_names(expression: Page) -> None:
    before = expression.url
    field = expression.get_by_test_id("expression-input")
    field.fill("a = w*x")
    field.press("End")
    field.press("Enter")  # begins a line, sends nothing
    field.press_sequentially("h = tanh(a + b); h*h")
    assert film_of(expression.url) == film_of(before)
    expect(expression.get_by_test_id("input-a")).to_have_count(0)
    expect(expression.get_by_test_id("input-h")).to_have_count(0)
    field.press("Control+Enter")
    wait_for_new_film(expression, before)
    h = [math.tanh(0.5 * x) for x in (1.0, 2.0)]
    slopes = [2 * v * (1 - v * v) for v in h]
    assert number(expression.get_by_test_id("gradient-b")) == pytest.approx(sum(slopes), rel=0, abs=TOLERANCE)
    expression.reload()  # the link carries the line break
    wait_for_film(expression)
    expect(field).to_have_value("a = w*x\nh = tanh(a + b); h*h")


def test_an_error_on_the_second_line(expression: Page) -> None:
    expression.get_by_test_id("expression-input").fill("a = w*x\nh = nosuch(a)\nh*h")
    error = expression.get_by_test_id("expression-error")
    expect(error).to_have_attribute("data-line", "2", timeout=30_000)
    expect(error).to_have_attribute("data-column", "5")
    expect(expression.get_by_test_id("expression-marks").locator("mark.error")).to_have_text("nosuch")


EXAMPLES = ["named", "line", "logistic", "two_layer", "softmax", "deep", "rnn", "square", "product", "bell"]


PRESSED = """async (button, times) => {
    for (; times > 0 && !button.disabled; times--) {
        button.click();
        await new Promise(requestAnimationFrame);
    }
}"""
"""Presses a button as long as it can be pressed, so many times at most, and each time the page is drawn."""


def test_every_example_is_drawn_and_plays_with_the_numbers_of_the_api(expression: Page, api: httpx.Client) -> None:
    assert expression.locator("[data-testid^=expression-example-]").count() == len(EXAMPLES) + 1  # the page is on the first
    for name in EXAMPLES:
        before = expression.url
        with expression.expect_response("**/traces") as answer:
            expression.get_by_test_id(f"expression-example-{name}").click()
        wait_for_new_film(expression, before)
        expect(expression.locator("[data-testid^=graph-node-]").first).to_be_visible(timeout=30_000)
        trace = api.get(f"/traces/{answer.value.json()['id']}").json()
        document = Document(trace)
        assert number(expression.get_by_test_id("loss-value")) == float(document.value(document.loss))
        for parameter in trace["program"]["wrt"]:
            shown = expression.locator(f"[data-testid=gradient-{parameter}], [data-testid^=gradient-{parameter}-]")
            expected = np.ravel(document.gradient(document.node(parameter)["id"]))[:16]
            assert [number(one) for one in shown.all()] == [float(x) for x in expected]
        expression.get_by_test_id("to-start").click()
        expression.get_by_test_id("step-forward").click()
        done, events = moment(expression)
        assert 0 < done < events
        expression.get_by_test_id("step-forward").evaluate(PRESSED, events)
        assert moment(expression) == (events, events)


def test_it_plays_to_its_end(expression: Page) -> None:
    before = expression.url
    expression.get_by_test_id("expression-example-square").click()
    wait_for_new_film(expression, before)
    expression.get_by_test_id("to-start").click()
    expression.get_by_test_id("play").click()
    expect(expression.get_by_test_id("play")).to_have_attribute("data-playing", "true")
    expect(expression.get_by_test_id("step-forward")).to_be_disabled(timeout=40_000)
    expect(expression.get_by_test_id("play")).to_have_attribute("data-playing", "false")


def test_softmax_and_cross_entropy_give_p_minus_y(expression: Page) -> None:
    before = expression.url
    expression.get_by_test_id("expression-example-softmax").click()
    wait_for_new_film(expression, before)
    z = np.array([[0.6, -0.2], [-0.4, 0.9], [0.1, 0.3]]) @ [1, 2]
    p = np.exp(z) / np.exp(z).sum()
    for i, wanted in enumerate(p - [0, 1, 0]):
        assert number(expression.get_by_test_id(f"gradient-b-{i}")) == pytest.approx(wanted, rel=0, abs=TOLERANCE)


def test_a_graph_larger_than_the_stage_shows_where_the_film_is(expression: Page) -> None:
    expression.get_by_test_id("expression-input").fill("+".join(f"tanh(q*{i})" for i in range(1, 25)))
    expression.get_by_test_id("expression-run").click()  # q is new: it is differentiated by without a tick
    expect(expression.get_by_test_id("graph-node-0")).to_be_in_viewport(timeout=30_000)
