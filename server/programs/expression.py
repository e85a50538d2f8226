"""An expression becomes a trace: read through the engine's allow-list, computed with its operations, nothing evaluated from text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from engine import Tape, TapeError, Tensor, apply
from engine.ops.formula import FormulaError, too_long
from engine.told import Told
from engine.trace import record
from server import limits
from server.programs.attributes import check_attributes
from server.programs.errors import ProgramError
from server.programs.lines import OPERATIONS, Line, read, statements
from server.programs.operations import REFUSALS, check_count, without_signature
from server.programs.sizes import bound

POINTER = "/program/expression"


def trace_expression(program: Mapping[str, Any]) -> dict[str, Any]:
    """The trace of a normalised expression program. Raises ProgramError for one that cannot be computed or differentiated."""
    lines = _Lines(program["expression"], program["inputs"])
    with Tape(level="TRACE") as tape, np.errstate(all="ignore"):  # overflow and NaN are data, shown as they are
        inputs = {name: _input(tape, name, value, name in program["wrt"]) for name, value in program["inputs"].items()}
        evaluation = _Evaluation(inputs, lines)
        for line in lines.all:
            result = evaluation.compute_line(tape, line)
        notes = []
        if result.shape:
            notes.append({"key": "note.summed_loss", "params": {"shape": list(result.shape)}})
            with tape.phase("loss"):
                result = result.sum()
            tape.label(result, "L")
        tape.label(result, line.name if line.name and not notes else "L", role="loss")
        try:
            run = result.backward()
        except TapeError:
            names = ", ".join(program["wrt"])
            words = Told(f"the expression does not depend on {names}, named in wrt", "expression-independent", names=names)
            raise ProgramError(words, "/program/wrt") from None
    return record(tape, run, program=program, notes=notes)


def _input(tape: Tape, name: str, value: Any, differentiate: bool) -> Tensor:
    tensor = Tensor(value, requires_grad=differentiate, dtype=np.float64, name=name)
    return tape.label(tensor, name, role="parameter" if differentiate else "input")


class _Lines:
    """The lines of an expression, read; and where things stand in it."""

    def __init__(self, text: str, inputs: Collection[str]) -> None:
        self.text = text
        self.all: list[Line] = []
        names = list(inputs)
        try:
            for statement in statements(text):
                line = read(statement, names)
                if line.name is not None:
                    names.append(line.name)
                self.all.append(line)
                if sum(len(line.places) for line in self.all) > limits.EXPRESSION_NODES:
                    raise FormulaError(too_long(limits.EXPRESSION_NODES), statement.start + 1)
            self._check_last()
        except FormulaError as error:
            raise self.error(error.detail, error.column) from None

    def _check_last(self) -> None:
        if not self.all:
            raise FormulaError(Told("the expression is empty; write what is to be computed, for example x**2", "expression-empty"), 1)
        for line in self.all[:-1]:
            if line.name is None:
                raise FormulaError(
                    Told("only the last line may go without a name; write name = ... before it", "line-unnamed"), line.places[0]
                )
        if not isinstance(self.all[-1].tree, list):
            words = Told("the expression computes nothing; apply an operation, for example x**2", "expression-nothing")
            raise FormulaError(words, self.all[-1].places[0])

    def error(self, detail: str, place: int) -> ProgramError:
        """What is wrong at a place of the text, from 1: told by line and column."""
        before = self.text[: place - 1]
        return ProgramError(detail, POINTER, place - (before.rfind("\n") + 1), before.count("\n") + 1)


class _Evaluation:
    """Computes line after line, counting elements as it goes; errors point at the place of the operation."""

    def __init__(self, inputs: Mapping[str, Tensor], lines: _Lines) -> None:
        self.values, self.lines = dict(inputs), lines
        self.places: list[int] = []
        self.visited = 0
        self.elements = 0

    def compute_line(self, tape: Tape, line: Line) -> Tensor:
        """The result of a line, labelled with its name, under which later lines find it."""
        self.places, self.visited = line.places, 0
        named_number = isinstance(line.tree, int | float)
        result = Tensor(float(line.tree), name=line.name) if named_number else self.compute(line.tree)
        if line.name is not None:
            self.values[line.name] = tape.label(result, line.name)
        return result

    def compute(self, tree: Any) -> Tensor:
        place = self.places[self.visited]
        self.visited += 1
        if isinstance(tree, str):
            return self.values[tree]
        if isinstance(tree, int | float):
            return Tensor(float(tree))
        name, parts = (tree[1], tree[2:]) if tree[0] == "call" else (tree[0], tree[1:])
        if name not in OPERATIONS:
            raise self.lines.error(Told("a comparison has no gradient; use maximum, minimum, abs or relu", "formula-comparison"), place)
        attributes = parts[-1] if parts and isinstance(parts[-1], dict) else {}
        operands = [self.compute(part) for part in parts if not isinstance(part, dict)]
        try:
            check_count(name, len(operands))
            self.elements += bound(name, operands, attributes)
            if self.elements > limits.EXPRESSION_ELEMENTS:
                most = limits.EXPRESSION_ELEMENTS
                raise ValueError(
                    Told(f"{name}: the results have more than {most:,} elements; give smaller inputs", "expression-large", most=most)
                )
            result = apply(name, *operands, **attributes)
            check_attributes(
                name, attributes
            )  # after the operation, whose own words say more: what it let pass has to be differentiated too
            if len(result.shape) > limits.INPUT_DIMENSIONS:
                given, most = len(result.shape), limits.INPUT_DIMENSIONS
                words = f"{name}: the result has {given} dimensions, at most {most} are kept"
                raise ValueError(Told(words, "expression-dimensions", given=given, most=most))
            return result
        except REFUSALS as error:
            raise self.lines.error(without_signature(name, error), place) from None
