"""What a page shows when things go wrong: no network, a server killed and started again, a slow one, a busy one, wrong addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.browser import Service
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, moment, wait_for_film
from tests.e2e.test_accessibility import violations
from tests.e2e.train import choose

LOST = ("Failed to load resource", "net::ERR")
STEPS = 150
TRACES = re.compile(r"/api/v1/traces$")


def change_seed(page: Page, seed: str) -> None:
    page.get_by_test_id("program-seed").fill(seed)
    page.get_by_test_id("program-seed").press("Enter")


def received(page: Page) -> None:
    """The film is here, and so are the parts of its page that come after the first picture."""
    wait_for_film(page)
    expect(page.get_by_test_id("inspector")).to_be_visible(timeout=READY)
    page.wait_for_load_state("networkidle")


def plays_on(page: Page) -> None:
    """The film that is there goes on working without a server."""
    page.keyboard.press("Home")
    assert moment(page)[0] == 0
    page.keyboard.press("ArrowRight")
    assert moment(page)[0] > 0
    page.keyboard.press("End")
    page.get_by_test_id("tile-h-1-0").click()
    expect(page.get_by_test_id("why-value")).to_be_visible()


def test_offline_keeps_the_film_and_asks_again_when_the_network_is_back(open_page: OpenPage) -> None:
    page = open_page(expected=LOST)
    received(page)
    page.context.set_offline(True)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "offline")
    expect(page.get_by_test_id("connection")).to_contain_text("You are offline")
    plays_on(page)
    change_seed(page, "7")
    page.wait_for_timeout(1500)
    plays_on(page)
    assert violations(page) == []
    page.context.set_offline(False)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "back", timeout=READY)
    page.wait_for_url(lambda address: "p=" in address, timeout=READY)
    expect(page.get_by_role("status")).to_have_count(0, timeout=READY)
    wait_for_film(page)
    expect(page.get_by_test_id("program-seed")).to_have_value("7")
    expect(page.get_by_test_id("unmet")).to_have_count(0)
    expect(page.get_by_test_id("connection")).to_have_count(0, timeout=READY)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    service.start()
    yield service
    service.stop()


def visit(browser: Browser, address: str) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="en-US")
    page = context.new_page()
    page.goto(address)
    return page


def test_a_server_that_was_killed_and_started_again_is_found_by_itself(browser: Browser, service: Service) -> None:
    page = visit(browser, service.url)
    received(page)
    service.stop(kill=True)
    change_seed(page, "8")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "gone", timeout=READY)
    plays_on(page)
    service.start()
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "back", timeout=READY)
    expect(page.get_by_role("status")).to_have_count(0, timeout=READY)
    wait_for_film(page)
    shown = httpx.get(f"{service.url}/api/v1/opening", timeout=60).json()["program"]
    expect(page.get_by_test_id("program-seed")).to_have_value("8")
    expect(page.get_by_test_id("program-hidden_size")).to_have_value(str(shown["hidden_size"]))
    page.context.close()


def test_a_training_is_watched_on_after_a_restart(browser: Browser, service: Service) -> None:
    page = visit(browser, f"{service.url}/#/train")
    page.get_by_test_id("run-hidden_size").fill("192")  # slow enough to be caught in the middle
    page.get_by_test_id("run-hidden_size").press("Enter")
    choose(page, "count", STEPS)
    page.get_by_test_id("run-start").click()
    expect(page.get_by_test_id("run-pause")).to_be_enabled(timeout=READY)  # the server has answered
    service.stop(kill=True)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "gone", timeout=READY)
    expect(page.get_by_test_id("run-step")).to_be_visible()  # what was received stays
    assert int(page.get_by_test_id("run-step").get_attribute("data-value") or 0) < STEPS, "it was not caught in the middle"
    service.start()
    expect(page.get_by_test_id("run-step")).to_have_attribute("data-value", str(STEPS), timeout=120_000)
    run = page.url.partition("run=")[2].partition("&")[0]
    stored = page.context.request.get(f"{service.url}/api/v1/runs/{run}").json()
    assert stored["step"] == STEPS
    expect(page.get_by_test_id("run-loss")).to_have_attribute("data-value", str(stored["history"]["loss"][-1]))
    page.context.close()


def test_what_a_busy_server_puts_off_comes_when_it_said(open_page: OpenPage) -> None:
    page = open_page(expected=LOST)
    wait_for_film(page)
    asked: list[str] = []
    later = {"Retry-After": "2", "Content-Type": "application/problem+json"}

    def busy(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=429, headers=later, body=json.dumps({"title": "Too many", "status": 429}))
        else:
            route.continue_()

    page.route(TRACES, busy)
    change_seed(page, "9")
    notice = page.get_by_test_id("connection")
    expect(notice).to_have_attribute("data-state", "busy")
    expect(notice).to_contain_text(re.compile(r"again in \d second"))
    expect(notice).to_have_count(0, timeout=READY)
    expect(page.get_by_role("status")).to_have_count(0, timeout=READY)
    expect(page.get_by_test_id("program-seed")).to_have_value("9")
    assert len(asked) == 2
    plays_on(page)


def test_what_takes_long_says_so_and_can_be_cancelled(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_film(page)
    before = page.get_by_test_id("program-seed").input_value()
    page.route(TRACES, lambda route: None)  # an answer that never comes
    change_seed(page, "10")
    expect(page.get_by_test_id("slow")).to_contain_text(re.compile(r"Still computing: \d+ s"), timeout=10_000)
    assert violations(page) == []
    page.get_by_test_id("give-up").click()
    expect(page.get_by_test_id("slow")).to_have_count(0)
    expect(page.get_by_test_id("program-seed")).to_have_value(before)
    plays_on(page)
    page.unroute(TRACES)
    change_seed(page, "11")
    expect(page.get_by_role("status")).to_have_count(0, timeout=READY)
    expect(page.get_by_test_id("program-seed")).to_have_value("11")
    wait_for_film(page)


@pytest.mark.parametrize(("locale", "title", "again"), [("en-US", "Given up", "Try again"), ("zh-CN", "已取消", "重试")])
def test_a_first_film_can_be_given_up_and_asked_for_again(open_page: OpenPage, url: str, locale: str, title: str, again: str) -> None:
    page = open_page("#/train", locale=locale)
    page.route("**/api/v1/opening", lambda route: None)
    page.get_by_test_id("nav-network").click()
    page.get_by_test_id("give-up").click(timeout=10_000)
    error = page.get_by_test_id("error")
    expect(error).to_contain_text(title)
    assert violations(page) == []
    page.unroute("**/api/v1/opening")
    error.get_by_role("button", name=again).click()
    wait_for_film(page)


def test_a_first_film_without_a_server_ends_in_words_and_comes_when_there_is_one(open_page: OpenPage) -> None:
    page = open_page("#/train", expected=LOST)
    page.route("**/api/v1/opening", lambda route: route.abort())
    page.get_by_test_id("nav-network").click()
    expect(page.get_by_test_id("error")).to_contain_text("The server does not answer", timeout=60_000)
    page.unroute("**/api/v1/opening")
    page.get_by_test_id("error").get_by_role("button", name="Try again").click()
    wait_for_film(page)


@pytest.mark.parametrize(("locale", "title"), [("en-US", "There is no such page"), ("zh-CN", "没有这个页面")])
def test_an_address_that_leads_nowhere_says_so_and_leads_on(open_page: OpenPage, locale: str, title: str) -> None:
    page = open_page("#/nowhere/at-all", locale=locale)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_test_id("missing")).to_contain_text("#/nowhere/at-all")
    assert violations(page) == []
    page.get_by_test_id("missing").locator("a.primary").click()
    wait_for_film(page)


def test_a_part_of_the_page_that_cannot_be_fetched_loses_no_film(open_page: OpenPage) -> None:
    page = open_page(expected=LOST)
    received(page)
    page.get_by_test_id("to-end").click()
    at = moment(page)
    page.context.set_offline(True)
    page.get_by_test_id("nav-compare").click()
    expect(page.get_by_test_id("error")).to_contain_text("could not be loaded", timeout=READY)
    page.get_by_test_id("nav-network").click()
    assert moment(page) == at
    plays_on(page)
    page.get_by_test_id("nav-compare").click()
    page.context.set_offline(False)
    expect(page.get_by_test_id("error")).to_have_count(0, timeout=READY)  # it came by itself, without a reload


def test_a_new_version_of_the_page_is_told_from_a_server_that_is_gone(open_page: OpenPage) -> None:
    page = open_page("#/train", expected=("404",))
    expect(page.get_by_test_id("run-task")).to_be_visible(timeout=READY)
    own = page.locator("script[type=module][src]").get_attribute("src")
    assert own is not None
    page.route("**/OwnDataDialog-*.js", lambda route: route.fulfill(status=404))
    page.route(
        page.url.partition("#")[0],
        lambda route: route.fulfill(content_type="text/html", body=str(route.fetch().text()).replace(own, "./assets/index-new.js")),
    )
    page.get_by_test_id("run-task").select_option("own-data")
    row = page.get_by_test_id("unreached")
    expect(row).to_contain_text("There is a new version of this page", timeout=READY)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "outdated")
    inside = row.evaluate("it => it.getBoundingClientRect().right <= it.closest('aside').getBoundingClientRect().right")
    assert inside
    page.unroute_all()
    row.get_by_role("button").click()
    expect(page.get_by_test_id("run-task")).to_be_visible(timeout=READY)
    page.get_by_test_id("run-task").select_option("own-data")
    expect(page.get_by_test_id("own-data")).to_be_visible(timeout=READY)
