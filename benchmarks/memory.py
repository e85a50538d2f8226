"""The memory of one training step at both levels."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable

from benchmarks.peers import PEERS
from benchmarks.problem import Problem, Workload
from benchmarks.report import Section, Table

TEXT = """\
The most that one training step holds at once, beyond what was there before it (arrays and Python objects alike), in MiB. TRACE keeps every
value, gradient and contribution of the step."""

LEVELS = ("grad", "trace")


def peak(problem: Problem, level: str) -> float:
    """MiB at the peak of a step, after one step to warm up."""
    step = PEERS[level].prepare(problem)
    step()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        step()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (most - before) / 2**20


def measure(cells: Iterable[str], workloads: Iterable[Workload]) -> Section:
    """All cells on all workloads."""
    workloads = list(workloads)
    rows = [[f"{cell} {w}", *(f"{peak(Problem(cell, w), level):.3g}" for level in LEVELS)] for cell in cells for w in workloads]
    return Section("Memory of a step", TEXT, [Table(["MiB", *(PEERS[level].title for level in LEVELS)], rows)])
