"""The worker processes."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from server import limits
from server.jobs.preparation import initialise

T = TypeVar("T")
ATTEMPTS = 3
log = logging.getLogger("retrograd")


class WorkerLostError(RuntimeError):
    """Workers were killed again and again over one piece of work."""


class WorkerMemoryError(RuntimeError):
    """A piece of work needs more memory than a worker has."""


class OverloadedError(RuntimeError):
    """So much work waits for the workers that more of it would wait too long."""


class WorkerPool:
    """Runs functions in spawned processes. Work whose process was killed is given to another, since all work is stateless.

    Each worker is a Pebble pool of one: processes of one Pebble pool share pipes and locks, and a killed process that held one would stop
    them all. Make and use it within one event loop.
    """

    def __init__(self, workers: int, memory: int = limits.WORKER_MEMORY, queue: int = limits.QUEUE) -> None:
        self.memory, self.queue = memory, queue
        self.waiting = 0  # pieces of work without a worker
        self.lost = 0  # processes that were killed, since the start
        self._pools = [_open(memory) for _ in range(workers)]
        self._lost: set[ProcessPool] = set()  # to be replaced before their next use
        self._free: asyncio.LifoQueue[ProcessPool] = asyncio.LifoQueue()  # the last used is warm
        for pool in self._pools:
            self._free.put_nowait(pool)

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return len(self._pools) - self._free.qsize()

    @property
    def workers(self) -> int:
        return len(self._pools)

    async def run(self, function: Callable[..., T], *arguments: Any, seconds: float, patient: bool = False) -> T:
        """The function's result. Raises what it raises, TimeoutError after `seconds`, WorkerLostError when its processes keep dying,
        WorkerMemoryError when it needs more memory than a worker has, and OverloadedError, at once, where too much work waits already;
        not so where it is `patient`.

        Cancelling ends the worker's process.
        """
        for _ in range(ATTEMPTS):
            pool = await self._next(patient)
            healthy = False
            try:
                if pool in self._lost or not pool.active:  # not active: its process was killed while it waited
                    pool = self._renew(pool)
                result = await asyncio.wrap_future(pool.schedule(function, args=arguments, timeout=seconds))
                healthy = True
                return result
            except (ProcessExpired, BrokenProcessPool) as error:
                self.lost += 1
                log.warning("a worker process ended while it computed %s: %s", function.__name__, error)
            except TimeoutError:
                raise
            except MemoryError:  # what it holds now nobody knows, so it goes
                raise WorkerMemoryError(f"this needs more memory than the {self.memory:,} bytes that a worker has") from None
            except Exception:
                healthy = True  # the function's own error
                raise
            finally:
                if not healthy:
                    self._lost.add(pool)
                self._free.put_nowait(pool)
        raise WorkerLostError(f"{ATTEMPTS} worker processes ended while they computed this")

    async def _next(self, patient: bool) -> ProcessPool:
        """A worker, when one is free."""
        if self._free.empty() and self.waiting >= self.queue and not patient:
            raise OverloadedError(f"{self.waiting} pieces of work are waiting already")
        self.waiting += 1
        try:
            return await self._free.get()
        finally:
            self.waiting -= 1

    def _renew(self, pool: ProcessPool) -> ProcessPool:
        """Another pool in place of one whose process was lost or is to be ended."""
        self._pools.remove(pool)
        self._lost.discard(pool)
        threading.Thread(target=_close, args=(pool,), daemon=True).start()  # it may wait for what the lost process was sending
        self._pools.append(_open(self.memory))
        return self._pools[-1]

    def close(self) -> None:
        """Ends the processes; blocks until they are gone."""
        for pool in self._pools:
            pool.stop()  # type: ignore[no-untyped-call]  # Pebble leaves it without annotations
        for pool in self._pools:
            _close(pool)


def _open(memory: int) -> ProcessPool:
    pool = ProcessPool(max_workers=1, initializer=initialise, initargs=[memory], context=multiprocessing.get_context("spawn"))
    assert pool.active  # asking starts the process, so that it is there when work comes
    return pool


def _close(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # Pebble leaves it without annotations
    pool.join()
