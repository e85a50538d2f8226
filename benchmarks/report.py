"""What the parts hand back, and how it is written: the same tables on the screen and in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

Progress = Callable[[str], None]  # is told in a line what is measured now


@dataclass(frozen=True)
class Goal:
    """A figure and the most it may be (the least, where `least` is set)."""

    what: str
    measured: float
    goal: float
    unit: str = "x"
    least: bool = False

    @property
    def reached(self) -> bool:
        return self.measured >= self.goal if self.least else self.measured <= self.goal

    @property
    def verdict(self) -> str:
        """``reached``, or by how much it was missed, as a share of the goal."""
        if self.reached or not self.goal:
            return "reached" if self.reached else "missed"
        share = abs(self.measured / self.goal - 1)
        return f"missed by {share:.0%}" if share >= 0.01 else "missed by less than 1%"

    @property
    def row(self) -> tuple[str, str, str, str]:
        bound = "at least" if self.least else "at most"
        return self.what, f"{self.measured:.3g} {self.unit}", f"{bound} {self.goal:.3g} {self.unit}", self.verdict


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header; the first column is aligned left, the others right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [list(self.header), *map(list, self.rows)]
        widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(self.header))]
        padded = [[cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))] for line in lines]
        rule = ["-" * w if not i else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
        return "\n".join("| " + " | ".join(line) + " |" for line in [padded[0], rule, *padded[1:]])


@dataclass(frozen=True)
class Section:
    """One part of the report: what was measured and how, tables, and the goals that belong to it."""

    title: str
    text: str
    tables: Sequence[Table] = ()
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def markdown(self) -> str:
        goals = [Table(("goal", "measured", "to reach", ""), [goal.row for goal in self.goals]).markdown()] if self.goals else []
        notes = ["\n".join(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n\n".join([f"## {self.title}", self.text, *(table.markdown() for table in self.tables), *goals, *notes])


def summary(sections: Iterable[Section]) -> str:
    """How many goals were reached, and which were not."""
    goals = [goal for section in sections for goal in section.goals]
    missed = [goal for goal in goals if not goal.reached]
    head = f"{len(goals) - len(missed)} of {len(goals)} goals reached."
    return "\n".join([head, *([""] if missed else []), *(f"- {g.what}: {g.row[1]}, {g.row[2]}: {g.verdict}" for g in missed)])
