"""The worker processes."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

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


class Place:
    """Where a piece of work is being done, and what the same process does after it."""

    process: ProcessPool | None = None
    following: ProcessFuture[Any] | None = None


class _LostError(RuntimeError):
    """A process ended at work."""


class WorkerPool:
    """Runs functions in spawned processes. Work whose process was killed is given to another, since all work is stateless.

    Patient work (trainings, maps) goes on in slices for as long as there is some; other work is what somebody waits for. Of each kind so
    much is done at a time as there are workers, on one process more: neither kind ever takes the last process from the other, and the one
    that is waited for goes first.

    Each process is a Pebble pool of one: processes of one Pebble pool share pipes and locks, and a killed process that held one would stop
    them all. Make and use it within one event loop.
    """

    def __init__(self, workers: int, memory: int = limits.WORKER_MEMORY, queue: int = limits.QUEUE, shared: bool = False) -> None:
        """shared: whether both kinds of work come, so that there is the one process more."""
        self.workers, self.memory, self.queue = workers, memory, queue
        self.lost = 0  # processes that were killed, since the start
        self._pools = [_open(memory) for _ in range(workers + shared)]
        self._lost: set[ProcessPool] = set()  # to be replaced before their next use
        self._free = [*self._pools]  # the last used is warm, and is used next
        self._more: Counter[ProcessPool] = Counter()  # pieces of work that a process has beside the one
        self._at_work = {False: 0, True: 0}  # how much of either kind, by whether it is patient
        self._waiting: dict[bool, deque[asyncio.Future[ProcessPool]]] = {False: deque(), True: deque()}

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return len(self._pools) - len(self._free)

    @property
    def waiting(self) -> int:
        """How many pieces of work have no worker."""
        return sum(map(len, self._waiting.values()))

    async def run(
        self, function: Callable[..., T], *arguments: Any, seconds: float, patient: bool = False, place: Place | None = None
    ) -> T:  # fmt: skip
        """The function's result. Raises what it raises, TimeoutError after `seconds`, WorkerLostError when its processes keep dying,
        WorkerMemoryError when it needs more memory than a worker has, and OverloadedError, at once, where too much work waits already;
        not so where it is `patient`. place: is told where it is done.

        Cancelling ends the worker's process.
        """
        place = place or Place()
        for _ in range(ATTEMPTS):
            process = await self._next(patient)
            try:
                if process in self._lost or not process.active:  # not active: its process was killed while it waited
                    process = self._renew(process)
                return await self._do(process, process.schedule(function, args=arguments, timeout=seconds), place)
            except _LostError as error:
                log.warning("a worker process ended while it computed %s: %s", function.__name__, error)
            finally:
                self._give_back(process, patient)
        raise WorkerLostError(f"{ATTEMPTS} worker processes ended while they computed this")

    async def run_after(
        self, before: Place, function: Callable[..., T], *arguments: Any, seconds: float, place: Place
    ) -> T | None:  # fmt: skip
        """Patient work that a process is given before it has done what it does at a place, so that it need not wait for more; its result.

        None where nothing is done at that place any more, where other work waits for a process, and where the process is lost. Raises what
        `run` does of the function, of its time and its memory.
        """
        process = before.process
        if process is None or self._waiting[True] or self._at_work[True] >= self.workers:
            return None
        self._at_work[True] += 1
        self._more[process] += 1
        try:
            before.following = process.schedule(function, args=arguments, timeout=seconds)
            return await self._do(process, before.following, place)
        except _LostError:
            return None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return None  # the process was lost over what it did before
        finally:
            self._give_back(process, patient=True)

    async def _do(self, process: ProcessPool, work: ProcessFuture[T], place: Place) -> T:
        """What a process makes of some work. Raises _LostError where it ended."""
        healthy, place.process = False, process
        try:
            result = await asyncio.wrap_future(work)
            healthy = True
            return result
        except (ProcessExpired, BrokenProcessPool) as error:
            self.lost += 1
            raise _LostError(str(error)) from None
        except TimeoutError:
            raise
        except MemoryError:  # what it holds now nobody knows, so it goes
            raise WorkerMemoryError(f"this needs more memory than the {self.memory:,} bytes that a worker has") from None
        except Exception:
            healthy = True  # the function's own error
            raise
        finally:
            place.process = None
            if not healthy:
                self._lost.add(process)
                if place.following is not None:
                    place.following.cancel()  # type: ignore[no-untyped-call]  # Pebble leaves it without annotations

    async def warm(self, function: Callable[[], object]) -> None:
        """Has every process that is free compute `function`, one after the other, so that what its first work needs is there."""
        for pool in [*self._free]:
            if pool not in self._free:  # it is at work now, which does the same
                continue
            self._free.remove(pool)
            try:
                await asyncio.wrap_future(pool.schedule(function, timeout=limits.TRACE_SECONDS))
            except Exception as error:  # the process is gone; its first work finds another
                log.warning("a worker process could not be prepared: %s", error)
                self._lost.add(pool)
            finally:
                self._free.append(pool)
                self._hand_on()

    async def _next(self, patient: bool) -> ProcessPool:
        """A worker, when one is free."""
        if self._has_room(patient):
            return self._take(patient)
        ahead = len(self._waiting[patient])
        if not patient and ahead >= self.queue:
            raise OverloadedError(f"{ahead} pieces of work are waiting already")
        turn: asyncio.Future[ProcessPool] = asyncio.get_running_loop().create_future()
        self._waiting[patient].append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn in self._waiting[patient]:
                self._waiting[patient].remove(turn)
            elif not turn.cancelled():
                self._give_back(turn.result(), patient)  # it came at the very moment
            raise

    def _has_room(self, patient: bool) -> bool:
        return bool(self._free) and self._at_work[patient] < self.workers

    def _take(self, patient: bool) -> ProcessPool:
        self._at_work[patient] += 1
        return self._free.pop()

    def _give_back(self, pool: ProcessPool, patient: bool) -> None:
        self._at_work[patient] -= 1
        if self._more[pool]:
            self._more[pool] -= 1
        else:
            del self._more[pool]
            self._free.append(pool)
        self._hand_on()

    def _hand_on(self) -> None:
        """Gives what is free to those who wait."""
        for kind in (False, True):
            while self._waiting[kind] and self._has_room(kind):
                turn = self._waiting[kind].popleft()
                if not turn.done():  # nobody waits any more for one that was cancelled
                    turn.set_result(self._take(kind))

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
