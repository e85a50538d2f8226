"""A run as a PyTorch script that needs nothing of this project, and the numbers that it reads."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.training import Settings, Task
from engine.training.checkpoint import restore
from engine.training.loop import BatchOrder, prepare
from server import limits


def script(task: Task, settings: Settings) -> str:
    """train.py: our own program, with the run's settings written into it as literals. Nothing that a person wrote becomes part of it."""
    constants = {
        "KIND": task.kind, "READOUT": task.readout, "CELL": settings.cell, "HIDDEN_SIZE": settings.hidden_size, "LAYERS": settings.layers,
        "BIDIRECTIONAL": settings.bidirectional, "TRUNCATION": settings.truncation, "DROPOUT": settings.dropout,
        "OPTIMIZER": settings.optimizer["name"], "OPTIONS": {key: value for key, value in settings.optimizer.items() if key != "name"},
        "SCHEDULE": settings.schedule, "EDITS": [dict(edit) for edit in settings.edits], "CLIP_NORM": settings.clip_norm,
    }  # fmt: skip
    template = resources.files("server.export").joinpath("run_script.txt").read_text(encoding="utf-8")
    return template.replace("{{settings}}", "\n".join(f"{name} = {_literal(value)}" for name, value in constants.items()))


def data(task: Task, settings: Settings, losses: Sequence[float]) -> bytes:
    """data.npz of the steps of a run, one a loss: no pickle, the same bytes whenever it is made.

    `weights/{name}`: the initial ones. `inputs`, `lengths`, `targets`: the examples that the steps take. `batches`: (steps, batch), which
    of them, the longest first. `losses`: those of the run. `compared`: of how many steps, the first ones, the losses are to be the same;
    `masks/{step}/{number}`: what dropout keeps in these, a bit a number, of each layer above the first and then of the read-out.
    Fewer steps where their examples would pass `limits.EXPORT_EXAMPLE_BYTES`, fewer of them compared where their masks would pass
    `limits.EXPORT_MASK_BYTES`.
    """
    state = restore(task, settings, None)
    arrays: dict[str, Array] = {f"weights/{name}": parameter.data for name, parameter in state.model.named_parameters()}
    order = BatchOrder(task.size("train"), settings.batch_size, settings.seed)
    steps = min(len(losses), _steps_with_room(task, order))
    used, places = np.unique(np.stack([order.indices(step) for step in range(1, steps + 1)]), return_inverse=True)
    examples = task.batch("train", used)
    batches = places.reshape(steps, -1)
    batches = np.take_along_axis(batches, np.argsort(-examples.lengths[batches], axis=1, kind="stable"), axis=1)
    compared = min(steps, limits.EXPORT_STEPS)
    room = limits.EXPORT_MASK_BYTES
    for step in range(1, compared + 1) if settings.dropout else ():
        state.step = step - 1
        prepare(state, settings)
        longest = int(examples.lengths[batches[step - 1]].max())
        masks = _masks(state.model, settings, batches.shape[1], longest, task.readout == "every")
        room -= sum(mask.nbytes for mask in masks)
        if room < 0 and step > 1:
            compared = step - 1
            break
        arrays.update((f"masks/{step}/{number}", mask) for number, mask in enumerate(masks))
    arrays |= {
        "inputs": _small(examples.inputs), "lengths": examples.lengths, "targets": examples.targets,
        "batches": batches.astype(np.min_scalar_type(len(used))), "losses": np.array(losses[:steps], dtype=np.float64),
        "compared": np.array(compared),
    }  # fmt: skip
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def _steps_with_room(task: Task, order: BatchOrder) -> int:
    """How many steps there is room for the examples of, at least one; all where the whole part has room."""
    first = task.batch("train", order.indices(1)).inputs
    examples = limits.EXPORT_EXAMPLE_BYTES // (first.nbytes // len(first))
    return limits.RUN_STEPS if examples >= order.size else max(1, examples // order.batch_size)


def _masks(model: Any, settings: Settings, batch: int, time: int, every: bool) -> list[Array]:
    """What dropout keeps in the step that the model is prepared for, of each layer above the first and then of the read-out."""
    width = settings.hidden_size * (1 + settings.bidirectional)
    between = [model.rnn.stream.mask((batch, time, width), settings.dropout, np.float64) for _ in range(settings.layers - 1)]
    read = model.stream.mask((batch, time, width) if every else (batch, width), settings.dropout, np.float64)
    return [np.packbits(mask != 0) for mask in (*between, read)]


def _small(inputs: Array) -> Array:
    """The same numbers in a byte each, where they are such."""
    with np.errstate(invalid="ignore"):
        narrow = inputs.astype(np.uint8)
    return narrow if np.array_equal(narrow, inputs) else inputs


def _literal(value: Any) -> str:
    """A value as Python writes it. Raises TypeError for what is no plain setting."""
    if value is None or type(value) in (bool, int):
        return repr(value)
    if type(value) is float and math.isfinite(value):
        return repr(value)
    if type(value) is str and value.replace("_", "").isascii() and value.replace("_", "").isalnum():
        return f'"{value}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    raise TypeError(f"{value!r} is no setting that a script is written with")
