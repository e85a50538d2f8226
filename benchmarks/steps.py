"""One training step of each recurrent layer, by this engine and its peers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from benchmarks.agreement import Disagreement, disagreements
from benchmarks.peers import PEERS, installed, missing
from benchmarks.problem import WORKLOADS, Problem, Workload
from benchmarks.report import Goal, Section, Table
from benchmarks.timing import Plan, Timing, call, interleaved

TEXT = """\
One step is forward, softmax cross-entropy on the last output through a linear head of ten classes, backward, and SGD; float32; all peers
start from the same parameters and data. Workloads are (batch, time steps, inputs, hidden units). Milliseconds a step, median of
interleaved rounds. *TRACE* keeps every primitive's value, gradient and contributions with scope and source line; *PyTorch primitives*,
*HIPS autograd* and *MyGrad* compute the same primitives in the same order; the others are free to compute as they like."""

# Of the time of one and the time of another: the most (or the least) that their ratio may be, workload by workload.
GOALS: tuple[tuple[str, str, tuple[float, ...], bool], ...] = (
    ("trace", "torch-primitives", (0.75, 0.8, 1.0, 1.15), False),
    ("autograd", "trace", (5.0,), True),
    ("mygrad", "trace", (5.0,), True),
    ("grad", "numpy", (1.4, 1.25, 1.15, 1.15), False),
    ("grad", "torch-module", (1.0, 1.0), False),
)

Say = Callable[[str], None]


def measure(cells: Iterable[str], workloads: Iterable[Workload], plan: Plan, say: Say) -> Section:
    """All cells on all workloads. Raises Disagreement before anything is timed that is not the same work."""
    timings: dict[tuple[str, Workload], Mapping[str, Timing]] = {}
    for cell in cells:
        for workload in workloads:
            say(f"{cell} {workload}")
            timings[cell, workload] = _race(Problem(cell, workload), plan)
    shown = [key for key in PEERS if any(key in found for found in timings.values())]
    rows = [[f"{cell} {workload}", *(_cell(found.get(key)) for key in shown)] for (cell, workload), found in timings.items()]
    goals = [goal for (cell, workload), found in timings.items() for goal in _goals(cell, workload, found)]
    notes = [f"{peer.title}: not installed ({peer.distribution})" for peer in missing().values()]
    slow = [f"{PEERS[key].title} on {cell} {workload}: a step takes over {plan.limit:g} s; one step was timed, marked *"
            for (cell, workload), found in timings.items() for key, timing in found.items() if timing.too_slow]  # fmt: skip
    busy = {key: max(found[key].threads for found in timings.values() if key in found) for key in shown}
    notes += [*slow, *(f"{PEERS[key].title} kept {n:.2f} processors busy" for key, n in busy.items() if n > 1.1)]
    return Section("A training step", TEXT, [Table(["ms a step", *(PEERS[key].title for key in shown)], rows)], goals, notes)


def check(cells: Iterable[str], workloads: Iterable[Workload]) -> list[str]:
    """The disagreements alone, nothing timed."""
    found: list[str] = []
    for cell in cells:
        for workload in workloads:
            problem = Problem(cell, workload)
            found += disagreements(problem, {key: peer.prepare(problem) for key, peer in installed().items()})
    return found


def _race(problem: Problem, plan: Plan) -> dict[str, Timing]:
    steps = {key: peer.prepare(problem) for key, peer in installed().items()}
    if found := disagreements(problem, steps):
        raise Disagreement("\n".join(found))
    return interleaved({key: call(step) for key, step in steps.items()}, plan)


def _goals(cell: str, workload: Workload, found: Mapping[str, Timing]) -> list[Goal]:
    place = WORKLOADS.index(workload)
    return [
        Goal(f"{cell} {workload}: {_short(over)} / {_short(under)}", found[over].median / found[under].median, limits[place], least=least)
        for over, under, limits, least in GOALS if place < len(limits) and over in found and under in found
    ]  # fmt: skip


def _short(key: str) -> str:
    return PEERS[key].title.removeprefix("this engine, ")


def _cell(timing: Timing | None) -> str:
    return "-" if timing is None else f"{timing.median * 1e3:.3g}{'*' if timing.too_slow else ''}"
