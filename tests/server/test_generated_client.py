"""A client of the API in Python, generated from its description by a public generator, works."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.server.helpers import API

if importlib.util.find_spec("openapi_python_client") is None:
    pytest.skip("openapi-python-client is not installed: pip install '.[client]'", allow_module_level=True)


@pytest.fixture(scope="module")
def generated(client: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, which can be imported meanwhile."""
    folder = tmp_path_factory.mktemp("generated")
    description = folder / "openapi.json"
    description.write_text(json.dumps(client.get(f"{API}/openapi.json").json()))
    words = ["generate", "--path", str(description), "--output-path", str(folder / "retrograd_api"), "--meta", "none"]
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *words], capture_output=True, text=True, cwd=folder,
        env={"PATH": str(Path(sys.executable).parent)},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "WARNING" not in made.stdout + made.stderr, made.stdout  # whatever it cannot read it leaves out
    sys.path.insert(0, str(folder))
    yield "retrograd_api"
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "retrograd_api"]:
        del sys.modules[name]


def part(package: str, name: str) -> ModuleType:
    return importlib.import_module(f"{package}.{name}")


@pytest.fixture
def api(client: httpx.Client, generated: str) -> Iterator[Any]:
    with part(generated, "client").Client(base_url=str(client.base_url), raise_on_unexpected_status=True) as api:
        yield api


def test_it_makes_reads_and_deletes_what_there_is(api: Any, generated: str) -> None:
    models = part(generated, "models")
    program = models.ExpressionProgram.from_dict({"kind": "expression", "expression": "tanh(w*x)", "inputs": {"w": 0.5, "x": [1, 2]}})
    trace = part(generated, "api.traces.create_trace").sync(client=api, body=models.TraceRequest(program=program))
    assert type(trace).__name__ == "Trace"
    assert trace.nodes[trace.loss].role == "loss"
    assert part(generated, "api.traces.read_trace").sync(trace.id, client=api).to_dict() == trace.to_dict()
    why = part(generated, "api.traces.explain_node").sync(trace.id, "w", client=api)
    assert why.gradient == pytest.approx(why.backward.sum_)
    assert trace.id in [item.id for item in part(generated, "api.traces.list_traces").sync(client=api, limit=100).items]

    run = part(generated, "api.runs.create_run").sync(
        client=api, body=models.RunRequest(program=models.RunProgram.from_dict({"task": "adding", "cell": "rnn", "hidden_size": 2}))
    )
    trained = part(generated, "api.runs.train_run").sync(run.id, client=api, body=models.StepsRequest(count=2))
    assert type(trained).__name__ == "Run"
    gone = part(generated, "api.runs.delete_run").sync_detailed(run.id, client=api)
    assert gone.status_code == 204


def test_a_problem_is_a_problem(api: Any, generated: str) -> None:
    problem = part(generated, "api.runs.read_run").sync("r_none", client=api)
    assert (type(problem).__name__, problem.status) == ("ProblemDocument", 404)
    assert "there is no such run" in problem.detail
