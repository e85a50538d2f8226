"""What if? in a browser: numbers typed over on the stage and in the inspector, letters, differences, muting, undo and redo, links."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import READY, moment, number, to_end_of_backward, wait_for_film
from tests.e2e.test_accessibility import violations

WEIGHT = "rnn.weight_hh_l0"


def edited(page: Page, edits: int | None = None) -> None:
    """The film with edits is there: the strip says so, and nothing is being computed."""
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=READY)
    expect(page.locator(".busy")).to_have_count(0, timeout=READY)
    if edits is not None:
        expect(page.get_by_test_id("change-list")).to_contain_text(str(edits))


def opening(api: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/opening").json()
    return found


def what_if(api: httpx.Client, edits: list[dict[str, Any]]) -> dict[str, Any]:
    answer = api.post(f"/traces/{opening(api)['id']}/what-if", json={"edits": edits})
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def difference(api: httpx.Client, edits: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/traces/{opening(api)['id']}/diff/{what_if(api, edits)['id']}").json()
    return found


def events(trace: dict[str, Any]) -> int:
    """How many there are; columns are lists, or packed."""
    column = trace["events"]["kind"]
    return len(column) if isinstance(column, list) else int(column["shape"][0])


def test_a_weight_typed_over_in_the_inspector_changes_the_film_as_the_api_says(page: Page, api: httpx.Client) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    place = moment(page)
    page.get_by_test_id(f"badge-{WEIGHT}-2").click()
    before = number(page.get_by_test_id("lever-value"))
    page.get_by_test_id("lever-edit").click()
    field = page.get_by_test_id("edit-field")
    expect(field).to_be_focused()
    assert float(field.input_value()) == before
    field.fill("1.5")
    field.press("Enter")
    edited(page)
    found = difference(api, [{"node": WEIGHT, "index": [0, 0], "value": 1.5}])
    assert number(page.get_by_test_id("change-loss")) == found["loss"]["difference"]
    assert number(page.get_by_test_id("lever-value")) == 1.5
    assert moment(page) == place, "an edit of a leaf leaves the film as long as it was"
    expect(page.get_by_test_id("why-was")).to_be_visible()

    page.get_by_test_id("change-differences").click()
    shown = {
        (page.get_by_test_id(f"difference-{i}").get_attribute("data-kind"), round(number(page.get_by_test_id(f"difference-{i}")), 9))
        for i in range(8)
    }
    listed = {("value", round(one["to"] - one["from"], 9)) for one in found["values"]}
    listed |= {("gradient", round(one["to"] - one["from"], 9)) for one in found["gradients"] if "to" in one}
    assert shown <= listed
    sizes = [abs(number(page.get_by_test_id(f"difference-{i}"))) for i in range(8)]
    assert sizes == sorted(sizes, reverse=True)
    page.get_by_test_id("difference-0").click()
    expect(page.get_by_test_id("difference-panel")).to_have_count(0)
    expect(page.get_by_test_id("why-was")).to_be_visible()


def test_a_state_typed_over_on_the_stage_is_marked_undone_and_redone_by_keys(page: Page, api: httpx.Client) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    place = moment(page)
    tile = page.get_by_test_id("tile-h-2-1")
    before = number(tile)
    tile.dblclick()
    field = page.get_by_test_id("edit-field")
    field.fill("a lot")
    field.press("Enter")
    expect(page.get_by_test_id("edit-reason")).to_be_visible()
    field.press("Escape")
    expect(field).to_have_count(0)
    expect(tile).to_be_focused()
    page.keyboard.press("e")
    field.fill("0.9")
    field.press("Enter")
    edited(page)
    edits = [{"node": "rnn/t=2/tanh#0", "index": [0, 1], "value": 0.9}]
    made = what_if(api, edits)
    assert number(tile) == 0.9
    assert float(tile.get_attribute("data-was") or "nan") == before
    assert number(page.get_by_test_id("change-loss")) == difference(api, edits)["loss"]["difference"]
    done, whole = moment(page)
    assert whole == events(made)
    assert whole - done == place[1] - place[0], "the film goes on where it was"

    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("changes")).to_have_count(0)
    assert (number(tile), moment(page)) == (before, place)
    page.keyboard.press("Control+Shift+z")
    edited(page)
    assert number(tile) == 0.9
    page.go_back()  # leads to the film before as well
    expect(page.get_by_test_id("changes")).to_have_count(0)
    assert number(tile) == before

    page.get_by_test_id("choose-rnn.weight_hh_l0").click()
    page.get_by_test_id("lever-scale").press("ArrowRight")
    edited(page)
    page.get_by_test_id("lever-scale").press("Control+z")  # a slider undoes nothing of its own
    expect(page.get_by_test_id("changes")).to_have_count(0)
    assert number(tile) == before


def test_a_parameter_is_typed_over_where_it_stands_beside_its_gradient(page: Page) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    expect(page.get_by_test_id("why-title")).to_contain_text("W")  # the gradient of an element of W_hh
    gradient, itself = number(page.get_by_test_id("why-value")), number(page.get_by_test_id("lever-value"))
    page.get_by_test_id("lever-edit").click()
    field = page.get_by_test_id("edit-field")
    assert float(field.input_value()) == itself
    assert number(page.get_by_test_id("why-value")) == gradient  # still stands there
    expect(page.get_by_test_id("levers").get_by_test_id("edit-field")).to_be_visible()
    field.fill(str(itself + 1))
    field.press("Enter")
    edited(page)
    assert number(page.get_by_test_id("lever-value")) == pytest.approx(itself + 1)
    assert page.get_by_test_id("lever-scale").input_value() == "1"  # one element is not the matrix


def test_one_history_holds_changes_of_the_program_and_of_numbers(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("program-lr").fill("0.05")
    page.get_by_test_id("program-lr").press("Enter")
    expect(page.get_by_test_id("program-undo")).to_be_visible()
    wait_for_film(page)
    expect(page.locator(".busy")).to_have_count(0, timeout=READY)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("tile-h-1-0").click()
    page.keyboard.press("e")
    page.get_by_test_id("edit-field").fill("0.25")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page)
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("changes")).to_have_count(0)
    expect(page.get_by_test_id("program-lr")).to_have_value("0.05")
    page.get_by_test_id("program-undo").click()
    expect(page.get_by_test_id("program-lr")).to_have_value("0.01")
    page.get_by_test_id("program-redo").click()
    page.get_by_test_id("program-redo").click()
    edited(page)
    expect(page.get_by_test_id("program-lr")).to_have_value("0.05")


def test_another_letter_and_a_list_of_changes_that_are_taken_back_one_by_one(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    token = page.get_by_test_id("token-3")
    before = token.inner_text()
    token.click()
    field = page.get_by_test_id("token-field")
    field.fill("!")
    field.press("Enter")
    expect(page.get_by_test_id("token-reason")).to_be_visible()
    field.fill("k")
    field.press("Enter")
    edited(page, 1)
    expect(token).to_have_text("k")
    page.get_by_test_id("tile-h-1-0").dblclick()
    page.get_by_test_id("edit-field").fill("-1")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page, 2)
    page.get_by_test_id("change-list").click()
    page.get_by_test_id("change-remove-0").click()
    expect(page.get_by_test_id("change-list")).to_contain_text("1", timeout=READY)
    expect(token).to_have_text(before)
    page.get_by_test_id("change-reset").click()
    expect(page.get_by_test_id("changes")).to_have_count(0, timeout=READY)


def test_a_muted_use_leaves_the_rest_at_once_and_then_in_the_whole_film(page: Page, api: httpx.Client) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    page.get_by_test_id(f"badge-{WEIGHT}-2").click()
    rows = [number(page.get_by_test_id(f"why-row-{i}")) for i in range(5)]
    page.get_by_test_id("mute-1").click()  # t = 4: the rows come in the order of arrival
    remains = number(page.get_by_test_id("mute-remains"))
    assert remains == pytest.approx(sum(rows) - rows[1], abs=1e-15)
    page.get_by_test_id("mute-apply").click()
    edited(page, 1)
    assert number(page.get_by_test_id("why-value")) == pytest.approx(remains, abs=1e-15)
    assert number(page.get_by_test_id("change-loss")) == 0
    expect(page.get_by_test_id(f"badge-{WEIGHT}-4")).to_have_class(re.compile("muted"))
    listed = difference(api, [{"mute": {"node": "rnn/t=4/linear#1", "port": 1}}])
    assert any(one["path"] == WEIGHT for one in listed["gradients"])
    page.get_by_test_id("mute-1").click()
    expect(page.get_by_test_id("changes")).to_have_count(0, timeout=READY)


def test_edits_live_in_the_link_and_a_what_if_program_opens_as_such(page: Page, open_page: OpenPage, api: httpx.Client) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("tile-h-2-1").dblclick()
    page.get_by_test_id("edit-field").fill("0.9")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page)
    change = number(page.get_by_test_id("change-loss"))
    page.wait_for_timeout(600)  # the address follows at a pace
    address = page.evaluate("location.hash")
    other = open_page(address)
    edited(other, 1)
    assert number(other.get_by_test_id("change-loss")) == change

    program = what_if(api, [{"node": "rnn/t=2/tanh#0", "index": [0, 1], "value": 0.9}])["program"]
    packed = base64.urlsafe_b64encode(json.dumps(program).encode()).decode().rstrip("=")
    third = open_page(f"#/network?p={packed}")
    edited(third, 1)
    assert number(third.get_by_test_id("change-loss")) == change
    expect(third.get_by_test_id("program-cell")).to_have_value("rnn")


def test_original_and_what_if_stand_side_by_side(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("tile-h-2-1").dblclick()
    page.get_by_test_id("edit-field").fill("0.9")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page)
    page.get_by_test_id("change-compare").click()
    expect(page).to_have_url(re.compile("#/compare"))
    expect(page.get_by_text("changed", exact=False).first).to_be_visible(timeout=READY)


def test_an_input_of_a_formula_is_typed_over_and_nudged(open_page: OpenPage) -> None:
    page = open_page("#/expression")
    wait_for_film(page)
    page.locator("main .tile:enabled").first.dblclick()
    page.get_by_test_id("edit-field").fill("3")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page, 1)
    page.get_by_test_id("nudge-up").click()
    expect(page.get_by_test_id("why-value")).to_have_attribute("data-value", "3.01", timeout=READY)
    edited(page, 1)


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh")])
def test_axe_finds_nothing_in_a_changed_film(open_page: OpenPage, language: str, theme: str) -> None:
    page = open_page(locale="zh-CN" if language == "zh" else "en-US")
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    wait_for_film(page)
    to_end_of_backward(page)
    page.get_by_test_id("tile-h-2-1").dblclick()
    page.get_by_test_id("edit-field").fill("0.9")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page)
    page.get_by_test_id(f"badge-{WEIGHT}-2").click()
    page.get_by_test_id("mute-1").click()
    page.get_by_test_id("change-differences").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
    expect(page.get_by_test_id("changes")).to_contain_text("差异" if language == "zh" else "Differences")


def test_a_state_that_sends_no_gradient_back_is_crossed_out(open_page: OpenPage) -> None:
    edits = base64.urlsafe_b64encode(json.dumps([{"mute": {"node": "rnn/t=4/linear#1", "port": 0}}]).encode()).decode().rstrip("=")
    page = open_page(f"#/network?x={edits}")
    edited(page, 1)
    to_end_of_backward(page)
    expect(page.get_by_test_id("stage-muted-4")).to_have_count(1)
    expect(page.get_by_test_id("hop-h-5")).to_have_count(1)
    expect(page.get_by_test_id("hop-h-3")).to_have_count(0)
    page.get_by_test_id("tile-h-3-1").click()
    expect(page.get_by_test_id("why-value")).to_be_visible()


def test_what_is_typed_over_is_the_number_that_the_loss_was_made_of(page: Page) -> None:
    wait_for_film(page)
    page.get_by_test_id("to-end").click()  # the forward pass with the new parameters is shown
    tile = page.get_by_test_id("tile-h-3-1")
    again, last = number(tile), number(page.get_by_test_id("tile-h-5-1"))
    tile.dblclick()
    assert float(page.get_by_test_id("edit-field").input_value()) != again
    assert number(tile) == float(page.get_by_test_id("edit-field").input_value())
    expect(page.get_by_test_id("edit-note")).to_contain_text("first pass")
    page.keyboard.press("Escape")
    assert number(tile) == again
    tile.dblclick()
    page.get_by_test_id("edit-field").fill("0.9")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page, 1)
    assert number(page.get_by_test_id("tile-h-5-1")) != last, "the second pass is that of the step with another number"
    assert "at=after" in page.url, "the second pass is shown again"
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("changes")).to_have_count(0)
    assert (number(tile), number(page.get_by_test_id("tile-h-5-1"))) == (again, last)


def test_an_edit_that_is_refused_says_why_and_loses_nothing(open_page: OpenPage) -> None:
    page = open_page(expected=("422",))
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("step-back").click()
    tile = page.get_by_test_id("tile-h-3-1")
    before = number(tile)
    problem = {
        "schema_version": 1,
        "type": "urn:retrograd:problem:program",
        "title": "This program cannot run",
        "status": 422,
        "detail": "no such number",
    }
    page.route(
        re.compile("/what-if"), lambda route: route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(problem))
    )
    tile.dblclick()
    page.get_by_test_id("edit-field").fill("0.5")
    page.get_by_test_id("edit-field").press("Enter")
    expect(page.get_by_test_id("change-refused")).to_contain_text("no such number")
    assert number(tile) == before
    expect(page.get_by_test_id("error")).to_have_count(0)
    page.unroute(re.compile("/what-if"))
    tile.dblclick()
    page.get_by_test_id("edit-field").fill("0.5")
    page.get_by_test_id("edit-field").press("Enter")
    edited(page, 1)
    assert number(tile) == 0.5


def test_states_too_large_for_digits_have_one_mark_each(open_page: OpenPage, api: httpx.Client) -> None:
    def packed(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    program = {**opening(api)["program"], "hidden_size": 16, "step": 2}
    page = open_page(f"#/network?p={packed(program)}&x={packed([{'node': 'rnn.bias_hh_l0', 'index': [0], 'value': 2}])}")
    edited(page, 1)
    page.get_by_test_id("to-end").click()
    for step in range(1, 6):
        expect(page.get_by_test_id(f"changed-h-{step}")).to_have_count(1)
    page.get_by_test_id("change-differences").click()
    page.get_by_test_id("marks-changes").uncheck()
    expect(page.get_by_test_id("changed-h-1")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_pixels_of_a_digit_are_typed_over_as_one_change(open_page: OpenPage, api: httpx.Client, width: int, height: int) -> None:
    program = {"kind": "network", "task": "digits", "cell": "rnn", "hidden_size": 4, "seed": 1, "step": 1, "example": 0}
    trace = api.post("/traces", json={"program": program}).raise_for_status().json()
    packed = base64.urlsafe_b64encode(json.dumps(trace["program"]).encode()).decode().rstrip("=")
    page = open_page(f"#/network?p={packed}", width=width, height=height)
    wait_for_film(page)
    page.get_by_test_id("token-3").click()
    fields = page.get_by_test_id("pixel-fields")
    expect(page.get_by_test_id("pixel-0")).to_be_focused()
    box = fields.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    was = page.get_by_test_id("pixel-5").input_value()
    assert float(was) == trace["batch"]["examples"][0]["tokens"][2][5]
    page.get_by_test_id("pixel-5").fill("dark")
    page.get_by_test_id("pixel-5").press("Enter")
    expect(page.get_by_test_id("token-reason")).to_be_visible()
    page.get_by_test_id("pixel-5").fill("0.25")
    page.get_by_test_id("pixel-6").fill("0.75")
    page.get_by_test_id("pixels-take").click()
    edited(page)
    page.get_by_test_id("token-3").click()
    expect(page.get_by_test_id("pixel-5")).to_have_value("0.25")
    expect(page.get_by_test_id("pixel-6")).to_have_value("0.75")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(fields).to_have_count(0)
    expect(page.get_by_test_id("token-3")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("changes")).to_have_count(0, timeout=READY)
    page.get_by_test_id("token-3").click()
    expect(page.get_by_test_id("pixel-5")).to_have_value(was)
