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

from server.jobs.single_thread import initialise

T = TypeVar("T")
ATTEMPTS = 3
log = logging.getLogger("retrograd")


class WorkerLostError(RuntimeError):
    """Workers were killed again and again over one piece of work."""


class WorkerPool:
    """Runs functions in spawned processes. Work whose process was killed is given to another, since all work is stateless.

    Each worker is a Pebble pool of one: processes of one Pebble pool share pipes and locks, and a killed process that held one would stop
    them all. Make and use it within one event loop.
    """

    def __init__(self, workers: int) -> None:
        self._pools = [_open() for _ in range(workers)]
        self._lost: set[ProcessPool] = set()  # to be replaced before their next use
        self._free: asyncio.LifoQueue[ProcessPool] = asyncio.LifoQueue()  # the last used is warm
        for pool in self._pools:
            self._free.put_nowait(pool)

    async def run(self, function: Callable[..., T], *arguments: Any, seconds: float) -> T:
        """The function's result. Raises what it raises, TimeoutError after `seconds`, WorkerLostError when its processes keep dying.

        Cancelling ends the worker's process.
        """
        for _ in range(ATTEMPTS):
            pool = await self._free.get()
            healthy = False
            try:
                if pool in self._lost or not pool.active:  # not active: its process was killed while it waited
                    pool = self._renew(pool)
                result = await asyncio.wrap_future(pool.schedule(function, args=arguments, timeout=seconds))
                healthy = True
                return result
            except (ProcessExpired, BrokenProcessPool) as error:
                log.warning("a worker process ended while it computed %s: %s", function.__name__, error)
            except TimeoutError:
                raise
            except Exception:
                healthy = True  # the function's own error
                raise
            finally:
                if not healthy:
                    self._lost.add(pool)
                self._free.put_nowait(pool)
        raise WorkerLostError(f"{ATTEMPTS} worker processes ended while they computed this")

    def _renew(self, pool: ProcessPool) -> ProcessPool:
        """Another pool in place of one whose process was lost or is to be ended."""
        self._pools.remove(pool)
        self._lost.discard(pool)
        threading.Thread(target=_close, args=(pool,), daemon=True).start()  # it may wait for what the lost process was sending
        self._pools.append(_open())
        return self._pools[-1]

    def close(self) -> None:
        """Ends the processes; blocks until they are gone."""
        for pool in self._pools:
            _close(pool)


def _open() -> ProcessPool:
    pool = ProcessPool(max_workers=1, initializer=initialise, context=multiprocessing.get_context("spawn"))
    assert pool.active  # asking starts the process, so that it is there when work comes
    return pool


def _close(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # Pebble leaves it without annotations
    pool.join()
