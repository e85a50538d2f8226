"""The state of a training between two steps, and its bytes.

Randomness is counter-based: initial weights, the order of an epoch and the masks of dropout come from Philox keyed by (seed, stream), the
masks counted by the step; learning rates are a function of the step. So a checkpoint needs no generator's state, nor any other.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.numpy import save

from engine.nn.weights import read_safetensors
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
    about, arrays = _about(checkpoint), _arrays(checkpoint)
    model.load_state_dict({name.removeprefix("p/"): array for name, array in arrays.items() if name.startswith("p/")})
    wanted = [{key: f"s/{i}/{key}" for key in optimizer.rule.state} for i in range(len(optimizer.params))]
    if {name for names in wanted for name in names.values()} != {name for name in arrays if name.startswith("s/")}:
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
    """The state as a safetensors file in memory: the parameters as ``p/name``, of the optimizer ``s/number/name``."""
    arrays: dict[str, Array] = {f"p/{name}": p.data for name, p in state.model.named_parameters()}
    for i, kept in enumerate(state.optimizer.state):
        arrays.update((f"s/{i}/{key}", value) for key, value in kept.items())
    about = {"step": state.step, "counts": state.optimizer.counts}  # a parameter's own steps: fewer where its gradient came late
    return save(arrays, {"about": json.dumps(about)})


def step_of(checkpoint: bytes) -> int:
    """How many steps a checkpoint has gone."""
    return int(_about(checkpoint)["step"])


def _about(checkpoint: bytes) -> dict[str, Any]:
    """What a checkpoint says of itself."""
    if _is_npz(checkpoint):
        with np.load(io.BytesIO(checkpoint), allow_pickle=False) as file:
            return dict(json.loads(file["about"].tobytes()))
    length = int.from_bytes(checkpoint[:8], "little")
    return dict(json.loads(json.loads(checkpoint[8 : 8 + length])["__metadata__"]["about"]))


def _arrays(checkpoint: bytes) -> dict[str, Array]:
    """A checkpoint's arrays by name."""
    if not _is_npz(checkpoint):
        return read_safetensors(checkpoint)
    with np.load(io.BytesIO(checkpoint), allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name != "about"}


def _is_npz(checkpoint: bytes) -> bool:
    """Whether it is of those that were stored before checkpoints were safetensors, which take a fifth of the time to write."""
    return checkpoint.startswith(b"PK\x03\x04")
