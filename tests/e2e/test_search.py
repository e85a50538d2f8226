"""Searches for settings: asked for, watched, looked into, ended, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from server import limits
from server.jobs.programs import searched as searched_for
from server.schemas.sweeps import SweepRequest
from server.tasks import NAMES, load
from tests.e2e.conftest import OpenPage
from tests.e2e.several import searched, trained
from tests.e2e.stage import READY

LONG = 120_000  # ms for some small trainings on a busy machine


def put(page: Page, name: str, value: str) -> None:
    page.get_by_test_id(name).fill(value)
    page.get_by_test_id(name).press("Enter")


def shown(page: Page) -> list[str]:
    return page.get_by_test_id("trials").locator("tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.testid)")


@pytest.mark.parametrize(("locale", "wrong"), [("en-US", "the smaller number first"), ("zh-CN", "较小的数放在前面")])
def test_a_search_is_asked_for_watched_and_its_best_run_opens(open_page: OpenPage, locale: str, wrong: str) -> None:
    page = open_page("#/train?sweep=new", locale=locale)
    expect(page.get_by_test_id("vary-lr")).to_be_checked(timeout=READY)
    page.get_by_test_id("vary-lr-low").fill("0.5")
    page.get_by_test_id("sweep-start").click()
    expect(page.get_by_test_id("vary-lr-wrong")).to_contain_text(wrong)
    page.get_by_test_id("vary-lr-low").fill("0.001")
    page.get_by_test_id("vary-hidden_size-list").fill("4, 6")
    put(page, "sweep-trials", "3")
    put(page, "sweep-steps", "20")
    page.get_by_test_id("sweep-pruner").select_option("none")
    page.get_by_test_id("sweep-start").click()
    expect(page.locator("[data-testid=sweep-status][data-status=finished]")).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("trials").locator("tbody tr")).to_have_count(3)
    expect(page.get_by_test_id("sweep-curves")).to_have_attribute("data-lines", "3")
    expect(page.get_by_test_id("sweep-importance").locator("svg").first).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("sweep-slices").locator(".points .point")).to_have_count(6, timeout=READY)  # three trials, two settings
    importance = page.get_by_test_id("sweep-importance").locator("svg").first
    expect(importance).not_to_contain_text("hidden_size")
    page.get_by_test_id("best-open").click()
    expect(page.get_by_test_id("run-step")).to_have_text("20", timeout=READY)


def test_trials_are_put_in_order_and_narrowed_by_dragging_and_by_typing(open_page: OpenPage) -> None:
    page = open_page("#/train")
    sweep = searched(page)
    page.goto(f"{page.url.partition('#')[0]}#/train?sweep={sweep}")
    page.get_by_test_id("sort-number").click(timeout=READY)
    assert shown(page) == [f"trial-{k}" for k in range(4)]
    page.get_by_test_id("sort-number").click()
    assert shown(page) == [f"trial-{k}" for k in (3, 2, 1, 0)]

    page.get_by_test_id("trial-2").hover()
    expect(page.get_by_test_id("parallel")).to_have_attribute("data-chosen", "2")
    expect(page.get_by_test_id("parallel-says")).to_contain_text("Trial 2:")

    within = page.get_by_test_id("parallel-within")
    canvas = page.get_by_test_id("parallel")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] - 50  # the axis of the score: from above its top down to its middle
    page.mouse.move(x, box["y"] + 36)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 100)
    page.mouse.move(x, box["y"] + 170)
    page.mouse.up()
    expect(within).not_to_have_text("4 of 4 trials shown")
    left = len(shown(page))
    assert 1 <= left < 4
    expect(within).to_have_text(f"{left} of 4 trials shown")
    page.get_by_test_id("parallel-clear").click()
    expect(within).to_have_text("4 of 4 trials shown")

    page.locator("summary").filter(has_text="Limits").click()
    page.get_by_test_id("brush-lr-low").fill("nothing")
    page.get_by_test_id("brush-lr-low").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("numbers that lie on the axis")
    page.get_by_test_id("brush-lr-low").fill("0.0999999")
    page.get_by_test_id("brush-lr-low").press("Enter")
    expect(within).to_have_text("0 of 4 trials shown")
    page.get_by_test_id("parallel-clear").click()
    rnn = page.get_by_test_id("trials").locator("tbody tr", has_text="RNN")
    expected = rnn.count()
    page.get_by_test_id("brush-cell").select_option(label="RNN, tanh")
    expect(within).to_have_text(f"{expected} of 4 trials shown")


def test_a_search_that_is_ended_keeps_what_it_found_and_is_deleted_only_when_that_is_confirmed(open_page: OpenPage) -> None:
    page = open_page("#/train")
    run = trained(page, steps=20)
    page.goto(f"{page.url.partition('#')[0]}#/train?run={run}")
    expect(page.get_by_test_id("run-search")).to_be_visible(timeout=READY)
    page.get_by_test_id("train-view-sweep").click()  # begins with the run that one comes from
    expect(page.get_by_test_id("sweep-base")).to_have_value(f"run:{run}", timeout=READY)
    page.get_by_test_id("train-view-run").click()
    page.get_by_test_id("run-search").click()
    expect(page.get_by_test_id("sweep-base")).to_have_value(f"run:{run}", timeout=READY)
    put(page, "sweep-trials", "200")
    put(page, "sweep-steps", "20")
    page.route("**/api/v1/sweeps", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.get_by_test_id("sweep-start").click()
    page.get_by_test_id("train-view-run").click()  # a late answer leads nobody away from where he went
    expect(page.get_by_test_id("run-step")).to_be_visible()
    page.get_by_test_id("train-view-sweep").click()
    page.locator("aside li a").first.click(timeout=READY)
    expect(page.get_by_test_id("sweep-best")).to_be_visible(timeout=LONG)
    page.get_by_test_id("sweep-cancel").click()
    expect(page.locator("[data-testid=sweep-status][data-status=cancelled]")).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("sweep-best")).to_be_visible()
    sweep = page.url.partition("sweep=")[2]
    expect(page.get_by_test_id(f"sweep-{sweep}")).to_contain_text("cancelled")
    page.get_by_test_id("sweep-delete").click()
    page.get_by_text("Keep it").click()
    page.get_by_test_id("sweep-delete").click()
    page.get_by_test_id("sweep-delete-sure").click()
    page.wait_for_url("**/*sweep=new")
    expect(page.get_by_test_id(f"sweep-{sweep}")).to_have_count(0, timeout=READY)


def test_every_task_begins_with_what_is_suggested_for_it(open_page: OpenPage) -> None:
    asked: list[dict[str, Any]] = []

    def kept_back(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        asked.append(json.loads(route.request.post_data or "null"))
        route.fulfill(status=422, content_type="application/problem+json", body=json.dumps({"title": "kept back", "status": 422}))

    page = open_page("#/train?sweep=new", expected=("422",))
    expect(page.get_by_test_id("vary-lr")).to_be_checked(timeout=READY)
    page.route("**/api/v1/sweeps", kept_back)
    page.get_by_test_id("vary-optimizer").check()
    for name in ("adamw", "adam", "sgd", "rmsprop", "adagrad"):
        expect(page.get_by_test_id(f"vary-optimizer-{name}")).to_be_visible()
    put(page, "sweep-steps", str(limits.STEPS_PER_REQUEST))
    expect(page.get_by_test_id("sweep-steps")).to_have_value(str(limits.STEPS_PER_REQUEST))
    for count, name in enumerate(NAMES, 1):
        page.get_by_test_id("sweep-base").select_option(f"task:{name}")
        page.get_by_test_id("sweep-start").click()
        expect(page.get_by_test_id("sweep-start")).to_be_enabled()
        expect(page.get_by_test_id("error")).to_be_visible()
        assert len(asked) == count
    for name, body in zip(NAMES, asked, strict=True):
        request = SweepRequest.model_validate(body)
        by = load(name).suggested
        assert (request.program.task, request.steps, request.stop.patience) == (name, by.steps, by.patience)
        given = {key: value for key, value in by.settings().items() if value is not None and key != "optimizer"}
        program = request.program.model_dump()
        assert {key: program[key] for key in given} == given
        searched_for(program, request.model_dump()["space"])
