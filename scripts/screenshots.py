"""Pictures of the page, made by the page itself in a system browser.

`python scripts/screenshots.py` makes those that the documents show, stage.png, compare.png and lecture.png in docs/images; `--all FOLDER`
makes every page at 1440x900, 1024x768 and 390x844, light, dark and Chinese. A server is started on a temporary folder unless `--url` names
one that runs.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the helpers of the browser's tests are no part of the package

from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402 (after the path)

from tests.e2e.browser import chromium_path, launch_arguments, serving  # noqa: E402 (after the path)

IMAGES = ROOT / "docs" / "images"
SIZES = {"wide": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}
LOOKS = {"light": ("light", "en"), "dark": ("dark", "en"), "zh": ("light", "zh")}
SETTLE = 900  # ms: longer than any motion of the tokens


def wait_for_film(page: Page) -> None:
    expect(page.get_by_test_id("moment")).to_be_visible(timeout=60_000)


def step_to(page: Page, stride: str, forward: int) -> None:
    """To the stop `forward` strides after the start."""
    if page.get_by_test_id("to-start").is_enabled():
        page.get_by_test_id("to-start").click()
    page.get_by_test_id(f"stride-{stride}").click()
    for _ in range(forward):
        page.get_by_test_id("step-forward").click()


def forward(page: Page) -> None:
    wait_for_film(page)
    step_to(page, "cell", 3)


def backward(page: Page) -> None:
    wait_for_film(page)
    step_to(page, "phase", 3)
    page.get_by_test_id("stride-cell").click()


def update(page: Page) -> None:
    backward(page)
    for _ in range(3):
        page.get_by_test_id("step-forward").click()
    page.get_by_test_id("tab-parameters").click()


def opened(page: Page) -> None:
    backward(page)
    page.get_by_test_id("open-3").click()
    expect(page.get_by_test_id("open-cell")).to_be_visible()


def lstm(page: Page) -> None:
    wait_for_film(page)
    before = page.url
    page.get_by_test_id("program-cell").select_option("lstm")
    expect(page).not_to_have_url(before)
    expect(page.get_by_role("status")).to_have_count(0, timeout=60_000)
    step_to(page, "phase", 3)


def expression(page: Page) -> None:
    wait_for_film(page)
    expect(page.locator("[data-testid^=graph-node-]").first).to_be_visible(timeout=30_000)
    page.get_by_test_id("gradient-w").click()


def train(page: Page) -> None:
    page.get_by_test_id("run-start").click()
    page.get_by_test_id("run-steps").click()
    expect(page.get_by_test_id("run-step")).to_have_text("100", timeout=120_000)
    expect(page.get_by_test_id("figure").locator("svg").first).to_be_visible(timeout=30_000)


def compare(page: Page) -> None:
    wait_for_film(page)  # all of them are there, at the end of the backward pass
    expect(page.get_by_test_id("compare-log")).to_be_visible()


def lecture(page: Page) -> None:
    wait_for_film(page)
    page.keyboard.press("l")
    expect(page.get_by_test_id("lecture-canvas")).to_be_visible()
    for _ in range(5):  # cues: to the hop that loses most
        page.keyboard.press("n")
    expect(page.get_by_test_id("lecture-spot")).to_be_visible()


def pairs(page: Page) -> None:
    """Two layers in both directions, and their pairs of steps."""
    wait_for_film(page)
    step_to(page, "phase", 3)
    page.get_by_test_id("tab-pairs").click()
    expect(page.get_by_test_id("pairs-words")).to_be_visible(timeout=60_000)


def what_if(page: Page) -> None:
    """A film with a number typed over, its differences marked."""
    backward(page)
    page.get_by_test_id("nudge-up").click()
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=60_000)


def predict(page: Page) -> None:
    wait_for_film(page)
    step_to(page, "cell", 2)
    page.keyboard.press("q")
    expect(page.get_by_test_id("predict-card")).to_be_visible()


def worksheet(page: Page) -> None:
    expect(page.get_by_test_id("paper")).to_be_visible(timeout=60_000)


LAYERS = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 3, "layers": 2, "bidirectional": True, "example": 3}


def packed(program: dict[str, object]) -> str:
    """A program as addresses hold it."""
    return base64.urlsafe_b64encode(json.dumps(program).encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Picture:
    name: str
    address: str
    reach: Callable[[Page], None]
    settle: int = SETTLE


PICTURES = [
    Picture("network-forward", "#/network", forward),
    Picture("network-backward", "#/network", backward),
    Picture("network-update", "#/network", update),
    Picture("network-open", "#/network", opened),
    Picture("network-lstm", "#/network", lstm),
    Picture("network-layers", f"#/network?p={packed(LAYERS)}", pairs),
    Picture("network-what-if", "#/network", what_if),
    Picture("network-predict", "#/network", predict),
    Picture("expression", "#/expression", expression),
    Picture("train", "#/train", train),
    Picture("compare", "#/compare", compare),
    Picture("lecture", "#/network", lecture, settle=3500),  # its bar goes when the pointer rests
    Picture("worksheet", "#/worksheet", worksheet),
]
KEPT = {"stage": "network-backward", "compare": "compare", "lecture": "lecture"}  # pictures that the documents show


def take(browser: Browser, url: str, picture: Picture, size: str, look: str, file: Path) -> None:
    width, height = SIZES[size]
    theme, lang = LOOKS[look]
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", device_scale_factor=1)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('retrograd.theme', '{theme}'); localStorage.setItem('retrograd.language', '{lang}')")
    page.goto(f"{url}/{picture.address}")
    picture.reach(page)
    page.mouse.move(2, height - 2)
    page.wait_for_timeout(picture.settle)
    page.evaluate("document.fonts.ready")
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file)
    context.close()
    print(file)


@contextmanager
def address(url: str | None) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as started:
        yield started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a server that runs, such as http://127.0.0.1:8000")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="make every picture, in this folder")
    parser.add_argument("--only", help="with --all: only pictures whose name contains this")
    arguments = parser.parse_args()
    with address(arguments.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=launch_arguments())
        if arguments.all is None:
            for name, picture in ((name, one) for name, shown in KEPT.items() for one in PICTURES if one.name == shown):
                take(browser, url, picture, "wide", "light", IMAGES / f"{name}.png")
        else:
            for picture in PICTURES:
                for size in SIZES:
                    for look in LOOKS:
                        name = f"{picture.name}-{size}-{look}"
                        if not arguments.only or arguments.only in name:
                            take(browser, url, picture, size, look, arguments.all / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
