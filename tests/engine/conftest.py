"""Two small tasks for the training and trace tests; the product's own are in server/tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from engine.training import Batch, Kind, Part, Readout


@dataclass(frozen=True)
class ToyTask:
    """Sequences of three numbers a step; the class is the sign of the first sum, the target the running mean.

    uneven: sequences of several lengths also where every step is read.
    """

    kind: Kind
    readout: Readout
    name: str = "toy"
    input_size: int = 3
    output_size: int = 2
    data_version: str = "0123456789abcdef"
    uneven: bool = False

    def size(self, part: Part) -> int:
        return {"train": 24, "validation": 8, "test": 8}[part]

    def batch(self, part: Part, indices: Sequence[int] | Any) -> Batch:
        numbers = np.asarray(indices, dtype=np.int64)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.size(part):
            raise IndexError(f"example {numbers.max()} is outside the {self.size(part)} of {part}")
        lengths = np.array([5 if self.readout == "every" and not self.uneven else 1 + int(i) % 5 for i in numbers])
        inputs = np.zeros((len(numbers), int(lengths.max()), 3))
        for row, (i, length) in enumerate(zip(numbers, lengths, strict=True)):
            inputs[row, :length] = np.random.default_rng([len(part), int(i)]).standard_normal((length, 3))
        if self.kind == "classification":
            sums = inputs[:, :, 0].cumsum(axis=1)
            targets = ((sums if self.readout == "every" else sums[:, -1]) > 0).astype(np.int64)
        else:
            running = np.cumsum(inputs[:, :, :2], axis=1) / np.arange(1, inputs.shape[1] + 1)[None, :, None]
            targets = running if self.readout == "every" else running[np.arange(len(numbers)), lengths - 1]
        return Batch(inputs, lengths, targets, numbers)

    def describe(self, batch: Batch, part: Part) -> dict[str, Any]:
        examples = [
            {
                "index": int(i),
                "length": int(n),
                "tokens": x[:n].tolist(),
                "text": f"example {i}",
                "target": (t[:n] if self.readout == "every" else t).tolist(),
            }
            for i, n, x, t in zip(batch.indices, batch.lengths, batch.inputs, batch.targets, strict=True)
        ]
        classes = ["minus", "plus"] if self.kind == "classification" else None
        return {"task": self.name, "display": "rows", "kind": self.kind, "readout": self.readout, "classes": classes,
                "features": ["a", "b", "c"], "examples": examples}  # fmt: skip


@pytest.fixture
def classification() -> ToyTask:
    return ToyTask("classification", "last")


@pytest.fixture(
    params=[("classification", "last"), ("regression", "last"), ("regression", "every"), ("classification", "every")], ids="-".join
)
def task(request: pytest.FixtureRequest) -> ToyTask:
    return ToyTask(*request.param)


@pytest.fixture(params=["classification", "regression"])
def uneven(request: pytest.FixtureRequest) -> ToyTask:
    """Every step of sequences of several lengths is read."""
    return ToyTask(request.param, "every", uneven=True)


@pytest.fixture(
    params=[ToyTask(kind, "last") for kind in ("classification", "regression")]
    + [ToyTask(kind, "every", uneven=uneven) for kind in ("classification", "regression") for uneven in (False, True)],
    ids=lambda task: f"{task.kind}-{task.readout}{'-uneven' * task.uneven}",
)
def any_task(request: pytest.FixtureRequest) -> ToyTask:
    """Every form of a task."""
    task: ToyTask = request.param
    return task
