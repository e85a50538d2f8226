"""The lines of an expression: ``h = tanh(w*x); L = (h - y)**2``. Each but the last has a name, which those after it may use."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from engine.ops import REGISTRY
from engine.ops.formula import FormulaError, UnknownOperationError, parse_with_columns
from engine.told import Told
from server import limits

# Their inputs are class numbers, masks or series, or their attributes indices, which an expression has no way to write.
_UNWRITABLE = {
    "conv1d", "cross_entropy", "einsum", "embedding", "eq", "gather", "ge", "gt", "index", "index_set", "le", "lt", "masked_fill",
    "nll_loss", "pad", "rows", "scaled_dot_product_attention", "where",
}  # fmt: skip
OPERATIONS = frozenset(name for name, op in REGISTRY.items() if not op.hidden) - _UNWRITABLE
_COMMENT = re.compile(r"#[^\n]*")
_NAMED = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")


@dataclass(frozen=True)
class Statement:
    """The text of one line, without line breaks; `start`: how many characters of the whole expression stand before it."""

    text: str
    start: int


@dataclass(frozen=True)
class Line:
    """One line, read. name: None where it has none. places: of each subtree, in the order of `formula.walk`, from 1 in the whole text."""

    name: str | None
    tree: Any
    places: list[int]


def statements(text: str) -> Iterator[Statement]:
    """The lines, between semicolons and line breaks. Within brackets a line break is a space; comments (``# ...``) are left out."""
    text = _COMMENT.sub(lambda match: " " * len(match[0]), text)
    start, depth = 0, 0
    piece: list[str] = []
    for position, character in enumerate(f"{text};"):
        depth += (character in "([{") - (character in ")]}")
        if character == ";" or (character == "\n" and depth <= 0):
            if "".join(piece).strip():
                yield Statement("".join(piece), start)
            start, depth, piece = position + 1, 0, []
        else:
            piece.append(" " if character == "\n" else character)


def read(statement: Statement, names: Collection[str]) -> Line:
    """The line, in which these names may occur. Raises FormulaError, its column counted in the whole text."""
    match = _NAMED.match(statement.text)
    name, body = (match[1], match.end()) if match else (None, 0)
    if name is not None:
        problem = _wrong_name(name, names)
        if problem:
            raise FormulaError(problem, statement.start + match.start(1) + 1)  # type: ignore[union-attr]  # there is a name
        if not statement.text[body:].strip():
            raise FormulaError(Told(f"nothing stands after {name} =; write what it is", "line-nothing", name=name), statement.start + body)
    # Blanks in place of what stands before: the columns are then those of the whole text.
    try:
        tree, places = parse_with_columns(" " * (statement.start + body) + statement.text[body:], names, OPERATIONS)
    except UnknownOperationError as error:
        raise FormulaError(error.told(error.name, error.nearest, "GET /api/v1/ops"), error.column) from None
    if name is not None and isinstance(tree, str):
        words = f"{name} would be another name of {tree}; use {tree} itself, or apply an operation"
        raise FormulaError(Told(words, "line-alias", name=name, other=tree), places[0])
    return Line(name, tree, places)


def _wrong_name(name: str, names: Collection[str]) -> Told | None:
    if keyword.iskeyword(name) or len(name) > limits.INPUT_NAME_CHARACTERS:
        most = limits.INPUT_NAME_CHARACTERS
        return Told(f"the name of a line is a Python name of at most {most} characters, such as h or h_1", "line-name", most=most)
    return Told(f"the name {name} is taken already; give each line a name of its own", "line-taken", name=name) if name in names else None
