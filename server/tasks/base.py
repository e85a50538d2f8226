"""What all data sets share: parts as arrays, checked numbers, batches, and how people see an example."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.training.task import Batch, Kind, Part, Readout

Display = Literal["letters", "rows", "series", "pairs"]
Metric = Literal["accuracy", "precision", "recall", "f1", "confusion", "rmse", "mae", "perplexity", "recalled"]
CLASS_METRICS: tuple[Metric, ...] = ("accuracy", "precision", "recall", "f1", "confusion")
NUMBER_METRICS: tuple[Metric, ...] = ("rmse", "mae")
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Text:
    """A phrase in both languages."""

    en: str
    zh: str

    def to_json(self) -> dict[str, str]:
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True)
class Baseline:
    """What a predictor that learns nothing reaches on the validation part, in a metric that `engine.training.evaluate` reports."""

    name: Literal["majority", "mean", "last_value", "uniform_guess", "letter_frequencies"]
    metric: Literal["accuracy", "rmse", "perplexity"]
    value: float


@dataclass(frozen=True)
class LengthChoice:
    """The lengths that a task's sequences can be made with (the program field `length`), in steps.

    default: what it has where none is asked for; None for a mixture, which `lengths` of the task's description tells. of: whether all
    sequences are so long, or the longest of them.
    """

    min: int
    max: int
    default: int | None
    of: Literal["all", "longest"]


@dataclass(frozen=True)
class Suggestion:
    """Settings with which the task is learnt clearly better than by its baseline, and after how many steps.

    What has no default of its own here is as in the program. patience: after how many validations without a better one the run may stop
    before `steps`; None: it does not. length: None for the usual ones, or for whichever is chosen.
    """

    cell: Literal["rnn", "lstm", "gru"]
    hidden_size: int
    steps: int
    lr: float = 0.01
    optimizer: Literal["adamw"] = "adamw"
    batch_size: int = 32
    length: int | None = None
    bidirectional: bool = False
    forget_bias: float | None = None
    dropout: float = 0.0
    schedule: Mapping[str, Any] | None = None
    patience: int | None = None

    def settings(self) -> dict[str, Any]:
        """What of it `engine.training.Settings` takes."""
        given = {key: value for key, value in asdict(self).items() if key not in ("steps", "length", "patience", "lr", "optimizer")}
        return {**given, "optimizer": {"name": self.optimizer, "lr": self.lr}}


@dataclass(frozen=True, eq=False)
class Examples:
    """One part of a data set, padded with zeros to its longest sequence; the arrays are made read-only.

    inputs: (n, time, features), any real dtype. lengths: (n,). targets: as in `engine.training.Batch`.
    """

    inputs: npt.NDArray[Any]
    lengths: npt.NDArray[np.int64]
    targets: npt.NDArray[Any]

    def __post_init__(self) -> None:
        for array in (self.inputs, self.lengths, self.targets):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.lengths)


class ArrayTask(ABC):
    """A data set whose parts stand in memory; an `engine.training.Task` and what the API says of it.

    A subclass sets the attributes below and says what an example's tokens and its text are (docs/tasks.md).
    """

    name: str
    kind: Kind
    readout: Readout
    display: Display
    title: Text
    question: Text
    source: str
    license: str
    baseline: Baseline
    metrics: tuple[Metric, ...]  # what is told of a network on it, the chief one first
    suggested: Suggestion
    parts: Mapping[Part, Examples]
    scale: float = 1.0  # how much of the data's unit a target's 1 is; errors and answers are told in that unit
    offset: float = 0.0  # what a target's 0 is in it
    length: LengthChoice | None = None  # of tasks that can have others; the class then takes a length (None: the default) when it is made
    classes: tuple[Text, ...] | None = None
    idle: int | None = None  # the class at steps where nothing is asked for; the accuracy of the others is `recalled`
    features: tuple[str, ...] | None = None  # names of the columns of the inputs

    @property
    def input_size(self) -> int:
        return int(self.parts["train"].inputs.shape[2])

    @property
    def output_size(self) -> int:
        return len(self.classes) if self.classes is not None else int(self.parts["train"].targets.shape[-1])

    @cached_property
    def data_version(self) -> str:
        """16 hexadecimal digits of the SHA-256 of all arrays, with their shapes and types: they change whenever an example does."""
        digest = hashlib.sha256()
        for part in PARTS:
            examples = self.parts[part]
            for array in (examples.inputs, examples.lengths, examples.targets):
                portable = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
                digest.update(f"{part} {portable.dtype.str} {portable.shape};".encode())
                digest.update(portable.tobytes())
        return digest.hexdigest()[:16]

    def size(self, part: Part) -> int:
        """Number of examples in a part. Raises ValueError for a part that there is not."""
        return len(self._part(part))

    def batch(self, part: Part, indices: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        """These examples of a part, in this order. Raises IndexError for a number outside it."""
        examples = self._part(part)
        chosen = np.asarray(indices, dtype=np.int64)
        outside = chosen.view(np.uint64) >= len(examples)  # a negative number is a large one there
        if outside.any():
            raise IndexError(f"{self.name}: example {chosen[outside][0]} is outside the {part} part; expected 0 to {len(examples) - 1}")
        return Batch(examples.inputs[chosen].astype(np.float64, copy=False), examples.lengths[chosen], examples.targets[chosen], chosen)

    def describe(self, batch: Batch, part: Part) -> dict[str, Any]:
        """The batch as people see it: the `batch` of docs/trace-format.md, examples in the batch's order."""
        return {
            "task": self.name,
            "display": self.display,
            "kind": self.kind,
            "readout": self.readout,
            "classes": None if self.classes is None else [title.en for title in self.classes],
            "features": None if self.features is None else list(self.features),
            "examples": [self._example(batch, row, part) for row in range(len(batch.lengths))],
        }

    def _part(self, part: Part) -> Examples:
        if part not in self.parts:
            raise ValueError(f"{self.name} has no part {part!r}; expected one of {', '.join(self.parts)}")
        return self.parts[part]

    def _example(self, batch: Batch, row: int, part: Part) -> dict[str, Any]:
        index, length = int(batch.indices[row]), int(batch.lengths[row])
        inputs, target = batch.inputs[row, :length], batch.targets[row]
        target = target[:length] if self.readout == "every" else target
        return {"index": index, "length": length, "tokens": self.tokens(inputs), "text": self.text(inputs, index, part),
                "target": target.tolist()}  # fmt: skip

    @abstractmethod
    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        """What stands in each column of one example; inputs: (length, features)."""

    @abstractmethod
    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        """A short name for one example; inputs: (length, features), index: its number in the part."""


