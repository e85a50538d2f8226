"""A network program becomes a task and settings, and a trace of one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.training import Settings, trace_step
from server import limits
from server.programs.errors import ProgramError
from server.tasks import NAMES, ArrayTask, load

_SETTINGS = ("cell", "hidden_size", "optimizer", "clip_norm", "batch_size", "seed")
_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def check_task(name: str) -> None:
    """Raises ProgramError for a task that there is not."""
    if name not in NAMES:
        raise ProgramError(f"there is no such task; the tasks are {', '.join(NAMES)}", "/program/task")


def settings_of(program: Mapping[str, Any]) -> tuple[ArrayTask, Settings]:
    """Task and settings of a normalised run or network program. Raises ProgramError for what no training can run with."""
    check_task(program["task"])
    try:
        settings = Settings(**{name: program[name] for name in _SETTINGS})
    except ValueError as error:
        raise ProgramError(str(error), "/program") from None
    return load(program["task"]), settings


def normalised(program: Mapping[str, Any]) -> dict[str, Any]:
    """A run's program with every default written out, as it stands in the run and in its traces."""
    _, settings = settings_of(program)
    return {"task": program["task"], **settings.to_program()}


def trace_network(program: Mapping[str, Any], checkpoint: bytes | None = None) -> dict[str, Any]:
    """The trace of a network program's step, from a checkpoint of the same training where there is one.

    Raises ProgramError for an example that the task has not, and for a step whose trace would pass the limit.
    """
    task, settings = settings_of(program)
    step, example = program["step"], program["example"]
    if example is not None and example >= task.size("train"):
        raise ProgramError(f"example {example} is outside the training part; it has 0 to {task.size('train') - 1}", "/program/example")
    elements = _estimate(task, settings, example)
    if elements > limits.TRACE_ELEMENTS:
        todo = "ask for one example of it (example=0, say)" if example is None else "choose a smaller hidden_size"
        held = f"the trace would hold about {elements:,} numbers, at most {limits.TRACE_ELEMENTS:,} are kept"
        raise ProgramError(f"{held}: {todo}", "/program")
    with np.errstate(all="ignore"):  # a training that diverges is shown as it is
        return trace_step(task, settings, step, example, checkpoint)


def _estimate(task: ArrayTask, settings: Settings, example: int | None) -> int:
    """About how many numbers the trace of a step holds: those of every cell, and the terms of every parameter's update."""
    hidden, gates = settings.hidden_size, _GATES[settings.cell]
    lengths = task.parts["train"].lengths
    steps = settings.batch_size * float(lengths.mean()) if example is None else float(lengths[example])
    cell = hidden * (14 * gates + 10) + 8 * task.output_size + 3 * task.input_size
    parameters = gates * hidden * (task.input_size + hidden + 2) + task.output_size * (hidden + 1)
    return round(steps * cell) + 16 * parameters
