"""What a training and a trace cost, from shapes alone, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from engine.nn import CELLS
from engine.training import Part, Settings
from server.tasks import ArrayTask

# In multiply-adds, by measurement: calling the operations of one time step, and the optimizer's work on one parameter.
_CALLS, _UPDATE = 200_000, 50
# Numbers and nodes in a trace, by measurement (tests/server/test_cost.py measures again): of one cell, for each of its hidden units and of
# its inputs, forward, backward and after the update; its nodes; and the numbers that one parameter's update is explained with.
_PER_HIDDEN = {"rnn": 20, "gru": 101, "lstm": 106}
_PER_INPUT = {"rnn": 6, "gru": 10, "lstm": 12}
_CELL_NODES = {"rnn": 9, "gru": 25, "lstm": 21}
_HEAD, _HEAD_NODES, _NODES = 8, 5, 40
_UPDATE_TERMS = {"sgd": 8, "adamw": 16, "adam": 13, "rmsprop": 11, "adagrad": 8}
_DROPPED, _DROPPED_NODES = 6, 2  # of each number that dropout is asked about, and of each step of it


_ELEMENT_BYTES, _NODE_BYTES = 10.4, 1_700  # of a document, as JSON


@dataclass(frozen=True)
class TraceCost:
    """About how much a trace holds: the nodes of its graph, all its numbers, and the bytes of its document."""

    nodes: int
    elements: int
    bytes: int

    def within(self, most: TraceCost) -> bool:
        return self.nodes <= most.nodes and self.elements <= most.elements and self.bytes <= most.bytes


def parameters(task: ArrayTask, settings: Settings) -> int:
    """How many numbers the network learns."""
    hidden, directions = settings.hidden_size, 1 + settings.bidirectional
    recurrent = sum(CELLS[settings.cell].gates * hidden * (size + hidden + 2) for size in _inputs(task, settings)) * directions
    return recurrent + task.output_size * (hidden * directions + 1)


def _inputs(task: ArrayTask, settings: Settings) -> list[int]:
    """Features that each layer reads."""
    return [task.input_size] + [settings.hidden_size * (1 + settings.bidirectional)] * (settings.layers - 1)


def step_work(task: ArrayTask, settings: Settings) -> int:
    """About how many multiply-adds one training step takes, forward."""
    length, batch = float(task.parts["train"].lengths.mean()), min(settings.batch_size, task.size("train"))
    cells = settings.layers * (1 + settings.bidirectional)
    return round(length * cells * _CALLS + parameters(task, settings) * (batch * length + _UPDATE))


def trace_cost(task: ArrayTask, settings: Settings, example: int | None, part: Part = "train") -> TraceCost:
    """About what the trace of a step holds: every cell, and the terms of every parameter's update. example: that one of a part alone."""
    lengths = task.parts[part].lengths
    if example is None:
        rows = min(settings.batch_size, len(lengths))
        steps, longest = rows * float(lengths.mean()), int(lengths.max())
    else:
        rows, steps, longest = 1, float(lengths[example]), int(lengths[example])
    cell, hidden, directions = settings.cell, settings.hidden_size, 1 + settings.bidirectional
    heads = steps if task.readout == "every" else rows
    cells = settings.layers * directions
    cuts = 0 if settings.truncation is None else (longest - 1) // settings.truncation * settings.layers * CELLS[cell].states
    numbers = steps * (cells * _PER_HIDDEN[cell] * hidden + directions * _PER_INPUT[cell] * task.input_size)
    numbers += heads * _HEAD * task.output_size
    update = _UPDATE_TERMS[settings.optimizer["name"]] * parameters(task, settings)
    outputs = longest if task.readout == "every" else 1
    numbers += 2 * rows * hidden * cuts  # a state and its gradient
    masks = 0
    if settings.dropout and part == "train":
        numbers += _DROPPED * hidden * directions * (steps * (settings.layers - 1) * directions + heads)
        masks = _DROPPED_NODES * (longest * (settings.layers - 1) * directions + outputs)
    nodes, elements = longest * cells * _CELL_NODES[cell] + outputs * _HEAD_NODES + _NODES + cuts + masks, round(numbers) + update
    return TraceCost(nodes, elements, round(elements * _ELEMENT_BYTES + nodes * _NODE_BYTES))
