"""Graphs whose names nobody meant well with: nothing of them runs, nothing leaves its card, and all can be read in full."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import wait_for_film
from tests.e2e.test_accessibility import violations

NAMES = {
    "long": "weight_of_the_first_layer_" + "x" * 174,
    "right to left": "\u05de\u05e9\u05e7\u05dc \u0627\u0644\u0648\u0632\u0646",
    "half of TeX": r"\frac{",
    "TeX": r"\href{javascript:alert(1)}{w} $x^2$ \def\a{\a}\a",
    "markup": "<script>window.ran = true</script>",
    "image": "<img src=x onerror='window.ran = true'>",
    "emoji": "\U0001f525\U0001f469\U0001f3fd \U0001f1e8\U0001f1ed" + 20 * "\U0001f388",
    "marks": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u0334\u0319\u0324",
}
assert len(NAMES["long"]) == 200

# What cannot be read, and what is wider than what holds it (unless that cuts it off, or scrolls).
AMISS = """() => {
  const unread = '.tex-unread, .katex-error, mstyle[mathcolor="#cc0000"]';
  const amiss = [...document.querySelectorAll(unread)].map(e => `unread: ${e.textContent}`);
  const holders = '[data-testid^=graph-node-], [data-testid=inspector], [data-testid=tray], aside, .kv > div, main';
  for (const holder of document.querySelectorAll(holders)) {
    const frame = holder.getBoundingClientRect();
    if (frame.width === 0) continue;
    for (const element of holder.querySelectorAll('math, button, span, p, td, th')) {
      if (element.closest('.sr-only, [hidden], [data-testid^=contribution-], [data-testid=graph-view] svg')) continue;
      const seen = element.getBoundingClientRect();
      if (seen.width === 0 || !element.checkVisibility({ opacityProperty: true })) continue;
      let cut = false;
      for (let parent = element.parentElement; parent && parent !== holder.parentElement; parent = parent.parentElement)
        cut ||= getComputedStyle(parent).overflowX !== 'visible';
      const by = Math.max(seen.right - frame.right, frame.left - seen.left);
      if (!cut && by > 1) amiss.push(`${holder.dataset.testid ?? holder.tagName}: ${element.textContent.slice(0, 60)} by ${by} px`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) amiss.push(`the page scrolls: ${document.documentElement.scrollWidth} px`);
  return amiss;
}"""


@pytest.fixture(scope="module")
def trace(api: httpx.Client) -> dict[str, Any]:
    """Every name is that of a parameter: its label where it is short enough, else its id. All come together in one formula."""
    names = list(NAMES.values())
    nodes = [
        {"id": name, "label": name if len(name) <= 40 else None, "role": "parameter", "value": [0.5 + i, -0.25]}
        for i, name in enumerate(names)
    ]
    edges: list[dict[str, str]] = []
    last = names[0]
    for i in range(1, len(names)):
        nodes += [{"id": f"s{i}", "op": "mul" if i % 2 else "add"}]
        edges += [{"from": last, "to": f"s{i}"}, {"from": names[i], "to": f"s{i}"}]
        last = f"s{i}"
    nodes += [{"id": "y", "op": "tanh", "label": NAMES["half of TeX"]}]
    edges += [{"from": last, "to": "y"}]
    answer = api.post("/traces", json={"program": {"kind": "graph", "nodes": nodes, "edges": edges}})
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made


def sound(page: Page) -> None:
    assert page.evaluate(AMISS) == []
    assert page.evaluate("window.ran") is None
    assert page.locator("script:not([src]):not([type]), img[src=x], a[href^=javascript]").filter(has_text="ran").count() == 0


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_hostile_names_stay_text_and_stay_in_their_cards(open_page: OpenPage, trace: dict[str, Any], width: int, height: int) -> None:
    page = open_page(f"#/expression?trace={trace['id']}", width=width, height=height)
    wait_for_film(page)
    expect(page.get_by_test_id("graph-node-0")).to_be_visible(timeout=30_000)
    sound(page)
    for node in trace["nodes"]:
        for kind in ("value", "gradient"):
            index = ",".join("0" for _ in node["shape"])
            page.evaluate("hash => { location.hash = hash }", f"#/expression?trace={trace['id']}&why={kind}:{index}:{node['path']}")
            expect(page.get_by_test_id("why-value")).to_be_visible()
            sound(page)


def test_a_hostile_name_is_there_in_full(open_page: OpenPage, trace: dict[str, Any]) -> None:
    page = open_page(f"#/expression?trace={trace['id']}")
    wait_for_film(page)
    expect(page.get_by_test_id("graph-node-0")).to_be_visible(timeout=30_000)
    for i, name in enumerate(NAMES.values()):
        node = next(one for one in trace["nodes"] if name in (one["label"], one["path"]) and one["op"] is None)
        card = page.get_by_test_id(f"graph-node-{node['id']}")
        whole = card.evaluate("e => [e, ...e.querySelectorAll('*')].map(x => [x.title, x.ariaLabel, x.textContent].join(' ')).join(' ')")
        assert name in whole, i
    assert violations(page) == []
