"""Links, pictures, files and frames: what one person shares, another one sees."""

from __future__ import annotations

import base64
import json
import os
import re
import struct
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import zxingcpp
from playwright.sync_api import Browser, FrameLocator, Page, expect

from engine.trace import Document
from tests.e2e.browser import serving
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import film_of, moment, number, saved, wait_for_film
from tests.e2e.test_accessibility import violations

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"><img src=x onerror=alert(1)>'


def opened_at(open_page: OpenPage, steps: int = 7, **how: Any) -> Page:
    """The opening film some steps in, with a number chosen and a cell opened."""
    page = open_page(**how)
    wait_for_film(page)
    for _ in range(steps):
        page.get_by_test_id("step-forward").click()
    page.get_by_test_id("tile-h-2-1").click()
    page.get_by_test_id("open-2").click()
    return page


def seen(page: Page) -> dict[str, Any]:
    """What a person would call the state of the page."""
    return {
        "moment": moment(page),
        "why": page.get_by_test_id("why-value").get_attribute("data-value"),
        "opened": page.get_by_test_id("navigate-2").get_attribute("aria-pressed"),
        "language": page.get_by_test_id("nav-network").inner_text(),
        "stride": page.get_by_test_id("stride-event").get_attribute("aria-pressed"),
    }


def in_theme(page: Page, theme: str) -> None:
    """As one that was chosen before."""
    page.evaluate("(theme) => localStorage.setItem('retrograd.theme', theme)", theme)
    page.reload()
    wait_for_film(page)
    assert page.evaluate("document.documentElement.dataset.theme") == theme


def shared_link(page: Page) -> str:
    page.get_by_test_id("share").click()
    field = page.get_by_test_id("share-link")
    expect(field).not_to_have_value("")
    return field.input_value()


def test_a_second_browser_shows_the_moment_that_was_copied(open_page: OpenPage) -> None:
    page = opened_at(open_page)
    page.get_by_test_id("stride-event").click()
    page.get_by_test_id("lang-zh").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    link = shared_link(page)
    page.get_by_test_id("share-copy").click()
    expect(page.get_by_test_id("share-copy")).to_contain_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.keyboard.press("Escape")
    other = open_page(link[link.index("#") :])
    wait_for_film(other)
    assert seen(other) == seen(page)
    assert seen(other)["language"] == "网络"
    assert other.evaluate("localStorage.getItem('retrograd.language')") is None  # lent by the link, not chosen


def test_a_reload_and_back_show_the_moment(open_page: OpenPage) -> None:
    page = opened_at(open_page)
    before, entries = seen(page), page.evaluate("history.length")
    page.reload()
    wait_for_film(page)
    assert seen(page) == before
    address = page.url
    field = page.get_by_test_id("program-hidden_size")
    field.fill("3")
    field.press("Enter")
    page.wait_for_url(lambda now: film_of(now) != film_of(address))
    expect(page.get_by_role("status").filter(has_text="Loading")).to_have_count(0)
    page.get_by_test_id("to-start").click()
    assert page.evaluate("history.length") == entries + 1  # a new program is one entry, however often the moment changes
    page.go_back()
    expect(page.get_by_test_id("moment")).to_have_text(f"{before['moment'][0]} / {before['moment'][1]}", timeout=30_000)
    expect(page.get_by_test_id("navigate-2")).to_have_attribute("aria-pressed", "true")
    assert seen(page) == before


def test_edits_of_a_link_are_made(open_page: OpenPage, api: httpx.Client) -> None:
    trace = api.get("/opening").json()
    path = next(node["path"] for node in trace["nodes"] if node["path"].endswith("weight_hh_l0"))
    edits = [{"node": path, "index": [0, 0], "value": 1.5}]
    packed = _packed(edits)
    page = open_page(f"#/network?v=2&x={packed}&at=0&why=value:0,0:{path}")
    wait_for_film(page)
    assert number(page.get_by_test_id("why-value")) == 1.5
    edited = Document(api.post(f"/traces/{trace['id']}/what-if", json={"edits": edits}).json())
    page.get_by_test_id("to-end").click()
    page.get_by_test_id("step-back").click()  # from the forward pass with the new parameters to the end of the film
    assert number(page.get_by_test_id("loss-value")) == float(edited.value(edited.doc["loss"]))
    page.reload()
    wait_for_film(page)
    assert film_of(page.url)["x"] == packed
    assert number(page.get_by_test_id("loss-value")) == float(edited.value(edited.doc["loss"]))


