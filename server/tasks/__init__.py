"""The data sets that networks are trained on, one file each; the engine knows them as `engine.training.Task`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from engine.training.task import Part
from server.tasks.base import PARTS, ArrayTask

__all__ = ["NAMES", "PARTS", "ArrayTask", "all_tasks", "describe_task", "examples", "load"]


def _surnames() -> ArrayTask:
    from server.tasks.surnames import Surnames  # each where it is needed: a worker loads one data set, and the libraries of one

    return Surnames()


def _digits() -> ArrayTask:
    from server.tasks.digits import Digits

    return Digits()


def _sunspots() -> ArrayTask:
    from server.tasks.sunspots import Sunspots

    return Sunspots()


def _adding() -> ArrayTask:
    from server.tasks.adding import Adding

    return Adding()


def _long_adding() -> ArrayTask:
    from server.tasks.adding import LongAdding

    return LongAdding()


_MAKERS: Mapping[str, Callable[[], ArrayTask]] = MappingProxyType(
    {"surnames": _surnames, "digits": _digits, "sunspots": _sunspots, "adding": _adding, "adding-50": _long_adding}
)
NAMES: tuple[str, ...] = tuple(_MAKERS)


def load(name: str) -> ArrayTask:
    """The task of this name, made once. Raises ValueError, with the names that there are, for another."""
    if name not in _MAKERS:
        raise ValueError(f"there is no task {name!r}; expected one of {', '.join(NAMES)}")
    return _load(name)


@cache
def _load(name: str) -> ArrayTask:
    return _MAKERS[name]()


def all_tasks() -> list[ArrayTask]:
    """Every task, in the order in which people are shown them."""
    return [load(name) for name in NAMES]


def describe_task(task: ArrayTask) -> dict[str, Any]:
    """A task as docs/api.md has it ("Task")."""
    lengths = [task.parts[part].lengths for part in PARTS]
    return {
        "name": task.name,
        "title": task.title.to_json(),
        "question": task.question.to_json(),
        "kind": task.kind,
        "display": task.display,
        "readout": task.readout,
        "input_size": task.input_size,
        "output_size": task.output_size,
        "classes": None if task.classes is None else [title.en for title in task.classes],
        "class_titles": None if task.classes is None else {"zh": [title.zh for title in task.classes]},
        "sizes": {part: task.size(part) for part in PARTS},
        "lengths": {"min": min(int(n.min()) for n in lengths), "max": max(int(n.max()) for n in lengths)},
        "baseline": {"name": task.baseline.name, "value": task.baseline.value, "metric": task.baseline.metric},
        "source": task.source,
        "license": task.license,
    }


def examples(task: ArrayTask, part: Part, after: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """The examples of a part that follow number `after` (None: from the first), at most `limit` of them.

    Each as in the `batch` of docs/trace-format.md. Raises ValueError for an unknown part, `after` below 0 or `limit` below 1.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}; expected at least 1")
    if after is not None and after < 0:
        raise ValueError(f"after is {after}; expected the number of an example, 0 or more")
    first = 0 if after is None else after + 1
    chosen = range(first, min(first + limit, task.size(part)))
    if not chosen:
        return []
    described: list[dict[str, Any]] = task.describe(task.batch(part, chosen), part)["examples"]
    return described
