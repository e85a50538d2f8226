"""Is it true that…? Each of the thirteen statements opens its film, has its gesture, and answers with the film's own numbers."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, number, wait_for_film
from tests.e2e.test_accessibility import violations

CLAIMS = (
    "backward_moves", "weights_differ", "gradient_is_error", "forks_average", "vanishing_zero", "only_slopes", "lstm_never_forgets",
    "clipping_cures", "truncation_cuts_memory", "big_gradient_big_step", "decay_is_gradient", "backward_resets", "inputs_learn",
)  # fmt: skip
STEPS = {"backward_moves", "clipping_cures", "truncation_cuts_memory", "big_gradient_big_step", "decay_is_gradient"}
"""Those whose gesture moves the film, and changes nothing in it."""

VALUE = "why-value"
EVIDENCE = {
    "backward_moves": (VALUE,),
    "weights_differ": ("badge-rnn.weight_hh_l0-1", "badge-rnn.weight_hh_l0-5", VALUE, "change-loss"),
    "gradient_is_error": (VALUE, "change-loss", "change-predicted"),
    "forks_average": (VALUE, "why-row-0", "why-sum"),
    "vanishing_zero": ("norm-1", "norm-5", "share-1", "share-5", "share-sum", "share-size"),
    "only_slopes": ("lever-scale", "factor-h-2", "factor-h-5", "gradient-h-1"),
    "lstm_never_forgets": ("lever-forget", "gradient-c-1", "factor-c-2"),
    "clipping_cures": ("clip-arrow", "gradient-h-1", "gradient-h-5"),
    "truncation_cuts_memory": ("tile-h-1-0", "tile-h-5-0"),
    "big_gradient_big_step": (VALUE, "parameters"),
    "decay_is_gradient": (VALUE,),
    "backward_resets": (VALUE,),
    "inputs_learn": (VALUE, "change-predicted"),
}
"""What each card speaks of, once its gesture is done: in view, not only in the page."""


def choose(page: Page, claim: str) -> None:
    page.get_by_test_id("help").click()
    page.get_by_test_id("help-claims").click()
    page.get_by_test_id(f"claim-{claim}").click()
    expect(page.get_by_test_id("claims")).to_have_count(0)
    expect(page.get_by_test_id("claim-gesture")).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("why-value")).to_be_visible()


def numbers(text: str) -> list[float]:
    """Those of a sentence, powers of ten left out."""
    return [float(found.replace("\u2212", "-")) for found in re.findall(r"[+\u2212]?\d+\.\d+(?!\d*·)", text)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_statement_has_a_film_a_gesture_and_an_answer(open_page: OpenPage, language: str) -> None:
    width, height = (1366, 768) if language == "zh" else (1440, 789)  # what two usual laptops have left of their screens
    page = open_page(locale="zh-CN" if language == "zh" else "en-US", width=width, height=height)
    wait_for_film(page)
    choose(page, CLAIMS[0])
    for claim in CLAIMS:
        card = page.get_by_test_id("claim-card")
        expect(card).to_have_attribute("data-claim", claim)
        expect(page.get_by_test_id("claim-gesture")).to_be_visible(timeout=READY)
        expect(page.get_by_test_id("changes")).to_have_count(0)
        page.get_by_test_id("claim-gesture").click()
        if claim not in STEPS:
            expect(page.get_by_test_id("changes")).to_be_visible(timeout=READY)
        for evidence in EVIDENCE[claim]:
            expect(page.get_by_test_id(evidence), f"{claim}: {evidence}").to_be_in_viewport()
        page.get_by_test_id("claim-answer").click()
        text = page.get_by_test_id("claim-text").inner_text()
        assert re.search(r"\d", text)
        assert not re.search(r"NaN|\{|undefined|∞", text)
        page.get_by_test_id("claim-next").click()


def test_a_statement_is_chosen_tried_and_answered_by_keyboard_alone(page: Page) -> None:
    wait_for_film(page)

    def press(target: str) -> None:
        """Tabs to what is called so, and presses it."""
        for _ in range(80):
            if page.evaluate("document.activeElement?.dataset?.testid") == target:
                page.keyboard.press("Enter")
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {target}")

    page.keyboard.press("?")
    press("help-claims")
    press("claim-inputs_learn")
    expect(page.get_by_test_id("claims")).to_have_count(0)
    expect(page.get_by_test_id("claim-gesture")).to_be_visible(timeout=READY)
    press("claim-gesture")
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=READY)
    press("claim-answer")
    expect(page.get_by_test_id("claim-text")).to_contain_text(re.compile(r"\d"))
    press("claim-next")
    expect(page.get_by_test_id("claim-card")).to_have_attribute("data-claim", CLAIMS[0], timeout=READY)


def test_a_weight_stands_still_until_the_update(page: Page) -> None:
    wait_for_film(page)
    choose(page, "backward_moves")
    old = number(page.get_by_test_id("why-value"))
    page.get_by_test_id("claim-gesture").click()
    new = number(page.get_by_test_id("why-value"))
    assert new != old
    page.get_by_test_id("claim-answer").click()
    said = numbers(page.get_by_test_id("claim-text").inner_text())
    assert said[0] == pytest.approx(old, rel=1e-5)
    assert said[-1] == pytest.approx(new, rel=1e-5)


def test_a_nudge_changes_the_loss_by_gradient_times_change(page: Page, api: httpx.Client) -> None:
    wait_for_film(page)
    choose(page, "gradient_is_error")
    page.get_by_test_id("claim-gesture").click()
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=READY)
    assert number(page.get_by_test_id("change-loss")) == pytest.approx(number(page.get_by_test_id("change-predicted")), rel=0.05)


def test_what_forgetting_does_to_the_loss_is_told_as_it_is_shown(page: Page) -> None:
    wait_for_film(page)
    choose(page, "lstm_never_forgets")
    page.get_by_test_id("claim-answer").click()  # before anything is done it does not say what became of it
    assert " from " not in page.get_by_test_id("claim-text").inner_text()
    page.get_by_test_id("claim-answer").click()
    page.get_by_test_id("claim-gesture").click()
    loss = page.get_by_test_id("change-loss")
    expect(loss).to_be_visible(timeout=READY)
    page.get_by_test_id("claim-answer").click()
    said = numbers(page.get_by_test_id("claim-text").inner_text())
    for one in ("data-from", "data-to"):
        assert any(number == pytest.approx(float(loss.get_attribute(one) or ""), rel=5e-3) for number in said)


def test_kept_gradients_are_added_to(page: Page) -> None:
    wait_for_film(page)
    choose(page, "backward_resets")
    once = number(page.get_by_test_id("why-value"))
    page.get_by_test_id("claim-gesture").click()
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=READY)
    assert number(page.get_by_test_id("why-value")) == pytest.approx(2 * once, rel=1e-12)


def test_another_film_leaves_the_statement(page: Page) -> None:
    wait_for_film(page)
    choose(page, "decay_is_gradient")
    page.get_by_test_id("program-cell").select_option("gru")
    expect(page.get_by_test_id("claim-card")).to_have_count(0, timeout=READY)


@pytest.mark.parametrize(("width", "locale"), [(1440, "en-US"), (390, "zh-CN")])
def test_axe_finds_nothing_in_the_list_and_the_card_and_words_keep_to_their_rows(open_page: OpenPage, width: int, locale: str) -> None:
    page = open_page(width=width, locale=locale)
    wait_for_film(page)
    page.get_by_test_id("help").click()
    page.get_by_test_id("help-claims").click()
    expect(page.get_by_test_id("claims")).to_be_visible()
    page.wait_for_timeout(300)
    assert violations(page) == []
    cut = "rows => rows.filter((row) => row.scrollHeight > row.clientHeight).map((row) => row.dataset.testid)"
    assert page.get_by_test_id("claims").locator("li button").evaluate_all(cut) == []
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("claims")).to_have_count(0)
    choose(page, "vanishing_zero")
    page.get_by_test_id("claim-answer").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
