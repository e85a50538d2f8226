"""The Train page as a person uses it: a run is set up, begun, and waited for."""

from __future__ import annotations

import re
from typing import Any

import httpx
from playwright.sync_api import Page, expect

READY = 30_000  # ms
SLOW = {"task": "digits-pixels", "cell": "lstm", "hidden_size": 96, "batch_size": 64}
"""A program whose steps take long enough for a training of a thousand to be caught on its way."""


def choose(page: Page, name: str, value: object) -> None:
    """Types a number into a field of the form."""
    field = page.get_by_test_id(f"run-{name}")
    field.fill(str(value))
    field.press("Enter")


def begin(page: Page, steps: int = 20, **settings: object) -> str:
    """Sets the form, presses Train and waits for the run to be shown; its id."""
    expect(page.get_by_test_id("run-start")).to_be_visible(timeout=READY)
    for name in ("task", "cell", "optimizer"):
        if name in settings:
            page.get_by_test_id(f"run-{name}").select_option(str(settings.pop(name)))
    for name, value in {**settings, "count": steps}.items():
        choose(page, name, value)
    page.get_by_test_id("run-start").click()
    page.wait_for_url("**run=r_*", timeout=READY)
    expect(page.get_by_test_id("run-step")).to_be_visible(timeout=READY)
    return run_of(page)


def run_of(page: Page) -> str:
    """The id in the address."""
    return page.url.partition("run=")[2].partition("&")[0]


def rests(page: Page, step: int | None = None) -> None:
    """Waits for the training to end, at `step` where that is given."""
    expect(page.get_by_test_id("controls")).to_have_attribute("data-status", "idle", timeout=120_000)
    if step is None:  # a run that has not begun rests, too, but gives no reason
        expect(page.get_by_test_id("reason")).to_have_attribute("data-reason", re.compile("."), timeout=120_000)
    else:
        expect(page.get_by_test_id("run-step")).to_have_attribute("data-value", str(step), timeout=READY)


def stored(api: httpx.Client, run: str) -> dict[str, Any]:
    return dict(api.get(f"/runs/{run}").raise_for_status().json())
