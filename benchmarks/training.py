"""The benchmark of training.

    python -m benchmarks.training            # measures everything and prints it, in about six minutes of a quiet machine of two cores
    python -m benchmarks.training --write    # and writes docs/benchmarks-training.md and docs/images/adding.svg
    python -m benchmarks.training --only speed
    python -m benchmarks.training --quick    # in a minute, to see that it works: its figures say nothing

PyTorch is optional: ``pip install -e '.[bench]'``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import benchmarks.one_thread  # noqa: F401 - before numpy
from benchmarks import films, full_run, learning, streams
from benchmarks.learning_figure import figure
from benchmarks.machine import describe
from benchmarks.report import Section, summary

DOCS = Path(__file__).resolve().parents[1] / "docs"
PARTS = ("speed", "learning", "films", "streams")
BY_HAND = "<!-- What follows is written by hand and kept by --write. -->"
HEAD = """\
# Benchmarks of training

Written by `python -m benchmarks.training --write`, on a machine that does nothing else. What is computed here (a whole run by processor
time, what is learnt) has one process and one thread; what goes over HTTP has a server with its worker processes, on loopback, with a
database of its own."""


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Measures how fast trainings go, what they learn, and how a server bears them."
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the parts to measure")
    parser.add_argument("--rounds", type=int, default=3, help="of the speed of a run")
    parser.add_argument("--quick", action="store_true", help="less of everything, to see that it works; the figures say nothing")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-training.md and its picture (needs all parts, whole)")
    chosen = parser.parse_args(given)
    if chosen.write and (chosen.quick or set(chosen.only) != set(PARTS)):
        parser.error("--write writes the whole report: leave out --only and --quick")
    sections: list[Section] = []
    picture, began, quick = "", time.monotonic(), chosen.quick
    for part in (part for part in PARTS if part in chosen.only):

        def progress(line: str, part: str = part) -> None:
            print(f"{time.monotonic() - began:4.0f} s  {part}: {line}", file=sys.stderr, flush=True)

        match part:
            case "speed":
                sections.append(full_run.measure(1 if quick else chosen.rounds, 200 if quick else 2000, progress))
            case "learning":
                section, curves = learning.measure(progress, quick)
                sections.append(section)
                picture = figure(curves)
            case "films":
                sections.append(films.measure(3 if quick else 12, progress))
            case "streams":
                sections.append(streams.measure(5 if quick else 45, progress))
    text = "\n\n".join(section.markdown() for section in sections)
    print(text, summary(sections), sep="\n\n")
    if chosen.write:
        target = DOCS / "benchmarks-training.md"
        kept = target.read_text(encoding="utf-8").partition(BY_HAND)[2] if target.exists() else ""
        machine = "\n".join(["## Machine", "", *(f"- {what}: {value}" for what, value in describe())])
        whole = [HEAD, "## Goals\n\n" + summary(sections), text, machine, BY_HAND + (kept or "\n")]
        target.write_text("\n\n".join(whole), encoding="utf-8")
        (DOCS / "images" / "adding.svg").write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
