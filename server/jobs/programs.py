"""What has to be known of a program before it is trained or traced, found by a worker where that means to read data of somebody's own.

Such a file takes seconds to be read, and another thread of the server would keep everybody waiting meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from server import limits
from server.datasets.choice import chooses_data, data_of, with_data
from server.jobs.pool import WorkerPool
from server.jobs.stopping import usual_interval
from server.programs.network import normalised, settings_of
from server.programs.sweep import check_space

T = TypeVar("T")


async def found_of(pool: WorkerPool, function: Callable[..., T], program: Mapping[str, Any], *arguments: Any, patient: bool = False) -> T:
    """What a function finds of a program: in a worker where that chose data of somebody's own, else in a thread.

    Raises ProgramError where such data are gone, and what the function and WorkerPool.run raise.
    """
    if not chooses_data(program):
        return await run_in_threadpool(function, program, *arguments)
    base = program
    while base.get("kind") == "what-if":
        base = base["program"]
    await run_in_threadpool(data_of, base["dataset"])  # they travel with it
    seconds = limits.SLICE_SECONDS if patient else limits.QUICK_SECONDS
    return await pool.run(function, program, *arguments, seconds=seconds, patient=patient)


def completed(program: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """A run's program with every default written out, and after how many steps it is validated unless told otherwise.

    Raises ProgramError and LimitError.
    """
    task, settings = settings_of(program)
    whole = normalised(program)
    if "dataset" in whole:
        whole["dataset"] = dict(whole["dataset"])  # the choice alone
    return whole, usual_interval(task.size("train"), settings.batch_size)


def searched(program: Mapping[str, Any], space: Mapping[str, Mapping[str, Any]]) -> tuple[str, int]:
    """By which figure the trials of a search are judged, and the usual interval of validations. Raises what `check_space` does."""
    own = program.get("dataset")

    def complete(one: dict[str, Any]) -> dict[str, Any]:
        return normalised(one if own is None else with_data(one, lambda _: data_of(own)))

    check_space(program, space, complete)
    task, settings = settings_of(program)
    metric = "rmse" if task.kind == "regression" else "perplexity" if task.readout == "every" else "accuracy"  # as `score` judges
    return metric, usual_interval(task.size("train"), settings.batch_size)
