"""Any step of a training as a trace: replayed from a checkpoint, recorded in primitives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.optim import clip_grad_norm_
from engine.tape import Tape
from engine.trace.recorder import record
from engine.training.checkpoint import State, restore, step_of
from engine.training.loop import BatchOrder, prepare, train
from engine.training.settings import Settings
from engine.training.task import Batch, Part, Task


def trace_step(
    task: Task, settings: Settings, step: int, example: int | None = None, checkpoint: bytes | None = None,
    about: Mapping[str, Any] | None = None, part: Part = "train",
) -> dict[str, Any]:  # fmt: skip
    """The trace document of step `step` (from 1) of the training that task and settings fix.

    example: a number of a part: that example alone in place of the step's own batch. checkpoint: of this training, of any step
    before; the nearer the quicker. about: what the trace's program holds besides, such as what its task is made of. part: that the example
    is of; one of the validation or test part is shown as if it were the step's batch, and no training learns from it: the network is in
    evaluation mode, without dropout, so that its loss and answer are those of `evaluate` and `predictions`.
    The program holds the edits up to the step alone: later ones do not change it.
    Raises ValueError for a step below 1, a checkpoint of a later step, or another part than the training part without an example;
    IndexError for the example.
    """
    if part != "train" and example is None:
        raise ValueError(f"part is {part!r} and no example is given; a step's own batch is of the training part: choose an example")
    if step < 1:
        raise ValueError(f"step is {step}; expected at least 1")
    reached = 0 if checkpoint is None else step_of(checkpoint)
    if reached >= step:
        raise ValueError(f"the checkpoint is of step {reached}; expected one before step {step}")
    if reached < step - 1:
        checkpoint = train(task, settings, checkpoint, step - 1 - reached).checkpoint
    state = restore(task, settings, checkpoint)
    if example is None:
        indices = BatchOrder(task.size("train"), settings.batch_size, settings.seed).indices(step)
    else:
        indices = np.array([example], dtype=np.int64)
    batch = task.batch(part, indices).by_falling_length()
    settings = replace(settings, edits=[edit for edit in settings.edits if edit["step"] <= step])
    of = {} if part == "train" else {"part": part}
    made_by = {"task": task.name, "data": task.data_version, **(about or {}), **settings.to_program(), "step": step, "example": example}
    program = {"kind": "network", **made_by, **of}
    return _record(task, settings, state, batch, program, part)


def _record(task: Task, settings: Settings, state: State, batch: Batch, program: dict[str, Any], part: Part) -> dict[str, Any]:
    model, optimizer = state.model, state.optimizer
    model.train(part == "train")
    prepare(state, settings)
    fused = _fused_gradients(state, batch)
    prepare(state, settings)  # the same masks again
    with Tape("TRACE") as tape:
        output, unrolled = model(batch)
        model.probe(unrolled)
        with tape.phase("loss"):
            loss = model.loss(output, batch)
        optimizer.zero_grad()
        run = loss.backward()
        difference = _difference(fused, [run[p] for p in optimizer.params])
        if settings.clip_norm is not None:
            clip_grad_norm_(optimizer.params, settings.clip_norm)
        before = {tape.leaf(p): p for p in optimizer.params}
        optimizer.step()
        replayed = tape.replay({node: p.data for node, p in before.items()})
    after = {node: value for node, value in enumerate(replayed) if value is not tape.arrays[node]}
    notes = [{"key": "note.fused_difference", "params": {"difference": difference}}]
    return record(tape, run, program=program, batch=task.describe(batch, part), after=after, notes=notes)


def _fused_gradients(state: State, batch: Batch) -> list[Array]:
    """The parameters' gradients by the fused kernels, which train; the trace shows the primitives. Leaves no gradient behind."""
    with Tape("GRAD"):
        output, _ = state.model(batch)
        run = state.model.loss(output, batch).backward()
    state.optimizer.zero_grad()
    return [run[p] for p in state.optimizer.params]


def _difference(one: list[Array], other: list[Array]) -> float:
    """The largest difference of two numbers at the same place."""
    return float(np.max([np.abs(a - b).max(initial=0.0) for a, b in zip(one, other, strict=True)]))  # np.max keeps a NaN