def permutation(size: int, seed: int) -> npt.NDArray[np.int64]:
    """The fixed order that `seed` gives `size` things."""
    return np.random.Generator(np.random.Philox(key=seed)).permutation(size)


def tenths(size: int) -> dict[Part, slice]:
    """Eight tenths for training, one for validation, one for the test, of things in a fixed order."""
    tenth = size // 10
    return {"train": slice(0, size - 2 * tenth), "validation": slice(size - 2 * tenth, size - tenth), "test": slice(size - tenth, size)}


def shares(labels: Sequence[str]) -> dict[Part, list[int]]:
    """Places of things in a fixed order, with a class each: parts as large as those of `tenths`, each with its share of every class.

    A class of three or more stands in every part; where a part is too small for all of them, the most frequent do. The other places of a
    part go to classes by their sizes (Sainte-Laguë). A class of one or two is in the training part alone, unless there is nothing else.
    scikit-learn's stratified split refuses what this is for: parts smaller than the number of classes, and classes of one.
    """
    counts, tenth = Counter(labels), len(labels) // 10
    classes = sorted(counts, key=lambda name: (-counts[name], name))
    seats = Counter([name for name in classes if counts[name] >= 3][:tenth])
    queue = [((2 * seats[name] + 1) / counts[name], place, name) for place, name in enumerate(classes)]
    heapify(queue)
    while queue and seats.total() < tenth:
        _, place, name = heappop(queue)
        if 2 * (seats[name] + 1) < counts[name]:  # one at least is learnt from
            seats[name] += 1
            heappush(queue, ((2 * seats[name] + 1) / counts[name], place, name))
    chosen: dict[Part, list[int]] = {"train": [], "validation": [], "test": []}
    left = {"validation": Counter(seats), "test": Counter(seats)}
    for place, name in enumerate(labels):
        part: Part = "validation" if left["validation"][name] else "test" if left["test"][name] else "train"
        if part != "train":
            left[part][name] -= 1
        chosen[part].append(place)
    for part in ("validation", "test"):
        while len(chosen[part]) < tenth:  # of classes of one or two
            chosen[part].append(chosen["train"].pop())
    return chosen


def majority(parts: Mapping[Part, Examples]) -> Baseline:
    """Always the class that is most frequent in the training part (the first of equals)."""
    usual = np.bincount(parts["train"].targets).argmax()
    return Baseline("majority", "accuracy", float((parts["validation"].targets == usual).mean()))


def root_mean_square(errors: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(errors).mean()))
