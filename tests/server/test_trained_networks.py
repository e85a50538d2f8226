"""The trained networks that come with the server, and network programs that start from one of them."""

from __future__ import annotations

import json
from statistics import median
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from safetensors.numpy import load as arrays_in

from engine.trace import SCHEMA_PATH, Document
from engine.training import evaluate, train
from engine.training.checkpoint import start_from
from scripts import make_checkpoints as script
from server import checkpoints
from server.programs.network import settings_of, trace_network
from server.schemas.network import NetworkProgram
from server.tasks import load
from tests.server.helpers import API

NAMES = [f"adding-50-{cell}" for cell in script.CELLS]
LENGTH = 50


def program(cell: str, trained: bool = True, **more: Any) -> dict[str, Any]:
    """A network program as the page asks for it."""
    about = checkpoints.index()[f"adding-50-{cell}"]
    start = {"start": {"checkpoint": f"adding-50-{cell}"}} if trained else {}
    return NetworkProgram.model_validate({**about["program"], **start, "example": 0, **more}).model_dump()


def norms(document: Document, label: str) -> list[float]:
    """||dL/d(label)_t||, t from 1."""
    found = {node["time"]: node["gradient"] for node in document.nodes if node["label"] == label and node["role"] == "intermediate"}
    return [float(np.linalg.norm(document.tensor(found[t]))) for t in range(1, LENGTH + 1)]


@pytest.mark.parametrize("cell", script.CELLS)
def test_the_script_makes_what_is_stored(cell: str) -> None:
    """Its first steps: ten are no time in which another processor's last digits grow."""
    about = checkpoints.index()[f"adding-50-{cell}"]
    settings = script.settings(cell)
    assert about["program"] == {"task": "adding-50", "data": load("adding-50").data_version, **settings.to_program()}
    assert about["step"] == script.STEPS
    assert train(load("adding-50"), settings, None, script.FIRST).losses == pytest.approx(about["first_losses"], rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_figures_are_those_of_the_stored_parameters(name: str) -> None:
    about = checkpoints.index()[name]
    task, settings = settings_of(about["program"])
    checkpoint = start_from(task, settings, arrays_in(checkpoints.parameters(name)))
    assert evaluate(task, settings, checkpoint, "validation") == pytest.approx(about["validation"], rel=1e-9)


def test_the_gated_cells_have_learnt_it_and_the_plain_one_has_not() -> None:
    rmse = {cell: checkpoints.index()[f"adding-50-{cell}"]["validation"]["rmse"] for cell in script.CELLS}
    baseline = load("adding-50").baseline.value
    assert rmse["rnn"] > 0.95 * baseline
    assert rmse["lstm"] < 0.25 * baseline
    assert rmse["gru"] < 0.1 * baseline


def test_the_gradient_vanishes_in_the_rnn_and_not_in_the_lstm_and_the_gru() -> None:
    """What the page says. Medians over the first examples: none of them is chosen."""
    ratios: dict[str, list[float]] = {name: [] for name in ("rnn", "gru", "lstm", "lstm c")}
    for example in range(6):
        for cell in script.CELLS:
            document = Document(trace_network(program(cell, example=example)))
            h = norms(document, "h")
            ratios[cell].append(h[0] / h[-1])
            if cell == "lstm":
                c = norms(document, "c")
                ratios["lstm c"].append(c[0] / c[-1])
    assert 1e-6 < median(ratios["rnn"]) < 1e-4
    assert max(ratios["rnn"]) < 1e-4
    assert min(ratios["gru"]) > 0.5
    assert min(ratios["lstm"]) > 0.2
    assert min(ratios["lstm c"]) > 0.2


@pytest.mark.parametrize("cell", script.CELLS)
def test_before_training_it_vanishes_in_all(cell: str) -> None:
    h = norms(Document(trace_network(program(cell, trained=False))), "h")
    assert 0 < h[0] / h[-1] < 1e-8


def test_they_are_listed(client: httpx.Client) -> None:
    items = client.get(f"{API}/checkpoints").json()["items"]
    assert [item["name"] for item in items] == NAMES
    for item in items:
        assert item["program"] == checkpoints.index()[item["name"]]["program"]
        assert item["validation"]["step"] == item["step"] == script.STEPS
        assert len(item["version"]) == 16


def test_a_program_starts_from_one_and_says_of_which_numbers(client: httpx.Client) -> None:
    response = client.post(f"{API}/traces", json={"program": program("gru", step=1)})
    assert response.status_code == 201, response.text
    assert list(Draft202012Validator(json.loads(SCHEMA_PATH.read_text())).iter_errors(response.json())) == []
    document = Document(response.json())
    stored = arrays_in(checkpoints.parameters("adding-50-gru"))
    for name, array in stored.items():
        np.testing.assert_array_equal(document.value(document.node(name)["id"]), array)
    made = document.doc["program"]
    assert made["start"] == {"checkpoint": "adding-50-gru", "version": checkpoints.index()["adding-50-gru"]["version"]}
    again = client.post(f"{API}/traces", json={"program": made})
    assert (again.status_code, again.json()["id"]) == (200, response.json()["id"])


def test_later_steps_train_on_from_there(client: httpx.Client) -> None:
    one = Document(client.post(f"{API}/traces", json={"program": program("lstm", step=1, example=None, batch_size=4)}).json())
    two = Document(client.post(f"{API}/traces", json={"program": program("lstm", step=2, example=None, batch_size=4)}).json())
    weight = one.node("rnn.weight_hh_l0")["id"]
    after = one.tensor(one.doc["after"]["values"][str(weight)])
    np.testing.assert_allclose(two.value(weight), after, atol=1e-10)


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"start": {"checkpoint": "adding-50-esn"}}, "/program/start/checkpoint", "there is no such checkpoint; they are adding-50-rnn"),
        ({"start": {"checkpoint": "adding-50-gru", "version": "0" * 16}}, "/program/start/version", "has changed since"),
        ({"hidden_size": 8}, "/program/start/checkpoint", "hidden size 16, learning adding-50"),
        ({"cell": "lstm"}, "/program/start/checkpoint", "is of the cell gru"),
        ({"start": {"checkpoint": "adding-50-gru", "step": 3}}, "/program/start/step", "no member of this name"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(client: httpx.Client, change: dict[str, Any], pointer: str, words: str) -> None:
    response = client.post(f"{API}/traces", json={"program": {**program("gru"), **change}})
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["pointer"].startswith(pointer.rpartition("/")[0])
    assert words in json.dumps(response.json())


def test_programs_without_a_start_are_as_they_were() -> None:
    assert "start" not in trace_network(program("rnn", trained=False))["program"]
