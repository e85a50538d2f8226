"""All numbers of a trace: one arena per transport dtype, and references into it."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from engine.ops.op import Array

TRANSPORT: Mapping[str, np.dtype[Any]] = {"f8": np.dtype("<f8"), "f4": np.dtype("<f4"), "i4": np.dtype("<i4"), "u1": np.dtype("u1")}
_CODES = {("f", 8): "f8", ("f", 4): "f4", ("i", 4): "i4", ("i", 8): "i4", ("u", 1): "u1", ("b", 1): "u1"}


def encode(array: Array) -> dict[str, Any]:
    """An array as ``{"dtype", "shape", "bdata"}``, little-endian, C order. The dtype is a transport dtype."""
    code = _CODES[array.dtype.kind, array.dtype.itemsize]
    data = np.ascontiguousarray(array, dtype=TRANSPORT[code])
    return {"dtype": code, "shape": list(array.shape), "bdata": base64.b64encode(data.tobytes()).decode("ascii")}


def decode(document: Mapping[str, Any]) -> Array:
    """The inverse of `encode`; read-only."""
    data: Array = np.frombuffer(base64.b64decode(document["bdata"]), dtype=TRANSPORT[document["dtype"]])
    return data.reshape(tuple(document["shape"]))


def _where(array: Array) -> int:
    """Where an array's numbers start: for two arrays the same just when they start at the same place in memory.

    Of the whole of an array it is that array's id, which is quicker to ask for than the address. Both are addresses, of an object and of
    numbers, so that neither is taken for the other.
    """
    owner = array if array.base is None else array.base
    if type(owner) is np.ndarray and owner.base is None and owner.nbytes == array.nbytes and array.flags.forc:
        return id(owner)
    address: int = array.__array_interface__["data"][0]
    return address


def _with_one_nan(array: Array) -> Array:
    """The array with one bit pattern for every NaN: the sign of a computed NaN depends on where its operands lie in memory."""
    if array.dtype.kind != "f":
        return array
    nans = np.isnan(array)
    return np.where(nans, array.dtype.type(np.nan), array) if nans.any() else array


@cache
def _transport(dtype: np.dtype[Any]) -> tuple[str, np.dtype[Any]]:
    code = _CODES[dtype.kind, dtype.itemsize]
    return code, TRANSPORT[code]


class Arena:
    """Takes arrays in and gives references out. An array that is given twice, or a view of the same whole memory, is stored once."""

    def __init__(self) -> None:
        self.dtype: list[int] = []
        self.offset: list[int] = []
        self.shape: list[list[int]] = []
        self.dtypes: list[str] = []
        self._pieces: list[list[Array]] = []
        self._sizes: list[int] = []
        self._joined: list[Array] | None = None
        self._objects: dict[int, int] = {}
        self._references: dict[tuple[Any, ...], int] = {}
        self._regions: dict[tuple[Any, ...], int] = {}
        self._held: list[Any] = []  # memory stays taken while addresses identify arrays

    def add(self, array: Array) -> int:
        """A reference to the array's numbers. Raises ValueError for integers beyond 32 bits."""
        reference = self._objects.get(id(array))
        if reference is None:
            self._held.append(array)  # so that its id and its memory stay taken
            reference = self._objects[id(array)] = self._memory(array) if type(array) is np.ndarray else self._scalar(array)
        return reference

    def _memory(self, array: Array) -> int:
        where = _where(array)
        key = (where, array.dtype, array.shape, array.strides)
        reference = self._references.get(key)
        if reference is None:
            reference = self._references[key] = self._store(array, where)
        return reference

    def _scalar(self, number: Any) -> int:
        """Of numpy's own scalar, whose number stands for itself."""
        array = np.asarray(number)
        self._held.append(array)
        return self._store(array, id(array))

    def _store(self, array: Array, where: int) -> int:
        code, transport = _transport(array.dtype)
        size = array.size
        if transport.kind == "i" and size and (array.max() > 2**31 - 1 or array.min() < -(2**31)):
            raise ValueError(f"a trace holds integers of 32 bits; given values {array.min()}..{array.max()}")
        if code not in self.dtypes:
            self.dtypes.append(code)
            self._pieces.append([])
            self._sizes.append(0)
        index = self.dtypes.index(code)
        region = (where, array.dtype, size) if size and array.flags.c_contiguous else None
        offset = None if region is None else self._regions.get(region)
        if offset is None:
            offset, self._joined = self._sizes[index], None
            self._pieces[index].append(array if array.dtype is transport else array.astype(transport))
            self._sizes[index] += size
            if region is not None:
                self._regions[region] = offset
        self.dtype.append(index)
        self.offset.append(offset)
        self.shape.append(list(array.shape))
        return len(self.offset) - 1

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each arena's bytes, as `content_id` takes them."""
        return {code: hashlib.sha256(arena.data).hexdigest() for code, arena in zip(self.dtypes, self._arenas(), strict=True)}

    def _arenas(self) -> list[Array]:
        """The whole of each; joined once, and again when more has come."""
        if self._joined is None:
            self._joined = [_with_one_nan(np.concatenate(pieces, axis=None)) for pieces in self._pieces]
        return self._joined

    def document(self) -> dict[str, Any]:
        """The `tensors` of the trace."""
        arenas = self._arenas()
        return {
            "dtypes": list(self.dtypes),
            "arenas": {code: encode(arena) for code, arena in zip(self.dtypes, arenas, strict=True)},
            "dtype": self.dtype,
            "offset": self.offset,
            "shape": self.shape,
            "statistics": {name: encode(column) for name, column in self._statistics(arenas).items()},
        }

    def _statistics(self, arenas: list[Array]) -> dict[str, Array]:
        """Per reference, over its finite elements; every arena is reduced in one pass."""
        count = len(self.offset)
        table = {name: np.full(count, np.nan) for name in ("min", "max", "mean", "norm")}
        table["nonfinite"] = np.zeros(count, dtype=np.int32)
        sizes = np.array([math.prod(shape) for shape in self.shape], dtype=np.int64)
        offsets, dtypes = np.array(self.offset, dtype=np.int64), np.array(self.dtype, dtype=np.int64)
        for index, arena in enumerate(arenas):
            mine = np.flatnonzero((dtypes == index) & (sizes > 0))
            # Regions tile the arena: references to one region share its offset and size.
            starts, where = np.unique(offsets[mine], return_inverse=True)
            values = arena.astype(np.float64)
            finite = np.isfinite(values)
            kept = np.where(finite, values, 0.0)
            total = np.diff(np.append(starts, arena.size))
            good = np.add.reduceat(finite.astype(np.int64), starts) if starts.size else starts
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                columns = {
                    "min": np.minimum.reduceat(np.where(finite, values, np.inf), starts),
                    "max": np.maximum.reduceat(np.where(finite, values, -np.inf), starts),
                    "mean": np.add.reduceat(kept, starts) / good,
                    "norm": np.sqrt(np.add.reduceat(kept * kept, starts)),
                } if starts.size else {}  # fmt: skip
            for name, column in columns.items():
                table[name][mine] = np.where(good > 0, column, np.nan)[where]
            table["nonfinite"][mine] = (total - good)[where]
        return table
