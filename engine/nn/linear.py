"""Linear and Embedding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.nn import init
from engine.nn.module import Module, Parameter
from engine.tape import tracing
from engine.tensor import Tensor, apply


class Linear(Module):
    """y = x W^T + b, as torch.nn.Linear: weight (out, in) and bias (out,) drawn evenly from -1/sqrt(in) to 1/sqrt(in)."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = np.float64,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.in_features, self.out_features = positive("Linear", in_features=in_features, out_features=out_features)
        self.weight = uniform(generator, 1 / math.sqrt(in_features), (out_features, in_features), dtype)
        self.bias = uniform(generator, 1 / math.sqrt(in_features), (out_features,), dtype) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        if self.bias is None:
            return apply("linear", input, self.weight)
        if tracing() is None:
            return apply("affine", input, self.weight, self.bias)  # both at once
        return apply("linear", input, self.weight) + self.bias

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """Rows of a table by number, as torch.nn.Embedding: weight (entries, features) drawn from the normal distribution.

    padding_idx: this entry starts at 0 and gets no gradient; negative numbers count from the end.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: Any = np.float64,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.num_embeddings, self.embedding_dim = positive("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: padding_idx is {padding_idx}; expected one of the {num_embeddings} entries")
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        generator = np.random.default_rng() if generator is None else generator
        table = generator.standard_normal((num_embeddings, embedding_dim))
        if self.padding_idx is not None:
            table[self.padding_idx] = 0
        self.weight = Parameter(table, dtype=dtype)

    def forward(self, input: Any) -> Tensor:
        """Integers of any shape to (..., features)."""
        if self.padding_idx is None:
            return apply("embedding", input, self.weight)
        return apply("embedding", input, self.weight, padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


def uniform(generator: np.random.Generator | None, bound: float, shape: tuple[int, ...], dtype: Any) -> Parameter:
    """A parameter drawn evenly from -bound to bound (PyTorch's initial distribution for most layers)."""
    parameter = Parameter(np.empty(shape, dtype))
    init.uniform_(parameter, -bound, bound, generator)
    return parameter


def positive(name: str, **sizes: int) -> list[int]:
    """Sizes of a layer. Raises ValueError unless each is a whole number of at least 1."""
    if any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1 for n in sizes.values()):
        given = ", ".join(f"{key} is {n!r}" for key, n in sizes.items())
        raise ValueError(f"{name}: {given}; expected whole numbers of at least 1")
    return [int(n) for n in sizes.values()]
