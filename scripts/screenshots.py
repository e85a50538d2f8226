"""Pictures of the page, made by the page itself in a system browser.

`python scripts/screenshots.py` makes those that the documents show, stage.png, compare.png and lecture.png in docs/images; `--all FOLDER`
makes every one of scripts/pictures.py at 1440x900, 1024x768 and 390x844, light, dark and Chinese, and at 1440x900 in high contrast and at
2560x1440 besides. A server is started on a temporary folder unless `--url` names
one that runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the helpers of the browser's tests are no part of the package

from playwright.sync_api import Browser, sync_playwright  # noqa: E402 (after the path)

from scripts.pictures import PICTURES, Picture  # noqa: E402 (after the path)
from tests.e2e.browser import chromium_path, launch_arguments, serving  # noqa: E402 (after the path)

IMAGES = ROOT / "docs" / "images"
SIZES = {"wide": (1440, 900), "tablet": (1024, 768), "phone": (390, 844), "large": (2560, 1440)}
LOOKS = {"light": ("light", "en"), "dark": ("dark", "en"), "zh": ("light", "zh"), "contrast": ("contrast", "en")}
SHOWN = [(size, look) for size in ("wide", "tablet", "phone") for look in ("light", "dark", "zh")]
SHOWN += [("wide", "contrast"), ("large", "light")]

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
                for size, look in SHOWN:
                    name = f"{picture.name}-{size}-{look}"
                    if not arguments.only or arguments.only in name:
                        take(browser, url, picture, size, look, arguments.all / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
