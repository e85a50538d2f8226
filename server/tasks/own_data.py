"""A person's own data as a task: texts with a label, read letter by letter; or a series of numbers, of which the next is predicted.

Everything that is fitted to data is fitted to the training part alone: the letters that are known, and the mean and deviation of a series.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.training.task import Batch, Part
from server import limits
from server.datasets.describing import has_commas, is_missing
from server.datasets.reading import DatasetError, Problem, Table, number_of, read
from server.tasks.base import (
    CLASS_METRICS,
    NUMBER_METRICS,
    ArrayTask,
    Baseline,
    Examples,
    Suggestion,
    Text,
    majority,
    permutation,
    root_mean_square,
    shares,
    tenths,
)  # fmt: skip

NAME = "own-data"
LETTERS = 128  # different ones that are known, the most frequent; another is OTHER
OTHER = "\ufffd"
FEWEST = 20  # rows of text with a label
SEED = 20267
_KEPT = 4  # tasks in memory


def own_task(choice: Mapping[str, Any], data: bytes, version: str | None = None) -> OwnTexts | OwnSeries:
    """The task of a program's `dataset`, made once. data: the file. Raises DatasetError for columns that cannot be learnt from.

    version: of the examples, as the program has it. Programs from before texts were split class by class keep the parts that they had,
    which their version names.
    """
    written = json.dumps({key: value for key, value in choice.items() if value is not None}, sort_keys=True)
    task = _made(written, data)
    if version in (None, task.data_version) or choice["kind"] != "text":
        return task
    before = _made(written, data, by_class=False)
    return before if before.data_version == version else task


@lru_cache(_KEPT)
def _made(choice: str, data: bytes, by_class: bool = True) -> OwnTexts | OwnSeries:
    given = json.loads(choice)
    table = read(data)
    if given["kind"] == "text":
        return OwnTexts(table, given["text"], given["label"], given.get("length", limits.DATASET_LETTERS), by_class)
    return OwnSeries(table, given["column"], given["window"])


class OwnTexts(ArrayTask):
    """Text -> label. problems: the rows that are left out, and why. by_class: each part has its share of every class."""

    name = NAME
    kind = "classification"
    readout = "last"
    display = "letters"
    license = "Its author's"
    metrics = CLASS_METRICS
    suggested = Suggestion("gru", 32, steps=500)

    def __init__(self, table: Table, text: str, label: str, longest: int, by_class: bool = True) -> None:
        self.problems: list[Problem] = []
        self.title = Text(f"{text} → {label}", f"{text} → {label}")
        self.question = Text(f"Which {label}?", f"{label} 是什么？")
        self.source = f"A file of one's own: column {text}, letter by letter, and column {label}"
        pairs = self._pairs(table, text, label, longest)
        labels = Counter(pair[1] for pair in pairs)
        if len(pairs) < FEWEST:
            raise DatasetError(
                f"{len(pairs)} different rows have both {text} and {label}, at least {FEWEST} are needed to learn and to check"
            )
        if not 2 <= len(labels) <= limits.SEQUENCE_FEATURES:
            wanted = f"expected 2 to {limits.SEQUENCE_FEATURES} classes"
            raise DatasetError(f"the column {label} holds {len(labels):,} different labels, {wanted}; choose another column")
        names = sorted(labels)
        self.classes = tuple(Text(name, name) for name in names)
        order = permutation(len(pairs), SEED)
        parts = shares([pairs[i][1] for i in order]) if by_class else tenths(len(pairs))
        split = {part: [pairs[i] for i in order[chosen]] for part, chosen in parts.items()}
        counts = Counter(letter for one, _ in split["train"] for letter in one)
        known = sorted(letter for letter, _ in counts.most_common(LETTERS))
        self.features = (*known, OTHER)
        places = {letter: place for place, letter in enumerate(known)}
        self.parts = {part: _symbols(pairs, places, names) for part, pairs in split.items()}
        self.baseline = majority(self.parts)

    @property
    def input_size(self) -> int:
        return len(self.features or ())

    def batch(self, part: Part, indices: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        """These examples of a part, their letters as one-hot vectors: they are not kept so, which would take much room."""
        given = super().batch(part, indices)
        there = np.arange(given.inputs.shape[1]) < given.lengths[:, None]
        inputs = np.eye(self.input_size)[given.inputs[:, :, 0].astype(np.int64)] * there[:, :, None]
        return Batch(inputs, given.lengths, given.targets, given.indices)

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        assert self.features is not None
        return [self.features[place] for place in inputs.argmax(axis=1)]

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        return "".join(self.tokens(inputs))

    def _pairs(self, table: Table, text: str, label: str, longest: int) -> list[tuple[str, str]]:
        """Text and label of every row that has both, each pair once; texts are cut after so many characters."""
        at, labelled = _place(table, text), _place(table, label)
        if at == labelled:
            raise DatasetError("text and label are the same column; choose two")
        cut, again = 0, 0
        pairs: dict[tuple[str, str], None] = {}
        for number, row in zip(table.numbers, table.rows, strict=True):
            letters = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", row[at])).strip()
            name = "".join(c for c in row[labelled] if c.isprintable())[: limits.DATASET_NAME]
            for column, value in ((text, letters), (label, "" if is_missing(name) else name)):
                if not value:
                    self.problems.append(Problem(number, column, "this cell is empty; the row is left out"))
                    break
            else:
                cut += len(letters) > longest
                again += (letters[:longest], name) in pairs
                pairs[letters[:longest], name] = None
        if cut:
            self.problems.append(Problem(None, text, f"{cut:,} texts are longer than {longest} characters; the first {longest} are read"))
        if again:
            self.problems.append(
                Problem(None, None, f"{again:,} rows repeat an earlier one and are left out, so that no part knows another")
            )
        return list(pairs)


class OwnSeries(ArrayTask):
    """A number -> the next one, in windows; scaled by mean and deviation of the training part, which figures in the data's unit undo."""

    name = NAME
    kind = "regression"
    readout = "every"
    display = "series"
    license = "Its author's"
    metrics = NUMBER_METRICS
    suggested = Suggestion("gru", 16, steps=300)

    def __init__(self, table: Table, column: str, window: int) -> None:
        self.problems: list[Problem] = []
        self.window = window
        self.title = Text(f"{column} → next value", f"{column} → 下一个值")
        self.question = Text(f"What is the next {column}?", f"下一个 {column} 是多少？")
        values, self.rows = self._values(table, column), np.array(table.numbers)
        there = ~np.isnan(values)
        parts = {part: slice(*chosen.indices(len(values))) for part, chosen in tenths(len(values)).items()}
        starts = {part: _windows_in(there[chosen], window) + chosen.start for part, chosen in parts.items()}
        for part, found in starts.items():
            if not len(found):
                size = parts[part].stop - parts[part].start
                needs = f"a window of {window} needs {window + 1} numbers in a row, and the {part} part has {size} rows"
                raise DatasetError(f"{needs}; choose a smaller window, or bring more rows without gaps")
        known = values[parts["train"]][there[parts["train"]]]
        self.offset, self.scale = float(known.mean()), float(known.std())
        if not self.scale > 1e-12 * max(1.0, abs(self.offset)):
            raise DatasetError(f"the column {column} hardly changes in its training part, so there is nothing to learn; choose another")
        self.features = (column,)
        scaled = np.nan_to_num((values - self.offset) / self.scale)
        self.starts = starts
        self.parts = {part: _windows(scaled, found, window) for part, found in starts.items()}
        validation = self.parts["validation"]
        self.baseline = Baseline("last_value", "rmse", self.scale * root_mean_square(validation.targets - validation.inputs))
        unit = f"in units of {self.scale:.6g} about {self.offset:.6g}, deviation and mean of the training part"
        self.source = f"A file of one's own: column {column}, {unit}"
        self._version = hashlib.sha256(scaled.tobytes() + f"{window} {there.tobytes()!r}".encode()).hexdigest()[:16]

    @property
    def data_version(self) -> str:  # the windows overlap: their numbers are hashed once
        return self._version

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        series: list[Any] = inputs[:, 0].tolist()
        return series

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        first = int(self.starts[part][index])
        return f"{self.rows[first]}–{self.rows[first + len(inputs) - 1]}"

    def _values(self, table: Table, column: str) -> npt.NDArray[np.float64]:
        """The column's numbers, in order; NaN where there is none."""
        cells = [row[_place(table, column)] for row in table.rows]
        comma = has_commas([cell for cell in cells if not is_missing(cell)])
        values = np.full(len(cells), np.nan)
        for place, (number, cell) in enumerate(zip(table.numbers, cells, strict=True)):
            value = None if is_missing(cell) else number_of(cell, comma)
            if value is not None:
                values[place] = value
            else:
                what = "this cell is empty" if is_missing(cell) else "this cell holds no number"
                self.problems.append(Problem(number, column, f"{what}; windows reach up to it and begin after it"))
        return values


