"""Linear and Embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.nn.module import Module, Parameter, uniform
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
        bound = 1 / np.sqrt(in_features)
        self.weight = uniform(generator, bound, (out_features, in_features), dtype)
        self.bias = uniform(generator, bound, (out_features,), dtype) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        product = apply("linear", input, self.weight)
        return product if self.bias is None else product + self.bias


class Embedding(Module):
    """Rows of a table by number, as torch.nn.Embedding: weight (entries, features) drawn from the normal distribution."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, dtype: Any = np.float64, generator: np.random.Generator | None = None
    ) -> None:
        generator = np.random.default_rng() if generator is None else generator
        self.weight = Parameter(generator.standard_normal((num_embeddings, embedding_dim)), dtype=dtype)

    def forward(self, input: Any) -> Tensor:
        """Integers of any shape to (..., features)."""
        return apply("embedding", input, self.weight)
