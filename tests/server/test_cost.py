"""What a trace costs is known before it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.training import Part, Settings, trace_step
from server.programs.cost import parameters, trace_cost
from server.tasks import ArrayTask, load


@pytest.mark.parametrize("task", ["surnames", "digits", "sunspots", "adding", "adding-50"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(
    ("hidden", "batch", "example", "optimizer"),
    [(4, 8, 0, "adamw"), (16, 32, None, "adamw"), (48, 16, None, "sgd"), (96, 4, 5, "adamw"), (96, 4, 5, "sgd")],
)
def test_the_estimate_is_near_what_the_trace_holds(
    task: str, cell: str, hidden: int, batch: int, example: int | None, optimizer: str
) -> None:
    settings = Settings(cell=cell, hidden_size=hidden, batch_size=batch, optimizer={"name": optimizer})
    data = load(task)
    cost = trace_cost(data, settings, example)
    trace = trace_step(data, settings, 1, example)
    held = sum(len(arena) if not isinstance(arena, dict) else arena["shape"][0] for arena in trace["tensors"]["arenas"].values())
    assert 0.6 < cost.elements / held < 1.7
    assert 0.6 < cost.nodes / len(trace["nodes"]) < 1.7


@pytest.mark.parametrize("task", ["surnames", "sunspots"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(("layers", "bidirectional", "hidden"), [(2, False, 8), (1, True, 32), (3, True, 8), (4, False, 16)])
def test_layers_and_directions_cost_what_they_hold(task: str, cell: str, layers: int, bidirectional: bool, hidden: int) -> None:
    settings = Settings(cell=cell, hidden_size=hidden, layers=layers, bidirectional=bidirectional, batch_size=8)
    data = load(task)
    cost = trace_cost(data, settings, None)
    trace = trace_step(data, settings, 1)
    held = sum(len(arena) if not isinstance(arena, dict) else arena["shape"][0] for arena in trace["tensors"]["arenas"].values())
    assert 0.6 < cost.elements / held < 1.7
    assert 0.6 < cost.nodes / len(trace["nodes"]) < 1.7
    assert parameters(data, settings) == sum(int(np.prod(node["shape"])) for node in trace["nodes"] if node["role"] == "parameter")


@pytest.mark.parametrize("task", ["surnames", "sunspots"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(("layers", "bidirectional", "hidden"), [(1, False, 32), (2, False, 16), (2, True, 16)])
def test_dropout_costs_what_it_holds(task: str, cell: str, layers: int, bidirectional: bool, hidden: int) -> None:
    settings = Settings(cell=cell, hidden_size=hidden, layers=layers, bidirectional=bidirectional, dropout=0.3, batch_size=8)
    _near(load(task), settings, None)


@pytest.mark.parametrize(
    "optimizer",
    [{"name": "adam"}, {"name": "adam", "weight_decay": 0.1, "amsgrad": True}, {"name": "adamw", "amsgrad": True}, {"name": "rmsprop"},
     {"name": "rmsprop", "centered": True, "momentum": 0.9, "weight_decay": 0.1}, {"name": "adagrad"}, {"name": "adagrad", "lr_decay": 0.1},
     {"name": "sgd", "momentum": 0.9, "nesterov": True}],
)  # fmt: skip
def test_every_optimizer_costs_what_it_holds(optimizer: dict[str, Any]) -> None:
    _near(load("adding"), Settings(cell="rnn", hidden_size=96, batch_size=4, optimizer=optimizer), 5)


def test_an_example_of_another_part_costs_what_it_holds() -> None:
    task, settings = load("surnames"), Settings(hidden_size=8)
    shortest = int(task.parts["validation"].lengths.argmin())
    assert (
        trace_cost(task, settings, shortest, "validation").nodes
        < trace_cost(task, settings, int(task.parts["train"].lengths.argmax())).nodes
    )


@pytest.mark.parametrize("layers", [1, 2])
def test_an_example_that_is_not_trained_on_costs_no_masks(layers: int) -> None:
    data, plain, dropped = load("sunspots"), Settings(layers=layers), Settings(layers=layers, dropout=0.3)
    assert trace_cost(data, dropped, 2, "validation") == trace_cost(data, plain, 2, "validation")
    assert trace_cost(data, dropped, 2) != trace_cost(data, plain, 2)
    _near(data, dropped, 2, "validation")


def _near(data: ArrayTask, settings: Settings, example: int | None, part: Part = "train") -> None:
    cost, trace = trace_cost(data, settings, example, part), trace_step(data, settings, 1, example, part=part)
    held = sum(len(arena) if not isinstance(arena, dict) else arena["shape"][0] for arena in trace["tensors"]["arenas"].values())
    assert 0.6 < cost.elements / held < 1.7
    assert 0.6 < cost.nodes / len(trace["nodes"]) < 1.7
