"""Modules, their parameters and buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from engine.nn.random import Stream
from engine.ops.op import Array
from engine.tensor import Tensor

_M = TypeVar("_M", bound="Module")


class Parameter(Tensor):
    """A tensor that a module owns and an optimizer changes; requires a gradient unless it is frozen."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, *, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(data, requires_grad=requires_grad, dtype=dtype, name=name)

    def requires_grad_(self, requires_grad: bool = True) -> Parameter:
        """Freezes the parameter (False) or thaws it. A frozen one forgets its gradient: no optimizer moves it by an old one."""
        if not requires_grad:
            self.grad = None
        if requires_grad != self._requires_grad:
            self._data = self._data.copy()  # so that a tape that has the parameter on record takes it as a new leaf
        self._requires_grad = requires_grad
        return self


class Buffer(Tensor):
    """A tensor that belongs to a module's state and that no optimizer changes, such as a table of positions.

    persistent: whether it is part of `state_dict`.
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any, *, persistent: bool = True, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(data, dtype=dtype, name=name)
        self.persistent = persistent


class IncompatibleKeys(NamedTuple):
    """What a state and a module do not have in common: names that the module has alone, and names that the state has alone."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Something with parameters. Subclasses set parameters, buffers and modules as attributes and define `forward`.

    training: whether layers such as Dropout behave as in training; set by `train` and `eval`.
    """

    training: bool = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} defines no forward()")

    # what is inside

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside, by attribute, in order of definition."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules directly inside."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside it by dotted name (its own is the prefix), each once."""
        seen: set[int] = set()
        for name, module in self._walk(prefix):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def _walk(self, prefix: str) -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self.named_children():
            yield from child._walk(f"{prefix}.{name}" if prefix else name)

    def _tensors(self, prefix: str, kind: type[Tensor], unique: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self._walk(prefix.removesuffix(".")):
            for name, value in vars(module).items():
                if isinstance(value, kind) and not (unique and id(value) in seen):
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Parameters with their dotted names, each once: a module's own in order of definition, then those of the modules inside it."""
        return self._tensors(prefix, Parameter, unique=True)

    def parameters(self) -> Iterator[Parameter]:
        """The parameters alone."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Buffer]]:
        """Buffers with their dotted names, each once."""
        return self._tensors(prefix, Buffer, unique=True)

    def buffers(self) -> Iterator[Buffer]:
        """The buffers alone."""
        return (buffer for _, buffer in self.named_buffers())

    def name_parameters(self) -> None:
        """Writes the dotted names into the parameters, for traces. Called by the outermost module once it is complete."""
        for name, parameter in self.named_parameters():
            parameter.name = name

    # state

    def state_dict(self) -> dict[str, Array]:
        """Copies of the arrays of parameters and persistent buffers by name; a shared one under each of its names."""
        return {name: tensor.numpy() for name, tensor in self._state()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Takes over arrays by name, converted to the dtypes that the module has.

        strict: every name must be here and there. Otherwise what both have is taken, and the names that they do not have in common are
        returned. Raises ValueError that lists what is missing, unexpected (both if strict) or mis-shaped; nothing is taken over then.
        """
        own = dict(self._state())
        found = IncompatibleKeys([n for n in own if n not in state], [n for n in state if n not in own])
        arrays = {name: np.asarray(_plain(state[name])) for name in own if name in state}
        problems = [f"missing {n}" for n in found.missing_keys] + [f"unexpected {n}" for n in found.unexpected_keys] if strict else []
        problems += [f"{n} has shape {a.shape}, expected {own[n].shape}" for n, a in arrays.items() if a.shape != own[n].shape]
        problems += [f"{n} has dtype {a.dtype}, expected numbers" for n, a in arrays.items() if a.dtype.kind not in "fiub"]
        if problems:
            raise ValueError(f"this state does not fit {type(self).__name__}: {'; '.join(problems)}")
        for name, array in arrays.items():
            own[name].data = np.array(array, dtype=own[name].dtype)
        return found

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in self._tensors("", Tensor, unique=False):
            if isinstance(tensor, Parameter) or (isinstance(tensor, Buffer) and tensor.persistent):
                yield name, tensor

    # modes

    def train(self: _M, mode: bool = True) -> _M:
        """Sets training mode, here and inside. Returns the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: _M) -> _M:
        """Sets evaluation mode, here and inside: nothing is dropped. Returns the module."""
        return self.train(False)

    def requires_grad_(self: _M, requires_grad: bool = True) -> _M:
        """Freezes all parameters, here and inside (False), or thaws them. Returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters. set_to_none: PyTorch's; they are None afterwards in either case."""
        for parameter in self.parameters():
            parameter.grad = None

    def apply(self: _M, function: Callable[[Module], Any]) -> _M:
        """Calls a function on every module inside and then on this one, to initialise for instance. Returns the module."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    def seed_(self: _M, seed: int, step: int = 0) -> _M:
        """Fixes the random numbers of every module inside that draws some (it has a `stream`: Dropout and its like) for one training step.

        Each gets the stream (seed, its place among them) at `step`, counted from the first call on: the same seed and step draw the same
        masks again, whatever was computed before, so one step can be replayed alone. Returns the module.
        """
        place = 0
        for module in self.modules():
            if isinstance(getattr(module, "stream", None), Stream):
                module.stream = Stream(seed, place, step)  # type: ignore[attr-defined]
                place += 1
        return self

    # what people see

    def extra_repr(self) -> str:
        """What stands between the parentheses of a module's line."""
        return ""

    def __repr__(self) -> str:
        lines = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        return "\n".join([f"{type(self).__name__}({extra}", *lines, ")"])


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value