def _place(table: Table, column: str) -> int:
    if column not in table.header:
        raise DatasetError(f"there is no column of the name that was given; the columns are {', '.join(table.header[:20])}")
    return table.header.index(column)


def _symbols(pairs: Sequence[tuple[str, str]], places: Mapping[str, int], names: Sequence[str]) -> Examples:
    """Letters by their places, (n, time, 1)."""
    lengths = np.array([len(text) for text, _ in pairs], dtype=np.int64)
    inputs = np.zeros((len(pairs), int(lengths.max()), 1), dtype=np.uint8)
    for row, (text, _) in enumerate(pairs):
        inputs[row, : len(text), 0] = [places.get(letter, len(places)) for letter in text]
    numbers = {name: number for number, name in enumerate(names)}
    return Examples(inputs, lengths, np.array([numbers[label] for _, label in pairs], dtype=np.int64))


def _windows_in(there: npt.NDArray[np.bool_], window: int) -> npt.NDArray[np.int64]:
    """Where windows begin that have a number at every step, and one more after it."""
    if len(there) <= window:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.lib.stride_tricks.sliding_window_view(there, window + 1).all(axis=1))


def _windows(series: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], window: int) -> Examples:
    places = starts[:, None] + np.arange(window + 1)
    numbers = series[places][:, :, None]
    return Examples(numbers[:, :-1], np.full(len(starts), window), numbers[:, 1:])
