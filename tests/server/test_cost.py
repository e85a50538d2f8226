"""What a trace costs is known before it is made."""

from __future__ import annotations

import numpy as np
import pytest

from engine.training import Settings, trace_step
from server.programs.cost import parameters, trace_cost
from server.tasks import load


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
