"""What the repository promises: nothing of one machine in it, documents that are true, versions that belong together."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.offline
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = {".git", ".venv", "node_modules", "static", "dist", "__pycache__", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
BINARY = {".png", ".woff2", ".ico", ".safetensors"}
# Written in two parts, since this file is searched too.
HOSTS = [
    "registry." + "npmjs",
    "registry." + "yarnpkg",
    "pypi." + "org",
    "python" + "hosted",
    "jsdelivr" + ".net",
    "unpkg" + ".com",
    "goo" + "gleapis",
]
MACHINE = ["/wo" + "rk/", "/tmp" + "/lab", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/"]


def files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        yield from (Path(folder) / name for name in names)


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        if path.suffix not in BINARY:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def package_json() -> dict[str, Any]:
    return dict(json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8")))


def python_dependencies() -> list[str]:
    tables = pyproject()
    wanted = [*tables["build-system"]["requires"], *tables["project"]["dependencies"]]
    for group in tables["project"]["optional-dependencies"].values():
        wanted.extend(group)
    return sorted({re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0] for requirement in wanted})


def npm_dependencies() -> list[str]:
    package = package_json()
    return sorted([*package["dependencies"], *package["devDependencies"]])


def block(language: str) -> str:
    """The first fenced block of a language in the README."""
    found = re.search(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no block of {language}"
    return found[1]


def test_no_file_names_a_registry_or_a_foreign_host_of_files() -> None:
    assert [(name, host) for name, text in texts() for host in HOSTS if host in text] == []


def test_no_file_names_a_path_of_a_machine() -> None:
    assert [(name, path) for name, text in texts() for path in MACHINE if path in text] == []


def test_no_lock_file_holds_addresses() -> None:
    names = {path.name for path in files()}
    assert names & {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml"} == set()
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_npm_packages_are_pinned_and_locked() -> None:
    package = package_json()
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_the_page_draws_with_the_plotly_that_the_figures_were_made_for() -> None:
    assert package_json()["dependencies"]["plotly.js-cartesian-dist-min"] == plotly.offline.get_plotlyjs_version()


@pytest.mark.parametrize("name", [*python_dependencies(), *npm_dependencies()])
def test_every_dependency_is_named_with_its_licence(name: str) -> None:
    rows = [line for line in (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert any(re.search(rf"(?<![\w@/.-]){re.escape(name)}(?![\w/.-])", row, re.IGNORECASE) for row in rows)


def test_torch_is_needed_for_nothing_but_its_figures_and_the_benchmarks() -> None:
    extras = pyproject()["project"]["optional-dependencies"]
    asking = [name for name, wanted in extras.items() if any(requirement.startswith("torch") for requirement in wanted)]
    assert asking == ["parity", "bench"]
    assert not [requirement for requirement in pyproject()["project"]["dependencies"] if requirement.startswith("torch")]


def test_the_readme_names_the_two_commands_and_the_makefile_has_them() -> None:
    commands = re.findall(r"^make (\w+)", block(""), re.MULTILINE)
    assert commands == ["run", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in commands:
        assert re.search(rf"^{command}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "document", ["README.md", "CHANGELOG.md", "THIRD_PARTY.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(document: str) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", (ROOT / document).read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (ROOT / document).parent.joinpath(target).exists()] == []


def test_the_example_of_the_engine_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("[[")


def test_the_changelog_tells_what_is_new() -> None:
    unreleased = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("## ")[2]
    assert unreleased.lower().lstrip("[").startswith("unreleased")
    assert unreleased.count("\n- ") >= 3
