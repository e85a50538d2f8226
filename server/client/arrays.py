"""Numbers as numpy arrays."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import PlainSerializer, PlainValidator

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
DTYPES: Mapping[str, str] = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u1": "|u1"}


def floats(values: Any) -> Floats:
    """Numbers of JSON, nested as they may be, to float64. What JSON lacks comes as the strings NaN, Infinity and -Infinity."""
    return np.array(_numbers(values), dtype=np.float64)


def _numbers(values: Any) -> Any:
    return [_numbers(value) for value in values] if isinstance(values, list | tuple) else float(values)


def written(body: Any) -> bytes:
    """A body as JSON; arrays and numbers of numpy as lists and numbers. Raises ValueError, TypeError for what JSON cannot hold."""
    try:
        return json.dumps(body, allow_nan=False, default=_plain).encode()
    except ValueError as error:
        raise ValueError(
            f"the request holds a number that JSON lacks ({error}); where one may stand, write it as the string 'NaN'"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a request cannot hold a {type(value).__name__}; use numbers, strings, lists, dictionaries or numpy arrays")


def unpacked(array: Mapping[str, Any]) -> Array:
    """A packed array, `{"dtype", "shape", "bdata"}`, bit for bit; it cannot be written to."""
    return from_bytes(base64.b64decode(array["bdata"]), array["dtype"], array["shape"])


def from_bytes(data: bytes, code: str, shape: Sequence[int]) -> Array:
    """Little-endian numbers in C order. code: f8, f4, i4 or u1."""
    return np.frombuffer(data, DTYPES[code]).reshape(tuple(shape))


def _as_floats(values: Any) -> Floats:
    return values if isinstance(values, np.ndarray) else floats(values)


# A field of a model that holds an array of float64.
FloatField = Annotated[Floats, PlainValidator(_as_floats), PlainSerializer(lambda array: array.tolist())]
