"""Interleaved rounds: every contender in turn, round after round, so that what else the machine does falls on all alike.

A round runs each contender for a slice of time, several repetitions at once; the figure is the median over the rounds of the time for one
repetition. The garbage collector is on, with its default thresholds; garbage is collected before every slice, so that one contender's
is not another's time. What was there before the measurement (the packages of all peers) is frozen: nobody pays for looking through it.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from timeit import Timer
from typing import Any


@dataclass(frozen=True)
class Plan:
    """How long to measure: rounds at most, seconds a slice, seconds a contender in all, seconds beyond which one repetition is too slow."""

    rounds: int = 15
    slice: float = 0.03
    budget: float = 3.0
    limit: float = 2.0


@dataclass
class Timing:
    """Seconds for one repetition, round by round. threads: processor seconds a second of the clock, to show that there was one thread.

    too_slow: one repetition took longer than the plan's limit; its time is then the only figure.
    """

    repetitions: int
    seconds: list[float] = field(default_factory=list)
    threads: float = 1.0
    too_slow: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def call(function: Callable[[], Any]) -> Timer:
    """A contender that is a function; statements are given as a `Timer` of their own."""
    return Timer(function, "gc.enable()", globals={"gc": gc})  # a Timer would switch the collector off


def interleaved(contenders: Mapping[str, Timer], plan: Plan) -> dict[str, Timing]:
    """The timings of some contenders. Each is warmed up first and repeated as often as fits into a slice."""
    gc.collect()
    gc.freeze()
    try:
        return _measured(contenders, plan)
    finally:
        gc.unfreeze()


def _measured(contenders: Mapping[str, Timer], plan: Plan) -> dict[str, Timing]:
    timings, rounds = {}, {}
    for name, timer in contenders.items():
        first = timer.timeit(1)  # compiles, allocates, fills caches
        once = first if first > plan.limit else _once(timer, plan)
        timing = timings[name] = Timing(max(1, round(plan.slice / once)))
        timing.too_slow = once > plan.limit
        if timing.too_slow:
            timing.seconds.append(once)
        affordable = int(plan.budget / (once * timing.repetitions))
        rounds[name] = 0 if timing.too_slow else min(plan.rounds, max(3, affordable))
    clock = {name: [0.0, 0.0] for name in contenders}
    for n in range(plan.rounds):
        for name, timer in contenders.items():
            if n * rounds[name] // plan.rounds == (n + 1) * rounds[name] // plan.rounds:  # fewer rounds are spread over all
                continue
            gc.collect()
            processor, wall = time.process_time(), time.perf_counter()
            timings[name].seconds.append(timer.timeit(timings[name].repetitions) / timings[name].repetitions)
            clock[name][0] += time.process_time() - processor
            clock[name][1] += time.perf_counter() - wall
    for name, (processor, wall) in clock.items():
        if wall:
            timings[name].threads = processor / wall
    return timings


def _once(timer: Timer, plan: Plan) -> float:
    """About the time of one repetition, after some of warming up."""
    repetitions, seconds = 1, timer.timeit(1)
    while seconds < plan.slice / 2 and seconds * repetitions < plan.limit:
        repetitions *= 2
        seconds = timer.timeit(repetitions)
    return seconds / repetitions
