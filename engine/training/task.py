"""What the training loop needs to know of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Part = Literal["train", "validation", "test"]
Kind = Literal["classification", "regression"]
Readout = Literal["last", "every"]


@dataclass(frozen=True)
class Batch:
    """Some examples of a task, in any order, padded to the longest.

    inputs: float64 (batch, time, features); what lies beyond a sequence's length is never read.
    lengths: int64 (batch,), each at least 1.
    targets: int64 (batch,) class numbers, (batch, time) for read-out "every"; or float64 (batch, outputs), (batch, time, outputs) for
        read-out "every". What lies beyond a sequence's length is never read.
    indices: int64 (batch,), the examples' numbers within their part.
    """

    inputs: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]
    targets: npt.NDArray[Any]
    indices: npt.NDArray[np.int64]

    def by_falling_length(self) -> Batch:
        """The same examples, longest first (ties keep their order): the order of every recorded batch."""
        if self._is_whole():
            return self
        longest = int(self.lengths.max())
        order = np.argsort(-self.lengths, kind="stable")
        targets = self.targets[order]
        if targets.ndim == 3 or (targets.ndim == 2 and targets.dtype.kind in "iu"):  # a target at every step
            targets = targets[:, :longest]
        return Batch(self.inputs[order, :longest], self.lengths[order], targets, self.indices[order])

    def cut(self, parts: int) -> list[Batch]:
        """As so many batches of as many examples each, in their order; each by falling length."""
        size = len(self.lengths) // parts
        cuts = [slice(start, start + size) for start in range(0, len(self.lengths), size)]
        batches = [Batch(self.inputs[cut], self.lengths[cut], self.targets[cut], self.indices[cut]) for cut in cuts]
        return batches if self._is_whole() else [batch.by_falling_length() for batch in batches]

    def _is_whole(self) -> bool:
        """Whether all sequences are as long as there is room."""
        return bool(self.lengths.min() == self.inputs.shape[1])


class Generate(Protocol):
    """Lets the network write: see `engine.training.writing.Writer`."""

    def __call__(
        self, start: npt.NDArray[np.float64], inputs: npt.NDArray[np.float64], stop: int | None, *, count: int = 8, most: int = 20,
        temperature: float = 0.8,
    ) -> list[list[int]]: ...  # fmt: skip


class Task(Protocol):
    """A data set with a train, a validation and a test part, fixed by the task alone (not by a run's seed).

    A task may have three things besides. ``idle``: the class that targets have at steps where nothing is asked for. Observations look for
    the others. ``fixed``: numbers of the examples of the validation part (of the
    training part where there is no other) that are looked at again and again; the first eight unless given. ``samples(generate)``: texts
    that the network writes, of a task that predicts what follows; it is given a `Generate`.
    """

    @property
    def name(self) -> str: ...
    @property
    def data_version(self) -> str:
        """Changes whenever an example does: a training is determined by its settings and this."""

    @property
    def kind(self) -> Kind: ...
    @property
    def readout(self) -> Readout: ...
    @property
    def input_size(self) -> int: ...
    @property
    def output_size(self) -> int: ...

    def size(self, part: Part) -> int:
        """Number of examples in a part."""

    def batch(self, part: Part, indices: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        """These examples of a part. Raises IndexError for a number outside it."""

    def describe(self, batch: Batch, part: Part) -> dict[str, Any]:
        """The batch as people see it: the `batch` of docs/trace-format.md, examples in the batch's order."""
