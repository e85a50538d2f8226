"""Every newer task on the stage: its film opens, and what is predicted and what is right stand where they are judged."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import moment, wait_for_film, wait_for_new_film


def opened(open_page: OpenPage, task: str) -> Page:
    page = open_page()
    wait_for_film(page)
    before = page.url
    page.get_by_test_id("program-task").select_option(task)
    wait_for_new_film(page, before)
    page.get_by_test_id("to-end").click()
    done, whole = moment(page)
    assert done == whole > 0
    if folder := os.environ.get("RETROGRAD_SHOTS"):
        page.screenshot(path=f"{folder}/{task}.png")
    return page


@pytest.mark.parametrize("task", ["names", "copy-memory"])
def test_a_class_at_every_step_names_its_target_in_each_column(open_page: OpenPage, task: str) -> None:
    page = opened(open_page, task)
    boxes = page.locator("[data-testid^='prediction-']")  # of the columns in sight, the last ones
    expect(boxes.nth(2)).to_be_visible()
    for box in boxes.all():
        expect(box.locator(".name.target")).to_have_count(1)
        expect(box.locator("button.row")).to_have_count(4)
    expect(page.get_by_test_id("answer-right")).not_to_be_empty()


def test_brackets_say_what_they_are(open_page: OpenPage) -> None:
    page = opened(open_page, "brackets")
    assert page.get_by_test_id("answer-right").inner_text() in ("balanced", "not balanced")


def test_an_image_read_by_pixels_is_a_square(open_page: OpenPage) -> None:
    page = opened(open_page, "digits-pixels")
    assert page.get_by_test_id("answer-right").inner_text() in list("0123456789")
    expect(page.locator("svg.pixels")).to_have_attribute("viewBox", "0 0 8 8")
