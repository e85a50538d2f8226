"""What a training and a trace cost, from shapes alone, before anything is computed."""

from __future__ import annotations

from engine.nn import CELLS
from engine.training import Settings
from server.tasks import ArrayTask

# In multiply-adds, by measurement: calling the operations of one time step, and the optimizer's work on one parameter.
_CALLS, _UPDATE = 200_000, 50


def parameters(task: ArrayTask, settings: Settings) -> int:
    """How many numbers the network learns."""
    recurrent = CELLS[settings.cell].gates * settings.hidden_size * (task.input_size + settings.hidden_size + 2)
    return recurrent + task.output_size * (settings.hidden_size + 1)


def step_work(task: ArrayTask, settings: Settings) -> int:
    """About how many multiply-adds one training step takes, forward."""
    length, batch = float(task.parts["train"].lengths.mean()), min(settings.batch_size, task.size("train"))
    return round(length * _CALLS + parameters(task, settings) * (batch * length + _UPDATE))


def trace_elements(task: ArrayTask, settings: Settings, example: int | None) -> int:
    """About how many numbers the trace of a step holds: those of every cell, and the terms of every parameter's update."""
    hidden, lengths = settings.hidden_size, task.parts["train"].lengths
    steps = min(settings.batch_size, len(lengths)) * float(lengths.mean()) if example is None else float(lengths[example])
    cell = hidden * (14 * CELLS[settings.cell].gates + 10) + 8 * task.output_size + 3 * task.input_size
    return round(steps * cell) + 16 * parameters(task, settings)
