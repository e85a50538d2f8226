"""All events of a film as a table in the tray: windowed, by phase, read and gone through by keyboard; the film goes where it points."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page, expect

from benchmarks.graphs import recurrent
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import moment, number, to_end_of_backward, wait_for_film
from tests.e2e.test_accessibility import violations


def test_the_events_of_a_network_by_phase_and_keyboard(page: Page) -> None:
    wait_for_film(page)
    to_end_of_backward(page)
    page.get_by_test_id("tab-events").click()
    table = page.get_by_test_id("events")
    done, count = moment(page)
    expect(table).to_have_attribute("aria-rowcount", str(count + 1))
    current = table.locator("tr[aria-current=step]")
    expect(current).to_have_attribute("data-event", str(done - 1))
    expect(current).to_be_in_viewport()
    expect(table.locator("tr.next")).to_contain_text("clip by the global norm")
    assert violations(page) == []

    table.focus()
    page.keyboard.press("ArrowUp")
    assert moment(page)[0] == done, "an arrow took the film along"
    page.keyboard.press("Enter")
    expect(current).to_have_attribute("data-event", str(done - 2))
    assert moment(page)[0] == done - 1
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert moment(page)[0] == 1

    page.get_by_test_id("events-update").click()
    rows = table.locator("tr[data-event]")
    expect(rows.first).to_contain_text("clip")
    rows.nth(1).click()
    to = int(rows.nth(1).get_attribute("data-event") or "")
    assert moment(page)[0] == to + 1
    page.get_by_test_id("predict").click()  # what is asked is not to be read off here
    expect(table).to_have_count(0)


def test_those_of_a_graph_are_drawn_in_view_alone(open_page: OpenPage, api: httpx.Client) -> None:
    trace = api.post("/traces", json={"program": recurrent(500, hidden=3, scopes=False)}).json()
    page = open_page(f"#/expression?trace={trace['id']}&at=0&tab=events")
    table = page.get_by_test_id("events")
    expect(table).to_have_attribute("aria-rowcount", str(len(trace["events"]["kind"]) + 1))
    table.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    last = table.locator("tr[aria-current=step]")
    expect(last).to_be_in_viewport()
    assert moment(page)[0] == moment(page)[1]
    number(last.locator("td.value"))  # it brings one
    assert table.locator("tr[data-event]").count() < 40
    page.get_by_test_id("tab-events").click()
    expect(table).to_have_count(0)
