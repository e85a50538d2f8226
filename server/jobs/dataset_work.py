"""What workers compute of data of one's own. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.training import Part
from server import limits
from server.datasets.describing import describe, problem_as_json
from server.jobs.processor_time import processor_time
from server.tasks import ArrayTask, describe_task
from server.tasks.own_data import own_task

_SHOWN = 8
_JUDGED: tuple[Part, ...] = ("validation", "test")
_TOO_SLOW = "this file takes more than {seconds:g} s of processor time to read; send a part of it, with fewer rows or columns"


def describe_dataset(data: bytes, seconds: float = limits.DATASET_COMPUTE_SECONDS) -> dict[str, Any]:
    """A file as `server.datasets.describing` has it, within `seconds` of processor time. Raises DatasetError."""
    with processor_time(seconds, _TOO_SLOW, None):
        return describe(data)


def describe_choice(choice: Mapping[str, Any], data: bytes, seconds: float = limits.DATASET_COMPUTE_SECONDS) -> dict[str, Any]:
    """The task of a choice: how many classes the small parts lack, what rows are left out, some examples. Raises DatasetError."""
    with processor_time(seconds, _TOO_SLOW, None):
        task = own_task(choice, data)
        first = task.describe(task.batch("train", range(min(_SHOWN, task.size("train")))), "train")["examples"]
        problems = [problem_as_json(problem) for problem in task.problems[: limits.ERRORS]]
        texts = [example["text"] for example in first]
        absent = {part: _absent(task, part) for part in _JUDGED}
        described = describe_task(task)
        return {"task": described, "absent": absent, "problems": problems, "problem_count": len(task.problems), "examples": texts}


def _absent(task: ArrayTask, part: Part) -> int:
    """Of how many classes a part has no example; 0 for a series."""
    return 0 if task.kind != "classification" else task.output_size - len(np.unique(task.parts[part].targets))
