"""Operations on tensors: computed from the arrays, and recorded where there is a tape to record them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.ops.op import TABLE, Op
from engine.refusals import check_numbers, explained, miscounted, one_by_one
from engine.tape import CURRENT, NO_ATTRIBUTES, ONE_USE, implicit_tape, known_op
from engine.tensor import Tensor

_new = Tensor.__new__
_frame = sys._getframe
_current = CURRENT.get


def as_tensor(value: Any, like: Tensor | None) -> Tensor:
    """A tensor of an operand; a plain number takes the dtype of the floating point operand beside it."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, bool | int | float) and like is not None and like._data.dtype.kind == "f":
        tensor = _new(Tensor)
        number = like._data.dtype.type(value)
        tensor._data = np.asarray(number) if type(like._data) is np.ndarray else number  # beside an array numpy is quicker with an array
        tensor.tape, tensor.node, tensor._requires_grad = None, ONE_USE, False
        return tensor
    return Tensor(value)


def apply(name: str, *operands: Any, **attributes: Any) -> Tensor:
    """The result of the op of that name, recorded on the current tape.

    operands: tensors, arrays or numbers. attributes: the op's keyword arguments, JSON only.
    Raises TapeError for an unknown op or a mixture of tapes, and what the op raises for shapes and dtypes it does not take.
    """
    op = TABLE.get(name) or known_op(name)
    if len(operands) != len(op.inputs) and not op.inputs[0].startswith("*"):
        raise miscounted(op, len(operands))
    if attributes and op.kind == "elementwise":
        check_numbers(op, attributes)
    arrays = []
    for x in operands:
        if not isinstance(x, Tensor):
            if isinstance(x, tuple | list) and any(isinstance(y, Tensor) for y in x):
                return apply(name, *one_by_one(op, operands), **attributes)
            like = next((y for y in operands if isinstance(y, Tensor) and y._data.dtype.kind == "f"), None)
            try:
                operands = tuple([as_tensor(y, like) for y in operands])
            except (ValueError, TypeError) as error:
                raise type(error)(f"{name}: {error}") from None
            arrays = [y._data for y in operands]
            break
        arrays.append(x._data)
    if op.fractional:
        arrays = [wide(a) for a in arrays]
    try:
        result = op.forward(*arrays, **attributes) if attributes else op.forward(*arrays)
    except (ValueError, TypeError) as error:
        raise explained(error, name, operands, attributes) from None
    if type(result) is tuple:
        return many(op, operands, attributes, *result)
    if not attributes:
        if len(arrays) == 2 and type(result) is np.ndarray and result.dtype.kind == "f":
            x, y = operands
            return two(op, x, y, result)
        attributes = NO_ATTRIBUTES  # type: ignore[assignment]
    return many(op, operands, attributes, result, None)


def wide(x: Any) -> Any:
    """Small integers and truth values as float64: numpy would give their functions float16, and their negatives wrap."""
    return x.astype(np.float64) if x.dtype.kind in "bu" else x


# A computed value becomes a tensor, recorded where there is a tape to record it. Three forms of one function: most operations have one or
# two inputs, and what is spent here is spent at every node. Two frames up is the code that asked for it, or more of the plumbing.


def one(op: Op, x: Tensor, value: Any, attributes: Any = NO_ATTRIBUTES, residuals: Any = None) -> Tensor:
    """The result of an operation whose result is floating point where its input is.

    attributes: a mapping, or the arguments that `op.encode` makes one of.
    """
    tensor = _new(Tensor)
    tensor._data = value
    requires = x._requires_grad
    tape = _current()
    if tape is None:
        tape = implicit_tape() if requires else None
    elif not tape.tracing and not (requires and tape.recording):
        tape = None
    tensor.tape = tape
    if tape is None:
        tensor.node, tensor._requires_grad = -1, False
        return tensor
    a = x.node if x.tape is tape else tape.node_of(x)
    if tape.tracing:
        requires = requires and not tape.probing
        frame = _frame(2)
        code = frame.f_code
        if code is tape.code or id(code) in tape.codes:
            tape.where += (tape.place, code, frame.f_lasti)
        else:
            tape.locate(frame)
    tensor._requires_grad = requires
    rows = tape.rows
    tensor.node = len(rows)
    rows.append((op, attributes, residuals, a))
    tape.arrays.append(value)
    tape.requires.append(requires)
    return tensor


def two(op: Op, x: Tensor, y: Tensor, value: Any) -> Tensor:
    """As `one`, for two inputs and no attributes: the result is floating point where an input has a gradient."""
    tensor = _new(Tensor)
    tensor._data = value
    requires = x._requires_grad or y._requires_grad
    tape = _current()
    if tape is None:
        tape = implicit_tape() if requires else None
    elif not tape.tracing and not (requires and tape.recording):
        tape = None
    tensor.tape = tape
    if tape is None:
        tensor.node, tensor._requires_grad = -1, False
        return tensor
    a = x.node if x.tape is tape else tape.node_of(x)
    b = y.node if y.tape is tape else tape.node_of(y)
    if tape.tracing:
        requires = requires and not tape.probing
        frame = _frame(2)
        code = frame.f_code
        if code is tape.code or id(code) in tape.codes:
            tape.where += (tape.place, code, frame.f_lasti)
        else:
            tape.locate(frame)
    tensor._requires_grad = requires
    rows = tape.rows
    tensor.node = len(rows)
    rows.append((op, NO_ATTRIBUTES, None, a, b))
    tape.arrays.append(value)
    tape.requires.append(requires)
    return tensor


def many(op: Op, operands: Sequence[Tensor], attributes: Mapping[str, Any], value: Any, residuals: Any) -> Tensor:
    """The result of any operation."""
    if type(value) is not np.ndarray and not isinstance(value, np.generic):
        value = np.asarray(value)
    tensor = _new(Tensor)
    tensor._data = value
    requires = any([x._requires_grad for x in operands]) and value.dtype.kind == "f"
    tape = _current()
    if tape is None:
        tape = implicit_tape() if requires else None
    elif not tape.tracing and not (requires and tape.recording):
        tape = None
    tensor.tape = tape
    if tape is None:
        tensor.node, tensor._requires_grad = -1, False
        return tensor
    inputs = [x.node if x.tape is tape else tape.node_of(x) for x in operands]
    if tape.tracing:
        requires = requires and not tape.probing
        tape.locate(_frame(2))
    tensor._requires_grad = requires
    rows = tape.rows
    tensor.node = len(rows)
    rows.append((op, attributes, residuals, *inputs))
    tape.arrays.append(value)
    tape.requires.append(requires)
    return tensor
