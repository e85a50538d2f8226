"""Whether the peers do the same work: the first loss against float64, and the loss some steps later against each other."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from benchmarks.peers import Step
from benchmarks.problem import Problem

FIRST = 1e-6  # relative
LATER = 1e-4  # relative, after STEPS steps: gradients and updates agree too, to what float32 leaves
STEPS = 5


class Disagreement(Exception):  # noqa: N818 - it says what happened
    """Peers that do not do the same work; a benchmark of them would mean nothing."""


def disagreements(problem: Problem, steps: Mapping[str, Step]) -> list[str]:
    """One sentence a peer that does not compute the problem's losses. Takes the first steps of freshly prepared peers."""
    found, later = [], {}
    for name, step in steps.items():
        first = step()
        if not abs(first / problem.first_loss - 1) <= FIRST:
            found.append(f"{name}: {problem.cell} {problem.workload}: first loss {first!r}; expected {problem.first_loss!r} to {FIRST:g}")
        for _ in range(STEPS):
            later[name] = step()
    middle = statistics.median(later.values())
    for name, loss in later.items():
        if not abs(loss / middle - 1) <= LATER:
            found.append(f"{name}: {problem.cell} {problem.workload}: loss after {STEPS} steps {loss!r}; the peers' median is {middle!r}")
    return found
