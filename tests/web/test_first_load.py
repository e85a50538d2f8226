"""What a browser fetches before the first picture, read from the manifest of the build."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

import hatch_build

BUDGET = 200_000  # bytes of JavaScript, gzipped


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