def test_a_short_link_leads_to_the_same(open_page: OpenPage, url: str, api: httpx.Client) -> None:
    page = opened_at(open_page)
    long = shared_link(page)
    page.get_by_test_id("share-short").check()
    expect(page.get_by_test_id("share-link")).to_have_value(re.compile(r".*link=[a-z0-9]{16}$"))
    short = page.get_by_test_id("share-link").input_value()
    kept = api.get(f"/links/{short[-16:]}").json()["state"]
    assert f"{url}/{kept['address']}" == long
    page.keyboard.press("Escape")
    other = open_page(short[len(url) + 1 :])
    wait_for_film(other)
    expect(other.get_by_test_id("navigate-2")).to_have_attribute("aria-pressed", "true")
    assert seen(other) == seen(page)
    assert "link=" in other.url
    assert "p=" not in other.url


def test_a_long_state_is_kept_by_the_server(open_page: OpenPage) -> None:
    program = {"kind": "expression", "expression": "sum(w*x)", "inputs": {"w": 0.5, "x": [i / 7 for i in range(400)]}, "wrt": ["w"]}
    page = open_page(f"#/expression?p={_packed(program)}")
    wait_for_film(page)
    page.get_by_test_id("share").click()
    expect(page.get_by_test_id("share-link")).to_have_value(re.compile(r".*#/expression\?v=2&link=[a-z0-9]{16}$"))
    expect(page.get_by_test_id("share-short")).to_have_count(0)
    link = page.get_by_test_id("share-link").input_value()
    other = open_page(link[link.index("#") :])
    wait_for_film(other)
    expect(other.get_by_test_id("expression-input")).to_have_value("sum(w*x)")
    assert moment(other) == moment(page)


def test_the_qr_code_reads_as_the_link(open_page: OpenPage) -> None:
    page = opened_at(open_page)
    for short in (False, True):
        if short:
            page.get_by_test_id("share-short").check()
            expect(page.get_by_test_id("share-link")).to_have_value(re.compile(r".*link=\w+$"))
        else:
            shared_link(page)
        code = page.get_by_test_id("share-qr")
        expect(code).to_be_visible()
        side, grey = code.evaluate(
            """async (svg) => {
              const image = new Image();
              image.src = "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(svg));
              await image.decode();
              const side = 600;
              const canvas = new OffscreenCanvas(side, side);
              const context = canvas.getContext("2d");
              context.drawImage(image, 0, 0, side, side);
              const pixels = context.getImageData(0, 0, side, side).data;
              let grey = "";
              for (let i = 0; i < side * side; i++) grey += String.fromCharCode(pixels[4 * i]);
              return [side, btoa(grey)];
            }"""
        )
        found = zxingcpp.read_barcodes(np.frombuffer(base64.b64decode(grey), dtype=np.uint8).reshape(side, side))
        assert [one.text for one in found] == [page.get_by_test_id("share-link").input_value()]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_is_the_stage_as_it_is_shown(open_page: OpenPage, tmp_path: Path, theme: str) -> None:
    page = open_page()
    wait_for_film(page)
    in_theme(page, theme)
    page.get_by_test_id("to-end").click()
    page.wait_for_timeout(700)  # colours are on their way
    shown = [page.get_by_test_id(f"tile-h-3-{i}").inner_text() for i in range(4)]
    ground = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    box = page.locator("main").bounding_box()
    assert box is not None
    page.get_by_test_id("share").click()
    root = ET.parse(saved(page, "svg", tmp_path)).getroot()
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert [text for text in shown if text not in texts] == []
    assert any("201" in text and "surname" in text.lower() for text in texts)  # the caption
    assert root.find(f"{SVG}rect").get("fill") == ground  # type: ignore[union-attr]
    assert float(root.get("width", "")) == pytest.approx(box["width"], abs=0.02)
    assert root.get("height") == str(round(box["height"]) + 36)
    style = root.findtext(f"{SVG}style") or ""
    assert 'font-family:"Inter"' in style
    assert 'url("data:font/woff2;base64,' in style
    assert "http" not in style
    assert {element.tag.rpartition("}")[2] for element in root.iter()} & {"foreignObject", "script", "image", "a"} == set()
    png = saved(page, "png", tmp_path).read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (round(2 * box["width"]), round(2 * (box["height"] + 36)))
    assert len(png) > 20_000


