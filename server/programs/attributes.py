"""Attributes that came with a graph: each of the kind that its operation declares, before the operation sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from engine.nearest import meant, near
from engine.ops import REGISTRY
from engine.ops.attributes import attributes_of
from engine.told import Told


def check_attributes(name: str, attributes: Mapping[str, Any]) -> None:
    """Raises ValueError for an attribute that an operation has not, or of another kind than it takes."""
    declared = kinds_of(name)
    for key, value in attributes.items():
        if key not in declared:
            found, known = near(key, declared), ", ".join(declared) or "none"
            words = f"{name} has no attribute {key}; {meant(found)}it has {known}"
            raise ValueError(Told(words, "attribute-unknown", name=name, attribute=key, nearest=found))
        if not any(_IS[kind](value) for kind in declared[key]):
            words = f"{name}: {key} is of another kind; expected {' or '.join(_WORDS[kind] for kind in declared[key])}"
            raise ValueError(Told(words, "attribute-kind", name=name, attribute=key))


@cache
def kinds_of(name: str) -> Mapping[str, tuple[str, ...]]:
    """The attributes of an operation: the kinds of value that each takes."""
    return {one.name: one.kinds for one in attributes_of(REGISTRY[name])}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def _list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _index(part: Any) -> bool:
    """One part of an index (docs/trace-format.md, Indices)."""
    match part:
        case "..." | "new":
            return True
        case ["slice", start, stop, step]:
            return all(one is None or _whole(one) for one in (start, stop, step))
        case ["array", numbers]:
            return _numbers(numbers)
        case ["array", [], list(shape)]:
            return all(map(_whole, shape))
    return _whole(part)


def _numbers(value: Any) -> bool:
    return all(map(_numbers, value)) if isinstance(value, list) else _whole(value)


def _real(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53)


_IS: Mapping[str, Callable[[Any], bool]] = {
    "int": _whole,
    "float": _real,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "None": lambda value: value is None,
    "Sequence[int]": _list_of(_whole),
    "Sequence[float]": _list_of(_real),
    "Sequence[Sequence[int]]": _list_of(_list_of(_whole)),
    "Sequence[Any]": _list_of(_index),
}
_WORDS: Mapping[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "None": "null",
    "Sequence[int]": "a list of whole numbers",
    "Sequence[float]": "a list of numbers",
    "Sequence[Sequence[int]]": "a list of lists of whole numbers",
    "Sequence[Any]": "an index, as docs/trace-format.md has it",
}
