"""References to uploads in a program, replaced by their numbers: what is made of it then needs the upload no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError

from engine.nearest import nearest
from engine.ops.op import Array
from engine.trace.arena import encode
from server import limits
from server.programs.errors import LimitError, ProgramError
from server.programs.what_if import within
from server.schemas.sequences import OwnSequences
from server.uploads.bounds import is_plain
from server.validation import message

Find = Callable[[str], Mapping[str, Array] | None]  # the arrays of an upload by its id


def uploads_in(part: Any) -> set[str]:
    """The ids of the uploads that a checked program, or a part of one, refers to."""
    found: set[str] = set()
    parts = [part]
    while parts:
        one = parts.pop()
        if isinstance(one, dict) and isinstance(one.get("upload"), str):
            found.add(one["upload"])
        parts += [inner for inner in (one.values() if isinstance(one, dict) else one) if isinstance(inner, dict | list)]
    return found


class Uploaded:
    """What one request refers to. find: reads an upload; most: numbers that all references together may bring."""

    def __init__(self, find: Find, most: int) -> None:
        self._find, self._most, self._elements = find, most, 0
        self._uploads: dict[str, Mapping[str, Array]] = {}
        self._written: dict[tuple[str, str | None], tuple[dict[str, Any], str]] = {}

    def in_program(self, program: Mapping[str, Any]) -> dict[str, Any]:
        """The program without references. Raises ProgramError for what there is not or does not fit, LimitError for too much of it."""
        match program["kind"]:
            case "graph":
                nodes = [self._in_node(node, f"/program/nodes/{number}/value") for number, node in enumerate(program["nodes"])]
                return {**program, "nodes": nodes}
            case "network":
                return {**program, "start": self._in_start(program["start"]), "sequences": self._in_sequences(program["sequences"])}
            case "what-if":
                with within(1):
                    inner = self.in_program(program["program"])
                return {**program, "program": inner, "edits": self.in_edits(program["edits"], "/program/edits")}
            case _:
                return dict(program)

    def in_edits(self, edits: Sequence[Mapping[str, Any]], pointer: str) -> list[dict[str, Any]]:
        """The edits without references."""
        return [
            {**edit, "value": self._in_value(edit["value"], f"{pointer}/{number}/value")[0]} if "value" in edit else dict(edit)
            for number, edit in enumerate(edits)
        ]

    def _in_node(self, node: Mapping[str, Any], pointer: str) -> dict[str, Any]:
        value, dtype = self._in_value(node["value"], pointer)
        return {**node, "value": value, "dtype": node["dtype"] or dtype}

    def _in_start(self, start: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        pointer = "/program/start"
        if start is not None and "upload" in start:
            return {
                "parameters": {name: self._encoded(start["upload"], name, pointer)[0] for name in self._arrays(start["upload"], pointer)}
            }
        if start is not None and "parameters" in start:
            return {"parameters": {name: self._in_value(value, f"{pointer}/parameters")[0] for name, value in start["parameters"].items()}}
        return start

    def _in_sequences(self, sequences: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if sequences is None or "inputs" not in sequences:
            return sequences
        pointer = "/program/sequences"
        inputs, targets = (_numbers(self._tensor(sequences[name], f"{pointer}/{name}")) for name in ("inputs", "targets"))
        for name, array, shapes in (("inputs", inputs, "(sequences, steps) or (sequences, steps, features)"),
                                    ("targets", targets, "one entry for each sequence")):  # fmt: skip
            if array.ndim == 0 or (name == "inputs" and array.ndim not in (2, 3)) or len(array) != len(inputs):
                raise ProgramError(f"this tensor has shape {list(array.shape)}; expected {shapes}", f"{pointer}/{name}")
            if not np.isfinite(array).all():
                detail = "this tensor holds numbers that are not finite; a network learns from finite ones, replace the others"
                raise ProgramError(detail, f"{pointer}/{name}")
        most = limits.SEQUENCE_ELEMENTS
        if inputs.size + targets.size > most:
            held = f"the sequences hold {inputs.size + targets.size:,} numbers, at most {most:,} are taken"
            raise LimitError(f"{held}; give fewer of them", most, inputs.size + targets.size, pointer)
        examples = [{"values": values, "target": target} for values, target in zip(inputs.tolist(), targets.tolist(), strict=True)]
        rest = {name: value for name, value in sequences.items() if name not in ("inputs", "targets")}
        try:
            return OwnSequences.model_validate({**rest, "examples": examples}).model_dump()
        except ValidationError as error:
            raise ProgramError(message(error.errors()[0]), pointer) from None

    def _in_value(self, value: Any, pointer: str) -> tuple[Any, str | None]:
        """A value that is no reference, and its dtype where the value alone would not say."""
        if not isinstance(value, dict) or "upload" not in value:
            return value, None
        return self._encoded(value["upload"], value["tensor"], pointer)

    def _encoded(self, upload: str, tensor: str | None, pointer: str) -> tuple[dict[str, Any], str]:
        array = self._tensor({"upload": upload, "tensor": tensor}, pointer)
        self._elements += array.size
        if self._elements > self._most:
            held = f"the program refers to {self._elements:,} numbers or more of uploads, at most {self._most:,} are taken"
            raise LimitError(held, self._most, self._elements, pointer)
        key = upload, tensor
        if key not in self._written:
            self._written[key] = _written(array, pointer)
        return self._written[key]

    def _tensor(self, reference: Mapping[str, Any], pointer: str) -> Array:
        arrays, name = self._arrays(reference["upload"], pointer), reference["tensor"]
        if name is None:
            if len(arrays) != 1:
                raise ProgramError(f"the upload holds {len(arrays)} tensors; name one of them (`tensor`)", pointer)
            return next(iter(arrays.values()))
        if name not in arrays:
            raise ProgramError(f"the upload has no tensor of this name; {those_there_are(name, arrays)}", pointer)
        return arrays[name]

    def _arrays(self, upload: str, pointer: str) -> Mapping[str, Array]:
        if upload not in self._uploads:
            found = self._find(upload)
            if found is None:
                detail = "there is no such upload (any more); GET /api/v1/uploads lists your own, POST /api/v1/uploads makes one"
                raise ProgramError(detail, pointer)
            self._uploads[upload] = found
        return self._uploads[upload]


def those_there_are(name: str, names: Iterable[str]) -> str:
    """Which of the names was probably meant, and what they are, as far as an error may repeat them."""
    plain = [known for known in names if is_plain(known)]
    shown = f"it has {', '.join(plain[:10])}{', …' if len(plain) > 10 else ''}" if plain else "GET /api/v1/uploads/{id} lists those it has"
    return f"{nearest(name, plain)}{shown}"


def _numbers(array: Array) -> Array:
    """Truth values as 0 and 1, anything else as it is."""
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def _written(array: Array, pointer: str) -> tuple[dict[str, Any], str]:
    """An array as programs hold it, and its dtype there: the narrowest of those that a trace has which holds all of it."""
    if array.dtype.kind in "iu" and array.size and not -(2**31) <= int(array.min()) <= int(array.max()) < 2**31:
        raise ProgramError("the tensor holds whole numbers beyond 32 bits, which a trace has not; make it floating point", pointer)
    kind, size = array.dtype.kind, array.dtype.itemsize
    name = {"b": "bool", "f": "float64" if size == 8 else "float32"}.get(kind) or ("uint8" if array.dtype == np.uint8 else "")
    if not name:
        name = "int32" if size < 4 or array.dtype == np.int32 else "int64"
    return encode(array.astype(name)), name
