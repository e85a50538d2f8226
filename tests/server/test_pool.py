"""The worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.jobs.pool import OverloadedError, Place, WorkerLostError, WorkerMemoryError, WorkerPool
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


def allocate(size: int) -> int:
    return len(bytearray(size))


def test_a_worker_has_so_much_memory_and_no_more() -> None:
    async def use() -> int:
        pool = WorkerPool(1, memory=2**28)
        try:
            assert await pool.run(allocate, 2**20, seconds=60) == 2**20
            with pytest.raises(WorkerMemoryError, match="268,435,456 bytes"):
                await pool.run(allocate, 2**29, seconds=60)
            return await pool.run(allocate, 2**20, seconds=60)
        finally:
            pool.close()

    assert asyncio.run(use()) == 2**20


def test_what_would_wait_too_long_is_refused_at_once() -> None:
    async def use() -> list[str]:
        pool = WorkerPool(1, queue=2)
        try:
            work = [asyncio.create_task(pool.run(time.sleep, 0.5, seconds=60)) for _ in range(6)]
            await asyncio.sleep(0)
            assert (pool.busy, pool.waiting) == (1, 2)
            patient = asyncio.create_task(pool.run(os.getpid, seconds=60, patient=True))
            done = await asyncio.gather(*work, return_exceptions=True)
            assert await patient > 0
            assert (pool.busy, pool.waiting) == (0, 0)
            return [type(result).__name__ for result in done]
        finally:
            pool.close()

    assert asyncio.run(use()) == ["NoneType"] * 3 + [OverloadedError.__name__] * 3


def note(where: Path) -> None:
    (where / str(os.getpid())).touch()


def test_every_free_process_is_prepared(tmp_path: Path) -> None:
    async def use() -> int:
        pool = WorkerPool(1, shared=True)
        try:
            busy = asyncio.create_task(pool.run(time.sleep, 600, seconds=600))
            await asyncio.sleep(0)
            await pool.warm(partial(note, tmp_path))
            assert len(list(tmp_path.iterdir())) == 1
            busy.cancel()
            await asyncio.wait([busy])
            return await pool.run(os.getpid, seconds=60, patient=True) + pool.busy
        finally:
            pool.close()

    assert asyncio.run(use()) > 0


def test_killed_workers_are_counted() -> None:
    async def use(pool: WorkerPool) -> int:
        with pytest.raises(WorkerLostError):
            await pool.run(die, seconds=60)
        return pool.lost

    assert with_pool(use) == 3


def test_what_somebody_waits_for_waits_for_no_patient_work_nor_the_other_way_round() -> None:
    async def use() -> list[bool]:
        pool = WorkerPool(2, shared=True)
        try:
            patient = [asyncio.create_task(pool.run(time.sleep, 600, seconds=600, patient=True)) for _ in range(4)]
            await asyncio.sleep(0)
            assert (pool.busy, pool.waiting) == (2, 2)
            assert await pool.run(os.getpid, seconds=60) > 0
            impatient = [asyncio.create_task(pool.run(time.sleep, 600, seconds=600)) for _ in range(3)]
            await asyncio.sleep(0)
            assert (pool.busy, pool.waiting) == (3, 4)
            patient[3].cancel()  # one that waits is forgotten,
            patient[0].cancel()  # and the process of one at work goes to what is waited for, before the other patient work
            await asyncio.wait(patient[::3])
            assert (pool.busy, pool.waiting) == (3, 2)
            impatient[0].cancel()  # there are two of those now, so the next process is for patient work
            impatient[2].cancel()
            await asyncio.wait(impatient[::2])
            assert (pool.busy, pool.waiting) == (3, 0)
            return [task.done() for task in (*patient, *impatient)]
        finally:
            for task in (*patient, *impatient):
                task.cancel()
            await asyncio.gather(*patient, *impatient, return_exceptions=True)
            pool.close()

    assert asyncio.run(use()) == [True, False, False, True, True, False, True]


def then(seconds: float, result: int) -> tuple[int, int, float]:
    began = time.monotonic()
    time.sleep(seconds)
    return result, os.getpid(), began


def in_turn(use: Callable[[WorkerPool, Place], Awaitable[Any]], workers: int = 2) -> Any:
    """What `use` gives, with a pool of some workers and a place."""

    async def run() -> Any:
        pool = WorkerPool(workers, shared=True)
        try:
            await pool.run(os.getpid, seconds=60)
            return await use(pool, Place())
        finally:
            pool.close()

    return asyncio.run(run())


def test_a_process_is_given_more_before_it_has_done_what_it_does() -> None:
    async def use(pool: WorkerPool, place: Place) -> list[Any]:
        first = asyncio.create_task(pool.run(then, 0.3, 1, seconds=60, patient=True, place=place))
        await asyncio.sleep(0.1)
        second = Place()
        more = asyncio.create_task(pool.run_after(place, then, 0.3, 2, seconds=60, place=second))
        await first
        assert pool.busy == 1  # the process is nobody else's
        third = asyncio.create_task(pool.run_after(second, then, 0.0, 3, seconds=60, place=Place()))
        done = [first.result(), await more, await third]
        assert (pool.busy, pool.waiting) == (0, 0)
        assert await pool.run_after(place, then, 0.0, 4, seconds=60, place=Place()) is None  # nothing is done there any more
        return done

    done = in_turn(use)
    assert [one[0] for one in done] == [1, 2, 3]
    assert len({one[1] for one in done}) == 1
    assert done[1][2] - done[0][2] < 0.4


def test_nothing_is_given_ahead_of_work_that_waits() -> None:
    async def use(pool: WorkerPool, place: Place) -> list[Any]:
        work = [asyncio.create_task(pool.run(then, 0.3, n, seconds=60, patient=True, place=place)) for n in range(2)]
        await asyncio.sleep(0.05)
        refused = await pool.run_after(place, then, 0.0, 2, seconds=60, place=Place())
        return [refused, *[one[0] for one in await asyncio.gather(*work)]]

    assert in_turn(use, workers=1) == [None, 0, 1]
    assert in_turn(use, workers=2) == [None, 0, 1]


@pytest.mark.parametrize("ends", ["killed before", "killed itself", "cancelled", "cancelled before"])
def test_what_was_given_ahead_is_lost_with_the_process(ends: str) -> None:
    async def use(pool: WorkerPool, place: Place) -> Any:
        before = die if ends == "killed before" else partial(time.sleep, 600 if ends == "cancelled before" else 0.2)
        first = asyncio.create_task(pool.run(before, seconds=60, patient=True, place=place))
        while place.process is None:
            await asyncio.sleep(0)
        function = die if ends == "killed itself" else partial(time.sleep, 600 if ends == "cancelled" else 0)
        more = asyncio.create_task(pool.run_after(place, function, seconds=60, place=Place()))
        await asyncio.sleep(0.1)
        for task in {"cancelled": [more], "cancelled before": [more, first]}.get(ends, []):
            task.cancel()
        done = await asyncio.wait_for(asyncio.gather(first, more, return_exceptions=True), 60)
        assert (pool.busy, pool.waiting) == (0, 0)
        assert await pool.run(os.getpid, seconds=60) > 0
        return [None if one is None else type(one) for one in done]

    cancelled = asyncio.CancelledError
    wanted = {"killed before": [WorkerLostError, None], "cancelled": [None, cancelled], "cancelled before": [cancelled, cancelled]}
    assert in_turn(use) == wanted.get(ends, [None, None])
