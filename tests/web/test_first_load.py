"""What a browser fetches before the first picture, read from the manifest of the build."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest

import hatch_build

BUDGET = 200_000  # bytes of JavaScript, gzipped
FIRST = "index.html"
# Named in a module that the part shares with another, in what only the other calls
ELSEWHERE = {
    FIRST: {"compare.error.no_networks", "compare.error.no_networks_detail", "why.say.unknown"},
    "src/app/train/film/RunFilm.svelte": {f"train.{unit}" for unit in ("seconds", "minutes", "hours")}
    | {f"train.wrong.{what}" for what in ("nesterov", "warmup", "min_delta", "truncation", "steps")},
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((hatch_build.STATIC / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    return found


def imported(manifest: dict[str, dict[str, Any]], name: str) -> set[str]:
    """The chunk `name` and all that it imports before it runs."""
    found, waiting = set(), [name]
    while waiting:
        chunk = waiting.pop()
        if chunk not in found:
            found.add(chunk)
            waiting += manifest[chunk].get("imports", [])
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_javascript_stays_within_its_budget(manifest: dict[str, dict[str, Any]], language: str) -> None:
    chunks = imported(manifest, "index.html") | imported(manifest, f"src/i18n/{language}.ts")
    sizes = {chunk: len(gzip.compress((hatch_build.STATIC / manifest[chunk]["file"]).read_bytes(), 6)) for chunk in chunks}
    assert sum(sizes.values()) < BUDGET, f"load something later (web/src/app/later.svelte.ts): {sizes}"


@pytest.mark.parametrize(
    "late",
    [
        "i18n/en.ts",
        "i18n/zh.ts",
        "app/ProgramPanel.svelte",
        "inspector/Inspector.svelte",
        "tray/Panel.svelte",
        "app/pages/ComparePage.svelte",
        "lecture/Lecture.svelte",
    ],
)
def test_what_comes_late_is_a_part_of_its_own(manifest: dict[str, dict[str, Any]], late: str) -> None:
    assert manifest[f"src/{late}"]["isDynamicEntry"]
    assert f"src/{late}" not in imported(manifest, "index.html")


def words(manifest: dict[str, dict[str, Any]], chunk: str, keys: set[str]) -> tuple[set[str], set[str]]:
    """The messages that a chunk brings, and those that it names."""
    text = (hatch_build.STATIC / manifest[chunk]["file"]).read_text(encoding="utf-8")
    brings = keys.intersection(re.findall(r'[{,]"([\w.]+)(?:#\w+)?":', text))
    return brings, keys.intersection(re.findall(r"""["'`]([\w.]+)["'`]""", text)) - brings


def test_every_part_comes_with_its_words(manifest: dict[str, dict[str, Any]]) -> None:
    """What names a message is not there before the message is: it comes with the part, or with whatever opens the part."""
    catalogues = [path.read_text(encoding="utf-8") for path in (hatch_build.WEB / "src" / "i18n").glob("*.en.ts")]
    keys = {key for text in catalogues for key in re.findall(r'^ +"([\w.]+)', text, re.MULTILINE)}
    parts = [name for name, chunk in manifest.items() if chunk.get("isDynamicEntry") and not name.startswith("src/i18n/")]
    first = imported(manifest, FIRST)
    chunks = {name: imported(manifest, name) - first for name in parts} | {FIRST: first | imported(manifest, "src/i18n/en.ts")}
    found = {chunk: words(manifest, chunk, keys) for chunk in set().union(*chunks.values())}
    brought = {name: set().union(*(found[chunk][0] for chunk in chunks[name])) for name in chunks}
    opened_by = {
        name: [other for other in chunks if any(name in manifest[chunk].get("dynamicImports", []) for chunk in chunks[other])]
        for name in parts
    }
    there = dict.fromkeys(parts, keys) | {FIRST: brought[FIRST]}
    for _ in parts:  # no way from the first page to a part is longer
        for name, openers in opened_by.items():
            there[name] = brought[name].union(set.intersection(keys, *(there[opener] for opener in openers)))
    named = {name: set().union(*(found[chunk][1] for chunk in chunks[name])) for name in chunks}
    assert "why.heading" in named["src/inspector/Inspector.svelte"]
    lacking = {name: sorted(named[name] - there[name] - ELSEWHERE.get(name, set())) for name in chunks}
    assert not {name: lacks for name, lacks in lacking.items() if lacks}, "import the words.ts of these messages where they are used"


@pytest.mark.parametrize("page", ["index.html", "docs.html"])
def test_the_icon_is_fetched_once(page: str) -> None:
    """Browsers ask for it again whenever the address changes, as it does while a film plays; only what is in assets/ is kept by them."""
    text = (hatch_build.STATIC / page).read_text(encoding="utf-8")
    assert re.findall(r'<link rel="icon" href="([^"]+?)[^/"]+"', text) == ["./assets/"]
