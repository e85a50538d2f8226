"""What a person reads off the page, as numbers."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

READY = 30_000  # ms to wait for a film


def number(element: Locator) -> float:
    """The full double behind a number that is shown."""
    text = element.get_attribute("data-value", timeout=READY)
    assert text not in (None, ""), "the number shown carries no data-value"
    return float(text)


def moment(page: Page) -> tuple[int, int]:
    """How many events have happened, and how many there are."""
    done, whole = page.get_by_test_id("moment").inner_text(timeout=READY).split("/")
    return int(done), int(whole)


def wait_for_film(page: Page) -> None:
    expect(page.get_by_test_id("moment")).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("error")).to_have_count(0)


def wait_for_new_film(page: Page, address: str) -> None:
    """After an edit: the address has changed, and nothing is being loaded any more."""
    expect(page).not_to_have_url(address, timeout=READY)
    expect(page.get_by_role("status")).to_have_count(0, timeout=READY)
    wait_for_film(page)
