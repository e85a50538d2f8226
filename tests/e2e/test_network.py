"""The network page: every cell and task opens, an edit is a new film, Back undoes it, errors have a way out."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import film_of, moment, number, wait_for_film, wait_for_new_film


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_cell_opens(open_page: OpenPage, cell: str) -> None:
    page = open_page()
    wait_for_film(page)
    if cell != "rnn":
        before = page.url
        page.get_by_test_id("program-cell").select_option(cell)
        wait_for_new_film(page, before)
    page.get_by_test_id("to-end").click()
    done, whole = moment(page)
    assert done == whole
    assert -1 <= number(page.get_by_test_id("tile-h-1-0")) <= 1
    page.get_by_test_id("open-2").click()
    expect(page.get_by_test_id("open-cell")).to_be_visible()


@pytest.mark.parametrize("task", ["digits", "sunspots", "adding"])
def test_every_task_opens(open_page: OpenPage, task: str) -> None:
    page = open_page()
    wait_for_film(page)
    step = page.get_by_test_id("program-step")
    before = page.url
    step.fill("2")
    step.press("Enter")
    wait_for_new_film(page, before)
    before = page.url
    page.get_by_test_id("program-task").select_option(task)
    wait_for_new_film(page, before)
    page.get_by_test_id("to-end").click()
    done, whole = moment(page)
    assert done == whole > 0


def test_an_edit_is_a_new_film_and_back_undoes_it(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page()
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    before = page.url
    rate = page.get_by_test_id("program-lr")
    assert rate.input_value() == "0.01"
    rate.fill("0.2")
    rate.press("Enter")
    wait_for_new_film(page, before)
    expect(rate).to_have_value("0.2")
    programs = [item["program"] for item in api.get("/traces", params={"limit": 100}).raise_for_status().json()["items"]]
    assert 0.2 in [program["optimizer"]["lr"] for program in programs if program["kind"] == "network"]
    page.get_by_test_id("program-undo").click()
    expect(page.get_by_test_id("program-lr")).to_have_value("0.01", timeout=60_000)


def test_a_reload_shows_the_film_of_the_address(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    before = page.url
    page.get_by_test_id("program-hidden_size").fill("3")
    page.get_by_test_id("program-hidden_size").press("Enter")
    wait_for_new_film(page, before)
    page.reload()
    wait_for_film(page)
    expect(page.get_by_test_id("program-hidden_size")).to_have_value("3")
    expect(page.get_by_test_id("tile-h-1-2")).to_have_count(1)
    expect(page.get_by_test_id("tile-h-1-3")).to_have_count(0)


def test_another_surname_is_found_by_typing(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page()
    wait_for_film(page)
    wanted = api.get("/tasks/surnames/examples", params={"limit": 1, "starts_with": "ro"}).raise_for_status().json()["items"][0]
    before = page.url
    page.get_by_test_id("program-example").click()
    expect(page.get_by_test_id("example-find")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("example-find")).to_have_count(0)
    page.get_by_test_id("program-example").click()
    page.keyboard.type("ro")
    page.get_by_test_id(f"example-{wanted['index']}").click()
    wait_for_new_film(page, before)
    expect(page.get_by_role("complementary").get_by_label(wanted["text"])).to_be_visible()


def test_a_number_out_of_range_is_marked_and_not_sent(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    before = page.url
    size = page.get_by_test_id("program-hidden_size")
    size.fill("0")
    size.press("Enter")
    expect(size).to_have_attribute("aria-invalid", "true")
    assert film_of(page.url) == film_of(before)


def test_a_refused_program_says_why_and_leads_back(open_page: OpenPage) -> None:
    page = open_page("#/network?run=r_0000000000000000&step=1", expected=("404",))
    error = page.get_by_test_id("error")
    expect(error).to_be_visible(timeout=60_000)
    error.get_by_role("link", name="Watch the opening film").click()
    wait_for_film(page)


def test_a_broken_link_says_so(open_page: OpenPage) -> None:
    page = open_page("#/network?p=nonsense")
    expect(page.get_by_test_id("error")).to_contain_text("This link cannot be read")


def test_a_server_that_is_gone_is_told_and_can_be_tried_again(open_page: OpenPage) -> None:
    page = open_page(expected=("Failed to load resource", "net::ERR"))
    wait_for_film(page)
    page.route(re.compile(r"/api/v1/traces"), lambda route: route.abort())
    page.get_by_test_id("program-seed").fill("5")
    page.get_by_test_id("program-seed").press("Enter")
    waits = page.get_by_test_id("unmet")
    expect(waits).to_contain_text("this one goes on", timeout=60_000)
    expect(page.get_by_test_id("moment")).to_be_visible()
    page.unroute(re.compile(r"/api/v1/traces"))
    waits.get_by_role("button", name="Try again").click()
    wait_for_film(page)
    expect(page.get_by_test_id("program-seed")).to_have_value("5", timeout=60_000)


def test_a_second_edit_adds_to_the_first_while_its_film_is_still_made(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    for field, value in (("hidden_size", "3"), ("step", "2"), ("batch_size", "9")):
        page.get_by_test_id(f"program-{field}").fill(value)
        page.get_by_test_id(f"program-{field}").press("Tab")
    page.get_by_test_id("to-end").click()
    expect(page.get_by_test_id("tile-h-1-2")).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("tile-h-1-3")).to_have_count(0, timeout=60_000)  # until then the film before stands there
    for field, value in (("hidden_size", "3"), ("step", "2"), ("batch_size", "9")):
        expect(page.get_by_test_id(f"program-{field}")).to_have_value(value)


def test_a_rate_of_zero_is_refused_in_its_field(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    rate = page.get_by_test_id("program-lr")
    rate.fill("0")
    rate.press("Enter")
    expect(rate).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_test_id("program-lr-reason")).to_have_text("a number, above 0, at most 1000")
    expect(page.get_by_test_id("error")).to_have_count(0)


def test_a_rejected_number_gives_way_to_that_of_the_next_film(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    before = page.url
    rate = page.get_by_test_id("program-lr")
    rate.fill("-1")
    rate.press("Enter")
    expect(page.get_by_test_id("program-lr-reason")).to_be_visible()
    page.get_by_test_id("program-seed").fill("5")
    page.get_by_test_id("program-seed").press("Enter")
    wait_for_new_film(page, before)
    expect(rate).to_have_value("0.01")
    expect(page.get_by_test_id("program-lr-reason")).to_have_count(0)


def test_the_last_field_of_a_phone_is_not_under_the_sheet(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    wait_for_film(page)
    expect(page.get_by_test_id("program-seed")).to_be_visible()  # the program comes after the film
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    seed, sheet = page.get_by_test_id("program-seed").bounding_box(), page.get_by_test_id("sheet").bounding_box()
    assert seed is not None
    assert sheet is not None
    assert seed["y"] + seed["height"] <= sheet["y"]


def test_an_opened_cell_wider_than_the_stage_can_be_scrolled_on(open_page: OpenPage) -> None:
    page = open_page(width=1280, height=800)
    wait_for_film(page)
    before = page.url
    page.get_by_test_id("program-cell").select_option("gru")
    wait_for_new_film(page, before)
    page.get_by_test_id("level-vector").click()
    page.get_by_test_id("more-right").click()
    expect(page.get_by_test_id("more-right")).to_have_count(0)
    expect(page.get_by_test_id("more-left")).to_be_visible()
