"""A trace with edits becomes another: from a stored one, or from the program that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine.nearest import nearest
from engine.ops.op import Array
from engine.told import Told
from engine.trace import Change, Document, Edit, EditError, KeepGradients, Mute, MuteStep, what_if
from server import limits
from server.programs.errors import LimitError, ProgramError
from server.programs.operations import REFUSALS
from server.schemas.graph import to_array

NO_TOKEN = "·"  # in place of a letter that is none any more


def trace_with_edits(document: Document, edits: Sequence[Mapping[str, Any]], pointer: str) -> dict[str, Any]:
    """The trace that comes of a trace and edits. Its program names its parent, and makes it again.

    pointer: to the edits, in the request. Raises ProgramError for edits that the trace cannot take.
    """
    base = document.doc["program"]
    if depth(base) >= limits.EDIT_DEPTH:
        words = f"this trace has {limits.EDIT_DEPTH} ancestors; give all edits together to an earlier one of them"
        raise ProgramError(Told(words, "edits-deep", most=limits.EDIT_DEPTH), pointer)
    wanted = [_change(edit, f"{pointer}/{number}/value") for number, edit in enumerate(edits)]
    try:
        written = [_written(document, edit) for edit in edits]
    except KeyError:
        written = []  # `what_if` tells which
    program = {"kind": "what-if", "parent": document.doc["id"], "program": base, "edits": written}
    try:
        return what_if(document, wanted, program, _described(document, wanted))
    except EditError as error:
        raise ProgramError(f"{_meant(document, wanted[error.number])}{error.detail}", f"{pointer}/{error.number}") from None
    except REFUSALS as error:
        raise ProgramError(str(error), pointer) from None


def _meant(document: Document, change: Change) -> str:
    """The path that was probably meant by one that the trace has not."""
    key = getattr(change, "node", None)
    paths = [node["path"] for node in document.nodes]
    return nearest(key, paths) if isinstance(key, str) and key not in paths else ""


def depth(program: Mapping[str, Any]) -> int:
    """How many what-ifs stand around the program that made the first trace."""
    count = 0
    while program["kind"] == "what-if":
        program, count = program["program"], count + 1
    return count


def first(program: Mapping[str, Any]) -> Mapping[str, Any]:
    """The program that makes the trace which all edits go back to."""
    while program["kind"] == "what-if":
        program = program["program"]
    return program


@contextmanager
def within(levels: int) -> Iterator[None]:
    """Errors about a program that stands so deep in the one that was given: their pointers lead there."""
    try:
        yield
    except ProgramError as error:
        raise ProgramError(error.detail, "/program" * levels + error.pointer, error.column, error.line) from None
    except LimitError as error:
        pointer = None if error.pointer is None else "/program" * levels + error.pointer
        raise LimitError(error.detail, error.limit, error.actual, pointer, error.status) from None


def _change(edit: Mapping[str, Any], pointer: str) -> Change:
    """pointer: to the value of the edit."""
    if "zero_grad" in edit:
        return KeepGradients()
    if "mute" in edit:
        muted = edit["mute"]
        return Mute(muted["node"], muted["port"]) if muted["time"] is None else MuteStep(muted["time"])
    return Edit(edit["node"], None if edit["index"] is None else tuple(edit["index"]), _array(edit, pointer))


def _written(document: Document, edit: Mapping[str, Any]) -> dict[str, Any]:
    """The edit as it stands in the program: nodes by their paths. Raises KeyError for a node that is not there."""
    if "node" in edit:
        return {**edit, "node": _key(document.node(edit["node"]))}
    if "mute" in edit and edit["mute"]["node"] is not None:
        return {"mute": {**edit["mute"], "node": _key(document.node(edit["mute"]["node"]))}}
    return dict(edit)


def _key(node: Mapping[str, Any]) -> int | str:
    """A node's path, which survives small changes; its number where the path would be read as one."""
    return int(node["id"]) if node["path"].isdecimal() else str(node["path"])


def _array(edit: Mapping[str, Any], pointer: str) -> Array:
    try:
        return to_array(edit["value"], None)
    except ValueError as error:
        raise ProgramError(str(error), pointer) from None


def _described(document: Document, edits: Sequence[Change]) -> Mapping[str, Any] | None:
    """The batch as people see it, with what edits of the input and of the target have made of it."""
    batch = document.doc["batch"]
    if batch is None:
        return None
    changed: dict[str, Array] = {}
    for edit in edits:
        if not isinstance(edit, Edit):
            continue
        try:
            path = document.node(edit.node)["path"]
        except KeyError:
            return None
        if path in ("x", "target"):
            array = changed.setdefault(path, document.value(document.node(path)["id"]).copy())
            at: Any = ... if edit.index is None else edit.index
            try:
                array[at] = edit.value
            except (IndexError, ValueError):
                return None  # `what_if` says what is wrong with it
    examples = [dict(example) for example in batch["examples"]]
    for row, example in enumerate(examples):
        if "x" in changed:
            tokens = _tokens(batch, changed["x"][row, : example["length"]], example["tokens"])
            if batch["display"] == "letters" and tokens != example["tokens"]:
                example["text"] = "".join(tokens)
            example["tokens"] = tokens
        if "target" in changed:
            target = changed["target"][row]
            example["target"] = target[: example["length"]].tolist() if target.ndim == 2 else target.tolist()
    return {**batch, "examples": examples}


def _tokens(batch: Mapping[str, Any], x: Array, before: Sequence[Any]) -> list[Any]:
    """What stands in each column now; x: (length, features)."""
    match batch["display"]:
        case "letters":
            letters = batch["features"]
            ones = (x == 1).sum(axis=1) == 1
            whole = ones & ((x == 0).sum(axis=1) == x.shape[1] - 1)
            return [letters[int(np.argmax(row))] if one else NO_TOKEN for row, one in zip(x, whole, strict=True)]
        case "series":
            return list(x[:, 0].tolist())
        case "pairs":
            return [[value, int(mark) if mark in (0, 1) else mark] for value, mark in x.tolist()]
        case _:
            return list(x.tolist())
