"""A graph with its values, as another program recorded it."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from engine.ops.op import Array
from engine.told import Told
from engine.trace.arena import TRANSPORT, decode
from server import limits
from server.schemas.expression import count_numbers
from server.schemas.sequences import Word, printable
from server.schemas.uploads import check_tensor

Dtype = Literal["float64", "float32", "int64", "int32", "uint8", "bool"]
_OF_TRANSPORT: dict[str, Dtype] = {"f8": "float64", "f4": "float32", "i4": "int64", "u1": "uint8"}
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _value(value: Any) -> Any:
    """Numbers, the three that JSON lacks as strings, nested evenly; an array as traces hold them; or a tensor of an upload."""
    if isinstance(value, dict) and "upload" in value:
        return check_tensor(value)
    if isinstance(value, dict):
        _check_encoded(value)
        return value
    if count_numbers(value, strings=frozenset(_NON_FINITE)) > limits.GRAPH_VALUE_ELEMENTS:
        words = f"a value written in lists has at most {limits.GRAPH_VALUE_ELEMENTS:,} elements; give it as dtype, shape, bdata"
        raise ValueError(Told(words, "value-large", most=limits.GRAPH_VALUE_ELEMENTS))
    try:
        np.array(_with_numbers(value), dtype=np.float64)
    except OverflowError:
        raise ValueError(Told("the numbers of a value have to fit a double", "number-double")) from None
    except ValueError:
        raise ValueError(Told("the lists of a value are of unequal length; nest them evenly", "value-uneven")) from None
    return value


def _check_encoded(value: dict[str, Any]) -> None:
    expected = Told("an array is {dtype: f8, f4, i4 or u1, shape: sizes, bdata: its numbers in base64, little-endian}", "value-array")
    if set(value) != {"dtype", "shape", "bdata"} or value["dtype"] not in TRANSPORT or not isinstance(value["bdata"], str):
        raise ValueError(expected)
    shape = value["shape"]
    if not isinstance(shape, list) or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise ValueError(expected)
    if len(shape) > limits.INPUT_DIMENSIONS:
        most = limits.INPUT_DIMENSIONS
        raise ValueError(Told(f"a value has at most {most} dimensions", "value-dimensions", most=most))
    try:
        size = len(base64.b64decode(value["bdata"], validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(Told("bdata is no base64", "value-array")) from None
    wanted = math.prod(shape) * TRANSPORT[value["dtype"]].itemsize
    if size != wanted:
        words = f"bdata holds {size:,} bytes; an array of this dtype and shape has {wanted:,}"
        raise ValueError(Told(words, "value-bytes", given=size, wanted=wanted))


def _with_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_numbers(item) for item in value]
    return _NON_FINITE[value] if isinstance(value, str) else value


def to_array(value: Any, dtype: str | None) -> Array:
    """The array of a checked value. Raises ValueError for numbers that the dtype does not hold."""
    if isinstance(value, dict):
        array: Array = decode(value)
        wanted = np.dtype(dtype or _OF_TRANSPORT[value["dtype"]])
    else:
        array, wanted = np.array(_with_numbers(value), dtype=np.float64), np.dtype(dtype or "float64")
    if wanted.kind == "f":
        return array.astype(wanted)
    if array.size and (not np.isfinite(array).all() or (array != np.trunc(array)).any()):
        words = f"the value holds numbers that are not whole, which {wanted.name} has not; leave dtype out"
        raise ValueError(Told(words, "value-whole", dtype=wanted.name))
    low, high = (0, 1) if wanted.kind == "b" else (np.iinfo(wanted).min, np.iinfo(wanted).max)
    if array.size and (array.min() < max(low, -(2**31)) or array.max() > min(high, 2**31 - 1)):
        words = f"the value holds numbers outside {wanted.name} (of at most 32 bits)"
        raise ValueError(Told(words, "value-outside", dtype=wanted.name))
    return array.astype(wanted)


_VALUE_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "array"}, {"type": "object"}], "examples": [0.5, [1, "NaN"]]}
GraphValue = Annotated[Any, AfterValidator(_value), WithJsonSchema(_VALUE_SCHEMA)]
Id = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]


_PLAINLY = Told("an attribute holds numbers, lists, or texts of plain letters", "attribute-value")
_PLAIN = re.compile(r"[A-Za-z0-9_ ,.>-]{0,200}")  # "mean", "ij,jk->ik", "..."


def _attributes(value: dict[str, Any]) -> dict[str, Any]:
    """Attributes whose names and texts are plain: operations repeat them where they refuse them."""
    if not all(name.isascii() and name.isidentifier() and len(name) <= limits.INPUT_NAME_CHARACTERS for name in value):
        raise ValueError(Told("the name of an attribute is a plain name, such as axis", "attribute-name"))
    if not all(_PLAIN.fullmatch(text) for text in _texts(list(value.values()))):
        raise ValueError(_PLAINLY)
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        raise ValueError(_PLAINLY)


Attributes = Annotated[dict[str, Any], AfterValidator(_attributes)]


class GraphNode(BaseModel):
    """One node. Without `op` it is a leaf: an `input`, unless it is a `parameter` (whose gradient is wanted) or a `constant`.

    op, attributes: by the names of GET /ops. value: as recorded; numbers, nested lists, ``{dtype, shape, bdata}``, or a tensor of an
    upload, ``{upload, tensor}``.
    """

    model_config = ConfigDict(extra="forbid")

    id: Id
    op: Annotated[str, Field(max_length=100)] | None = None
    attributes: Attributes = {}
    value: GraphValue | None = None
    dtype: Dtype | None = None
    role: Literal["input", "parameter", "constant"] | None = None
    label: Word | None = None
    scope: Annotated[str, Field(max_length=200), AfterValidator(printable)] = ""
    time: Annotated[int, Field(ge=1, le=2**31)] | None = None


class GraphEdge(BaseModel):
    """The value of one node is an input of another. port: which input, from 0; the next one unless given."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    source: Id = Field(alias="from")
    target: Id = Field(alias="to")
    port: Annotated[int, Field(ge=0, le=limits.GRAPH_NODES)] | None = None


class GraphProgram(BaseModel):
    """A graph with the values that another program recorded.

    forward: `recompute` computes it again from the leaves and refuses a recorded value that differs by more than `tolerance`, relative to
    the value where that is above 1; gradients are computed. `accept` shows the values as they were recorded, without gradients.
    loss: the node that is differentiated; the last unless given. A result that is not scalar is summed for its loss.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "kind": "graph",
        "nodes": [{"id": "w", "value": 0.5, "role": "parameter"}, {"id": "x", "value": 3}, {"id": "y", "op": "mul", "value": 1.5}],
        "edges": [{"from": "w", "to": "y"}, {"from": "x", "to": "y"}],
    }]})  # fmt: skip

    kind: Literal["graph"]
    nodes: list[GraphNode] = Field(min_length=1, fail_fast=True)
    edges: list[GraphEdge] = Field(fail_fast=True)
    loss: Id | None = None
    forward: Literal["recompute", "accept"] = "recompute"
    tolerance: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 1e-6
