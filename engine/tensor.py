"""The tensor: an array with operators, and its place on a tape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ops.op import REGISTRY, Array, as_array
from engine.ops.shape import encode_index
from engine.tape import Tape, TapeError, known_op, recording_tape

if TYPE_CHECKING:
    from engine.backward import BackwardRun


_DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")


class Tensor:
    """A numpy array that remembers how it was computed. Scalars are 0-d tensors.

    data: anything numpy makes an array of; numbers become float64, integers stay integers, float32 stays float32. The array is copied.
    requires_grad: whether `backward` computes a gradient for it; floating point only.
    name: what a trace calls it.
    """

    __array_ufunc__ = None  # numpy's arrays leave `array * tensor` to us
    __slots__ = ("__weakref__", "_grad", "_requires_grad", "data", "name", "node", "tape")

    data: Array
    name: str | None
    tape: Tape | None  # None for a leaf
    node: int

    def __init__(self, data: Any, requires_grad: bool = False, *, dtype: Any = None, name: str | None = None) -> None:
        array = np.array(data.data if isinstance(data, Tensor) else data, dtype=dtype)
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"a tensor holds real numbers ({', '.join(_DTYPES)}); given dtype {array.dtype}: convert it with dtype=...")
        if requires_grad and array.dtype.kind != "f":
            raise TypeError(f"only floating point tensors have gradients; given dtype {array.dtype}: give floats or dtype=float")
        self.data, self.name, self.tape, self.node = array, name, None, -1
        self._requires_grad, self._grad = requires_grad, None

    _requires_grad: bool
    _grad: Array | None

    @classmethod
    def _computed(cls, data: Array, tape: Tape | None, node: int) -> Tensor:
        tensor = cls.__new__(cls) if cls is Tensor else Tensor.__new__(Tensor)
        tensor.data, tensor.name, tensor.tape, tensor.node = data, None, tape, node
        tensor._requires_grad, tensor._grad = tape is not None and tape.requires[node], None
        return tensor

    @property
    def requires_grad(self) -> bool:
        return self._requires_grad

    @property
    def grad(self) -> Array | None:
        """The gradient of the latest backward run, of this tensor's shape; None before one."""
        if self.tape is None:
            return self._grad
        latest = self.tape.latest_gradients
        return latest[self.node] if self.node < len(latest) else None

    @grad.setter
    def grad(self, value: Array | None) -> None:
        if self.tape is not None:
            raise TapeError("the gradient of an intermediate belongs to its backward run; only a leaf's can be set")
        if value is not None and np.shape(value) != self.data.shape:
            raise ValueError(f"a gradient of shape {np.shape(value)} for a tensor of shape {self.data.shape}; expected the same")
        self._grad = None if value is None else np.asarray(value, dtype=self.data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def T(self) -> Tensor:  # noqa: N802 - numpy's and PyTorch's name
        return self.transpose(tuple(range(self.ndim))[::-1])

    def numpy(self) -> Array:
        """The values as an array of their own."""
        return self.data.copy()

    def item(self) -> float | int | bool:
        """The value of a tensor of one element. Raises ValueError for more."""
        if self.data.size != 1:
            raise ValueError(f"item() of a tensor of shape {self.shape}; expected one element")
        value: float | int | bool = self.data.item()
        return value

    def detach(self) -> Tensor:
        """The same values as a leaf without gradient."""
        return Tensor(self.data)

    def backward(self, gradient: Any = None, *, accumulate: bool = False) -> BackwardRun:
        """Differentiates this tensor and returns the backward run: ``run[x]`` is the gradient of x, an ndarray.

        gradient: of this tensor's shape, what to start from; not needed for one element (1 is taken).
        accumulate: add to the gradients the leaves have from an earlier run (PyTorch's habit) instead of replacing them.
        Raises TapeError when there is nothing to differentiate.
        """
        from engine.backward import backward  # the module builds on this one

        return backward(self, gradient, accumulate=accumulate)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        values = np.array2string(self.data, separator=", ", precision=6, threshold=20, prefix="Tensor(")
        return f"Tensor({values}{', requires_grad=True' if self._requires_grad else ''})"

    __hash__ = object.__hash__

    # operators

    def __add__(self, other: Any) -> Tensor:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Tensor:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Tensor:
        return apply("sub", self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return apply("sub", other, self)

    def __mul__(self, other: Any) -> Tensor:
        return apply("mul", self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return apply("mul", other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return apply("div", other, self)

    def __pow__(self, other: Any) -> Tensor:
        return apply("pow", self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return apply("pow", other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return apply("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return apply("matmul", other, self)

    def __neg__(self) -> Tensor:
        return apply("neg", self)

    def __getitem__(self, index: Any) -> Tensor:
        return apply("index", self, index=encode_index(index))

    # methods with attributes by position; the others come from the table of ops below

    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return apply("sum", self, axis=_plain(axis), keepdims=keepdims)

    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return apply("mean", self, axis=_plain(axis), keepdims=keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return apply("reshape", self, shape=[int(n) for n in wanted])

    def transpose(self, axes: Sequence[int] | None = None) -> Tensor:
        return apply("transpose", self, axes=_plain(axes))

    def broadcast_to(self, shape: Sequence[int]) -> Tensor:
        return apply("broadcast_to", self, shape=[int(n) for n in shape])

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
        def softmax(self) -> Tensor: ...
        def log_softmax(self) -> Tensor: ...


def _plain(axis: int | Sequence[int] | None) -> int | list[int] | None:
    """Attributes are JSON: sequences become lists."""
    return list(axis) if isinstance(axis, tuple | list) else axis  # type: ignore[return-value]


def _as_tensor(value: Any, like: Tensor | None) -> Tensor:
    """A tensor of an operand; a plain number takes the dtype of the floating point operand beside it."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, bool | int | float) and like is not None and like.dtype.kind == "f":
        return Tensor(value, dtype=like.dtype)
    return Tensor(value)


def apply(name: str, *operands: Any, **attributes: Any) -> Tensor:
    """The result of the op of that name, recorded on the current tape.

    operands: tensors, arrays or numbers. attributes: the op's keyword arguments, JSON only.
    Raises TapeError for an unknown op or a mixture of tapes, and what the op raises for shapes and dtypes it does not take.
    """
    op = known_op(name)
    if len(operands) != len(op.inputs) and not op.inputs[0].startswith("*"):
        raise TypeError(f"{name} takes {len(op.inputs)} inputs ({', '.join(op.inputs)}); given {len(operands)}")
    like = next((x for x in operands if isinstance(x, Tensor)), None)
    tensors = [x if isinstance(x, Tensor) else _as_tensor(x, like) for x in operands]
    try:
        result = op.forward(*[x.data for x in tensors], **attributes)
    except ValueError as error:
        raise _explained(error, name, tensors) from None
    value, residuals = result if type(result) is tuple else (result, None)
    value = as_array(value)
    tape = recording_tape(any([x._requires_grad for x in tensors]))
    if tape is None:
        return Tensor._computed(value, None, -1)
    inputs = tuple([x.node if x.tape is tape else tape.node_of(x) for x in tensors])
    return Tensor._computed(value, tape, tape.record(op, inputs, attributes, value, residuals))


def _explained(error: ValueError, name: str, tensors: list[Tensor]) -> ValueError:
    """numpy's broadcast message with the op's name and the shapes."""
    if not str(error).startswith("operands could not be broadcast"):
        return error
    shapes = " and ".join(str(x.shape) for x in tensors)
    return ValueError(f"{name}: shapes {shapes} do not broadcast; sizes, compared from the last, must be equal or 1")


def _method(name: str) -> Any:
    def method(self: Tensor, *others: Any, **attributes: Any) -> Tensor:
        return apply(name, self, *others, **attributes)

    method.__name__ = name
    method.__doc__ = f"The op ``{name}``, this tensor being its first input."
    return method


for _name, _op in REGISTRY.items():
    if not _op.hidden and not hasattr(Tensor, _name) and not _op.inputs[0].startswith("*"):
        setattr(Tensor, _name, _method(_name))
