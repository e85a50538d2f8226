"""The way from a checkpoint to a past step, in slices, so that a long one never keeps a worker from others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.training.checkpoint import step_of
from server import limits
from server.jobs.pool import WorkerPool
from server.jobs.work import train_slice


async def checkpoint_before(
    pool: WorkerPool, program: Mapping[str, Any], step: int, checkpoint: bytes | None, slice_seconds: float, patient: bool = False
) -> bytes | None:
    """The training's state just before step `step` (None: the initial network), from a checkpoint of an earlier one.

    Raises what WorkerPool.run does.
    """
    reached = 0 if checkpoint is None else step_of(checkpoint)
    while reached < step - 1:
        arguments = (program, checkpoint, step - 1 - reached, slice_seconds)
        done = await pool.run(train_slice, *arguments, seconds=limits.SLICE_SECONDS, patient=patient)
        checkpoint, reached = done.checkpoint, done.step
    return checkpoint