def test_names_in_a_picture_are_data(open_page: OpenPage, tmp_path: Path, api: httpx.Client) -> None:
    """An imported graph may label its nodes as it likes."""
    nodes = [
        {"id": "w", "value": 2.0, "role": "parameter", "label": HOSTILE},
        {"id": "x", "value": 3.0, "label": "]]></text><script>alert(1)</script>"},
        {"id": "y", "op": "mul", "value": 6.0, "label": "a&b\u0001"},
    ]
    program = {"kind": "graph", "nodes": nodes, "edges": [{"from": "w", "to": "y"}, {"from": "x", "to": "y"}]}
    made = api.post("/traces", json={"program": program})
    if made.status_code == 422:  # such labels may be refused as a whole; the letters that may stand are tried then
        nodes[2]["label"] = "a&b"
        made = api.post("/traces", json={"program": program})
    assert made.status_code in (200, 201), made.text
    page = open_page(f"#/expression?trace={made.json()['id']}")
    wait_for_film(page)
    page.get_by_test_id("graph-node-0").wait_for(timeout=60_000)
    page.get_by_test_id("share").click()
    content = saved(page, "svg", tmp_path).read_text(encoding="utf-8")
    root = ET.fromstring(content)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} & {"script", "img", "foreignObject"} == set()
    assert [name for element in root.iter() for name in element.attrib if name.startswith("on")] == []
    assert "<script" not in content
    assert "<img" not in content


def test_a_film_is_saved_and_begins_where_it_was(open_page: OpenPage, browser: Browser, tmp_path: Path) -> None:
    page = opened_at(open_page)
    page.get_by_test_id("share").click()
    file = saved(page, "html", tmp_path)
    page.keyboard.press("Escape")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", offline=True, accept_downloads=True)
    film = context.new_page()
    requests: list[str] = []
    film.on("request", lambda request: requests.append(request.url))
    film.goto(file.as_uri())
    wait_for_film(film)
    assert seen(film) == seen(page)
    film.get_by_test_id("share").click()  # pictures need no server
    expect(film.get_by_test_id("share-link")).to_have_count(0)
    assert b"<svg" in saved(film, "svg", tmp_path).read_bytes()[:200]
    assert [one for one in requests if one.partition("#")[0] != file.as_uri() and not one.startswith(("data:", "blob:"))] == []
    context.close()


def test_data_and_graphs_are_saved(open_page: OpenPage, tmp_path: Path, api: httpx.Client) -> None:
    page = open_page()
    wait_for_film(page)
    page.get_by_test_id("share").click()
    assert json.loads(saved(page, "json", tmp_path).read_text())["id"] == api.get("/opening").json()["id"]
    assert saved(page, "dot", tmp_path).read_text().startswith("digraph")
    assert saved(page, "npz", tmp_path).read_bytes()[:2] == b"PK"
    for name in ("mermaid", "graphml", "onnx", "model-explorer"):
        assert saved(page, name, tmp_path).stat().st_size > 100


def test_what_cannot_be_saved_says_why(open_page: OpenPage) -> None:
    page = open_page(expected=("500", "503"))
    wait_for_film(page)
    page.route(
        "**/export/dot", lambda route: route.fulfill(status=503, json={"title": "busy", "code": "busy", "detail": "too much waits already"})
    )
    page.get_by_test_id("share").click()
    page.get_by_test_id("share-dot").click()
    expect(page.get_by_test_id("share-said")).to_contain_text(": The server has too much to do.")
    page.route("**/export/npz", lambda _: None)  # a file that does not come can be given up
    page.get_by_test_id("share-npz").click()
    page.get_by_test_id("share-give-up").click()
    expect(page.get_by_test_id("share-give-up")).to_have_count(0)
    expect(page.get_by_test_id("share-json")).to_have_attribute("aria-disabled", "false")


