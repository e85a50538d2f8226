"""What the columns of a table hold, and what a network could learn of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from itertools import islice
from typing import Any, Literal

from server import limits
from server.datasets.reading import Problem, Table, number_of, read

Kind = Literal["text", "number", "category"]
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
_PREVIEW, _SAMPLES = 20, 5
_MOSTLY = 0.9  # of the cells there are, that are numbers in a column of numbers
USUAL_WINDOW = 20
_PLAIN = re.compile(r"[+-]?\d{1,100}(?:\.\d{0,100})?").fullmatch  # a number as most are written, which needs no closer look


def describe(data: bytes) -> dict[str, Any]:
    """A file as docs/api.md has it (Dataset), without its id. Raises DatasetError."""
    table = read(data)
    columns = [_column(name, cells) for name, cells in zip(table.header, zip(*table.rows, strict=True), strict=True)]
    problems = table.problems[: limits.ERRORS]
    return {
        "bytes": len(data), "encoding": table.encoding, "delimiter": table.delimiter, "header": table.named, "rows": len(table.rows),
        "columns": columns, "preview": [_cut(row) for row in table.rows[:_PREVIEW]], "preview_rows": table.numbers[:_PREVIEW],
        "problems": [problem_as_json(problem) for problem in problems], "problem_count": len(table.problems),
        "suggestion": _suggestion(table, columns),
    }  # fmt: skip


def problem_as_json(problem: Problem) -> dict[str, Any]:
    return {"row": problem.row, "column": problem.column, "message": problem.message}


def is_missing(cell: str) -> bool:
    return cell.lower() in MISSING


def has_commas(cells: Collection[str]) -> bool:
    """Whether decimals are written after a comma: some numbers are only numbers so, and none has a point."""
    if not any("," in cell and number_of(cell) is None and number_of(cell, comma=True) is not None for cell in cells):
        return False
    return not any("." in cell and number_of(cell) is not None for cell in cells)


def _column(name: str, cells: Collection[str]) -> dict[str, Any]:
    counts = Counter(cells)  # in the order in which they come
    for cell in [cell for cell in counts if is_missing(cell)]:
        del counts[cell]
    there = counts.total()
    comma = has_commas(counts)
    numbers = sum(count for cell, count in counts.items() if _PLAIN(cell) or number_of(cell, comma) is not None)
    kind: Kind = "text"
    if there and numbers >= _MOSTLY * there:
        kind = "number"
    elif 2 <= len(counts) <= min(limits.SEQUENCE_FEATURES, max(2, there // 2)):
        kind = "category"
    sample = [cell for cell, _ in counts.most_common(_SAMPLES)] if kind == "category" else list(islice(counts, _SAMPLES))
    return {"name": name, "kind": kind, "distinct": len(counts), "missing": len(cells) - there, "sample": _cut(sample)}


def _suggestion(table: Table, columns: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What could be learnt: a class of a text, or a series of numbers; None where neither can be seen."""
    categories = [column for column in columns if column["kind"] == "category"]
    texts = [column for column in columns if column["kind"] == "text"]
    texts += sorted((column for column in categories), key=lambda column: -column["distinct"])
    numbers = [column for column in columns if column["kind"] == "number"]
    few = sorted(categories, key=lambda column: column["distinct"])
    labels = few or [column for column in numbers if 2 <= column["distinct"] <= 20]
    for text in texts:
        for label in labels:
            if text["name"] != label["name"]:
                return {"kind": "text", "text": text["name"], "label": label["name"]}
    if numbers and len(table.rows) > 2 * USUAL_WINDOW:
        return {"kind": "series", "column": numbers[-1]["name"], "window": USUAL_WINDOW}
    return None


def _cut(cells: list[str]) -> list[str]:
    return [cell if len(cell) <= limits.DATASET_SHOWN else f"{cell[: limits.DATASET_SHOWN]}…" for cell in cells]
