"""Activation functions as modules, for `Sequential`, with PyTorch's names and arguments."""

from __future__ import annotations

import math
from typing import Any

from engine.nn.module import Module
from engine.refusals import plain_number
from engine.tensor import Tensor, apply


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, input: Tensor) -> Tensor:
        return apply("relu", input)


class Tanh(Module):
    """tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return apply("tanh", input)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        return apply("sigmoid", input)


class SiLU(Module):
    """x * sigmoid(x), also called swish."""

    def forward(self, input: Tensor) -> Tensor:
        return apply("silu", input)


class Softplus(Module):
    """log(1 + exp(x))."""

    def forward(self, input: Tensor) -> Tensor:
        return apply("softplus", input)


class GELU(Module):
    """x times the normal distribution's share below x. approximate: "none" for that, "tanh" for its approximation by tanh."""

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate is {approximate!r}; expected 'none' or 'tanh'")
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return apply("gelu" if self.approximate == "none" else "gelu_tanh", input)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class LeakyReLU(Module):
    """x above 0, negative_slope * x below."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = plain_number("LeakyReLU", "negative_slope", negative_slope)

    def forward(self, input: Tensor) -> Tensor:
        return apply("leaky_relu", input, negative_slope=self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """x above 0, alpha * (exp(x) - 1) below."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = plain_number("ELU", "alpha", alpha)

    def forward(self, input: Tensor) -> Tensor:
        return apply("elu", input, alpha=self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class Softmax(Module):
    """exp(x) over its sum along the axis `dim`."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return apply("softmax", input, axis=self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of `Softmax`, computed without loss of digits."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return apply("log_softmax", input, axis=self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Identity(Module):
    """The input itself; arguments are taken and left alone, so that it can stand for any module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        return input


class Flatten(Module):
    """The axes from start_dim to end_dim as one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        shape = input.shape
        axes = range(input.ndim)[self.start_dim : len(shape) + self.end_dim + 1 if self.end_dim < 0 else self.end_dim + 1]
        if not axes:
            raise ValueError(f"Flatten: a tensor of shape {shape} has no axes {self.start_dim} to {self.end_dim}")
        return input.reshape(*shape[: axes[0]], math.prod(shape[axes[0] : axes[-1] + 1]), *shape[axes[-1] + 1 :])

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
