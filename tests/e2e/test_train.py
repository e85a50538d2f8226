"""The Train page: a run is set up, trained, watched, steered and judged, and any of its steps opens as a film."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import number, wait_for_film
from tests.e2e.test_accessibility import violations
from tests.e2e.train import READY, SLOW, begin, choose, rests, run_of, stored


@pytest.fixture
def trained(open_page: OpenPage) -> Page:
    """A small GRU, 20 steps old."""
    page = open_page("#/train")
    begin(page, 20, hidden_size=4, batch_size=8)
    rests(page, 20)
    expect(page.get_by_test_id("open-step")).to_contain_text("20", timeout=READY)  # all of it has come
    return page


def ink(canvas: Locator) -> int:
    """How many pixels of a canvas are painted."""
    return int(
        canvas.evaluate(
            "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((n, v, i) => n + (i % 4 === 3 && v > 0 ? 1 : 0), 0)"
        )
    )


def shown_loss(page: Page) -> float:
    """The loss of the film that is open."""
    wait_for_film(page)
    page.get_by_test_id("stride-phase").click()
    page.get_by_test_id("step-forward").click()
    page.get_by_test_id("step-forward").click()  # the loss: a long surname's film shows the columns around it
    return number(page.get_by_test_id("loss-value").first)


def test_one_press_makes_a_run_and_trains_it(trained: Page, api: httpx.Client) -> None:
    run = stored(api, run_of(trained))
    assert (run["step"], run["program"]["hidden_size"], run["reason"]) == (20, 4, "steps")
    expect(trained.get_by_test_id("run-loss")).to_have_attribute("data-value", str(run["history"]["loss"][19]), timeout=READY)
    expect(trained.get_by_test_id("reason")).to_contain_text("up to step 20")
    expect(trained.get_by_test_id("watched").locator("li")).to_have_count(8, timeout=READY)
    for chart in ("chart-loss", "chart-norm", "chart-rate", "chart-ratio", "gradient-map", "states"):
        assert ink(trained.get_by_test_id(chart).locator("canvas")) > 200, chart


def test_the_next_run_is_shown_from_its_top(trained: Page) -> None:
    main = trained.locator(".train > main")
    trained.get_by_test_id("to-results").click()
    assert main.evaluate("(e) => e.scrollTop") > 100
    before = run_of(trained)
    trained.get_by_test_id("run-start").click()
    trained.wait_for_url(lambda address: "run=r_" in address and before not in address, timeout=READY)
    expect(trained.get_by_test_id("run-step")).to_be_in_viewport()
    assert main.evaluate("(e) => e.scrollTop") == 0


def test_the_curves_are_a_table_too(trained: Page, api: httpx.Client) -> None:
    history = stored(api, run_of(trained))["history"]
    table = trained.get_by_test_id("steps-table")
    table.locator("summary").click()
    # a second after the run rests, what the network did before its first step comes before all of them
    untrained = api.get(f"/runs/{run_of(trained)}/metrics", params={"step": 0}).raise_for_status().json()["metrics"]
    expect(table.get_by_test_id("untrained").locator("th")).to_have_text("0, untrained", timeout=READY)
    assert float(table.get_by_test_id("untrained").inner_text().split()[-1]) == pytest.approx(untrained["loss"], rel=1e-3)
    curve = trained.get_by_test_id("chart-score").get_by_role("slider")
    curve.press("Home")
    expect(curve).to_have_attribute("aria-valuetext", re.compile(re.escape(f"validation {untrained['accuracy'] * 100:.1f} %")))
    expect(table.locator("tbody tr")).to_have_count(21)
    cells = table.locator("tbody tr").nth(7).locator("th, td").all_inner_texts()
    assert cells[0] == "7"
    assert float(cells[1]) == pytest.approx(history["loss"][6], rel=1e-3)
    assert float(cells[5]) == pytest.approx(min(1.0, history["gradient_norm"][6]), rel=1e-3)
    trained.get_by_test_id("gradient-map").locator("summary").click()
    assert trained.get_by_test_id("gradient-map").locator("tbody tr").count() > 2
    # the document is as long as the window, what one does with a run stands in one row, and so does each setting
    assert trained.evaluate("document.scrollingElement.scrollHeight - document.scrollingElement.clientHeight") == 0
    row = trained.locator("main header .actions > :not([popover])")
    assert len(set(row.evaluate_all("all => all.map((one) => Math.round(one.getBoundingClientRect().bottom))"))) == 1
    trained.get_by_test_id("run-task").select_option("adding")
    named = trained.locator("aside.form dl").first.locator("dt")
    assert set(named.evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")) == {21}


def test_step_7_opens_as_a_film_with_the_loss_of_the_history_and_back_leads_to_it(trained: Page, api: httpx.Client) -> None:
    history = stored(api, run_of(trained))["history"]["loss"]
    run = run_of(trained)
    trained.get_by_test_id("open-step-number").fill("7")
    trained.get_by_test_id("open-step-number").press("Enter")
    trained.get_by_test_id("open-step").click()
    assert shown_loss(trained) == pytest.approx(history[6], rel=0, abs=1e-10)
    origin = trained.get_by_test_id("run-film")
    expect(origin).to_contain_text("Training step 7 of 20")
    assert float(origin.get_by_test_id("film-loss").get_attribute("data-value") or "nan") == pytest.approx(history[6], rel=0, abs=1e-10)
    expect(trained.get_by_test_id("program-undo")).to_have_count(0)
    trained.get_by_test_id("film-run").click()
    expect(trained.get_by_test_id("open-step")).to_contain_text("7", timeout=READY)
    trained.go_back()
    trained.get_by_test_id("tab-curves").click()
    expect(trained.get_by_test_id("figure").locator("svg").first).to_be_visible(timeout=READY)
    while "#/network" in trained.url:
        trained.go_back()
    assert run_of(trained) == run
    expect(trained.get_by_test_id("open-step")).to_contain_text("7", timeout=READY)
    expect(trained.get_by_test_id("run-step")).to_have_text("20")


def test_keys_lead_along_a_curve_and_enter_opens_the_step(trained: Page, api: httpx.Client) -> None:
    history = stored(api, run_of(trained))["history"]["loss"]
    curve = trained.get_by_test_id("chart-loss").get_by_role("slider")
    curve.focus()
    trained.keyboard.press("Home")
    trained.keyboard.press("ArrowRight")
    trained.keyboard.press("Shift+ArrowRight")
    expect(curve).to_have_attribute("aria-valuenow", "12")
    spoken = curve.get_attribute("aria-valuetext") or ""
    assert float(re.findall(r"loss ([\d.]+)", spoken)[0]) == pytest.approx(history[11], rel=1e-3)
    trained.keyboard.press("Enter")
    assert "step=12" in trained.url
    assert shown_loss(trained) == pytest.approx(history[11], rel=0, abs=1e-10)


def test_a_click_on_a_curve_opens_the_step_that_it_points_at(trained: Page, api: httpx.Client) -> None:
    history = stored(api, run_of(trained))["history"]["loss"]
    curve = trained.get_by_test_id("chart-loss").get_by_role("slider")
    box = curve.bounding_box()
    assert box is not None
    curve.hover(position={"x": box["width"] * 0.5, "y": 60})
    pointed = int(curve.get_attribute("aria-valuenow") or "0")
    assert 5 < pointed < 16
    curve.click(position={"x": box["width"] * 0.5, "y": 60})
    trained.wait_for_url(f"**#/network?**step={pointed}**")
    assert shown_loss(trained) == pytest.approx(history[pointed - 1], rel=0, abs=1e-10)


def test_a_training_is_watched_held_changed_and_ended(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page("#/train")
    run = begin(page, 20_000, **SLOW)
    step = page.get_by_test_id("run-step")
    expect(step).to_have_attribute("data-value", re.compile(r"^([2-9]|\d\d+)$"), timeout=60_000)
    expect(page.get_by_test_id("time-left")).to_contain_text("left", timeout=READY)
    page.get_by_test_id("run-pause").click()
    expect(page.get_by_test_id("controls")).to_have_attribute("data-status", "paused", timeout=READY)
    held = stored(api, run)["step"]
    expect(step).to_have_attribute("data-value", str(held))
    page.get_by_test_id("rate").fill("0.002")
    page.get_by_test_id("rate").press("Enter")
    expect(page.get_by_test_id("controls")).to_have_attribute("data-rate", "0.002", timeout=READY)  # the server took it
    assert stored(api, run)["edits"] == [{"step": held + 1, "lr": 0.002}]
    page.get_by_test_id("run-resume").click()
    expect(step).not_to_have_attribute("data-value", str(held), timeout=60_000)
    page.get_by_test_id("rate").fill("0.003")  # while it trains
    page.get_by_test_id("rate").press("Enter")
    expect(page.get_by_test_id("controls")).to_have_attribute("data-rate", "0.003", timeout=READY)
    changed = stored(api, run)["edits"][1]["step"]
    reached = "(step) => Number(document.querySelector('[data-testid=run-step]').dataset.value) >= step"
    page.wait_for_function(reached, arg=changed, timeout=60_000)
    expect(page.get_by_test_id("controls")).to_have_attribute("data-status", "training")
    page.get_by_test_id("run-cancel").click()
    rests(page)
    expect(page.get_by_test_id("reason")).to_contain_text("Ended by hand")
    ended = stored(api, run)
    assert ended["reason"] == "cancelled"
    assert ended["edits"] == [{"step": held + 1, "lr": 0.002}, {"step": changed, "lr": 0.003}]
    assert changed > held + 1
    expect(step).to_have_attribute("data-value", str(ended["step"]))
    rates = api.get(f"/runs/{run}/history", params={"columns": "lr"}).raise_for_status().json()["lr"]
    assert (rates[held - 1], rates[held], rates[changed - 2], rates[changed - 1]) == (0.01, 0.002, 0.002, 0.003)


def test_a_run_trains_on_from_where_it_is(trained: Page, api: httpx.Client) -> None:
    trained.get_by_test_id("rate").fill("0.002")
    trained.get_by_test_id("rate").press("Enter")
    expect(trained.get_by_test_id("controls")).to_have_attribute("data-rate", "0.002", timeout=READY)
    trained.get_by_test_id("more-steps").fill("15")
    trained.get_by_test_id("run-more").click()
    expect(trained.get_by_test_id("run-step")).to_have_attribute("data-value", "35", timeout=60_000)
    rests(trained, 35)
    loss = stored(api, run_of(trained))["history"]["loss"][34]
    expect(trained.get_by_test_id("run-loss")).to_have_attribute("data-value", str(loss), timeout=READY)
    trained.get_by_test_id("open-step").click()
    expect(trained.get_by_test_id("film-rate")).to_contain_text("0.002 (set at step 21; first 0.01)", timeout=READY)
    expect(trained.get_by_test_id("program-lr")).to_have_text("0.002")


def test_a_run_that_diverges_says_so_and_offers_a_lower_rate(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page("#/train")
    page.get_by_test_id("run-further").locator("summary").click(timeout=READY)
    choose(page, "clip_norm", "")
    run = begin(page, 400, task="adding", cell="rnn", optimizer="sgd", lr=900)
    rests(page)
    assert stored(api, run)["reason"] == "diverged"
    expect(page.get_by_test_id("reason")).to_contain_text("Diverged")
    assert violations(page) == []
    page.get_by_test_id("run-lower").click()
    page.wait_for_url(lambda url: "run=r_" in url and run not in url, timeout=READY)
    assert stored(api, run_of(page))["program"]["optimizer"]["lr"] == 90


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(open_page: OpenPage) -> None:
    page = open_page("#/train", expected=("422",))
    expect(page.get_by_test_id("run-start")).to_be_visible(timeout=READY)
    choose(page, "hidden_size", 4000)
    expect(page.get_by_test_id("run-hidden_size-reason")).to_contain_text("256")
    choose(page, "hidden_size", 5)
    page.get_by_test_id("run-further").locator("summary").click()
    page.get_by_test_id("run-optimizer").select_option("sgd")
    page.get_by_test_id("run-optimizer-nesterov").select_option("yes")
    page.get_by_test_id("run-start").click()
    expect(page.get_by_text("Nesterov needs a momentum above 0.")).to_be_visible()
    assert "run=" not in page.url
    choose(page, "optimizer-momentum", 0.9)
    # what only the server knows is said at its field, too
    refusal = {"title": "x", "status": 422, "errors": [{"pointer": "/program/optimizer/momentum", "detail": "the server says no"}]}
    page.route(
        "**/api/v1/runs", lambda route: route.fulfill(status=422, json=refusal) if route.request.method == "POST" else route.fallback()
    )
    page.get_by_test_id("run-start").click()
    row = page.locator("dl.kv > div", has=page.get_by_test_id("run-optimizer-momentum"))
    expect(row.get_by_role("alert")).to_have_text("The server says, in English: the server says no")
    expect(page.get_by_test_id("run-hidden_size")).to_have_value("5")
    assert violations(page) == []


def test_every_setting_reaches_the_run(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page("#/train")
    page.get_by_test_id("run-further").locator("summary").click(timeout=READY)
    page.get_by_test_id("run-task").select_option("adding")
    choose(page, "length", 20)
    page.get_by_test_id("run-cell").select_option("lstm")
    page.get_by_test_id("run-initialisation").select_option("orthogonal")
    page.get_by_test_id("run-schedule").select_option("cosine")
    plain = {"layers": 2, "forget_bias": 1, "dropout": 0.1, "truncation": 10, "seed": 3}
    for name, value in {**plain, "beta1": 0.8, "patience": 4, "validate_every": 25}.items():
        choose(page, name, value)
    run = begin(page, 10, hidden_size=4)
    rests(page, 10)
    made = stored(api, run)
    expected = {"length": 20, "cell": "lstm", "initialisation": "orthogonal", **plain}
    assert {name: made["program"][name] for name in expected} == expected
    assert made["program"]["schedule"]["name"] == "cosine"
    assert made["program"]["optimizer"]["betas"] == [0.8, 0.999]
    assert (made["stop"]["patience"], made["validate_every"]) == (4, 25)


def test_suggested_settings_are_one_press_away(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page("#/train")
    page.get_by_test_id("run-task").select_option("digits", timeout=READY)
    page.get_by_test_id("run-suggested").click()
    wanted = next(task for task in api.get("/tasks").raise_for_status().json()["items"] if task["name"] == "digits")["suggested"]
    expect(page.get_by_test_id("run-hidden_size")).to_have_value(str(wanted["hidden_size"]))
    expect(page.get_by_test_id("run-count")).to_have_value(str(wanted["steps"]))
    expect(page.get_by_test_id("run-suggested")).to_be_disabled()
    choose(page, "hidden_size", 3)
    expect(page.get_by_test_id("run-suggested")).to_be_enabled()


def test_long_words_and_numbers_have_room(open_page: OpenPage) -> None:
    rate = 0.0049692208514123
    page = open_page("#/train", width=1366, height=768)
    expect(page.get_by_test_id("run-start")).to_be_visible(timeout=READY)
    suggested = page.get_by_test_id("run-suggested")
    suggested.click()
    expect(suggested).to_be_disabled()
    assert suggested.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    begin(page, 5, lr=rate, hidden_size=4, batch_size=8)
    rests(page, 5)
    for field in ("run-lr", "rate"):
        shown = page.get_by_test_id(field)
        expect(shown).to_have_value("0.004969")
        expect(shown).to_have_attribute("title", str(rate))
        shown.focus()
        expect(shown).to_have_value(str(rate))
        shown.press("Escape")
        expect(shown).to_have_value("0.004969")
    canvas = page.get_by_test_id("chart-rate").locator("canvas")
    wide = canvas.evaluate("""(canvas) => {
      const pen = canvas.getContext("2d");
      pen.font = `11px ${getComputedStyle(canvas).fontFamily}`;
      return pen.measureText("0.004998").width;
    }""")
    assert wide + 6 <= int(canvas.get_attribute("data-margin") or "0")
    page.get_by_test_id("open-step").click()
    wait_for_film(page)
    rate_then = page.get_by_test_id("program-lr")  # of the last step of the suggested schedule, which has followed the steps
    expect(rate_then).to_have_text(re.compile(r"^0\.000[1-9]\d{3}$"), timeout=READY)
    assert len(rate_then.get_attribute("title") or "") > 15
    assert page.locator("aside.program").evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0


def test_results_are_those_of_the_server_and_a_mistake_opens_as_a_film(trained: Page, api: httpx.Client) -> None:
    run = run_of(trained)
    scores = api.get(f"/runs/{run}/metrics").raise_for_status().json()["metrics"]
    results = trained.get_by_test_id("results")
    expect(results).to_contain_text(f"{scores['accuracy'] * 100:.1f} %", timeout=READY)
    expect(results.get_by_test_id("by-class").locator("tbody tr")).to_have_count(11)
    expect(results.get_by_test_id("confusion").locator("tbody tr")).to_have_count(11)
    assert violations(trained) == []
    trained.get_by_test_id("to-results").click()
    expect(results.get_by_role("heading", level=2)).to_be_in_viewport()
    results.get_by_test_id("train-part-show").click()
    learnt = api.get(f"/runs/{run}/metrics", params={"part": "train"}).raise_for_status().json()["metrics"]["accuracy"]
    expect(results.get_by_test_id("train-part")).to_contain_text(f"accuracy {learnt * 100:.1f} %", timeout=READY)
    mistakes = results.get_by_test_id("mistakes")
    expect(mistakes.locator("li")).to_have_count(10)
    results.get_by_test_id("more-mistakes").click()
    expect(mistakes.locator("li")).to_have_count(20)
    wrong = api.get(f"/runs/{run}/mistakes", params={"limit": 20}).raise_for_status().json()["items"]
    worst, late = wrong[0], wrong[17]
    results.get_by_test_id(f"mistake-{late['index']}").click()
    wait_for_film(trained)
    # it opens where the loss is known, with the probability of what it took the example for
    expect(trained.get_by_test_id("caption")).to_contain_text("the right class, got")
    assert number(trained.get_by_test_id("why-value")) == pytest.approx(late["p"])
    for way in (trained.get_by_test_id("film-run").click, trained.go_back):  # both lead back to where it stands in the list
        way()
        link = trained.get_by_test_id(f"mistake-{late['index']}")
        expect(link).to_be_focused(timeout=READY)
        expect(link).to_be_in_viewport()
        expect(trained.get_by_test_id("mistakes").locator("li")).to_have_count(20)
        link.click()
        wait_for_film(trained)
    trained.get_by_test_id("film-run").click()
    trained.get_by_test_id(f"mistake-{worst['index']}").click()
    wait_for_film(trained)
    trained.reload()  # nothing is known any more but the address
    wait_for_film(trained)
    trained.get_by_test_id("film-run").click()
    expect(trained.get_by_test_id(f"mistake-{worst['index']}")).to_be_focused(timeout=READY)
    expect(trained.get_by_test_id(f"mistake-{worst['index']}")).to_be_in_viewport()
    trained.get_by_test_id(f"mistake-{worst['index']}").click()
    wait_for_film(trained)
    assert "part=validation" in trained.url
    expect(trained.get_by_role("img", name=worst["text"], exact=True)).to_be_visible()
    origin = trained.get_by_test_id("run-film")
    expect(origin).to_contain_text("Validation example: not trained on")
    expect(origin).to_contain_text("Network after step 20.")  # the one that was judged, and by the loss of the list
    assert float(origin.get_by_test_id("film-loss").get_attribute("data-value") or "nan") == pytest.approx(worst["loss"])
    trained.get_by_test_id("to-end").click()
    trained.get_by_test_id("step-back").click()
    expect(trained.get_by_test_id("caption")).to_contain_text("if it were trained on")
    trained.get_by_test_id("program-step").fill("10")
    trained.get_by_test_id("program-step").press("Enter")
    expect(origin).to_contain_text("Network after step 10.", timeout=READY)
    assert "part=validation" in trained.url


def test_chinese_classes_stand_upright_over_the_confusion_matrix(trained: Page) -> None:
    heads = trained.get_by_test_id("confusion").locator("thead span")
    assert heads.evaluate_all("all => all.every((e) => getComputedStyle(e).transform !== 'none')")
    trained.get_by_test_id("lang-zh").click()
    expect(heads.first).to_have_text(re.compile("语"))
    assert heads.evaluate_all("all => all.every((e) => getComputedStyle(e).transform === 'none')")  # stand upright
    summaries = trained.locator(".charts summary").all_inner_texts()
    assert len(summaries) == len(set(summaries)) == 2  # tables one below the other say of what


def test_a_mistake_of_a_run_with_dropout_has_the_loss_of_the_list(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"task": "surnames", "cell": "gru", "hidden_size": 8, "dropout": 0.4}
    run = api.post("/runs", json={"program": program}).json()["id"]
    api.post(f"/runs/{run}/steps", json={"count": 2})
    worst = api.get(f"/runs/{run}/mistakes", params={"step": "last"}).raise_for_status().json()["items"][0]
    page = open_page(f"#/network?run={run}&step=3&example={worst['index']}&part=validation")
    wait_for_film(page)
    strip = page.get_by_test_id("run-film")
    assert float(strip.get_by_test_id("film-loss").get_attribute("data-value") or "nan") == pytest.approx(worst["loss"], rel=1e-6)
    expect(strip.get_by_test_id("film-no-dropout")).to_have_text("Dropout is off for this example.")
    page.goto(page.url.partition("#")[0] + f"#/network?run={run}&step=2")  # a step of the run has its masks
    expect(strip).to_contain_text("Training step 2 of 2", timeout=READY)
    expect(strip.get_by_test_id("film-no-dropout")).to_have_count(0)


def test_the_test_part_is_shown_once_and_marked(trained: Page, api: httpx.Client) -> None:
    run = run_of(trained)
    assert stored(api, run)["tested"] is None
    trained.get_by_test_id("test").click()
    trained.get_by_text("Not yet").click()
    assert stored(api, run)["tested"] is None
    trained.get_by_test_id("test").click()
    trained.get_by_test_id("test-sure").click()
    expect(trained.get_by_test_id("tested")).to_contain_text("step 20", timeout=READY)
    figures = stored(api, run)["tested"]
    assert figures["step"] == 20
    trained.get_by_test_id("more-steps").fill("5")
    trained.get_by_test_id("run-more").click()
    rests(trained, 25)
    expect(trained.get_by_test_id("tested")).to_contain_text("5 steps more since")
    trained.reload()
    trained.get_by_test_id("test-again").click(timeout=READY)
    expect(trained.get_by_test_id("final-test")).to_contain_text(f"{figures['metrics']['accuracy'] * 100:.1f} %")
    expect(trained.get_by_test_id("test")).to_have_count(0)


def test_a_run_is_named_found_and_kept(trained: Page, api: httpx.Client) -> None:
    run = run_of(trained)
    trained.get_by_test_id("run-rename").click()
    trained.get_by_test_id("run-name-field").fill("small <b>one</b>")
    trained.keyboard.press("Enter")
    expect(trained.get_by_test_id("run-name")).to_have_text("small <b>one</b>", timeout=READY)
    expect(trained.get_by_test_id("run-rename")).to_be_focused()
    trained.get_by_test_id("nav-network").click()
    wait_for_film(trained)
    trained.get_by_test_id("nav-train").click()
    expect(trained.get_by_test_id("run-step")).to_have_text("20", timeout=READY)
    expect(trained.get_by_test_id(f"run-{run}")).to_contain_text("small <b>one</b>")
    expect(trained.get_by_test_id(f"run-{run}")).to_contain_text("20 steps")
    trained.get_by_test_id("run-rename").click()
    trained.get_by_test_id("run-name-field").fill("")
    trained.get_by_test_id("run-name-take").click()
    expect(trained.get_by_test_id("run-name")).to_have_text("Surname → language", timeout=READY)
    assert stored(api, run)["name"] is None


def test_a_run_is_deleted_only_when_that_is_confirmed(trained: Page, api: httpx.Client) -> None:
    run = run_of(trained)
    trained.get_by_test_id(f"remove-{run}").click()
    trained.get_by_text("Keep it").click()
    assert api.get(f"/runs/{run}").status_code == 200
    trained.get_by_test_id(f"remove-{run}").click()
    trained.get_by_test_id("remove-sure").click()
    expect(trained.get_by_test_id(f"run-{run}")).to_have_count(0, timeout=READY)
    assert api.get(f"/runs/{run}").status_code == 404
    expect(trained.get_by_role("heading", level=1)).to_have_text("Train a network")


def test_a_run_that_is_gone_says_so_and_leads_on(open_page: OpenPage) -> None:
    page = open_page("#/train?run=r_0123456789abcdef", expected=("404",))
    expect(page.get_by_test_id("error")).to_contain_text("This run is not there", timeout=READY)
    assert violations(page) == []
    page.get_by_test_id("error").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Train a network")


def test_two_runs_are_told_apart_and_ticked_to_be_compared(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page("#/train")
    first = begin(page, 5, hidden_size=2)
    rests(page, 5)
    program = stored(api, first)["program"]
    page.get_by_test_id("run-further").locator("summary").click()
    choose(page, "seed", 5)
    page.get_by_test_id("run-start").click()
    page.wait_for_url(lambda url: "run=r_" in url and first not in url, timeout=READY)
    second = run_of(page)
    expect(page.get_by_test_id(f"unlike-{first}")).to_have_text("Seed 0")
    expect(page.get_by_test_id(f"unlike-{second}")).to_have_text("Seed 5")
    # a run that this page has not begun is in the list by and by, and how far it is
    post = "body => fetch('api/v1/runs', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)})"
    other = page.evaluate(f"async body => (await (await ({post})(body)).json()).id", {"program": program})
    expect(page.get_by_test_id(f"run-{other}")).to_contain_text("0 steps", timeout=READY)
    for run in (first, second):
        page.get_by_test_id(f"tick-{run}").check()
    page.get_by_test_id("train-view-compare").click()  # the tab takes the ticks along
    assert f"runs={first},{second}" in page.url
    page.go_back()
    page.get_by_test_id("compare-ticked").click()
    assert f"runs={first},{second}" in page.url


def test_without_streams_a_run_is_watched_by_asking(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page("#/train", expected=("503", "EventSource"))
    page.route("**/events*", lambda route: route.fulfill(status=503, json={"title": "busy", "status": 503}))
    begin(page, 20, hidden_size=4)
    rests(page, 20)
    loss = stored(api, run_of(page))["history"]["loss"][19]
    expect(page.get_by_test_id("run-loss")).to_have_attribute("data-value", str(loss), timeout=READY)
    expect(page.get_by_test_id("watched").locator("li")).to_have_count(8, timeout=READY)
    assert ink(page.get_by_test_id("gradient-map").locator("canvas")) > 200


def test_a_film_opened_after_another_is_drawn_by_its_own_measures(open_page: OpenPage, api: httpx.Client) -> None:
    page = open_page()
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("nav-train").click()
    run = begin(page, 20)
    rests(page, 20)
    page.get_by_test_id("open-step").click()
    expect(page.get_by_test_id("run-film")).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("caption")).to_contain_text("Nothing has happened yet")  # it begins, wherever the film before was left
    page.get_by_test_id("to-end").click()
    trace = api.get(f"/runs/{run}/steps/20/trace").raise_for_status().json()
    last = trace["batch"]["examples"][0]["length"]
    expect(page.get_by_test_id(f"cell-{last}")).to_be_visible()
    expect(page.get_by_text("Nothing has happened yet")).to_have_count(0)


def test_a_run_of_a_length_has_its_baseline_and_its_step_opens_with_one_of_its_batch(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"task": "adding", "length": 100, "hidden_size": 32, "batch_size": 32}
    run = api.post("/runs", json={"program": program}).json()["id"]
    api.post(f"/runs/{run}/steps", json={"count": 2})
    page = open_page("#/train")
    page.goto(page.url.partition("#")[0] + f"#/train?run={run}")
    rests(page, 2)
    told = api.get("/tasks/adding", params={"length": 100}).json()  # what it is held against is that of its length
    expect(page.get_by_test_id("run-baseline")).to_contain_text(f"{told['baseline']['value']:.4f}")
    expect(page.get_by_test_id("verdict")).to_contain_text(f"{told['baseline']['value']:.4f}")
    page.get_by_test_id("run-copy").click()
    expect(page.get_by_test_id("task-baseline")).to_have_attribute("data-value", str(told["baseline"]["value"]))
    expect(page.get_by_test_id("task-license")).to_have_text(told["license"])
    page.get_by_test_id("open-step").click()
    wait_for_film(page)
    examples = [one["index"] for one in api.get(f"/runs/{run}/steps/2").json()["examples"]]
    strip = page.get_by_test_id("run-film")
    expect(strip.get_by_test_id("film-too-large")).to_contain_text("the whole batch is too large to show")
    expect(strip).to_contain_text("batch of 32")
    expect(strip.get_by_test_id("film-place")).to_have_text("example 1 of 32")
    expect(strip.get_by_test_id("film-whole")).to_have_count(0)
    assert f"example={examples[0]}" in page.url
    strip.get_by_test_id("film-next").click()
    expect(strip.get_by_test_id("film-place")).to_have_text("example 2 of 32")
    assert f"example={examples[1]}" in page.url
    page.go_back()
    page.go_back()
    expect(page.get_by_test_id("open-step")).to_be_visible(timeout=READY)  # Back leads to the run, not to what cannot be shown


def test_a_film_of_a_run_in_both_directions_shows_whole_columns_in_a_low_window(open_page: OpenPage, api: httpx.Client) -> None:
    program = {"task": "surnames", "cell": "gru", "bidirectional": True, "hidden_size": 64, "batch_size": 32}
    run = api.post("/runs", json={"program": program}).json()["id"]
    api.post(f"/runs/{run}/steps", json={"count": 2})
    page = open_page("#/network", width=1366, height=768)
    wait_for_film(page)
    tab = page.get_by_test_id("tab-bptt")
    tab.click()  # unfolds the tray over one row of cells
    expect(tab).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("nav-train").click()
    page.goto(page.url.partition("#")[0] + f"#/train?run={run}")
    rests(page, 2)
    page.get_by_test_id("open-step").click()
    wait_for_film(page)
    expect(page.get_by_test_id("film-place")).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("tab-bptt")).to_have_attribute("aria-pressed", "false")
    assert page.get_by_test_id("run-film").evaluate("(e) => e.offsetHeight") <= 52  # two lines
    page.wait_for_function(
        "() => { const e = document.querySelector('section.stage > .window'); return e.scrollHeight <= e.clientHeight + 1; }"
    )
