"""The worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from server.jobs.pool import WorkerLostError, WorkerPool
from server.programs.errors import ProgramError


def blas_threads() -> list[int]:
    import numpy as np
    from threadpoolctl import threadpool_info

    assert np.ones((2, 2)).sum() == 4
    return [library["num_threads"] for library in threadpool_info()]


def refuse() -> None:
    raise ProgramError("no", "/program", 3)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def with_pool(use: Callable[[WorkerPool], Awaitable[Any]]) -> Any:
    """What `use` gives, with a pool of one worker."""

    async def run() -> Any:
        pool = WorkerPool(1)
        try:
            return await use(pool)
        finally:
            pool.close()

    return asyncio.run(run())


def test_a_worker_has_one_thread_for_blas() -> None:
    threads = with_pool(lambda pool: pool.run(blas_threads, seconds=60))
    assert threads
    assert set(threads) == {1}


def test_what_a_worker_raises_arrives_whole() -> None:
    with pytest.raises(ProgramError) as error:
        with_pool(lambda pool: pool.run(refuse, seconds=60))
    assert (error.value.detail, error.value.pointer, error.value.column) == ("no", "/program", 3)


def test_work_that_kills_every_worker_is_given_up_and_other_work_goes_on() -> None:
    async def use(pool: WorkerPool) -> int:
        with pytest.raises(WorkerLostError):
            await pool.run(die, seconds=60)
        return await pool.run(os.getpid, seconds=60)

    assert with_pool(use) != os.getpid()


def test_work_that_is_cancelled_ends_and_other_work_goes_on() -> None:
    async def use(pool: WorkerPool) -> tuple[int, int]:
        before = await pool.run(os.getpid, seconds=60)
        work = asyncio.create_task(pool.run(time.sleep, 600, seconds=600))
        await asyncio.sleep(0.1)
        work.cancel()
        return before, await pool.run(os.getpid, seconds=60)

    before, after = with_pool(use)
    assert before != after


def test_work_that_takes_too_long_is_ended_and_other_work_goes_on() -> None:
    async def use(pool: WorkerPool) -> tuple[int, int]:
        before = await pool.run(os.getpid, seconds=60)
        with pytest.raises(TimeoutError):
            await pool.run(time.sleep, 600, seconds=0.1)
        return before, await pool.run(os.getpid, seconds=60)

    before, after = with_pool(use)
    assert before != after