def test_by_keyboard_alone(open_page: OpenPage) -> None:
    page = opened_at(open_page)
    before = moment(page)
    page.get_by_test_id("share").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("share-link")).to_be_focused()
    inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
    for _ in range(24):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
    page.keyboard.press("ArrowRight")  # moves no film behind the dialog
    assert moment(page) == before
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("share-dialog")).to_have_count(0)
    expect(page.get_by_test_id("share")).to_be_focused()
    expect(page.get_by_test_id("navigate-2")).to_be_visible()  # the opened cell stays open


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh")])
def test_axe_finds_nothing_in_the_dialog(open_page: OpenPage, theme: str, language: str) -> None:
    page = open_page()
    wait_for_film(page)
    page.get_by_test_id(f"lang-{language}").click()
    in_theme(page, theme)
    page.get_by_test_id("share").click()
    expect(page.get_by_test_id("share-qr")).to_be_visible()
    page.wait_for_timeout(400)
    assert violations(page) == []


def test_on_a_phone_it_is_a_sheet_that_can_send(open_page: OpenPage, browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", has_touch=True, is_mobile=True)
    context.add_init_script("navigator.share = async (data) => { window.sent = data; }")
    page = context.new_page()
    page.goto(url)
    wait_for_film(page)
    page.get_by_test_id("share").tap()
    expect(page.get_by_test_id("share-qr")).to_be_visible()
    box = page.get_by_test_id("share-dialog").bounding_box()
    assert box is not None
    assert (box["x"], box["width"], round(box["y"] + box["height"])) == (0, 390, 844)
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 390
    page.get_by_test_id("share-send").tap()
    assert page.evaluate("window.sent.url") == page.get_by_test_id("share-link").input_value()
    for button in page.get_by_test_id("share-dialog").get_by_role("button").all():
        size = button.bounding_box()
        assert size is not None
        assert size["height"] >= 44
    page.get_by_test_id("share-close").tap()
    expect(page.get_by_test_id("share-dialog")).to_have_count(0)
    context.close()


@pytest.mark.parametrize(("field", "word"), [("at=soon", "event"), ("why=never", "number"), ("v=9", "version"), ("x=AAAA", "changes")])
def test_a_link_that_cannot_be_read_in_part(open_page: OpenPage, field: str, word: str) -> None:
    page = open_page(f"#/network?{field}&tab=gradient")
    expect(page.get_by_test_id("error")).to_contain_text(word)
    page.get_by_test_id("link-without").click()
    wait_for_film(page)
    expect(page.get_by_test_id("tab-gradient")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("address", ["#/network?p=%00", "#/network?p=__proto__", "#/network?link=..%2F..", "#/expression?p=e30"])
def test_a_link_whose_film_cannot_be_read_leads_on(open_page: OpenPage, address: str) -> None:
    page = open_page(address)
    expect(page.get_by_test_id("error")).to_be_visible()
    page.get_by_test_id("error").get_by_role("link").last.click()
    wait_for_film(page)


def test_a_link_that_is_not_kept_any_more(open_page: OpenPage) -> None:
    page = open_page("#/network?v=2&link=aaaaaaaaaaaaaaaa", expected=("404",))
    expect(page.get_by_test_id("error")).to_contain_text("not kept any more")


def test_a_film_without_the_event_says_so_and_is_shown(open_page: OpenPage) -> None:
    page = open_page("#/network?v=2&at=99999&why=value:0:nowhere")
    wait_for_film(page)
    notice = page.get_by_test_id("link-notice")
    expect(notice).to_contain_text("the event, the number")
    page.get_by_test_id("link-notice-close").click()
    expect(notice).to_have_count(0)


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """A page of another origin."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page_of_site[0].encode())

        def log_message(self, *_: object) -> None:
            pass

    page_of_site[0] = html
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


page_of_site = [""]


def embed_code(page: Page, *shown: str) -> str:
    page.get_by_test_id("share").click()
    for part in shown:
        page.get_by_test_id(f"embed-{part}").uncheck()
    code = page.get_by_test_id("embed-code").input_value()
    page.keyboard.press("Escape")
    return code


def stage_in(frame: FrameLocator) -> None:
    expect(frame.get_by_test_id("tile-h-2-1")).to_be_visible(timeout=30_000)


def test_a_frame_shows_the_moment_without_what_is_left_out(open_page: OpenPage, url: str) -> None:
    page = open_page()
    wait_for_film(page)
    for _ in range(7):
        page.get_by_test_id("step-forward").click()
    at = moment(page)
    source = page.evaluate(
        "(code) => new DOMParser().parseFromString(code, 'text/html').querySelector('iframe').src", embed_code(page, "inspector")
    )
    assert source.startswith(f"{url}/?embed=1&hide=panel,tray&theme=")
    framed = open_page(source[len(url) + 1 :], width=900, height=640)
    wait_for_film(framed)
    assert moment(framed) == at
    expect(framed.get_by_test_id("nav-network")).to_have_count(0)
    expect(framed.locator("aside.program")).to_have_count(0)
    expect(framed.locator(".tray")).to_have_count(0)
    expect(framed.get_by_test_id("why-value")).to_be_visible()
    framed.get_by_test_id("step-forward").click()
    assert moment(framed)[0] > at[0]
    expect(framed.get_by_test_id("embed-open")).to_have_attribute("href", re.compile(rf"{url}/#/network\?.*at={moment(framed)[0]}&.*"))
    assert violations(framed) == []


def test_all_parts_may_be_left_out(open_page: OpenPage) -> None:
    page = open_page("?embed=1&hide=panel,inspector,tray,transport#/network?v=2&at=40&lang=zh", width=900, height=620)
    tile = page.get_by_test_id("tile-h-1-0")
    expect(tile).to_be_visible(timeout=30_000)
    main = page.locator("main").bounding_box()
    assert main is not None
    assert (main["x"], main["y"], main["width"]) == (0, 0, 900)
    assert main["height"] > 580
    expect(page.get_by_test_id("why-value")).to_have_count(0)
    expect(page.get_by_test_id("moment")).to_be_hidden()
    expect(page.get_by_test_id("embed-open")).to_have_text("在 Retrograd 中打开")


def test_another_site_may_show_it_where_the_server_says_so(browser: Browser, url: str, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1000, "height": 760}, reduced_motion="reduce")
    page = context.new_page()
    frame = (
        '<!doctype html><iframe src="{}/?embed=1&amp;hide=panel,inspector,tray#/network?v=2&amp;at=40" width="980" height="700"></iframe>'
    )
    with (
        another_site("") as site,
        serving(tmp_path, environment={**os.environ, "RETROGRAD_FRAME_ANCESTORS": f"'self' {site}"}) as allowing,
    ):
        page_of_site[0] = frame.format(allowing)
        page.goto(site)
        stage_in(page.frame_locator("iframe"))
        page_of_site[0] = frame.format(url)
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(site)
        page.frames[1].wait_for_url(re.compile("^chrome-error:"), wait_until="commit")  # the message comes first
    context.close()


def _packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def test_the_address_follows_a_film_that_plays_without_flooding_the_history(open_page: OpenPage) -> None:
    page = open_page("#/network?v=2&at=0")
    wait_for_film(page)
    page.evaluate(
        """() => {
          window.writes = 0;
          const write = history.replaceState.bind(history);
          history.replaceState = (...given) => { window.writes += 1; write(...given); };
        }"""
    )
    entries = page.evaluate("history.length")
    page.get_by_test_id("stride-event").click()
    page.locator("main").click(position={"x": 4, "y": 4})
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    done, _ = moment(page)
    assert done == 60
    assert 1 <= page.evaluate("window.writes") < 40
    expect(page).to_have_url(re.compile(r"at=60&"), timeout=3_000)
    assert page.evaluate("history.length") == entries
