"""A real browser on a real server. A test fails when its page logs an error, throws, or asks any other host for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.e2e.browser import chromium_path, launch_arguments, serving

OpenPage = Callable[..., Page]
PATIENCE = 30_000  # ms: two browsers and their servers share two cores; what comes at once is not waited for
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("data")) as address:
        yield address


@pytest.fixture(scope="session")
def api(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/api/v1", timeout=120) as client:
        yield client


@pytest.fixture(scope="module")  # while it is open an event loop runs in this thread, which tests of other modules must not meet
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=launch_arguments())
        yield browser
        browser.close()


class Watch:
    """What goes wrong in a page while a test uses it."""

    def __init__(self, page: Page, host: str) -> None:
        self.host = host
        self.problems: list[str] = []
        self.expected: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in self.expected):
            self.problems.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.host:
            self.problems.append(f"request to another host: {request.url}")


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    watches: list[Watch] = []
    yield watches
    assert [problem for watch in watches for problem in watch.problems] == []


@pytest.fixture
def open_page(browser: Browser, url: str, watches: list[Watch]) -> Iterator[OpenPage]:
    """`open_page("#/train", width=390, height=844, reduced_motion="reduce", …)` opens a page in a fresh profile."""
    contexts: list[BrowserContext] = []

    def open_page(
        address: str = "",
        *,
        width: int = 1440,
        height: int = 900,
        reduced_motion: Literal["reduce", "no-preference"] = "reduce",
        locale: str = "en-US",
        expected: tuple[str, ...] = (),
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion=reduced_motion, locale=locale)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch = Watch(page, urlsplit(url).netloc)
        watch.expected.extend(expected)
        watches.append(watch)
        page.goto(f"{url}/{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The network page with the opening film, standing still (reduced motion)."""
    return open_page()
