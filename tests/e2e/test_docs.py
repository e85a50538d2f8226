"""The API's description as a page: drawn by what comes with the server, under the policy that holds for every page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage


def test_every_operation_is_shown_and_can_be_tried(open_page: OpenPage) -> None:
    page = open_page("docs")
    expect(page.locator(".info .title")).to_contain_text("Retrograd", timeout=30_000)
    assert page.locator(".opblock").count() >= 26
    page.locator("#operations-reference-readHealth").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200", timeout=30_000)
