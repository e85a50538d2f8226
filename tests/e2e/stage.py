"""What a person reads off the page, as numbers."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Download, Locator, Page, expect

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


def to_end_of_backward(page: Page) -> None:
    """From the forward pass with the new parameters, the last stop of all, back over the update."""
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("stride-phase").click()
    for _ in range(2):
        page.get_by_test_id("step-back").click()


def choose_theme(page: Page, name: str) -> None:
    """`light`, `dark`, `contrast` or `system`, from the menu of the top bar."""
    page.get_by_test_id("theme").click()
    page.get_by_test_id(f"theme-{name}").click()


def centre(element: Locator) -> float:
    """The x of its middle, in pixels of the page."""
    box = element.bounding_box()
    assert box is not None, "the element is not shown"
    return box["x"] + box["width"] / 2


def wait_for_film(page: Page) -> None:
    expect(page.get_by_test_id("moment")).to_be_visible(timeout=READY)
    expect(page.get_by_test_id("error")).to_have_count(0)


def film_of(address: str) -> dict[str, str]:
    """What an address says of the film, whatever it says of how that is looked at."""
    query = dict(parse_qsl(urlsplit(address).fragment.partition("?")[2]))
    return {name: text for name, text in query.items() if name in ("p", "trace", "run", "step", "example", "x", "link")}


def wait_for_new_film(page: Page, address: str) -> None:
    """After an edit: the address names another film, and nothing is being loaded any more."""
    page.wait_for_url(lambda now: film_of(now) != film_of(address), timeout=READY)
    expect(page.locator("main.stage")).to_have_attribute("aria-busy", "false", timeout=READY)
    expect(page.get_by_role("status")).to_have_count(0, timeout=READY)
    wait_for_film(page)


def saved(page: Page, name: str, folder: Path) -> Path:
    """The file that a button of the open dialog Share makes."""
    with page.expect_download() as waiting:
        page.get_by_test_id(f"share-{name}").click()
    download: Download = waiting.value
    file = folder / download.suggested_filename
    download.save_as(file)
    expect(page.get_by_test_id("share-said")).to_contain_text(download.suggested_filename)
    return file
