"""A film as one file: nothing in it leads out, and nothing in a trace gets out of its data."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from typing import Any

import pytest

from engine.trace import Document, itemise
from server.export import FORMATS, NotBuiltError, html, work
from server.export.drawing import printable
from server.store.trace_file import TraceFile
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


@pytest.mark.parametrize(("doc", "data"), [(hostile_document(), 2), (network_document("lstm"), 1)], ids=["hostile", "lstm"])
def test_a_page_has_its_own_elements_and_no_others(doc: dict[str, Any], data: int) -> None:
    page = parts_of(doc)
    assert [tag for tag, _ in page.elements] == ELEMENTS + ["script"] * data
    assert [name for _, attributes in page.elements for name in attributes if name in ("src", "href", "onerror", "onload")] == []


@pytest.mark.parametrize("word", HOSTILE)
def test_whatever_a_label_holds_comes_back_from_the_data(word: str) -> None:
    doc = json.loads(json.dumps(expression_document("w*3", {"w": 2})))
    doc["nodes"][0]["label"] = doc["program"]["expression"] = word
    page = parts_of(doc)
    data, *_ = page.texts["script"]
    assert json.loads(data)["answers"]["/opening"] == doc
    assert page.texts["title"][0].strip() == f"{printable(word)} · Retrograd".strip()


def test_a_film_brings_its_figures_in_both_languages() -> None:
    doc = network_document("lstm")
    figures = json.loads(parts_of(doc).texts["script"][0])["figures"]
    assert list(figures) == ["gradient-through-time", "bptt", "jacobian", "gradient-histogram", "update"]
    answer = itemise(Document(doc), None)
    for language in ("en", "zh"):
        assert [trace["y"] for trace in figures["gradient-through-time"][language]["data"]] == [
            answer["state_norms"]["h"], answer["state_norms"]["c"], answer["jacobian_norms"][-1]
        ]  # fmt: skip
    words = [figures["update"][language]["layout"]["xaxis"]["title"]["text"] for language in ("en", "zh")]
    assert words == ["parameter", "参数"]


def test_a_film_without_figures_comes_without_plotly() -> None:
    page = parts_of(expression_document("x*3", {"x": 2}, wrt=["x"]) | {"nodes": leaves_as_inputs("x*3")})
    assert json.loads(page.texts["script"][0])["figures"] == {}
    assert [attributes.get("id") for tag, attributes in page.elements if tag == "script"] == ["retrograd-film", "retrograd-elk", None]


def test_a_network_comes_without_the_layout_of_graphs() -> None:
    page = parts_of(network_document("rnn"))
    assert [attributes.get("id") for tag, attributes in page.elements if tag == "script"] == ["retrograd-film", "retrograd-plotly", None]


def leaves_as_inputs(text: str) -> list[dict[str, Any]]:
    """The nodes of an expression in x, none of which is a parameter."""
    nodes: list[dict[str, Any]] = json.loads(json.dumps(expression_document(text, {"x": 2})["nodes"]))
    return [{**node, "role": "input"} if node["role"] == "parameter" else node for node in nodes]


def test_the_policy_allows_these_scripts_alone_and_no_network() -> None:
    page = parts_of(expression_document("w*3", {"w": 2}))
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    _, plotly, _, script = page.texts["script"]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, plotly)]
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digests[0]}' 'sha256-{digests[1]}';")
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


def test_a_network_comes_with_its_pairs_of_steps_and_with_what_it_is_an_edit_of(monkeypatch: pytest.MonkeyPatch) -> None:
    document, original = Document(network_document("lstm", layers=2)), Document(network_document("gru"))

    def read(page: bytes) -> dict[str, Any]:
        answers: dict[str, Any] = json.loads(Parts(page.decode()).texts["script"][0])["answers"]
        return answers

    answers = read(html.write(document, original))
    assert answers[f"/traces/{original.doc['id'].replace(':', '%3A')}"] == original.doc
    own = f"/traces/{document.doc['id'].replace(':', '%3A')}/bptt"
    assert answers[f"{own}?row=0&cell=lstm%2Fl1"] == itemise(document, row=0, scope="lstm/l1")
    assert len([address for address in answers if address.startswith(own)]) == 2
    monkeypatch.setattr(html, "PAIRS_BYTES", len(json.dumps(itemise(document, row=0, scope="lstm"))))
    assert list(read(html.write(document))) == ["/opening", "/tasks", f"{own}?row=0&cell=lstm"]


def test_an_original_that_is_too_large_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [network_document("lstm"), network_document("gru")]
    film, original = (TraceFile.pack(doc["id"], doc["program"], json.dumps(doc).encode()) for doc in documents)
    monkeypatch.setattr(work, "ORIGINAL_BYTES", original.size)
    address = original.id.replace(":", "%3A").encode()
    assert address in work.write_export(film, "html", 60, original)
    monkeypatch.setattr(work, "ORIGINAL_BYTES", original.size - 1)
    assert address not in work.write_export(film, "html", 60, original)


def test_a_web_app_that_is_not_built_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html.resources, "files", lambda _: __import__("pathlib").Path("no-such-folder"))
    with pytest.raises(NotBuiltError, match="make run"):
        html.write(Document(expression_document("w*3", {"w": 2})))
