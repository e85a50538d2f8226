"""A film as one file: nothing in it leads out, and nothing in a trace gets out of its data."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from typing import Any

import pytest

from engine.trace import Document
from server.export import FORMATS, NotBuiltError, html
from server.export.drawing import printable
from tests.server.traces import HOSTILE, expression_document, hostile_document, network_document


class Parts(HTMLParser):
    """The elements of a page, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.within = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.within = tag
        if tag in ("script", "style", "title"):
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within in self.texts:
            self.texts[self.within][-1] += data


def parts_of(doc: dict[str, Any]) -> Parts:
    return Parts(FORMATS["html"].writer()(Document(doc)).decode("utf-8"))


ELEMENTS = ["html", "head", "meta", "meta", "meta", "meta", "title", "style", "body", "div", "noscript", "script", "script"]


@pytest.mark.parametrize("doc", [hostile_document(), network_document("lstm")], ids=["hostile", "lstm"])
def test_a_page_has_its_own_elements_and_no_others(doc: dict[str, Any]) -> None:
    page = parts_of(doc)
    assert [tag for tag, _ in page.elements] == ELEMENTS
    assert [name for _, attributes in page.elements for name in attributes if name in ("src", "href", "onerror", "onload")] == []


@pytest.mark.parametrize("word", HOSTILE)
def test_whatever_a_label_holds_comes_back_from_the_data(word: str) -> None:
    doc = json.loads(json.dumps(expression_document("w*3", {"w": 2})))
    doc["nodes"][0]["label"] = doc["program"]["expression"] = word
    page = parts_of(doc)
    data, _ = page.texts["script"]
    assert json.loads(data)["answers"]["/opening"] == doc
    assert page.texts["title"][0].strip() == f"{printable(word)} · Retrograd".strip()


def test_the_policy_allows_this_script_alone_and_no_network() -> None:
    page = parts_of(expression_document("w*3", {"w": 2}))
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(page.texts["script"][1].encode()).digest()).decode()
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}';")
    assert "http" not in policy
    assert "connect-src" not in policy


def test_style_has_its_fonts_within() -> None:
    style = parts_of(expression_document("w*3", {"w": 2})).texts["style"][0]
    assert "data:font/woff2;base64," in style
    assert [part for part in style.split("url(")[1:] if not part.lstrip("\"'").startswith(("data:", "#"))] == []


def test_a_network_comes_with_its_task_and_an_expression_with_none() -> None:
    with_task = json.loads(parts_of(network_document("gru")).texts["script"][0])
    assert [task["name"] for task in with_task["answers"]["/tasks"]["items"]] == ["surnames"]
    without = json.loads(parts_of(expression_document("w*3", {"w": 2})).texts["script"][0])
    assert without["answers"]["/tasks"] == {"items": []}


def test_a_web_app_that_is_not_built_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html.resources, "files", lambda _: __import__("pathlib").Path("no-such-folder"))
    with pytest.raises(NotBuiltError, match="make run"):
        html.write(Document(expression_document("w*3", {"w": 2})))
