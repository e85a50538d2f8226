"""What workers compute. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from engine.trace import Document, check, from_bytes
from engine.training import Observation, Slice, Training
from server import limits
from server.jobs.kept import KeptTrainings
from server.jobs.processor_time import processor_time
from server.programs.errors import ProgramError
from server.programs.expression import trace_expression
from server.programs.graph import trace_graph
from server.programs.network import settings_of, trace_network
from server.programs.start import initial
from server.programs.what_if import first, trace_with_edits, within
from server.store.trace_file import TraceFile
from server.tasks import ArrayTask

_trainings = KeptTrainings()


def be_ready() -> None:
    """Nothing: a process that has done it has imported this module, and what it imports. Data are read by those who need them."""


def make_trace(
    program: Mapping[str, Any], checkpoint: bytes | None = None, seconds: float = limits.COMPUTE_SECONDS,
    elements: int = limits.TRACE_ELEMENTS,
) -> TraceFile:  # fmt: skip
    """The trace of a program, within `seconds` of processor time.

    elements: the most numbers that the trace of a graph may hold; those of others are bounded before (`admit`) or by their own limits.
    Raises ProgramError for a program that cannot run.
    """
    base = first(program)
    if base["kind"] == "network":
        settings_of(base)  # reads the task's data where this process has not yet, which is nobody's computation
    with processor_time(seconds):
        doc = _traced(program, checkpoint, elements)
        return TraceFile.pack(doc["id"], doc["program"], serialise(doc))


def _traced(program: Mapping[str, Any], checkpoint: bytes | None, elements: int) -> dict[str, Any]:
    match program["kind"]:
        case "expression":
            return trace_expression(program)
        case "graph":
            return trace_graph(program, elements)
        case "what-if":
            with within(1):
                parent = _traced(program["program"], checkpoint, elements)
            return trace_with_edits(Document(parent), program["edits"], "/program/edits")
        case _:
            return trace_network(program, checkpoint)


def check_program(program: Mapping[str, Any], seconds: float = limits.COMPUTE_SECONDS) -> list[int]:
    """Computes an expression, within `seconds` of processor time, and gives the shape of its result.

    Raises ProgramError for one that cannot be computed or differentiated.
    """
    with processor_time(seconds):
        doc = trace_expression(program)
    summed = [note["params"]["shape"] for note in doc["notes"] if note["key"] == "note.summed_loss"]
    return summed[0] if summed else []


def serialise(document: Mapping[str, Any]) -> bytes:
    """A trace as JSON: what `engine.trace.to_bytes` writes, in a tenth of the time. Its numbers outside tensors are finite already."""
    return orjson.dumps(document)


@contextmanager
def at_hand(program: Mapping[str, Any], checkpoint: bytes | None) -> Iterator[tuple[ArrayTask, Training]]:
    """The training of a program in the state of a checkpoint (None: its initial one); the next piece of work finds it as this leaves it.

    What it computes may be NaN or infinite: a training that diverges is shown as it is.
    """
    task, settings = settings_of(program)
    with np.errstate(all="ignore"):
        training = _trainings.take(task, settings, initial(program, task, settings) if checkpoint is None else checkpoint)
        yield task, training
    _trainings.keep(training)


def train_slice(program: Mapping[str, Any], checkpoint: bytes | None, steps: int, seconds: float | None) -> Slice:
    """At most `steps` more steps of a run, stopped after `seconds` (None: all of them); numbers that it predicts are in the data's unit."""
    with at_hand(program, checkpoint) as (task, training):
        return in_unit(task, training.go_on(steps, seconds))


def in_unit(task: ArrayTask, done: Slice) -> Slice:
    """With targets and predictions in the unit of the data, which the network reads scaled."""
    if task.scale == 1 and task.offset == 0:
        return done
    return replace(done, observations=[_in_unit(task, observation) for observation in done.observations])


def _in_unit(task: ArrayTask, observation: Observation) -> Observation:
    told = [
        {**one, **{name: (np.asarray(one[name]) * task.scale + task.offset).tolist() for name in ("target", "prediction")}}
        for one in observation["predictions"]
    ]
    return {**observation, "predictions": told}


def validate(task: ArrayTask, training: Training) -> dict[str, float]:
    """Loss and score on the validation part, in the unit of the data."""
    figures = training.evaluate("validation")
    return {**figures, "rmse": figures["rmse"] * task.scale} if "rmse" in figures else figures


def check_element(
    trace: TraceFile, node: int | str, index: tuple[int, ...], use: tuple[int, int] | None = None, seconds: float = limits.COMPUTE_SECONDS
) -> dict[str, Any]:
    """A gradient's element, or what comes back to it from one `use`, beside its finite difference, within `seconds` of processor time.

    Raises ProgramError for an element without gradient, and for a use from which nothing comes back.
    """
    try:
        with processor_time(seconds), np.errstate(all="ignore"):
            return check(Document(from_bytes(trace.text())), node, index, use)
    except ValueError as error:
        raise ProgramError(str(error), "/index") from None
    except LookupError as error:
        raise ProgramError(str(error), "/use") from None
