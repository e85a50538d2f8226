"""The Python client against a real server: what it gives is what the API says, to the last bit, waiting and awaited alike."""

from __future__ import annotations

import ast
import asyncio
import importlib.metadata
import inspect
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import plotly.graph_objects
import pytest

from engine.trace import Document
from server.client import (
    AsyncClient,
    Client,
    ConnectionFailedError,
    Deleted,
    Figure,
    InvalidError,
    NoNumbersError,
    NoSuchNodeError,
    NotFoundError,
    Observed,
    Progress,
    RetrogradError,
    RunEvent,
    Status,
    TokenError,
    Validated,
)
from tests.server.cutting import cutting
from tests.server.helpers import API, Start

SMALL = {"task": "sunspots", "cell": "rnn", "hidden_size": 3, "batch_size": 4, "seed": 7}
INPUTS = {"w": np.float64(0.5), "x": np.array([1.0, 2.0]), "b": 0}
EXPRESSION = {"kind": "expression", "expression": "tanh(w*x + b)", "inputs": INPUTS, "wrt": ["w", "b"]}
CLIENT = Path(__file__).resolve().parents[2] / "server" / "client"


def url(client: httpx.Client) -> str:
    return str(client.base_url)


@pytest.fixture
def api(client: httpx.Client) -> Iterator[Client]:
    with Client(url(client)) as api:
        yield api


@pytest.fixture(scope="module")
def busy(start: Start) -> Iterator[httpx.Client]:
    """A server that lets nobody wait for a training."""
    with start(workers=2, quick_seconds=0) as client:
        yield client


def steps_of(events: list[RunEvent]) -> list[tuple[int, float]]:
    told = [event for event in events if isinstance(event, Progress)]
    return [(event.first + k, loss) for event in told for k, loss in enumerate(event.losses.tolist())]


# What it imports


