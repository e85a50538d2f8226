"""The tensor: an array with operators, and its place on a tape."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.events import LOCK, locked
from engine.habits import TENSOR, Count, absent
from engine.manual import described, signature_of
from engine.methods import Axis, Methods, plain
from engine.ops.op import REGISTRY, TABLE, Array, Op, as_array, wide
from engine.ops.shape import encode_index, whole_numbers
from engine.refusals import check_numbers, explained, miscounted, no_array, one_by_one
from engine.tape import CURRENT, NO_ATTRIBUTES, ONE_USE, Tape, TapeError, implicit_tape, known_op

if TYPE_CHECKING:
    from engine.backward import BackwardRun


__all__ = ["Tensor", "handed_out"]

_DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")


class Tensor(Methods):
    """A numpy array that remembers how it was computed. Scalars are 0-d tensors.

    data: anything numpy makes an array of; numbers become float64, integers stay integers, float32 stays float32. The array is copied.
    requires_grad: whether `backward` computes a gradient for it; floating point only.
    name: what a trace calls it.
    """

    __array_ufunc__ = None  # numpy's arrays leave `array * tensor` to us
    __slots__ = ("__weakref__", "_data", "_grad", "_name", "_requires_grad", "node", "tape")  # _grad and _name: of leaves alone

    tape: Tape | None  # None for a leaf
    node: int

    def __init__(self, data: Any, requires_grad: bool = False, *, dtype: Any = None, name: str | None = None) -> None:
        try:
            array = np.array(data.data if isinstance(data, Tensor) else data, dtype=dtype)
        except ValueError as error:
            raise no_array(data, dtype, error) from None
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"a tensor holds real numbers ({', '.join(_DTYPES)}); given dtype {array.dtype}: convert it with dtype=...")
        if requires_grad and array.dtype.kind != "f":
            raise TypeError(f"only floating point tensors have gradients; given dtype {array.dtype}: give floats or dtype=float")
        self._data = array if array.ndim else array[()]  # one number is numpy's own scalar: nobody can change it, and it is quick
        self._name, self.tape, self.node = name, None, -1
        self._requires_grad, self._grad = requires_grad, None

    _data: Array
    _requires_grad: bool
    _grad: Array | None
    _name: str | None

    @property
    def data(self) -> Array:
        """The values. Those of a leaf can be replaced. What a tape has recorded is read-only, and so is what shows another tensor's memory:
        it is locked when it is handed out.
        """
        data: Any = self._data
        if type(data) is np.ndarray and (self.tape is not None or data.base is not None):
            LOCK(data, False)
        return data  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Any) -> None:
        if self.tape is not None:
            raise TapeError("the values of an intermediate are what was computed; only a leaf's can be replaced")
        if (type(data) is np.ndarray and data.base is None) or isinstance(data, np.generic):
            self._data = data  # type: ignore[assignment]  # one number is numpy's own scalar
        else:  # a view could be changed behind a record's back: it is copied; numbers and lists take the dtype that is here
            self._data = Tensor(data, dtype=getattr(data, "dtype", self._data.dtype))._data

    @classmethod
    def of_node(cls, tape: Tape, node: int) -> Tensor:
        """The tensor of a node that is on the tape already."""
        tensor = _new(Tensor)
        tensor._data, tensor.tape, tensor.node, tensor._requires_grad = tape.arrays[node], tape, node, tape.requires[node]
        return tensor

    @property
    def name(self) -> str | None:
        """What a trace calls it."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    @property
    def requires_grad(self) -> bool:
        return self._requires_grad

    @property
    def grad(self) -> Array | None:
        """The gradient of the latest backward run, of this tensor's shape; None before one."""
        if self.tape is None:
            return getattr(self, "_grad", None)
        latest = self.tape.latest_gradients
        found = latest[self.node] if self.node < len(latest) else None
        return None if found is None else handed_out(found)

    @grad.setter
    def grad(self, value: Array | None) -> None:
        if self.tape is not None:
            raise TapeError("the gradient of an intermediate belongs to its backward run; only a leaf's can be set")
        if value is not None and np.shape(value) != self._data.shape:
            raise ValueError(f"a gradient of shape {np.shape(value)} for a tensor of shape {self._data.shape}; expected the same")
        self._grad = None if value is None else np.asarray(value, dtype=self._data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return Count(self._data.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._data.dtype

    @property
    def T(self) -> Tensor:  # noqa: N802 - numpy's and PyTorch's name
        return self.transpose(tuple(range(self.ndim))[::-1])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The values for ``np.asarray(tensor)``: a copy, so that nothing on record can be changed through it.

        Raises TypeError for a tensor that requires a gradient, which would be cut off silently (PyTorch refuses it, too), ValueError for
        copy=False, which cannot be had.
        """
        if self._requires_grad:
            raise TypeError(
                "numpy would cut off the gradient of a tensor that requires one: use x.numpy() or x.detach() where that is meant, "
                "operations of this engine where it is not (F.stack(a, b) makes one tensor of several)"
            )
        if copy is False:
            raise ValueError("an array of a tensor is a copy; copy=False cannot be had: tensor.data is what there is")
        return np.array(self._data, dtype=dtype)

    def numpy(self) -> Array:
        """The values as an array of their own."""
        return np.array(self._data)

    def item(self) -> float | int | bool:
        """The value of a tensor of one element. Raises ValueError for more."""
        if self._data.size != 1:
            raise ValueError(f"item() of a tensor of shape {self.shape}; expected one element")
        value: float | int | bool = self._data.item()
        return value

    def detach(self) -> Tensor:
        """The same values as a leaf without gradient."""
        return Tensor(self._data)

    def backward(
        self, gradient: Any = None, *, accumulate: bool = False, create_graph: bool = False, retain_graph: None = None
    ) -> BackwardRun:
        """Differentiates this tensor and returns the backward run: ``run[x]`` is the gradient of x, an ndarray.

        gradient: of this tensor's shape, what to start from; not needed for one element (1 is taken).
        accumulate: add to the gradients the leaves have from an earlier run (PyTorch's habit) instead of replacing them.
        create_graph: record the sweep itself, so that ``run.tensor(x)`` can be differentiated again.
        retain_graph: PyTorch's, not needed here: a tape stays as it is, and can be differentiated again.
        Raises TapeError when there is nothing to differentiate.
        """
        if retain_graph is not None:
            raise TypeError("backward: leave retain_graph out: a tape stays usable here, and backward() can be called on it again")
        from engine.backward import backward  # the module builds on this one

        return backward(self, gradient, accumulate=accumulate, create_graph=create_graph)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("a 0-d tensor has nothing to go through; item() gives its number")
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        values = np.array2string(self._data, separator=", ", precision=6, threshold=20, prefix="Tensor(")
        return f"Tensor({values}{', requires_grad=True' if self._requires_grad else ''})"

    __hash__ = object.__hash__

    # operators

    def __add__(self, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            other = as_tensor(other, self)
        try:
            value = self._data + other._data
        except (ValueError, TypeError) as error:
            raise explained(error, "add", (self, other)) from None
        return two(_ADD, self, other, value)

    def __sub__(self, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            other = as_tensor(other, self)
        try:
            value = self._data - other._data
        except (ValueError, TypeError) as error:
            raise explained(error, "sub", (self, other)) from None
        return two(_SUB, self, other, value)

    def __mul__(self, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            other = as_tensor(other, self)
        try:
            value = self._data * other._data
        except (ValueError, TypeError) as error:
            raise explained(error, "mul", (self, other)) from None
        return two(_MUL, self, other, value)

    def __truediv__(self, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            other = as_tensor(other, self)
        try:
            value = self._data / other._data
        except (ValueError, TypeError) as error:
            raise explained(error, "div", (self, other)) from None
        return two(_DIV, self, other, value)

    def __pow__(self, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            other = as_tensor(other, self)
        try:
            value = self._data**other._data
        except (ValueError, TypeError) as error:
            raise explained(error, "pow", (self, other)) from None
        return two(_POW, self, other, value)

    def __matmul__(self, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            other = as_tensor(other, self)
        try:
            value = _MATMUL.forward(self._data, other._data)
        except (ValueError, TypeError) as error:
            raise explained(error, "matmul", (self, other)) from None
        return two(_MATMUL, self, other, value)

    def __radd__(self, other: Any) -> Tensor:
        return as_tensor(other, self) + self

    def __rsub__(self, other: Any) -> Tensor:
        return as_tensor(other, self) - self

    def __rmul__(self, other: Any) -> Tensor:
        return as_tensor(other, self) * self

    def __rtruediv__(self, other: Any) -> Tensor:
        return as_tensor(other, self) / self

    def __rpow__(self, other: Any) -> Tensor:
        return as_tensor(other, self) ** self

    def __rmatmul__(self, other: Any) -> Tensor:
        return as_tensor(other, self) @ self

    def __neg__(self) -> Tensor:
        try:
            value = -self._data
        except TypeError as error:
            raise explained(error, "neg", (self,)) from None
        return one(_NEG, self, value)

    def __lt__(self, other: Any) -> Tensor:
        return apply("lt", self, other)

    def __le__(self, other: Any) -> Tensor:
        return apply("le", self, other)

    def __gt__(self, other: Any) -> Tensor:
        return apply("gt", self, other)

    def __ge__(self, other: Any) -> Tensor:
        return apply("ge", self, other)

    def __getitem__(self, index: Any) -> Tensor:
        """Integers, slices, ``...``, None, integer arrays and masks, as numpy."""
        key = index if type(index) is tuple else (index,)
        for part in key:
            if type(part) not in _BASIC:
                return apply("index", self, index=encode_index(index, self._data.shape))
        try:
            value = self._data[key]
        except (IndexError, TypeError):
            return apply("index", self, index=encode_index(key))  # which says what is wrong
        return one(_INDEX, self, value, key, key)

    def sum(self, axis: Axis = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        if axis is None and not keepdims and not unknown:
            return one(_SUM, self, _add_all(self._data, None), (None, False))
        return apply("sum", self, axis=plain(axis), keepdims=keepdims, **unknown)

    def reshape(self, *shape: Any) -> Tensor:
        try:
            value = self._data.reshape(*shape)
        except (ValueError, TypeError):
            return apply("reshape", self, shape=whole_numbers(shape))  # which says what is wrong
        if type(shape[0]) is not int and type(shape[0]) is not tuple:  # a list may be changed later
            shape = tuple(whole_numbers(shape))
        return one(_RESHAPE, self, value, shape)

    def _apply(self, name: str, *others: Any, **attributes: Any) -> Tensor:
        return apply(name, self, *others, **attributes)

    if TYPE_CHECKING:  # those of one input that are made below, for type checkers

        def exp(self) -> Tensor: ...
        def log(self) -> Tensor: ...
        def sqrt(self) -> Tensor: ...
        def sin(self) -> Tensor: ...
        def cos(self) -> Tensor: ...
        def tanh(self) -> Tensor: ...
        def sigmoid(self) -> Tensor: ...
        def abs(self) -> Tensor: ...
        def relu(self) -> Tensor: ...
        def linear(self, W: Any) -> Tensor: ...


def handed_out(gradient: Any) -> Array:
    """A recorded gradient as people get it: an array that they cannot change."""
    array: Array = locked(as_array(gradient))
    return array


_new = Tensor.__new__
_frame = sys._getframe
_current = CURRENT.get
_BASIC = frozenset({int, slice})  # what an index consists of in the common case
_add_all: Any = np.add.reduce
_ADD, _SUB, _MUL, _DIV, _POW, _MATMUL, _NEG, _INDEX, _SUM, _RESHAPE = (
    REGISTRY[name] for name in ("add", "sub", "mul", "div", "pow", "matmul", "neg", "index", "sum", "reshape")
)


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


def _method(name: str, op: Op) -> Any:
    """The method of an op whose first input is the tensor itself."""
    compute, on_scalar, fractional = op.forward, op.scalar or op.forward, op.fractional

    def method(self: Tensor, *others: Any, **attributes: Any) -> Tensor:
        return apply(name, self, *others, **attributes)

    def alone(self: Tensor, **attributes: Any) -> Tensor:  # the same by the shortest way
        if attributes:
            return apply(name, self, **attributes)
        x: Any = self._data
        try:
            if type(x) is np.float64:
                value: Any = on_scalar(x)
                if type(value) is not np.float64:
                    value = np.float64(value)
            elif fractional and x.dtype.kind != "f":
                value = compute(wide(x))
            else:
                value = compute(x)
        except (ValueError, TypeError) as error:
            raise explained(error, name, (self,)) from None
        return one(op, self, value)

    def pair(self: Tensor, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            other = as_tensor(other, self)
        try:
            value = compute(self._data, other._data)
        except (ValueError, TypeError) as error:
            raise explained(error, name, (self, other)) from None
        return two(op, self, other, value)

    elementwise = op.kind == "elementwise"
    chosen: Any = alone if elementwise and len(op.inputs) == 1 else pair if name in _PAIRS else method
    chosen.__name__ = name
    chosen.__doc__, chosen.__signature__ = described(op, _ROLE), signature_of(op, "self")
    return chosen


_ROLE = ", this tensor being its first input"


_PAIRS = ("linear", "matmul")  # two inputs, no attributes, nothing kept for backward

for _name, _op in REGISTRY.items():
    if not _op.hidden and not hasattr(Tensor, _name) and not _op.inputs[0].startswith("*"):
        setattr(Tensor, _name, _method(_name, _op))
    elif not _op.hidden and (_written := getattr(Tensor, _name, None)) is not None and _written.__doc__ is None:
        _written.__doc__ = described(_op, _ROLE)

for _name in TENSOR:
    if not hasattr(Tensor, _name):
        setattr(Tensor, _name, absent(_name))
