"""docs/client.md names every method of the client, and none that there is not."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from types import CodeType

import httpx
import pytest

import server.client
from server.client import Client
from server.client.datasets import Dataset, Datasets
from server.client.flow import operation, stream
from server.client.landscapes import Landscape, Landscapes
from server.client.runs import Run, Runs
from server.client.sweeps import Sweep, Sweeps
from server.client.traces import Trace, Traces

REFERENCE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
PARTS = {
    "the client": Client, "`client.runs`": Runs, "a run": Run, "`client.traces`": Traces, "a trace": Trace, "`client.sweeps`": Sweeps,
    "a sweep": Sweep, "`client.landscapes`": Landscapes, "a landscape": Landscape, "`client.datasets`": Datasets, "a data set": Dataset,
}  # fmt: skip


README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = [code for text in (REFERENCE, README) for code in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if "Client(" in code]


def rows_of(part: str) -> str:
    """What the table says of a part, over all of its rows."""
    found = re.search(rf"^\| {re.escape(part)} \|(.*(?:\n\| \|.*)*)", REFERENCE, re.MULTILINE)
    assert found, f"docs/client.md has no row of {part}"
    return found[1]


@pytest.mark.parametrize("part", PARTS)
def test_the_reference_names_every_operation(part: str) -> None:
    said = rows_of(part)
    kind = PARTS[part]
    operations = {name for base in kind.__mro__ for name, value in vars(base).items() if isinstance(value, (operation, stream))}
    assert operations
    assert {name for name in operations if f"`{name}(" not in said} == set()
    methods = set(re.findall(r"`(\w+)\(", said))
    assert {name for name in methods if not hasattr(kind, name)} == set()


@pytest.mark.parametrize("part", PARTS)
def test_every_public_method_has_words(part: str) -> None:
    kind = PARTS[part]
    public = {name: value for base in kind.__mro__ for name, value in vars(base).items() if not name.startswith("_") and base is not object}
    silent = [
        name
        for name, value in public.items()
        if (callable(value) or isinstance(value, (operation, stream, property))) and not value.__doc__
    ]
    assert silent == []


def test_the_reference_names_every_exception() -> None:
    errors = {name for name in server.client.__all__ if name.endswith("Error")}
    assert {name for name in errors if f"`{name}`" not in REFERENCE} == set()


@pytest.mark.parametrize("code", EXAMPLES, ids=["waiting", "awaited", "readme"])
def test_the_examples_run(client: httpx.Client, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    here = code.replace("http://127.0.0.1:8000", str(client.base_url))
    assert here != code
    made: CodeType = compile(here, "client.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, object] = {}
    if made.co_flags & inspect.CO_COROUTINE:

        async def whole() -> None:
            await eval(made, names)

        asyncio.run(whole())
    else:
        exec(made, names)
    run = names["run"]
    assert isinstance(run, Run)
    assert (run.step, run.status) == (200, "idle")
    assert capsys.readouterr().out
