"""Axe on every page in every theme: no violation, however it calls it. Keyboard focus is always ringed."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import ROOT
from tests.e2e.conftest import OpenPage
from tests.e2e.several import searched, trained
from tests.e2e.stage import wait_for_film
from tests.e2e.train import begin, rests

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

EXCEPTIONS = {
    # tiles and the loss show two or three digits of the number that their names say with six, short lanes a power of ten; a share of
    # nothing but zeros prints these; of a badge's formula axe reads the marks apart from the letters between
    "label-content-name-mismatch": (
        'class="tile num',
        'class="lane num',
        'data-testid="loss-value"',
        'data-testid="share-',
        'class="badge',
    ),
    "empty-table-header": ("<th",),  # axe reads no MathML, which is all that some heads hold
}
"""Rules of axe that some elements may break: what their markup holds, and why."""


COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that a theme can break."""

STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, *::before, *::after { transition: none !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe finds on the page as it is shown, by all its rules unless some are named; colours arrive at once from here on."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
        page.evaluate(STILL)
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found: list[dict[str, Any]] = page.evaluate("async (options) => (await axe.run(document, options)).violations", options)
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
        if not any(markup in node["html"] for markup in EXCEPTIONS.get(violation["id"], ()))
    ]


def violations_in_every_theme(page: Page) -> list[str]:
    """What axe finds in the light theme, and of dark and high contrast what colours can break. The page follows the system."""
    found = violations(page)
    for scheme, contrast in (("dark", "no-preference"), ("light", "more")):
        page.emulate_media(color_scheme=scheme, contrast=contrast)  # type: ignore[arg-type]
        root = page.locator("html")
        expect(root).to_have_attribute("data-theme", scheme)
        expect(root).to_have_attribute("data-contrast", "more" if contrast == "more" else "normal")
        found += [f"{scheme}, contrast {contrast}: {one}" for one in violations(page, COLOURS)]
    page.emulate_media(color_scheme="light", contrast="no-preference")
    return found


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("address", ["#/network", "#/expression", "#/train", "#/compare", "#/worksheet", "#/nowhere"])
def test_axe_finds_nothing_serious(open_page: OpenPage, address: str, locale: str) -> None:
    page = open_page(address, locale=locale)
    if address == "#/train":
        expect(page.get_by_test_id("run-start")).to_be_visible(timeout=30_000)
    elif address == "#/compare":
        expect(page.get_by_test_id("follow-0")).to_be_visible(timeout=30_000)
    elif address in ("#/network", "#/expression"):
        wait_for_film(page)  # an expression's is shown at its end
        if address == "#/network":
            page.get_by_test_id("to-end").click()
        expect(page.get_by_test_id("why-value")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", level=1)).to_have_count(1, timeout=30_000)
    once = locale == "zh-CN" or address == "#/worksheet"  # colours do not depend on the words; paper is white in every theme
    assert (violations(page) if once else violations_in_every_theme(page)) == []


def test_axe_finds_nothing_serious_where_several_runs_are_shown(open_page: OpenPage) -> None:
    page = open_page("#/train", locale="zh-CN")
    one, other, sweep = trained(page), trained(page, cell="rnn"), searched(page)
    start = page.url.partition("#")[0]
    for address, ready in (
        (f"#/train?runs={one},{other}", "strip-B"),
        ("#/train?sweep=new", "vary-lr-low"),
        (f"#/train?sweep={sweep}", "trial-3"),
        (f"#/train?landscape={one}", "landscape-draw"),
    ):
        page.goto(start + address)
        expect(page.get_by_test_id(ready)).to_be_visible(timeout=30_000)
        if ready == "landscape-draw":
            page.get_by_test_id("landscape-resolution").select_option("11")
            page.get_by_test_id(ready).click()
            expect(page.get_by_test_id("landscape-map").locator("svg").first).to_be_visible(timeout=60_000)
        for summary in page.locator("main summary").all():
            summary.click()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert (address, violations_in_every_theme(page)) == (address, [])


def test_axe_finds_nothing_serious_in_a_run(open_page: OpenPage) -> None:
    page = open_page("#/train")
    begin(page, 20, hidden_size=4)
    rests(page, 20)
    expect(page.get_by_test_id("mistakes")).to_be_visible(timeout=30_000)
    page.get_by_test_id("run-further").locator("summary").click()
    for table in ("steps-table", "gradient-map", "states"):
        page.get_by_test_id(table).locator("summary").click()
    assert violations_in_every_theme(page) == []


def test_colours_that_the_system_forces_are_taken(browser: Browser, url: str) -> None:
    context = browser.new_context(forced_colors="active", reduced_motion="reduce", locale="en-US")
    page = context.new_page()
    page.goto(url)
    wait_for_film(page)
    page.get_by_test_id("to-end").click()
    canvas, ink = page.evaluate(
        """() => { const e = document.body.appendChild(document.createElement("p"));
          e.style.cssText = "background: Canvas; color: CanvasText";
          const s = getComputedStyle(e); return [s.backgroundColor, s.color] }"""
    )
    of = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    assert page.locator("body").evaluate(of) == [canvas, ink]
    assert page.get_by_test_id("loss-value").locator(".value").evaluate("e => getComputedStyle(e).color") == ink
    fills = {page.get_by_test_id(f"tile-h-3-{i}").evaluate("e => getComputedStyle(e).backgroundColor") for i in range(4)}
    assert len(fills) > 1  # values keep their colours
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_system_that_asks_for_contrast_gets_it(browser: Browser, url: str, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(contrast="more", color_scheme=scheme, reduced_motion="reduce", locale="en-US")
    page = context.new_page()
    page.goto(url)
    wait_for_film(page)
    shown = page.evaluate("[document.documentElement.dataset.theme, document.documentElement.dataset.contrast]")
    assert shown == [scheme, "more"]
    assert page.evaluate("getComputedStyle(document.body).color") == ("rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)")
    context.close()


def test_a_field_that_has_the_focus_is_ringed(open_page: OpenPage) -> None:
    page = open_page("#/network")
    wait_for_film(page)
    for field in ("program-hidden_size", "program-lr", "program-cell"):
        target = page.get_by_test_id(field)
        target.focus()
        width, style = target.evaluate("e => [getComputedStyle(e).outlineWidth, getComputedStyle(e).outlineStyle]")
        assert (width, style) == ("2px", "solid")
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 24
        assert box["width"] >= 24