def test_it_imports_what_it_says_and_nothing_else_of_retrograd() -> None:
    """In a process of its own: httpx, pydantic and numpy, with what these need; of the house nothing but the client."""
    code = "import sys, server.client; print(*sys.modules)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CLIENT.parents[1], check=True)
    names = set(made.stdout.split())
    house = {name for name in names if name.partition(".")[0] in ("server", "engine", "tests")}
    assert "server.client.runs" in house
    assert {name for name in house if not name.startswith("server.client")} == {"server"}
    providers = importlib.metadata.packages_distributions()
    installed = {providers[name][0].lower() for name in names if name in providers} - {"retrograd"}
    assert {"httpx", "pydantic", "numpy"} <= installed
    dependencies = tomllib.loads((CLIENT.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    of_the_server = {re.split(r"[<>=]", dependency)[0] for dependency in dependencies}
    assert installed & of_the_server == {"httpx", "pydantic", "numpy"}
    assert not installed & {"starlette", "ipython", "plotly"}


@pytest.mark.parametrize("file", sorted(path.name for path in CLIENT.glob("*.py")))
def test_no_file_of_it_names_more(file: str) -> None:
    nodes = list(ast.walk(ast.parse((CLIENT / file).read_text(encoding="utf-8"))))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in named if name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("server.client")}
    assert foreign <= {"httpx", "pydantic", "numpy", "numpy.typing"}


# Runs


def test_a_run_from_its_beginning_to_its_end(api: Client, client: httpx.Client, tmp_path: Path) -> None:
    run = api.runs.create(SMALL, name="small", stop={"patience": 400}, validate_every=50)
    assert (run.status, run.step, run.state.name, run.state.stop["patience"]) == ("idle", 0, "small", 400)
    assert run.train(120) is run
    assert run.wait().step == 120
    edit = run.edit_rate(0.003)
    assert (edit.step, edit.lr) == (121, 0.003)
    run.train(10).wait()
    raw = client.get(f"{API}/runs/{run.id}").json()
    assert client.get(f"{API}/runs/{run.id}?history=false").json() == {**raw, "history": {"loss": [], "gradient_norm": []}}
    assert [entry.step for entry in run.state.validation] == [entry["step"] for entry in raw["validation"]]
    assert run.best is not None
    assert run.best.value == raw["best"]["value"]

    history = run.history()
    told = client.get(f"{API}/runs/{run.id}/history", params={"columns": ["loss", "gradient_norm", "clipped_norm", "lr"]}).json()
    for column in ("loss", "gradient_norm", "clipped_norm", "lr"):
        array = getattr(history, column)
        assert array.dtype == np.float64
        assert array.tolist() == told[column]
    assert history.steps.tolist() == list(range(1, 131))
    assert history.lr is not None
    assert history.lr[119:122].tolist() == [raw["program"]["optimizer"]["lr"], 0.003, 0.003]
    rest = run.history(after=125, columns=["lr"])
    assert (rest.steps.tolist(), rest.loss) == ([126, 127, 128, 129, 130], None)

    seen = run.observations()
    pages = client.get(f"{API}/runs/{run.id}/observations", params={"limit": 50}).json()["items"]
    assert seen.steps.tolist()[: len(pages)] == [page["step"] for page in pages]
    assert seen.gradient_through_time[3].tolist() == pages[3]["gradient_through_time"]
    assert seen.update_ratios["head.bias"][:50].tolist() == [page["update_ratios"]["head.bias"] for page in pages]
    assert seen[2].hidden.tolist() == pages[2]["hidden"]

    metrics = run.metrics(part="train", step="last")
    assert metrics.metrics.model_dump()["rmse"] == client.get(f"{API}/runs/{run.id}/metrics?part=train&step=last").json()["metrics"]["rmse"]
    mistakes = run.mistakes(3)
    assert len(mistakes) == 3
    assert mistakes[0].loss >= mistakes[2].loss
    tested = run.test()
    assert (tested.part, tested.steps_since, run.test(step="last").at) == ("test", 0, tested.at)
    assert run.refresh().state.tested is not None

    assert run.save(tmp_path / "history.csv").read_bytes() == client.get(f"{API}/runs/{run.id}/export?format=csv").content
    assert "train.py" in zipfile.ZipFile(BytesIO(run.export("zip"))).namelist()
    with pytest.raises(ValueError, match="safetensors"):
        run.save(tmp_path / "weights.pt")
    assert run.id in [other.id for other in api.runs.list(5)]
    assert run.change(name=None, validate_every=80).state.validate_every == 80
    run.delete()
    with pytest.raises(NotFoundError):
        run.refresh()


def test_pause_resume_and_cancel(busy: httpx.Client) -> None:
    with Client(url(busy)) as api:
        run = api.runs.create({**SMALL, "hidden_size": 16}).train(5000)
        assert run.pause().status == "paused"
        at = run.refresh().step
        assert run.resume().status == "training"
        assert run.cancel().status == "idle"
        assert at <= run.step < 5000
        assert run.state.reason == "cancelled"
        with pytest.raises(TimeoutError, match="goes on"):
            run.train(5000).wait(timeout=0)
        run.cancel()


def test_a_trace_is_the_servers_to_the_last_bit(api: Client, client: httpx.Client) -> None:
    run = api.runs.create(SMALL).train(6).wait()
    trace = run.trace(6, example=2)
    document = Document(client.get(f"{API}/traces/{trace.id}").json())
    assert trace.loss == float(document.tensor(document.nodes[document.doc["loss"]]["value"]))
    for node in trace.nodes:
        expected = document.tensor(document.nodes[node.id]["value"])
        assert trace.tensor(node).tobytes() == expected.tobytes()
        assert (trace.tensor(node).shape, trace.tensor(node).dtype) == (expected.shape, expected.dtype)
    weight = "rnn.weight_hh_l0"
    raw = client.get(f"{API}/traces/{trace.id}/tensors/{trace.node(weight).gradient}?format=raw").content
    assert trace.gradient(weight).tobytes() == raw == trace.gradients[weight].tobytes() == trace.fetch(weight, "gradient").tobytes()
    assert set(trace.parameters) == set(trace.gradients)
    assert not trace.tensor(weight).flags.writeable
    terms = trace.update(weight)
    assert np.array_equal(terms["new"], trace.after(weight))
    assert np.array_equal(terms["gradient"], trace.gradient(weight))
    assert [node.time for node in trace.find(label="h", scope="rnn/t=2")] == [2]
    assert trace.events[0].kind == "forward"
    assert [event.number for event in trace.events[5:7]] == [5, 6]
    assert trace.events.columns["node"].tolist() == document.doc["events"]["node"]
    with pytest.raises(NoSuchNodeError, match=r"did you mean rnn\.weight_hh_l0"):
        trace.tensor("rnn.weight_hhl0")
    with pytest.raises(NoSuchNodeError, match=r"no node 'W'; its parameters are .*rnn\.weight_hh_l0"):
        trace.tensor("W")
    with pytest.raises(NoSuchNodeError, match="no gradient reaches"):
        trace.gradient("x")


def test_a_trace_without_its_numbers_and_a_part_of_one(api: Client) -> None:
    program = {"kind": "network", "cell": "gru", "hidden_size": 4, "task": "surnames", "example": 3}
    whole, bare = api.traces.create(program), api.traces.create(program, tensors="none")
    assert bare.id == whole.id
    with pytest.raises(NoNumbersError, match="fetch"):
        bare.tensor("head.bias")
    assert bare.fetch("head.bias").tobytes() == whole.tensor("head.bias").tobytes()
    part = api.traces.get(whole.id, scope="gru/t=2")
    hidden = next(part.find(label="h", time=2))
    assert part.tensor(hidden).tobytes() == whole.tensor(hidden.path).tobytes() == part.fetch(hidden).tobytes()
    few = api.traces.get(whole.id, events=(10, 13)).events
    assert [event.number for event in few] == [10, 11, 12]


def test_explained_changed_compared_and_saved(api: Client, tmp_path: Path) -> None:
    trace = api.traces.create(EXPRESSION)
    why = trace.why("w")
    assert why["gradient"] == pytest.approx(float(trace.gradient("w")))
    assert trace.check("w")["gradient"] == float(trace.gradient("w"))
    changed = trace.what_if([{"node": "w", "value": 0.75}])
    assert float(changed.tensor("w")) == 0.75
    assert trace.diff(changed)["loss"] == {"a": trace.loss, "b": changed.loss, "difference": changed.loss - trace.loss}
    with np.load(trace.save(tmp_path / "trace.npz", "npz"), allow_pickle=False) as file:
        assert file["gradient/w"].tobytes() == trace.gradient("w").tobytes()
    network = api.traces.create({"kind": "network", "cell": "rnn", "hidden_size": 2, "task": "surnames", "example": 3})
    assert network.bptt()["cell"] == "rnn"
    figure = network.figure("gradient-through-time", lang="zh")
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.plotly.v1+json", "text/plain"}
    assert json.loads(json.dumps(bundle["application/vnd.plotly.v1+json"]))["data"] == figure.data != []
    assert "schema_version" not in figure.to_dict()
    assert plotly.graph_objects.Figure(figure.to_dict()).to_dict()["data"]
    trace.delete()
    with pytest.raises(NotFoundError):
        api.traces.get(trace.id)


# Streams


def test_a_stream_is_heard_to_the_end(busy: httpx.Client) -> None:
    with Client(url(busy)) as api:
        run = api.runs.create(SMALL).train(300)
        events = list(run.stream())
        history, state = run.history(), run.state
        assert steps_of(events) == list(zip(history.steps.tolist(), history.loss.tolist(), strict=True))
        assert isinstance(events[-1], Status)
        assert (events[-1].status, state.status, state.step) == ("idle", "idle", 300)
        seen = run.observations()
        assert [event.step for event in events if isinstance(event, Observed)] == seen.steps.tolist()
        assert [event.step for event in events if isinstance(event, Validated)] == [entry.step for entry in run.refresh().state.validation]
        middle = next(event for event in events if isinstance(event, Progress))
        assert steps_of(list(run.stream(after=middle.event_id))) == steps_of(events)[middle.step :]
        staying = run.stream(stay=True, after=events[-1].event_id)
        run.train(10)
        assert isinstance(next(staying), (Progress, Status))
        run.wait()
        run.delete()
        assert isinstance([*staying][-1], Deleted)


def test_a_stream_goes_on_where_it_was_cut(busy: httpx.Client) -> None:
    """Cut again and again, even within an event: every step is told once, and the server is asked from where it broke."""
    with Client(url(busy)) as api:
        run = api.runs.create(SMALL).train(400).wait()
        expected = run.history().loss.tolist()
        budgets = [120_000, 1, 20_000, 0, 900, 30_001, 25_000]  # the steps come first, in one event of 25 kB; observations are smaller
        with cutting(busy.base_url.port or 0, budgets) as proxy, Client(proxy.url) as cut:
            events = list(cut.runs.get(run.id).stream())
            assert steps_of(events) == list(enumerate(expected, 1))
            assert len(proxy.requests) > len(budgets)
            assert sum(b"last-event-id" in asked.lower() for asked in proxy.requests) >= 3
            seen = [event.step for event in events if isinstance(event, Observed)]
            assert seen == run.observations().steps.tolist()

        async def listened(address: str) -> list[RunEvent]:
            async with AsyncClient(address) as other:
                own = await other.runs.get(run.id)
                return [event async for event in own.stream()]

        with cutting(busy.base_url.port or 0, budgets) as proxy:
            assert steps_of(asyncio.run(listened(proxy.url))) == steps_of(events)
            assert len(proxy.requests) > len(budgets)


def test_a_stream_outlives_its_server(start: Start, tmp_path: Path) -> None:
    """The server stops while somebody listens, and comes again: the training and the stream go on."""
    with ExitStack() as until_the_end:
        first = until_the_end.enter_context(ExitStack())
        port = first.enter_context(start(tmp_path, quick_seconds=0)).base_url.port
        proxy = until_the_end.enter_context(cutting(port or 0, []))
        api = until_the_end.enter_context(Client(proxy.url))
        run = api.runs.create(SMALL).train(4000)
        events = run.stream()
        heard = [next(events)]
        while not isinstance(heard[-1], Progress):
            heard.append(next(events))
        first.close()
        assert heard[-1].step < 4000
        proxy.port = until_the_end.enter_context(start(tmp_path, quick_seconds=0)).base_url.port or 0
        heard += events
        assert steps_of(heard) == list(enumerate(run.history().loss.tolist(), 1))
        assert (run.status, run.step, len(proxy.requests) > 1) == ("idle", 4000, True)


def test_a_request_whose_answer_was_lost_is_done_once(client: httpx.Client, api: Client) -> None:
    before = {run.id for run in api.runs.list()}
    with cutting(client.base_url.port or 0, [0, 0]) as proxy, Client(proxy.url) as cut:
        run = cut.runs.create(SMALL)
        assert len(proxy.requests) == 3
    assert {other.id for other in api.runs.list()} - before == {run.id}
    with cutting(client.base_url.port or 0, [0]) as proxy, Client(proxy.url) as cut:
        cut.runs.get(run.id).delete()


def test_a_server_that_is_not_there() -> None:
    with Client("http://127.0.0.1:9", retries=0) as nobody, pytest.raises(ConnectionFailedError, match="is it running"):
        nobody.tasks()


# Refusals


def test_refusals_say_what_is_wrong_and_where(api: Client) -> None:
    with pytest.raises(InvalidError, match="did you mean digits") as refused:
        api.runs.create({"task": "digitz"})
    assert (refused.value.status, refused.value.pointer, refused.value.kind) == (422, "/program/task", "program")
    with pytest.raises(InvalidError) as refused:
        api.traces.create({**EXPRESSION, "expression": "w*"})
    assert (refused.value.errors[0].line, refused.value.errors[0].column) == (1, 3)
    with pytest.raises(InvalidError) as refused:
        api.runs.create({**SMALL, "hidden_size": 10**6})
    assert refused.value.pointer == "/program/hidden_size"
    with pytest.raises(NotFoundError):
        api.runs.get("../limits")
    gone = api.runs.create(SMALL)
    gone.delete()
    with pytest.raises(NotFoundError):
        list(gone.stream())


def test_what_is_too_large_to_be_sent_has_a_limit_and_a_place(start: Start) -> None:
    with start(response_bytes=65_536) as client, Client(url(client)) as api:
        program = {"kind": "network", "cell": "gru", "hidden_size": 16, "task": "surnames", "example": 3}
        with pytest.raises(InvalidError) as refused:
            api.traces.create(program)
        assert refused.value.limit == 65_536
        assert refused.value.actual is not None
        assert refused.value.actual > 65_536
        assert refused.value.location is not None
        trace = api.traces.get(refused.value.location.rpartition("/")[2], scope="head", tensors="none")
        assert trace.fetch(next(trace.find(label="logits"))).shape == (1, 11)


def test_a_server_with_a_token(start: Start) -> None:
    with start(token="a-secret-of-this-test") as client:
        with Client(url(client)) as stranger, pytest.raises(TokenError, match="token"):
            stranger.tasks()
        with Client(f"{url(client)}/", token="a-secret-of-this-test") as known:
            run = known.runs.create(SMALL).train(3)
            assert [type(event) for event in run.stream()][-1] is Status


@pytest.mark.parametrize("given", ["http://school.example/lab", "http://school.example/lab/", "http://school.example/lab/api/v1"])
def test_a_server_under_a_path(given: str) -> None:
    with Client(given) as api:
        assert api.base_url == "http://school.example/lab/api/v1"


# Tasks, data, sweeps, landscapes


def test_tasks_and_their_examples(api: Client, client: httpx.Client) -> None:
    assert [task.name for task in api.tasks()] == [task["name"] for task in client.get(f"{API}/tasks").json()["items"]]
    assert len(api.examples("surnames", 120)) == 120
    assert api.examples("surnames", 1, starts_with="mar")[0]["text"].startswith("mar")
    assert api.task("surnames") == next(task for task in api.tasks() if task.name == "surnames")
    usual, short = api.task("adding"), api.task("adding", length=12)
    assert set(short.lengths.values()) == {12} != set(usual.lengths.values())
    said = client.get(f"{API}/tasks/adding", params={"length": 12}).json()
    assert short.model_dump() == {name: value for name, value in said.items() if name != "schema_version"}
    assert {example["length"] for example in api.examples("adding", 5, length=12)} == {12}
    with pytest.raises(NotFoundError, match="did you mean surnames"):
        api.task("surname")
    with pytest.raises(InvalidError, match="length"):
        api.task("surnames", length=3)


def test_the_batch_of_a_step(api: Client, client: httpx.Client) -> None:
    run = api.runs.create(SMALL).train(2).wait()
    batch = run.batch(2)
    said = client.get(f"{API}/runs/{run.id}/steps/2").json()
    assert (batch.run, batch.step, batch.whole.fits) == (run.id, 2, True)
    assert batch.model_dump() == {name: value for name, value in said.items() if name != "schema_version"}
    shown = run.trace(2).batch["examples"]
    assert [example.index for example in batch.examples] == [example["index"] for example in shown]
    with pytest.raises(NotFoundError, match="has done 2 steps"):
        run.batch(3)


def test_data_of_ones_own(api: Client, tmp_path: Path) -> None:
    rows = "word,sort\n" + "".join(f"{'ab' if k % 2 else 'ba'}{k},{'odd' if k % 2 else 'even'}\n" for k in range(60))
    (tmp_path / "words.csv").write_text(rows)
    data = api.datasets.upload(tmp_path / "words.csv")
    assert (data.state.rows, [column["name"] for column in data.state.columns]) == (60, ["word", "sort"])
    assert data.choice() == {"id": data.id, "kind": "text", "text": "word", "label": "sort"}
    assert data.task(kind="text", text="word", label="sort")["task"]["classes"] == ["even", "odd"]
    run = api.runs.create({"dataset": data.choice(), "cell": "gru", "hidden_size": 3, "batch_size": 4}).train(3).wait()
    assert run.history().loss is not None
    assert data.keep().state.kept
    assert data.id in [other.id for other in api.datasets.list()]
    assert api.datasets.get(data.id).state.runs == 1
    run.delete()
    data.delete()
    with pytest.raises(NotFoundError):
        api.datasets.get(data.id)
    nothing = api.datasets.paste("left,right\none,two\none,two\n")
    assert nothing.state.suggestion is None
    with pytest.raises(RetrogradError, match="kind="):
        nothing.choice()


def test_a_sweep_and_its_best_run(busy: httpx.Client) -> None:
    with Client(url(busy)) as api:
        space = {"lr": {"low": 0.001, "high": 0.1, "log": True}, "hidden_size": {"choices": [2, 4]}}
        sweep = api.sweeps.start(SMALL, space, steps=30, trials=3, sampler="random", validate_every=10, name="few")
        states = list(sweep.stream())
        assert states[-1].status == sweep.status == "finished"
        assert len(sweep.trials) == 3
        assert sweep.best is not None
        assert sweep.best.value == min(trial.value for trial in sweep.trials if trial.value is not None)
        best = sweep.best_run()
        assert (best.id, best.state.sweep) == (sweep.best.run, sweep.id)
        assert sweep.best.run in [run.id for run in api.runs.list(sweep=sweep.id)]
        assert isinstance(sweep.figure(), Figure)
        assert api.sweeps.get(sweep.id).wait().status == "finished"
        assert [other.id for other in api.sweeps.list()] == [sweep.id]
        assert sweep.cancel().status == "finished"
        sweep.delete()
        with pytest.raises(NotFoundError):
            sweep.refresh()


def test_a_landscape(api: Client, client: httpx.Client) -> None:
    run = api.runs.create(SMALL).train(30).wait()
    landscape = api.landscapes.start([run], resolution=5, examples=20).wait()
    raw = client.get(f"{API}/landscapes/{landscape.id}").json()
    assert landscape.loss.tolist() == raw["loss"]
    assert landscape.loss.shape == (len(landscape.y), len(landscape.x)) == (5, 5)
    assert landscape.paths[0].x.tolist() == raw["paths"][0]["x"]
    assert landscape.figure().data
    landscape.delete()
    with pytest.raises(NotFoundError):
        api.landscapes.get(landscape.id)


# Awaited


def test_the_same_is_awaited(client: httpx.Client, api: Client) -> None:
    async def whole() -> None:
        async with AsyncClient(url(client)) as other:
            assert [task.name for task in await other.tasks()] == [task.name for task in api.tasks()]
            run = await other.runs.create(SMALL)
            await run.train(40)
            events = [event async for event in run.stream()]
            await run.wait()
            history, trace = await run.history(), await run.trace(40)
            same = api.runs.get(run.id)
            assert await run.batch(40) == same.batch(40)
            assert await other.task("adding", length=12) == api.task("adding", length=12)
            assert history.loss.tolist() == same.history().loss.tolist() == [loss for _, loss in steps_of(events)]
            assert trace.id == same.trace(40).id
            assert (await trace.fetch("head.bias")).tobytes() == trace.tensor("head.bias").tobytes()
            assert (await run.metrics()).model_dump() == same.metrics().model_dump()
            assert (await run.figure()).to_dict() == same.figure().to_dict()
            traces = await asyncio.gather(*(run.trace(step) for step in (1, 2, 3)))
            assert len({one.id for one in traces}) == 3
            with pytest.raises(InvalidError, match="did you mean"):
                await other.runs.create({"task": "digitz"})
            await run.delete()
            with pytest.raises(NotFoundError):
                await run.refresh()

    asyncio.run(whole())


def test_its_types_are_for_everybody() -> None:
    """Without the mark, type checkers of other programs pass over them."""
    assert (CLIENT.parent / "py.typed").is_file()


def test_both_clients_have_the_same_methods() -> None:
    for operation in ("tasks", "limits", "examples"):
        assert getattr(Client, operation) is getattr(AsyncClient, operation)
    with Client() as api:
        assert api.tasks.__doc__ == "Every task that comes with the server."
        assert str(inspect.signature(api.runs.get)) == "(run_id: 'str') -> 'Run[S]'"
