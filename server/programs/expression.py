"""An expression becomes a trace: read through the engine's allow-list, computed with its operations, nothing evaluated from text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine import Tape, TapeError, Tensor, apply
from engine.ops import REGISTRY
from engine.ops.formula import FormulaError, parse_with_columns
from engine.trace import record
from server import limits
from server.programs.errors import ProgramError

POINTER = "/program/expression"
# Their inputs are class numbers, masks or series, or their attributes indices, which an expression has no way to write.
_UNWRITABLE = {
    "conv1d", "cross_entropy", "einsum", "embedding", "eq", "gather", "ge", "gt", "index", "index_set", "le", "lt", "masked_fill",
    "nll_loss", "pad", "rows", "scaled_dot_product_attention", "where",
}  # fmt: skip
OPERATIONS = frozenset(name for name, op in REGISTRY.items() if not op.hidden) - _UNWRITABLE
# What operations raise for inputs and attributes that they cannot take.
_REFUSALS = (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError, TapeError)


def trace_expression(program: Mapping[str, Any]) -> dict[str, Any]:
    """The trace of a normalised expression program. Raises ProgramError for one that cannot be computed or differentiated."""
    text = program["expression"]
    try:
        tree, columns = parse_with_columns(text, names=program["inputs"], functions=OPERATIONS)
    except FormulaError as error:
        raise ProgramError(error.detail, POINTER, error.column) from None
    with Tape(level="TRACE") as tape, np.errstate(all="ignore"):  # overflow and NaN are data, shown as they are
        inputs = {name: _input(tape, name, value, name in program["wrt"]) for name, value in program["inputs"].items()}
        result = _Evaluation(inputs, columns).compute(tree)
        if not isinstance(tree, list):
            raise ProgramError("the expression computes nothing; apply an operation, for example x**2", POINTER, 1)
        notes = []
        if result.shape:
            notes.append({"key": "note.summed_loss", "params": {"shape": list(result.shape)}})
            with tape.phase("loss"):
                result = result.sum()
        tape.label(result, "L", role="loss")
        try:
            run = result.backward()
        except TapeError:
            raise ProgramError(f"the expression does not depend on {', '.join(program['wrt'])}, named in wrt", "/program/wrt") from None
    return record(tape, run, program=program, notes=notes)


def _input(tape: Tape, name: str, value: Any, differentiate: bool) -> Tensor:
    tensor = Tensor(value, requires_grad=differentiate, dtype=np.float64, name=name)
    return tape.label(tensor, name, role="parameter" if differentiate else "input")


class _Evaluation:
    """Computes a tree, counting elements as it goes; errors point at the column of the operation."""

    def __init__(self, inputs: Mapping[str, Tensor], columns: list[int]) -> None:
        self.inputs, self.columns = inputs, columns
        self.visited = 0
        self.elements = 0

    def compute(self, tree: Any) -> Tensor:
        column = self.columns[self.visited]
        self.visited += 1
        if isinstance(tree, str):
            return self.inputs[tree]
        if isinstance(tree, int | float):
            return Tensor(float(tree))
        name, parts = (tree[1], tree[2:]) if tree[0] == "call" else (tree[0], tree[1:])
        if name not in OPERATIONS:
            raise ProgramError("a comparison has no gradient; use maximum, minimum, abs or relu", POINTER, column)
        attributes = parts[-1] if parts and isinstance(parts[-1], dict) else {}
        operands = [self.compute(part) for part in parts if not isinstance(part, dict)]
        try:
            _count(name, len(operands))
            self.elements += _bound(name, operands, attributes)
            if self.elements > limits.EXPRESSION_ELEMENTS:
                raise ValueError(f"the results have more than {limits.EXPRESSION_ELEMENTS:,} elements; give smaller inputs")
            result = apply(name, *operands, **attributes)
            if len(result.shape) > limits.INPUT_DIMENSIONS:
                raise ValueError(f"the result has {len(result.shape)} dimensions, at most {limits.INPUT_DIMENSIONS} are kept")
            return result
        except _REFUSALS as error:
            raise ProgramError(_without_signature(name, error), POINTER, column) from None


def _count(name: str, given: int) -> None:
    """Raises ValueError unless an operation takes so many inputs."""
    names = REGISTRY[name].inputs
    any_number = names[-1].startswith("*")
    if given < len(names) if any_number else given != len(names):
        expected = "one or more" if any_number else f"{len(names)} ({', '.join(names)})"
        raise ValueError(f"{name} was given {given} inputs in its parentheses; expected {expected}")


def _bound(name: str, operands: list[Tensor], attributes: Mapping[str, Any]) -> int:
    """At least as many elements as the result will have, found before it is computed.

    An empty dimension counts as one: what is summed over it is empty no longer.
    """
    shapes = [tuple(max(n, 1) for n in x.shape) for x in operands]
    if name in ("matmul", "linear", "dot"):
        if not all(shapes):
            return 0  # the op itself refuses scalars
        rows, columns = (shapes[0], shapes[1]) if name != "linear" else (shapes[0], shapes[1][::-1])
        return math.prod(rows[:-1]) * math.prod(columns[:-2]) * (columns[-1] if len(columns) > 1 else 1)
    if name == "outer":
        return math.prod(map(math.prod, shapes))
    if name == "broadcast_to":
        shape = attributes.get("shape")
        return math.prod(max(abs(n), 1) for n in shape) if isinstance(shape, list) else 0
    if len(operands) > 1 and name not in ("concat", "stack"):
        return math.prod(max(sizes) for sizes in _aligned(shapes))
    return sum(map(math.prod, shapes))


def _aligned(shapes: list[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """The sizes that meet when shapes broadcast, one tuple a dimension."""
    longest = max(map(len, shapes))
    return zip(*[(1,) * (longest - len(shape)) + shape for shape in shapes], strict=True)


def _without_signature(name: str, error: Exception) -> str:
    """The op's own message; Python's words for a missing or unknown keyword name inner functions, which mean nothing to a reader."""
    message = str(error)
    if isinstance(error, TypeError) and "()" in message:
        return f"{name}:{message.partition('()')[2]}"
    return message if message.startswith(name) else f"{name}: {message}"
