"""The tensor: an array with operators, and its place on a tape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ops.op import REGISTRY, Array, Op, as_array
from engine.ops.shape import encode_index, whole_numbers
from engine.refusals import explained, no_array, plain_number
from engine.tape import LOCK, Tape, TapeError

if TYPE_CHECKING:
    from engine.backward import BackwardRun


__all__ = ["Tensor", "apply", "handed_out"]

Axis = int | Sequence[int] | None

_DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")


class Tensor:
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
        """The values. Those of a leaf can be replaced; what a tape has recorded is read-only: it is locked when it is handed out."""
        data: Any = self._data
        if self.tape is not None and type(data) is np.ndarray:
            LOCK(data, False)
        return data  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Array) -> None:
        self._data = data

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
        return self._data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._data.dtype

    @property
    def T(self) -> Tensor:  # noqa: N802 - numpy's and PyTorch's name
        return self.transpose(tuple(range(self.ndim))[::-1])

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

    def backward(self, gradient: Any = None, *, accumulate: bool = False, create_graph: bool = False) -> BackwardRun:
        """Differentiates this tensor and returns the backward run: ``run[x]`` is the gradient of x, an ndarray.

        gradient: of this tensor's shape, what to start from; not needed for one element (1 is taken).
        accumulate: add to the gradients the leaves have from an earlier run (PyTorch's habit) instead of replacing them.
        create_graph: record the sweep itself, so that ``run.tensor(x)`` can be differentiated again.
        Raises TapeError when there is nothing to differentiate.
        """
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

    # methods with attributes by position; the others come from the table of ops below

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        if axis is None and not keepdims:
            return one(_SUM, self, _add_all(self._data, None), (None, False))
        return apply("sum", self, axis=_plain(axis), keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return apply("mean", self, axis=_plain(axis), keepdims=keepdims)

    def var(self, axis: Axis = None, correction: float = 1, keepdims: bool = False) -> Tensor:
        return apply("var", self, axis=_plain(axis), correction=correction, keepdims=keepdims)

    def std(self, axis: Axis = None, correction: float = 1, keepdims: bool = False) -> Tensor:
        return apply("std", self, axis=_plain(axis), correction=correction, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return apply("max", self, axis=_plain(axis), keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return apply("min", self, axis=_plain(axis), keepdims=keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return apply("prod", self, axis=_plain(axis), keepdims=keepdims)

    def norm(self, ord: float | str = 2, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A002 - numpy's name for it
        return apply("norm", self, ord="inf" if ord == float("inf") else ord, axis=_plain(axis), keepdims=keepdims)

    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return apply("logsumexp", self, axis=_plain(axis), keepdims=keepdims)

    def cumsum(self, axis: int = 0) -> Tensor:
        return apply("cumsum", self, axis=axis)

    def clip(self, low: float, high: float) -> Tensor:
        return apply("clip", self, low=plain_number("clip", "low", low), high=plain_number("clip", "high", high))

    def softmax(self, axis: int = -1) -> Tensor:
        return apply("softmax", self, **({} if axis == -1 else {"axis": axis}))

    def log_softmax(self, axis: int = -1) -> Tensor:
        return apply("log_softmax", self, **({} if axis == -1 else {"axis": axis}))

    def reshape(self, *shape: Any) -> Tensor:
        try:
            value = self._data.reshape(*shape)
        except (ValueError, TypeError):
            return apply("reshape", self, shape=whole_numbers(shape))  # which says what is wrong
        return one(_RESHAPE, self, value, shape)

    def permute(self, *axes: Any) -> Tensor:
        return apply("permute", self, axes=whole_numbers(axes, "permute"))

    def squeeze(self, axis: Axis = None) -> Tensor:
        return apply("squeeze", self, axis=_plain(axis))

    def unsqueeze(self, axis: int) -> Tensor:
        return apply("unsqueeze", self, axis=axis)

    def flip(self, axis: Axis = None) -> Tensor:
        return apply("flip", self, axis=_plain(axis))

    def roll(self, shift: int, axis: int | None = None) -> Tensor:
        return apply("roll", self, shift=shift, axis=axis)

    def pad(self, widths: Sequence[Sequence[int]], value: float = 0.0) -> Tensor:
        """(before, after) for each axis, as numpy."""
        pairs = [_plain(pair) for pair in widths] if isinstance(widths, tuple | list) else widths
        return apply("pad", self, widths=pairs, value=plain_number("pad", "value", value))

    def split(self, sizes: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
        """All parts: of these sizes, or of one size each but the last."""
        wanted = sizes if isinstance(sizes, int) else whole_numbers((sizes,), "split")
        first = apply("split", self, sizes=wanted, axis=axis, part=0)
        count = -(-self.shape[axis] // wanted) if isinstance(wanted, int) else len(wanted)
        return (first, *(apply("split", self, sizes=wanted, axis=axis, part=k) for k in range(1, count)))

    def gather(self, indices: Any, axis: int = 0) -> Tensor:
        return apply("gather", self, indices, axis=axis)

    def masked_fill(self, mask: Any, value: float) -> Tensor:
        return apply("masked_fill", self, mask, value=plain_number("masked_fill", "value", value))

    def transpose(self, axes: Sequence[int] | None = None) -> Tensor:
        return apply("transpose", self, axes=_plain(axes))

    def broadcast_to(self, shape: Sequence[int]) -> Tensor:
        return apply("broadcast_to", self, shape=whole_numbers((shape,), "broadcast_to"))

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


def _plain(axis: Axis) -> int | list[int] | None:
    """Attributes are JSON: sequences become lists."""
    if isinstance(axis, np.integer):
        return int(axis)
    return list(axis) if isinstance(axis, tuple | list) else axis  # type: ignore[return-value]


def handed_out(gradient: Any) -> Array:
    """A recorded gradient as people get it: an array that they cannot change."""
    array = as_array(gradient)
    array.flags.writeable = False
    return array


_new = Tensor.__new__
_BASIC = frozenset({int, slice})  # what an index consists of in the common case
_add_all: Any = np.add.reduce
_ADD, _SUB, _MUL, _DIV, _POW, _MATMUL, _NEG, _INDEX, _SUM, _RESHAPE = (
    REGISTRY[name] for name in ("add", "sub", "mul", "div", "pow", "matmul", "neg", "index", "sum", "reshape")
)

from engine.apply import apply, as_tensor, one, two, wide  # noqa: E402 - they make tensors: the class stands above


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
            elif fractional and not self._requires_grad:
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
    chosen = alone if elementwise and len(op.inputs) == 1 else pair if name in _PAIRS else method
    chosen.__name__ = name
    chosen.__doc__ = f"The op ``{name}``, this tensor being its first input: docs/ops.md has its formula and what each argument is."
    return chosen


_PAIRS = ("linear", "matmul")  # two inputs, no attributes, nothing kept for backward

for _name, _op in REGISTRY.items():
    if not _op.hidden and not hasattr(Tensor, _name) and not _op.inputs[0].startswith("*"):
        setattr(Tensor, _name, _method(_name, _op))
    elif not _op.hidden and (_written := getattr(Tensor, _name, None)) is not None and _written.__doc__ is None:
        _written.__doc__ = f"The op ``{_name}``, this tensor being its first input: docs/ops.md has its formula and what each argument is."
