"""The benchmark of the engine.

    python -m benchmarks.engine              # measures everything and prints it
    python -m benchmarks.engine --write      # and writes docs/benchmarks.md
    python -m benchmarks.engine --only steps --cell gru --workload 1 2
    python -m benchmarks.engine --check      # only whether all peers do the same work

Everything runs in one process with one thread (but for the chain of a million nodes, which is given a process of its own). Peers are
optional: ``pip install -e '.[bench]'``. Exits with 1 when peers do not compute the same losses.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import benchmarks.one_thread  # noqa: F401 - before numpy
from benchmarks import chain, memory, off, scalars, steps
from benchmarks.agreement import Disagreement
from benchmarks.machine import describe
from benchmarks.problem import GATES, WORKLOADS
from benchmarks.report import Section, summary
from benchmarks.timing import Plan

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
BY_HAND = "<!-- What follows is written by hand and kept by --write. -->"
PARTS = ("steps", "scalars", "chain", "off", "memory")
HEAD = """\
# Benchmarks

Written by `python -m benchmarks.engine --write`: this engine and its peers side by side, in one process with one thread, in interleaved
rounds. A figure is the median over the rounds of the time for one repetition; a ratio is that of two medians. Within a round a contender
runs for a slice of {slice:g} ms, at most {rounds} rounds and {budget:g} s in all. The garbage collector is on, with its default
thresholds; what was loaded before the measurement is frozen."""


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description="Measures the engine beside its peers.")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the parts to measure")
    parser.add_argument("--cell", nargs="+", choices=tuple(GATES), default=tuple(GATES))
    parser.add_argument("--workload", nargs="+", type=int, choices=range(1, len(WORKLOADS) + 1), default=range(1, len(WORKLOADS) + 1),
                        help="by number, from 1")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--budget", type=float, default=Plan.budget, help="seconds for one peer on one workload")
    parser.add_argument("--check", action="store_true", help="only check that all peers do the same work")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md (needs all parts, cells and workloads)")
    chosen = parser.parse_args(given)
    if chosen.write and (set(chosen.only), set(chosen.cell), set(chosen.workload)) != (set(PARTS), set(GATES), set(range(1, 5))):
        parser.error("--write writes the whole report: leave out --only, --cell and --workload")
    return chosen


def document(sections: Sequence[Section], plan: Plan, kept: str) -> str:
    """The whole report, followed by what was written by hand."""
    head = HEAD.format(slice=plan.slice * 1e3, rounds=plan.rounds, budget=plan.budget)
    machine = "\n".join(["## Machine", "", *(f"- {what}: {value}" for what, value in describe())])
    parts = [head, "## Goals\n\n" + summary(sections), *(section.markdown() for section in sections), machine, BY_HAND + kept]
    return "\n\n".join(parts)


def main(given: Sequence[str] | None = None) -> int:
    chosen = arguments(given)
    workloads, plan = [WORKLOADS[n - 1] for n in chosen.workload], Plan(rounds=chosen.rounds, budget=chosen.budget)
    wrong = steps.check(chosen.cell, workloads) if chosen.check else []
    wrong += [line for name in scalars.EXPRESSIONS for line in scalars.disagreements(name)] if chosen.check else []
    if chosen.check:
        print("\n".join(wrong) or "all peers do the same work")
        return 1 if wrong else 0
    run: dict[str, Callable[[], Section]] = {
        "steps": lambda: steps.measure(chosen.cell, workloads, plan, lambda line: print(line, file=sys.stderr)),
        "scalars": lambda: scalars.measure(plan),
        "chain": chain.measure,
        "off": lambda: off.measure(plan),
        "memory": lambda: memory.measure(chosen.cell, workloads),
    }
    sections = []
    for part in run:
        if part in chosen.only:
            try:
                sections.append(run[part]())
            except Disagreement as error:
                print(error, file=sys.stderr)
                return 1
            print(sections[-1].markdown(), end="\n\n", flush=True)
    print(summary(sections))
    if chosen.write:
        before = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
        DOCUMENT.write_text(document(sections, plan, before.partition(BY_HAND)[2] or "\n"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
