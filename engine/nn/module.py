"""Modules and their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module owns and an optimizer changes; requires a gradient."""

    __slots__ = ()

    def __init__(self, data: Any, *, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(data, requires_grad=True, dtype=dtype, name=name)


class Module:
    """Something with parameters. Subclasses set parameters and modules as attributes and define `forward`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} defines no forward()")

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Parameters with their dotted names, in order of definition."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
            elif isinstance(value, Module):
                yield from value.named_parameters(f"{prefix}{name}.")

    def parameters(self) -> Iterator[Parameter]:
        """The parameters alone."""
        return (parameter for _, parameter in self.named_parameters())

    def name_parameters(self) -> None:
        """Writes the dotted names into the parameters, for traces. Called by the outermost module once it is complete."""
        for name, parameter in self.named_parameters():
            parameter.name = name

    def state_dict(self) -> dict[str, Array]:
        """Copies of the parameters' arrays by name."""
        return {name: parameter.numpy() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over arrays by name, all of them. Raises ValueError that lists what is missing, unexpected or mis-shaped."""
        own = dict(self.named_parameters())
        problems = [f"missing {n}" for n in own if n not in state] + [f"unexpected {n}" for n in state if n not in own]
        arrays = {name: np.asarray(state[name]) for name in own if name in state}
        problems += [f"{n} has shape {a.shape}, expected {own[n].shape}" for n, a in arrays.items() if a.shape != own[n].shape]
        if problems:
            raise ValueError(f"this state does not fit {type(self).__name__}: {'; '.join(problems)}")
        for name, array in arrays.items():
            own[name].data = np.array(array, dtype=own[name].dtype)


def uniform(generator: np.random.Generator | None, bound: float, shape: tuple[int, ...], dtype: Any) -> Parameter:
    """A parameter drawn evenly from -bound to bound (PyTorch's initial distribution for Linear and the recurrent layers)."""
    generator = np.random.default_rng() if generator is None else generator
    return Parameter(generator.uniform(-bound, bound, shape), dtype=dtype)
