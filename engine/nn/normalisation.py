"""Layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.nn.module import Module, Parameter
from engine.tensor import Tensor, apply


class LayerNorm(Module):
    """(x - mean) / sqrt(variance + eps) * weight + bias over the last axes, as torch.nn.LayerNorm; weight starts at 1, bias at 0.

    normalized_shape: the sizes of those axes, or the size of the last one. elementwise_affine, bias: whether there is a weight, and a bias.
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True, *,
        dtype: Any = np.float64,
    ) -> None:  # fmt: skip
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not shape or not all(isinstance(n, int | np.integer) and n >= 1 for n in shape):
            raise ValueError(f"LayerNorm: normalized_shape is {normalized_shape!r}; expected whole sizes of at least 1")
        if not eps >= 0:
            raise ValueError(f"LayerNorm: eps is {eps!r}; expected a number of at least 0")
        self.normalized_shape, self.eps = shape, eps
        self.weight = Parameter(np.ones(shape), dtype=dtype) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape), dtype=dtype) if elementwise_affine and bias else None
        self._ones, self._zeros = np.ones(shape, dtype), np.zeros(shape, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """(..., *normalized_shape) to the same shape."""
        weight = self._ones if self.weight is None else self.weight
        return apply("layer_norm", input, weight, self._zeros if self.bias is None else self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"
