"""Imports point one way, to what is declared, and nothing depends on the folder a program is started in."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path.relative_to(ROOT).as_posix() for package in ("engine", "server") for path in (ROOT / package).rglob("*.py"))
HOUSE = {"engine", "server", "tests", "scripts", "benchmarks", "hatch_build"}
OF_THE_ENGINE = {"numpy", "safetensors", "scipy"}
PARTS = {"starlette": "fastapi"}  # FastAPI is a layer on Starlette and brings it along


@cache
def tree_of(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), file)


def imported(file: str) -> set[str]:
    """Top-level names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module if node.module and not node.level else file.partition("/")[0])
    return {name.partition(".")[0] for name in names}


def normalised(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@cache
def declared() -> set[str]:
    """Distributions that pyproject.toml names as needed at run time."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return {normalised(re.split(r"[\s\[<>=!~;]", dependency, maxsplit=1)[0]) for dependency in dependencies}


@cache
def distributions() -> Mapping[str, list[str]]:
    """Which distributions bring a module, of all that are installed: a walk over all of their files."""
    return importlib.metadata.packages_distributions()


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("engine/")])
def test_the_engine_knows_arrays_only(file: str) -> None:
    """No server, no HTTP, no data sets: numpy, scipy and the standard library."""
    assert {name for name in imported(file) if name not in sys.stdlib_module_names} <= OF_THE_ENGINE | {"engine"}
    assert imported(file) & {"http", "urllib", "socket", "socketserver", "sqlite3", "asyncio", "subprocess", "multiprocessing"} == set()


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("server/")])
def test_the_server_stands_on_the_engine_and_on_what_is_declared(file: str) -> None:
    foreign = {name for name in imported(file) if name not in sys.stdlib_module_names}
    assert foreign & HOUSE <= {"engine", "server"}
    providers = distributions()
    undeclared = {name for name in foreign - HOUSE if not {normalised(d) for d in providers.get(PARTS.get(name, name), [])} & declared()}
    assert undeclared == set(), "name it among the dependencies of pyproject.toml"


STARTS = {
    "server.jobs.work, server.jobs.run_work, server.jobs.trace_work, server.jobs.landscape_work": {
        "sqlalchemy",
        "alembic",
        "fastapi",
        "sklearn",
    },
    "server.app": {"sklearn", "scipy.stats", "onnx", "faker"},
}
"""What a worker and what the server imports as it starts, and what it need not wait for."""


@pytest.mark.parametrize("modules", STARTS, ids=["worker", "server"])
def test_what_starts_imports_nothing_that_can_come_later(modules: str) -> None:
    script = f"import sys, {modules}; print(*sorted({STARTS[modules]!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def uses_of_the_current_folder(tree: ast.Module) -> Iterator[str]:
    """Calls that ask for it, and files or paths that are named relative to it."""
    nodes = list(ast.walk(tree))
    named = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "pathlib" for alias in node.names}
    openers = {"open"} | (named & {"Path"})  # FastAPI has a Path of its own
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in ("cwd", "getcwd", "getcwdb", "chdir"):
            yield f"line {node.lineno}: {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in openers:
            first = node.args[0] if node.args else ast.Constant("")
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("/"):
                yield f"line {node.lineno}: {node.func.id}({first.value!r}) is relative"


@pytest.mark.parametrize("file", FILES)
def test_nothing_depends_on_the_current_folder(file: str) -> None:
    assert list(uses_of_the_current_folder(tree_of(file))) == []


@pytest.mark.parametrize("line", ["Path.cwd() / 'x'", "open('data.csv')", "os.chdir(folder)", "Path('server/static')", "Path()"])
def test_a_use_of_the_current_folder_is_found(line: str) -> None:
    assert len(list(uses_of_the_current_folder(ast.parse(f"from pathlib import Path\n{line}")))) == 1
