"""Sequences that came with a program, as a data set: a training part and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.training.task import Part
from server.tasks.base import CLASS_METRICS, NUMBER_METRICS, PARTS, ArrayTask, Display, Examples, Text

NAME = "sequences"


class OwnSequencesTask(ArrayTask):
    """The task of a normalised `sequences` (server.schemas.sequences)."""

    name = NAME
    title = Text("Own sequences", "自己的序列")
    question = Text("What follows from this sequence?", "由这个序列得到什么？")
    source = "The program that was given"
    license = "Its author's"

    def __init__(self, sequences: Mapping[str, Any]) -> None:
        self.kind, self.readout = sequences["kind"], sequences["readout"]
        self.metrics = CLASS_METRICS if self.kind == "classification" else NUMBER_METRICS
        self.vocabulary: list[str] | None = sequences["vocabulary"]
        examples = sequences["examples"]
        series = [self._inputs(example) for example in examples]
        lengths = np.array([len(one) for one in series], dtype=np.int64)
        inputs = np.zeros((len(series), int(lengths.max()), series[0].shape[1]))
        for row, one in enumerate(series):
            inputs[row, : len(one)] = one
        targets = np.array([example["target"] for example in examples], dtype=np.int64 if self.kind == "classification" else np.float64)
        given, nothing = Examples(inputs, lengths, targets), Examples(inputs[:0], lengths[:0], targets[:0])
        self.parts = {part: given if part == "train" else nothing for part in PARTS}
        self.display: Display = "letters" if self.vocabulary is not None else "series" if inputs.shape[2] == 1 else "rows"
        names = self.vocabulary if self.vocabulary is not None else sequences["features"]
        self.features = tuple(names) if names is not None else None
        self.classes = None if sequences["classes"] is None else tuple(Text(name, name) for name in sequences["classes"])

    def _inputs(self, example: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """(time, features) of one example: its values, or a 1 at the place of each token."""
        if self.vocabulary is None:
            return np.array(example["values"], dtype=np.float64)
        places = {token: place for place, token in enumerate(self.vocabulary)}
        return np.eye(len(self.vocabulary))[[places[token] for token in example["tokens"]]]

    def tokens(self, inputs: npt.NDArray[np.float64]) -> list[Any]:
        if self.vocabulary is not None:
            return [self.vocabulary[place] for place in inputs.argmax(axis=1)]
        series: list[Any] = (inputs[:, 0] if inputs.shape[1] == 1 else inputs).tolist()
        return series

    def text(self, inputs: npt.NDArray[np.float64], index: int, part: Part) -> str:
        if self.vocabulary is None:
            return f"sequence {index}"
        return ("" if all(len(token) == 1 for token in self.vocabulary) else " ").join(self.tokens(inputs))
