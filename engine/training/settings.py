"""What fixes a training, beside its task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from engine.nn import CELLS
from engine.optim import SGD, AdamW, Optimizer
from engine.optim.optimizer import positive
from engine.tensor import Tensor

OPTIMIZERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "adamw": {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01},
        "sgd": {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0},
    }
)


@dataclass(frozen=True)
class Settings:
    """Network, optimizer, batch and seed. Raises ValueError for what no training can run with.

    layers: recurrent layers, one above the other. bidirectional: each layer runs in both directions of time. truncation: no gradient goes
    back over the border after every so many steps, None for none; not with both directions. optimizer:
    ``{"name": "adamw" | "sgd", ...}``; what is left out gets the default. clip_norm: global norm, None for no clipping.
    """

    cell: str = "gru"
    hidden_size: int = 16
    layers: int = 1
    bidirectional: bool = False
    truncation: int | None = None
    optimizer: dict[str, Any] = field(default_factory=lambda: {"name": "adamw"})
    clip_norm: float | None = 1.0
    batch_size: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ValueError(f"cell is {self.cell!r}; expected one of {', '.join(CELLS)}")
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
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed is {self.seed!r}; expected 0 to 2**63 - 1")
        if self.clip_norm is not None:
            object.__setattr__(self, "clip_norm", positive("clip_norm", self.clip_norm))
        object.__setattr__(self, "optimizer", _complete(self.optimizer))
        self.make_optimizer([Tensor(0.0, requires_grad=True)])  # the optimizer checks its own numbers

    def make_optimizer(self, params: Iterable[Tensor]) -> Optimizer:
        """The optimizer these settings ask for."""
        options = {key: value for key, value in self.optimizer.items() if key != "name"}
        return AdamW(params, **options) if self.optimizer["name"] == "adamw" else SGD(params, **options)

    def to_program(self) -> dict[str, Any]:
        """The fields of a trace's network program that come from the settings.

        One layer, one direction and no truncation are not written: programs from before there were more stay what they were, and so do
        their traces' ids.
        """
        usual = {"layers": 1, "bidirectional": False, "truncation": None}
        others = {name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value}
        return {"cell": self.cell, "hidden_size": self.hidden_size, **others, "optimizer": dict(self.optimizer),
                "clip_norm": self.clip_norm, "batch_size": self.batch_size, "seed": self.seed}  # fmt: skip


def _complete(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    name = optimizer.get("name")
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise ValueError(f"optimizer is {name!r}; expected one of {', '.join(OPTIMIZERS)}")
    defaults = OPTIMIZERS[name]
    unknown = sorted(set(optimizer) - set(defaults) - {"name"})
    if unknown:
        raise ValueError(f"the optimizer {name} has no {', '.join(unknown)}; it has {', '.join(defaults)}")
    return {"name": name, **{key: _number(optimizer.get(key, default)) for key, default in defaults.items()}}


def _number(value: Any) -> Any:
    return [float(x) for x in value] if isinstance(value, list | tuple) else float(value)
