"""The state of a training between two steps, and its bytes.

Randomness is counter-based: initial weights, the order of an epoch and the masks of dropout come from Philox keyed by (seed, stream), the
masks counted by the step; learning rates are a function of the step. So a checkpoint needs no generator's state, nor any other.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.ops.op import Array
from engine.optim import Optimizer
from engine.training.model import SequenceModel
from engine.training.rates import Rates
from engine.training.settings import Settings
from engine.training.task import Task

INITIALISATION = 0  # stream 1 + e is the order of epoch e


def generator(seed: int, stream: int) -> np.random.Generator:
    """The random numbers of one purpose."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)))


@dataclass
class State:
    """A network, its optimizer, and how many steps they have gone. rates: of every step, which is their function alone."""

    model: SequenceModel
    optimizer: Optimizer
    step: int
    rates: Rates


def restore(task: Task, settings: Settings, checkpoint: bytes | None) -> State:
    """The state in a checkpoint, or the initial one. Raises ValueError for another network's checkpoint."""
    model = SequenceModel(task, settings, generator(settings.seed, INITIALISATION))
    optimizer = settings.make_optimizer(model.parameters())
    if checkpoint is None:
        return State(model, optimizer, 0, settings.make_rates(optimizer))
    with np.load(io.BytesIO(checkpoint), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        model.load_state_dict({name.removeprefix("p/"): arrays[name] for name in arrays.files if name.startswith("p/")})
        wanted = [{key: f"s/{i}/{key}" for key in optimizer.rule.state} for i in range(len(optimizer.params))]
        if {name for names in wanted for name in names.values()} != {name for name in arrays.files if name.startswith("s/")}:
            raise ValueError(f"this checkpoint's optimizer is not {settings.optimizer['name']} with these settings")
        kept = [{key: arrays[name] for key, name in names.items()} for names in wanted]
    counts = about.get("counts", [about["step"]] * len(optimizer.params))  # checkpoints from before they were kept
    optimizer.load_state_dict({"steps": about["step"], "counts": counts, "hyper": optimizer.hyper, "state": kept})
    return State(model, optimizer, about["step"], settings.make_rates(optimizer))


def start_from(task: Task, settings: Settings, parameters: Mapping[str, Array]) -> bytes:
    """The checkpoint of step 0 of a training that starts from these parameters, by name, in place of the seed's. Its optimizer is new.

    Raises ValueError that lists what is missing, unexpected or of another shape.
    """
    state = restore(task, settings, None)
    state.model.load_state_dict(parameters)
    return pack(state)


def pack(state: State) -> bytes:
    """The state as an npz file in memory, without pickles."""
    arrays: dict[str, Array] = {f"p/{name}": p.data for name, p in state.model.named_parameters()}
    for i, kept in enumerate(state.optimizer.state):
        arrays.update((f"s/{i}/{key}", value) for key, value in kept.items())
    about = {"step": state.step, "counts": state.optimizer.counts}  # a parameter's own steps: fewer where its gradient came late
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own keyword
    return file.getvalue()


def step_of(checkpoint: bytes) -> int:
    """How many steps a checkpoint has gone."""
    with np.load(io.BytesIO(checkpoint), allow_pickle=False) as arrays:
        return int(json.loads(arrays["about"].tobytes())["step"])
