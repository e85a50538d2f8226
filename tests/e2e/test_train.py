"""The Train page: a run is started, trained and deleted, and any of its steps opens as a film."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import number, wait_for_film


@pytest.fixture
def trained(open_page: OpenPage) -> Page:
    """A small GRU, 20 steps old."""
    page = open_page("#/train")
    page.get_by_test_id("run-hidden_size").fill("4")
    page.get_by_test_id("run-hidden_size").press("Enter")
    page.get_by_test_id("run-batch_size").fill("8")
    page.get_by_test_id("run-batch_size").press("Enter")
    page.get_by_test_id("run-start").click()
    page.get_by_test_id("run-steps-20").click(timeout=30_000)
    expect(page.get_by_test_id("run-step")).to_have_text("20", timeout=60_000)
    return page


def run_of(page: Page, api: httpx.Client) -> dict[str, object]:
    return dict(api.get(f"/runs/{page.url.partition('run=')[2]}").raise_for_status().json())


def test_step_7_opens_as_a_film_with_the_loss_of_the_history(trained: Page, api: httpx.Client) -> None:
    history = api.get(f"/runs/{trained.url.partition('run=')[2]}").raise_for_status().json()["history"]["loss"]
    assert number(trained.get_by_test_id("run-loss")) == history[19]
    expect(trained.get_by_test_id("figure").locator("svg").first).to_be_visible(timeout=30_000)
    trained.get_by_test_id("open-step-number").fill("7")
    trained.get_by_test_id("open-step-number").press("Enter")
    trained.get_by_test_id("open-step").click()
    wait_for_film(trained)
    trained.get_by_test_id("stride-phase").click()
    trained.get_by_test_id("step-forward").click()
    trained.get_by_test_id("step-forward").click()  # the loss: a long surname's film shows the columns around it
    assert number(trained.get_by_test_id("loss-value").first) == pytest.approx(history[6], rel=0, abs=1e-10)
    trained.get_by_test_id("tab-curves").click()
    expect(trained.get_by_test_id("figure").locator("svg").first).to_be_visible(timeout=30_000)


def test_the_list_names_the_run_and_leads_to_it(trained: Page, api: httpx.Client) -> None:
    run = run_of(trained, api)
    trained.get_by_test_id("nav-network").click()
    wait_for_film(trained)
    trained.get_by_test_id("nav-train").click()
    expect(trained.get_by_test_id("run-step")).to_have_text("20", timeout=30_000)
    expect(trained.get_by_test_id(f"run-{run['id']}")).to_contain_text("20 steps")


def test_a_run_is_deleted_only_when_that_is_confirmed(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page("#/train")
    page.get_by_test_id("run-start").click()
    page.get_by_test_id("run-delete").click(timeout=30_000)
    run = page.url.partition("run=")[2]
    page.get_by_text("Keep it").click()
    assert api.get(f"/runs/{run}").status_code == 200
    page.get_by_test_id("run-delete").click()
    page.get_by_test_id("run-delete-sure").click()
    expect(page.get_by_test_id(f"run-{run}")).to_have_count(0, timeout=30_000)
    assert api.get(f"/runs/{run}").status_code == 404


def test_a_film_opened_after_another_is_drawn_by_its_own_measures(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page()
    wait_for_film(page)
    page.get_by_test_id("nav-train").click()
    page.get_by_test_id("run-start").click()
    page.get_by_test_id("run-steps-20").click(timeout=30_000)
    expect(page.get_by_test_id("run-step")).to_have_text("20", timeout=60_000)
    page.get_by_test_id("open-step").click()
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    trace = api.get(f"/runs/{page.url.partition('run=')[2].partition('&')[0]}/steps/20/trace").raise_for_status().json()
    last = trace["batch"]["examples"][0]["length"]
    expect(page.get_by_test_id(f"cell-{last}")).to_be_visible()
    expect(page.get_by_text("Nothing has happened yet")).to_have_count(0)
