"""The data sets that networks are trained on, one file each; the engine knows them as `engine.training.Task`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from engine.told import Told
from engine.training.task import Part
from server.tasks.base import PARTS, ArrayTask

__all__ = ["NAMES", "PARTS", "ArrayTask", "all_tasks", "describe_task", "examples", "load"]


# One line a task, in the order in which people are shown them: its module and class. Each module is imported when its task is first loaded:
# a worker loads one data set, and the libraries of one. docs/tasks.md says how a task is written.
_PLUGINS: Mapping[str, str] = MappingProxyType(
    {
        "surnames": "surnames:Surnames",
        "names": "names:Names",
        "digits": "digits:Digits",
        "digits-pixels": "digits_pixels:DigitsByPixels",
        "sunspots": "sunspots:Sunspots",
        "adding": "adding:Adding",
        "adding-50": "adding:LongAdding",
        "copy-memory": "copy_memory:CopyMemory",
        "brackets": "brackets:Brackets",
    }
)
NAMES: tuple[str, ...] = tuple(_PLUGINS)
_LENGTHS_KEPT = 8  # tasks of lengths that somebody asked for; one of 200 steps takes some 16 MB


def load(name: str, length: int | None = None) -> ArrayTask:
    """The task of this name, made once; where its lengths can be chosen and one is given, with sequences of that.

    Raises ValueError, with the names that there are, for another; and for a length that the task cannot have.
    """
    task = _load(name)
    if length is None or (task.length is not None and length == task.length.default):
        return task
    offered = task.length
    if offered is None:
        raise ValueError(Told(f"the sequences of {name} are as they are, no length can be chosen; leave length out", "length-fixed"))
    if not offered.min <= length <= offered.max:
        words = f"{name} has lengths of {offered.min} to {offered.max} steps; given {length}"
        raise ValueError(Told(words, "length-outside", given=length, least=offered.min, most=offered.max))
    return _load_with(name, length)


def _plugin(name: str) -> Callable[..., ArrayTask]:
    if name not in _PLUGINS:
        raise ValueError(f"there is no task {name!r}; expected one of {', '.join(NAMES)}")
    module, _, made = _PLUGINS[name].partition(":")
    plugin: Callable[..., ArrayTask] = getattr(import_module(f"server.tasks.{module}"), made)
    return plugin


@cache
def _load(name: str) -> ArrayTask:
    return _plugin(name)()


@lru_cache(_LENGTHS_KEPT)
def _load_with(name: str, length: int) -> ArrayTask:
    return _plugin(name)(length)


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
        "length": None if task.length is None else asdict(task.length),
        "metrics": list(task.metrics),
        "baseline": {"name": task.baseline.name, "value": task.baseline.value, "metric": task.baseline.metric},
        "suggested": asdict(task.suggested),
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
