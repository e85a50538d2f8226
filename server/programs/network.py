"""A network program becomes a task and settings, and a trace of one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.nearest import nearest
from engine.told import Told
from engine.training import Part, Settings, trace_step
from server import limits
from server.datasets.choice import data_of
from server.datasets.reading import DatasetError
from server.programs.cost import parameters, step_work, trace_cost
from server.programs.errors import LimitError, ProgramError
from server.programs.start import initial, normalised_start
from server.tasks import NAMES, ArrayTask, load
from server.tasks.own import OwnSequencesTask
from server.tasks.own_data import own_task

_SETTINGS = ("cell", "hidden_size", "layers", "bidirectional", "truncation", "initialisation", "forget_bias", "dropout", "optimizer",
             "schedule", "edits", "clip_norm", "batch_size", "seed")  # fmt: skip


def check_task(name: str) -> None:
    """Raises ProgramError for a task that there is not."""
    if name not in NAMES:
        words = f"there is no such task; {nearest(name, NAMES)}the tasks are {', '.join(NAMES)}"
        raise ProgramError(Told(words, "no-task"), "/program/task")


def settings_of(program: Mapping[str, Any]) -> tuple[ArrayTask, Settings]:
    """Task and settings of a run or network program; loads the task's data the first time.

    Raises ProgramError for what no training can run with, and for a program made with other data than today's; LimitError for a network
    with more parameters than may be.
    """
    sequences, own = program.get("sequences"), program.get("dataset")
    if sequences is None and own is None:
        check_task(program["task"])
    try:
        settings = Settings(**{name: program[name] for name in _SETTINGS if name in program})
    except ValueError as error:
        raise ProgramError(str(error), "/program") from None
    task = _chosen(program) if own is not None else _of_length(program) if sequences is None else OwnSequencesTask(sequences)
    learned = parameters(task, settings)
    if learned > limits.PARAMETERS:
        most = limits.PARAMETERS
        words = (
            f"the network would have {learned:,} parameters, at most {most:,} are trained: choose a smaller hidden_size, or fewer layers"
        )
        raise LimitError(Told(words, "network-large", given=learned, most=most), most, learned, "/program")
    if program.get("data") not in (None, task.data_version):
        today = f"the examples of {task.name} have changed since this program was made: they are version {task.data_version} now"
        words = f"{today}, and what it showed cannot be computed again; make a new one, without `data`"
        raise ProgramError(Told(words, "data-changed", task=task.name), "/program/data")
    return task, settings


def _chosen(program: Mapping[str, Any]) -> ArrayTask:
    own = program["dataset"]
    try:
        return own_task(own, data_of(own), program.get("data"))
    except DatasetError as error:
        raise ProgramError(str(error), "/program/dataset") from None


def _of_length(program: Mapping[str, Any]) -> ArrayTask:
    try:
        return load(program["task"], program.get("length"))
    except ValueError as error:
        raise ProgramError(str(error), "/program/length") from None


def _made_with(program: Mapping[str, Any], task: ArrayTask) -> dict[str, Any]:
    """What the task was made with, as it stands in a normalised program; its usual length is not written."""
    if program.get("dataset") is not None:
        return {"dataset": program["dataset"]}
    length = program.get("length")
    return {} if length is None or (task.length is not None and length == task.length.default) else {"length": length}


def part_of(program: Mapping[str, Any]) -> Part:
    """The part that a network program's example is of."""
    part: Part = program.get("part", "train")
    return part


def normalised(program: Mapping[str, Any]) -> dict[str, Any]:
    """A run's program with every default and the version of its data written out, as it stands in the run and in its traces."""
    task, settings = settings_of(program)
    return {"task": task.name, "data": task.data_version, **_made_with(program, task), **settings.to_program()}


def admit(program: Mapping[str, Any], nodes: int, elements: int, size: int | None = None) -> None:
    """Estimates what the trace of a network program's step would hold, before anything is computed.

    size: most bytes of its document, where it is to be sent whole. Raises ProgramError for an example that the task has not or a start that
    does not fit, LimitError for more nodes, numbers or bytes than may be.
    """
    task, settings = settings_of(program)
    example, part = program["example"], part_of(program)
    if example is not None and example >= task.size(part):
        name = "training" if part == "train" else part
        there = f"it has 0 to {task.size(part) - 1}" if task.size(part) else "it has none"
        words = f"example {example} is outside the {name} part; {there}"
        raise ProgramError(Told(words, "example-outside", example=example, part=part, size=task.size(part)), "/program/example")
    initial(program, task, settings)
    cost = trace_cost(task, settings, example, part)
    todo = "ask for one example of it (example=0, say)" if example is None else "choose a smaller hidden_size, or fewer layers"
    for what, actual, most in (("nodes", cost.nodes, nodes), ("numbers", cost.elements, elements)):
        if actual > most:
            words = f"the trace would hold about {actual:,} {what}, at most {most:,} are kept: {todo}"
            raise LimitError(Told(words, f"trace-{what}", given=actual, most=most), most, actual, "/program")
    if size is not None and cost.bytes > size:
        document = f"the trace's document would have about {cost.bytes:,} bytes, at most {size:,} are sent at once"
        words = f"{document}: {todo}, or for the trace without its numbers, ?tensors=stats"
        raise LimitError(Told(words, "trace-sent", given=cost.bytes, most=size), size, cost.bytes, "/program")


def check_reach(program: Mapping[str, Any]) -> None:
    """Raises ProgramError for a step whose training from the start would take too long."""
    task, settings = settings_of(program)
    step, most = program["step"], limits.TRACE_WORK // step_work(task, settings)
    if step - 1 > most:
        reach = f"with this network and batch a trace is made up to step {most + 1:,}, step {step:,} would train too long"
        words = f"{reach}: ask for an earlier step, or create a run, any of whose steps opens"
        raise ProgramError(Told(words, "step-far", step=step, most=most + 1), "/program/step")


def trace_network(program: Mapping[str, Any], checkpoint: bytes | None = None) -> dict[str, Any]:
    """The trace of a network program's step, from a checkpoint of the same training where there is one.

    Raises ProgramError for a step that is too far from the start, or for an example that the task has not.
    """
    task, settings = settings_of(program)
    if checkpoint is None:
        check_reach(program)
        checkpoint = initial(program, task, settings)
    about = _made_with(program, task) if program.get("sequences") is None else {"sequences": program["sequences"]}
    if "dataset" in about:
        about["dataset"] = dict(about["dataset"])  # the choice alone
    about |= normalised_start(program)
    with np.errstate(all="ignore"):  # a training that diverges is shown as it is
        return trace_step(task, settings, program["step"], program["example"], checkpoint, about, part_of(program))
