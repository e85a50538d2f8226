"""How much of the processor one computation may take. The clock alone would punish a visitor for a busy machine."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from engine.told import Told
from server.programs.errors import LimitError

_LESS = "this takes more than {seconds:g} s of processor time; ask for less of it, or let a run train and open one of its steps"
_AGAIN = 0.1  # seconds after which it is said again: an exception in what Python does when an object goes is lost


@contextmanager
def processor_time(seconds: float, words: str = _LESS, code: str | None = "time") -> Iterator[None]:
    """Raises LimitError within the block once this process has computed for `seconds`. For the main thread, as a worker's work is.

    words: what it says then, with {seconds:g} where they stand; code: the same for programs, where there is one.
    """
    started = time.process_time()

    def stop(_number: int, _frame: FrameType | None) -> None:
        said = words.format(seconds=seconds)
        told = said if code is None else Told(said, code, seconds=seconds)
        raise LimitError(told, seconds, max(seconds, round(time.process_time() - started, 3)))  # two clocks

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
