"""What fixes a training, beside its task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from engine.nn import CELLS
from engine.nn.random import probability
from engine.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from engine.optim.optimizer import positive
from engine.tensor import Tensor
from engine.training.rates import Rates, complete_schedule

OPTIMIZERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "adamw": {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01, "amsgrad": False},
        "adam": {"lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False},
        "sgd": {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "nesterov": False},
        "rmsprop": {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False},
        "adagrad": {"lr": 0.01, "lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10},
    }
)
_MAKERS: Mapping[str, type[Optimizer]] = MappingProxyType(
    {"adamw": AdamW, "adam": Adam, "sgd": SGD, "rmsprop": RMSprop, "adagrad": Adagrad}
)
# Not written at these values: programs from before there were these settings stay what they were, and so do their traces' ids.
_USUAL: Mapping[str, Any] = MappingProxyType(
    {"layers": 1, "bidirectional": False, "truncation": None, "initialisation": "pytorch", "forget_bias": None, "dropout": 0.0,
     "schedule": None, "edits": (), "dtype": "float64"}
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Network, optimizer, batch and seed. Raises ValueError for what no training can run with.

    layers: recurrent layers, one above the other. bidirectional: each layer runs in both directions of time. truncation: no gradient goes
    back over the border after every so many steps, None for none; not with both directions. initialisation: of the recurrent layers,
    "pytorch" or "orthogonal"; forget_bias: what an LSTM's forget gates start with, None for what the initialisation gives. dropout: the
    probability with which a number that a layer above the first, or the read-out, reads is dropped in training. optimizer:
    ``{"name": "adamw" | "adam" | "sgd" | "rmsprop" | "adagrad", ...}``; what is left out gets the default. schedule: of the learning rate,
    ``{"name": ..., ...}`` (`engine.training.rates`), None for a constant one. edits: ``{"step", "lr"}`` each: from that step on the base
    rate is another; in order of step, of several at one step the last. clip_norm: global norm, None for no clipping. dtype: "float64", or
    "float32" for measurements.
    """

    cell: str = "gru"
    hidden_size: int = 16
    layers: int = 1
    bidirectional: bool = False
    truncation: int | None = None
    initialisation: str = "pytorch"
    forget_bias: float | None = None
    dropout: float = 0.0
    optimizer: dict[str, Any] = field(default_factory=lambda: {"name": "adamw"})
    schedule: dict[str, Any] | None = None
    edits: Sequence[Mapping[str, Any]] = ()
    clip_norm: float | None = 1.0
    batch_size: int = 32
    seed: int = 0
    dtype: str = "float64"

    def __post_init__(self) -> None:
        for name, given, known in (
            ("cell", self.cell, tuple(CELLS)), ("initialisation", self.initialisation, ("pytorch", "orthogonal")),
            ("dtype", self.dtype, ("float64", "float32")),
        ):  # fmt: skip
            if given not in known:
                raise ValueError(f"{name} is {given!r}; expected one of {', '.join(known)}")
        for name in ("hidden_size", "layers", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected at least 1")
        if self.truncation is not None and self.truncation < 1:
            raise ValueError(f"truncation is {self.truncation!r}; expected a number of steps from 1, or null for none")
        if self.truncation is not None and self.bidirectional:
            raise ValueError(
                f"truncation is {self.truncation} and the layers are bidirectional; gradients are truncated in networks that read "
                "forward alone: leave one of the two out"
            )
        if self.forget_bias is not None:
            if self.cell != "lstm":
                raise ValueError(
                    f"forget_bias is {self.forget_bias!r} and the cell {self.cell}; only the LSTM has a forget gate: leave it out"
                )
            object.__setattr__(self, "forget_bias", float(self.forget_bias))
        if probability("dropout", self.dropout) == 1:
            raise ValueError("dropout is 1, which drops everything; expected a probability from 0 to below 1")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed is {self.seed!r}; expected 0 to 2**63 - 1")
        if self.clip_norm is not None:
            object.__setattr__(self, "clip_norm", positive("clip_norm", self.clip_norm))
        object.__setattr__(self, "dropout", float(self.dropout))
        object.__setattr__(self, "optimizer", _complete(self.optimizer))
        object.__setattr__(self, "schedule", None if self.schedule is None else complete_schedule(self.schedule))
        object.__setattr__(self, "edits", _in_order(self.edits))
        self.make_rates(self.make_optimizer([Tensor(0.0, requires_grad=True)]))  # they check their own numbers

    def make_optimizer(self, params: Iterable[Tensor]) -> Optimizer:
        """The optimizer these settings ask for."""
        options = {key: value for key, value in self.optimizer.items() if key != "name"}
        return _MAKERS[self.optimizer["name"]](params, **options)

    def make_rates(self, optimizer: Optimizer) -> Rates:
        """What sets the learning rate of each step, for an optimizer that `make_optimizer` gave."""
        return Rates(optimizer, self.optimizer["lr"], self.schedule, self.edits)

    def to_program(self) -> dict[str, Any]:
        """The fields of a trace's network program that come from the settings; those that came later only where they are not as usual."""
        given = {name: getattr(self, name) for name in _USUAL if getattr(self, name) != _USUAL[name]}
        if self.edits:
            given["edits"] = [dict(edit) for edit in self.edits]
        return {"cell": self.cell, "hidden_size": self.hidden_size, **given, "optimizer": dict(self.optimizer),
                "clip_norm": self.clip_norm, "batch_size": self.batch_size, "seed": self.seed}  # fmt: skip


def _complete(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer with its defaults; switches are written where they are on."""
    name = optimizer.get("name")
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise ValueError(f"optimizer is {name!r}; expected one of {', '.join(OPTIMIZERS)}")
    defaults = OPTIMIZERS[name]
    unknown = sorted(set(optimizer) - set(defaults) - {"name"})
    if unknown:
        raise ValueError(f"the optimizer {name} has no {', '.join(unknown)}; it has {', '.join(defaults)}")
    complete: dict[str, Any] = {"name": name}
    for key, default in defaults.items():
        value = optimizer.get(key, default)
        if not isinstance(default, bool):
            complete[key] = [float(x) for x in value] if isinstance(value, list | tuple) else float(value)
        elif value:
            complete[key] = True
    return complete


def _in_order(edits: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Edits by rising step, one a step: the last of several."""
    by_step: dict[int, float] = {}
    for edit in edits:
        if set(edit) != {"step", "lr"}:
            raise ValueError(f"an edit is {dict(edit)!r}; expected a step and an lr")
        step = edit["step"]
        if isinstance(step, bool) or not isinstance(step, int) or step < 1:
            raise ValueError(f"an edit's step is {step!r}; expected a whole number from 1")
        by_step[step] = positive("lr", edit["lr"])
    return tuple({"step": step, "lr": by_step[step]} for step in sorted(by_step))
