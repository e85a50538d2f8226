"""The benchmark of training.

    python -m benchmarks.training            # measures everything and prints it
    python -m benchmarks.training --write    # and writes docs/benchmarks-training.md and docs/images/adding.svg
    python -m benchmarks.training --only speed

Everything runs in one process with one thread. PyTorch is optional: ``pip install -e '.[bench]'``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import benchmarks.one_thread  # noqa: F401 - before numpy
from benchmarks import full_run, learning
from benchmarks.learning_figure import figure
from benchmarks.machine import describe
from benchmarks.report import Section, summary

DOCS = Path(__file__).resolve().parents[1] / "docs"
PARTS = ("speed", "learning")
BY_HAND = "<!-- What follows is written by hand and kept by --write. -->"
HEAD = """\
# Benchmarks of training

Written by `python -m benchmarks.training --write`, in one process with one thread."""


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Measures how fast trainings go and what they learn."
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the parts to measure")
    parser.add_argument("--rounds", type=int, default=7, help="of the speed of a run")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-training.md and its picture (needs both parts)")
    chosen = parser.parse_args(given)
    if chosen.write and set(chosen.only) != set(PARTS):
        parser.error("--write writes the whole report: leave out --only")
    sections: list[Section] = []
    if "speed" in chosen.only:
        sections.append(full_run.measure(chosen.rounds))
    picture = ""
    if "learning" in chosen.only:
        section, curves = learning.measure()
        sections.append(section)
        picture = figure(curves)
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
