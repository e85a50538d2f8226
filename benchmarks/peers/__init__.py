"""The peers, one file each. A file is read only when its peer takes part, and its package is optional."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from benchmarks.problem import Problem

Step = Callable[[], float]  # trains one step and returns the loss it started from


class Prepare(Protocol):
    """What a peer's file defines as ``prepare``: copies the problem's weights into its own and returns its training step."""

    def __call__(self, problem: Problem, **options: str) -> Step: ...


@dataclass(frozen=True)
class Peer:
    """One way to take the step.

    title: what tables call it. module: its file. distribution: the package it needs besides numpy and this engine, None for none.
    """

    title: str
    module: str
    distribution: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str | None:
        """The installed version; empty where no package is needed, None where it is not installed."""
        try:
            return importlib.metadata.version(self.distribution) if self.distribution else ""
        except importlib.metadata.PackageNotFoundError:
            return None

    def prepare(self, problem: Problem) -> Step:
        """The peer's training step on a problem, from the problem's weights."""
        make: Prepare = importlib.import_module(f"benchmarks.peers.{self.module}").prepare
        return make(problem, **self.options)


PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        "grad": Peer("this engine, GRAD", "retrograd", options={"level": "GRAD"}),
        "trace": Peer("this engine, TRACE", "retrograd", options={"level": "TRACE"}),
        "numpy": Peer("numpy by hand", "numpy_bptt"),
        "torch-module": Peer("PyTorch nn.RNN/LSTM/GRU", "torch_module", "torch"),
        "torch-cell": Peer("PyTorch cell loop", "torch_cell", "torch"),
        "torch-primitives": Peer("PyTorch primitives", "torch_primitives", "torch"),
        "autograd": Peer("HIPS autograd", "hips_autograd", "autograd"),
        "mygrad": Peer("MyGrad", "mygrad_primitives", "mygrad", options={"guard": "on"}),
        "mygrad-unguarded": Peer("MyGrad, unguarded", "mygrad_primitives", "mygrad", options={"guard": "off"}),
        "jax": Peer("JAX jit scan", "jax_scan", "jax"),
    }
)


def installed() -> dict[str, Peer]:
    """The peers that can take part."""
    return {key: peer for key, peer in PEERS.items() if peer.version is not None}


def missing() -> dict[str, Peer]:
    """The peers whose package is not installed."""
    return {key: peer for key, peer in PEERS.items() if peer.version is None}
