"""Sequences of the caller's own, as a request gives them, written out for a network to learn."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from engine.told import Told
from server import limits
from server.schemas.expression import Numbers
from server.schemas.uploads import UploadTensor


def printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError(Told("a token or a name is of printable characters", "name-unprintable"))
    return value


Word = Annotated[str, Field(min_length=1, max_length=limits.INPUT_NAME_CHARACTERS), AfterValidator(printable)]
Words = Annotated[list[Word], Field(min_length=1, max_length=limits.SEQUENCE_FEATURES)]
Step = Annotated[list[Word], Field(min_length=1, max_length=limits.SEQUENCE_STEPS, fail_fast=True)]


class OwnExample(BaseModel):
    """One sequence and what is to be learnt of it.

    values: a number, or a list of as many numbers as there are features, a step; or else tokens: a word a step.
    target: of a classification the number of a class; of a regression a number or a list of numbers, with read-out `every` one a step.
    """

    model_config = ConfigDict(extra="forbid")

    values: Numbers | None = None
    tokens: Step | None = None
    target: Numbers


class OwnSequences(BaseModel):
    """A small data set within the program. All its examples hold values, or all hold tokens.

    vocabulary: every token there is, in order; those that occur unless given. classes, features: names, numbered unless given.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"kind": "classification", "classes": ["falling", "rising"], "examples": [{"values": [0.1, 0.4, 0.9], "target": 1}]}]})  # fmt: skip

    kind: Literal["classification", "regression"]
    readout: Literal["last", "every"] = "last"
    classes: Words | None = None
    vocabulary: Words | None = None
    features: Words | None = None
    examples: list[OwnExample] = Field(min_length=1, max_length=limits.SEQUENCES, fail_fast=True)

    @model_validator(mode="after")
    def _complete(self) -> OwnSequences:
        if self.kind == "classification" and self.readout == "every":
            words = "a classification reads the last state; give readout last, or kind regression"
            raise ValueError(Told(words, "sequences-readout"))
        for name in ("classes", "vocabulary", "features"):
            words = getattr(self, name)
            if words is not None and len(set(words)) != len(words):
                raise ValueError(Told(f"{name} holds a word twice; give each once", "sequences-twice", name=name))
        if self.examples[0].tokens is not None:
            self._complete_tokens()
        else:
            self._complete_values()
        self._complete_targets()
        return self

    def _complete_tokens(self) -> None:
        if self.features is not None:
            words = "the features of tokens are the words of the vocabulary; leave features out"
            raise ValueError(Told(words, "sequences-features"))
        occurring: dict[str, None] = {}
        for number, example in enumerate(self.examples):
            if example.tokens is None or example.values is not None:
                words = f"example {number} differs from example 0, which holds tokens; give every example tokens alone"
                raise ValueError(Told(words, "sequences-mixed", example=number))
            occurring |= dict.fromkeys(example.tokens)
        if self.vocabulary is None:
            self.vocabulary = list(occurring)
        unknown = [number for number, example in enumerate(self.examples) if not set(example.tokens or ()) <= set(self.vocabulary)]
        if unknown:
            words = f"example {unknown[0]} holds a token that the vocabulary has not"
            raise ValueError(Told(words, "sequences-token", example=unknown[0]))
        if len(self.vocabulary) > limits.SEQUENCE_FEATURES:
            given, most = len(self.vocabulary), limits.SEQUENCE_FEATURES
            words = f"the examples hold {given} different tokens; at most {most} are taken"
            raise ValueError(Told(words, "sequences-tokens", given=given, most=most))

    def _complete_values(self) -> None:
        if self.vocabulary is not None:
            raise ValueError(Told("a vocabulary is of tokens; these examples hold values", "sequences-vocabulary"))
        for number, example in enumerate(self.examples):
            if example.values is None or example.tokens is not None:
                words = f"example {number} has to hold values, a number or a list of numbers a step, or every example tokens"
                raise ValueError(Told(words, "sequences-mixed", example=number))
            array = np.array(example.values, dtype=np.float64)
            array = array[:, None] if array.ndim == 1 else array
            if array.ndim != 2:
                words = f"the values of example {number} have {array.ndim} dimensions; give one list a step, or one number"
                raise ValueError(Told(words, "sequences-dimensions", example=number, given=array.ndim))
            for what, given, most in (
                ("steps", array.shape[0], limits.SEQUENCE_STEPS), ("features", array.shape[1], limits.SEQUENCE_FEATURES),
            ):  # fmt: skip
                if given > most:
                    words = f"the values of example {number} have {given} {what}; at most {most} are taken"
                    raise ValueError(Told(words, f"sequences-many-{what}", example=number, given=given, most=most))
            example.values = array.tolist()
        width = len(self.examples[0].values[0])  # type: ignore[index]  # it has values
        odd = [number for number, example in enumerate(self.examples) if len(example.values[0]) != width]  # type: ignore[index]
        if odd:
            words = f"example {odd[0]} has another number of features than example 0, which has {width}"
            raise ValueError(Told(words, "sequences-uneven", example=odd[0], width=width))
        if self.features is not None and len(self.features) != width:
            words = f"features names {len(self.features)} columns; the values have {width}"
            raise ValueError(Told(words, "sequences-names", given=len(self.features), width=width))

    def _complete_targets(self) -> None:
        lengths = [len(example.tokens or example.values) for example in self.examples]  # type: ignore[arg-type]  # it has either
        if self.readout == "every" and len(set(lengths)) > 1:
            words = "with readout every all sequences are of one length; a prediction on padding would enter the loss"
            raise ValueError(Told(words, "sequences-lengths"))
        if self.kind == "classification":
            self._complete_classes()
            return
        if self.classes is not None:
            raise ValueError(Told("a regression has no classes; leave them out", "sequences-classes"))
        shapes = []
        for number, (example, length) in enumerate(zip(self.examples, lengths, strict=True)):
            array = np.array(example.target, dtype=np.float64)
            wanted = 1 if self.readout == "last" else 2
            array = array[..., None] if array.ndim == wanted - 1 else array
            if array.ndim != wanted or (wanted == 2 and len(array) != length):
                expected = (
                    "a number or a list of numbers" if wanted == 1 else f"one number, or list of numbers, for each of its {length} steps"
                )
                words = f"the target of example {number} does not fit: expected {expected}"
                raise ValueError(Told(words, "sequences-target", example=number))
            shapes.append(array.shape[-1])
            example.target = array.tolist()
        if len(set(shapes)) > 1 or shapes[0] > limits.SEQUENCE_FEATURES:
            most = limits.SEQUENCE_FEATURES
            raise ValueError(Told(f"all targets hold the same number of outputs, at most {most}", "sequences-outputs", most=most))

    def _complete_classes(self) -> None:
        for number, example in enumerate(self.examples):
            if isinstance(example.target, list) or example.target != int(example.target) or example.target < 0:
                words = f"the target of example {number} is the number of a class, from 0"
                raise ValueError(Told(words, "sequences-class", example=number))
            example.target = int(example.target)
        largest = max(example.target for example in self.examples)
        count = len(self.classes) if self.classes is not None else max(2, largest + 1)
        if largest >= count or count > limits.SEQUENCE_FEATURES:
            most = f"at most {limits.SEQUENCE_FEATURES} are taken" if largest < count else f"there are {count}"
            words = f"the largest target is class {largest}; {most}"
            raise ValueError(Told(words, "sequences-many-classes", given=largest, most=min(count, limits.SEQUENCE_FEATURES)))
        if self.classes is None:
            self.classes = [str(number) for number in range(count)]


class UploadedSequences(BaseModel):
    """A small data set out of an upload. The numbers become part of the program, as if it had brought them along.

    inputs: (sequences, steps) or (sequences, steps, features). targets: an entry for each sequence, as `OwnExample` has it.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["classification", "regression"]
    readout: Literal["last", "every"] = "last"
    classes: Words | None = None
    features: Words | None = None
    inputs: UploadTensor
    targets: UploadTensor


def _which(value: Any) -> str:
    names = value if isinstance(value, dict) else vars(value) if isinstance(value, BaseModel) else ()
    return "uploaded" if "inputs" in names or "targets" in names else "written"


Sequences = Annotated[Annotated[OwnSequences, Tag("written")] | Annotated[UploadedSequences, Tag("uploaded")], Discriminator(_which)]
