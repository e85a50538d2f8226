"""The expression page: closed forms to 1e-12, errors marked at their column, any input editable."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import moment, number, wait_for_film, wait_for_new_film

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


def test_an_error_is_marked_at_its_column(open_page: OpenPage) -> None:
    page = open_page("#/expression", expected=("422",))
    wait_for_film(page)
    page.get_by_test_id("expression-input").fill("tanh(w) + nosuch(w)")
    page.get_by_test_id("expression-input").press("Control+Enter")
    mark = page.get_by_test_id("expression-error")
    expect(mark).to_have_attribute("data-column", "11", timeout=30_000)
    expect(mark.locator("mark")).to_have_text("n")
    page.get_by_test_id("expression-input").fill("tanh(w)")
    expect(page.get_by_test_id("expression-error")).to_have_count(0)
    page.get_by_test_id("expression-run").click()
    expect(page.get_by_test_id("gradient-w")).to_be_visible(timeout=30_000)


def test_lines_with_names(expression: Page) -> None:
    before = expression.url
    field = expression.get_by_test_id("expression-input")
    field.fill("a = w*x")
    field.press("End")
    field.press("Enter")  # begins a line, sends nothing
    field.press_sequentially("h = tanh(a + b); h*h")
    assert expression.url == before
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


def test_an_error_on_the_second_line(open_page: OpenPage) -> None:
    page = open_page("#/expression", expected=("422",))
    wait_for_film(page)
    page.get_by_test_id("expression-input").fill("a = w*x\nh = nosuch(a)\nh*h")
    page.get_by_test_id("expression-run").click()
    mark = page.get_by_test_id("expression-error")
    expect(mark).to_have_attribute("data-line", "2", timeout=30_000)
    expect(mark).to_have_attribute("data-column", "5")
    expect(mark.locator("span").first).to_have_text("a = w*x\nh = ", use_inner_text=True)
    expect(mark.locator("mark")).to_have_text("n")


def test_every_example_is_drawn(expression: Page) -> None:
    for i in range(1, 7):
        before = expression.url
        expression.get_by_test_id(f"expression-example-{i}").click()
        wait_for_new_film(expression, before)
        expect(expression.locator("[data-testid^=graph-node-]").first).to_be_visible(timeout=30_000)
        expect(expression.locator("[data-testid^=gradient-]").first).to_be_visible()


def test_a_graph_larger_than_the_stage_shows_where_the_film_is(expression: Page) -> None:
    expression.get_by_test_id("expression-input").fill("+".join(f"tanh(q*{i})" for i in range(1, 25)))
    expression.get_by_test_id("expression-run").click()  # q is new: it is differentiated by without a tick
    expect(expression.get_by_test_id("graph-node-0")).to_be_in_viewport(timeout=30_000)
