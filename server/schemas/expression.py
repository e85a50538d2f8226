"""An expression with its inputs, as a request gives it."""

from __future__ import annotations

import keyword
import math
from collections.abc import Collection
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from engine.told import Told
from server import limits


def count_numbers(value: Any, depth: int = 0, strings: Collection[str] = ()) -> int:
    """How many numbers stand in a number or nested lists, where these strings stand for numbers. Raises ValueError for anything else."""
    if isinstance(value, list):
        if depth >= limits.INPUT_DIMENSIONS:
            raise ValueError(
                Told(f"at most {limits.INPUT_DIMENSIONS} dimensions are kept", "input-dimensions", most=limits.INPUT_DIMENSIONS)
            )
        return sum(count_numbers(item, depth + 1, strings) for item in value)
    if isinstance(value, str) and value in strings:
        return 1
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        words = f"expected a {'number' if strings else 'finite number'}, or lists of numbers nested evenly"
        raise ValueError(Told(words, "input-numbers"))
    return 1


def _tensor(value: Any) -> Any:
    if count_numbers(value) > limits.INPUT_ELEMENTS:
        most = limits.INPUT_ELEMENTS
        raise ValueError(Told(f"an input has at most {most:,} elements", "input-large", most=most))
    try:
        array = np.array(value, dtype=np.float64)
    except OverflowError:
        raise ValueError(Told("an input's numbers have to fit a double", "number-double")) from None
    except ValueError:
        raise ValueError(Told("the lists of an input are of unequal length; nest them evenly", "input-uneven")) from None
    if not array.size:
        raise ValueError(Told("an input has at least one element", "input-empty"))
    return value


def _name(value: str) -> str:
    most = limits.INPUT_NAME_CHARACTERS
    if not value.isidentifier() or keyword.iskeyword(value) or value.startswith("__") or len(value) > most:
        words = f"an input is named as in Python, by at most {most} characters and without __ before: w or x_1, say"
        raise ValueError(Told(words, "input-name", most=most))
    return value


def _lines(value: str) -> str:
    value = value.replace("\r\n", "\n")
    if not all(line.isprintable() for line in value.split("\n")):
        raise ValueError(Told("an expression is lines of printable characters", "formula-unreadable"))
    return value


Name = Annotated[str, AfterValidator(_name)]
_NUMBERS_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "array"}], "examples": [0.5, [1, 2]]}
Numbers = Annotated[Any, AfterValidator(_tensor), WithJsonSchema(_NUMBERS_SCHEMA)]


class ExpressionProgram(BaseModel):
    """A formula over named inputs; its gradients are computed with respect to `wrt` (every input unless given).

    Lines, between semicolons or line breaks, name intermediate results; the last is what is differentiated. A result that is not scalar is
    summed for its loss.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"kind": "expression", "expression": "tanh(w*x + b)", "inputs": {"w": 0.5, "x": [1, 2], "b": 0}, "wrt": ["w", "b"]},
        {"kind": "expression", "expression": "h = tanh(w*x); L = (h - y)**2", "inputs": {"w": 1, "x": 2, "y": 0}},
    ]})  # fmt: skip

    kind: Literal["expression"] = "expression"
    expression: Annotated[str, Field(min_length=1, max_length=limits.EXPRESSION_CHARACTERS), AfterValidator(_lines)]
    inputs: dict[Name, Numbers] = Field(min_length=1, max_length=limits.INPUTS)
    wrt: list[str] = Field(default=[], max_length=limits.INPUTS)

    @model_validator(mode="after")
    def _complete(self) -> ExpressionProgram:
        unknown = [name for name in self.wrt if name not in self.inputs]
        if unknown or len(set(self.wrt)) != len(self.wrt):
            raise ValueError(f"wrt names inputs, each once; the inputs are {', '.join(self.inputs)}")
        if not self.wrt:
            self.wrt = list(self.inputs)
        return self
