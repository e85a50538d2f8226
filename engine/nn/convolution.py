"""Convolution along a sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.nn.linear import positive, uniform
from engine.nn.module import Module
from engine.tensor import Tensor, apply


class Conv1d(Module):
    """Filters moved along a sequence, as torch.nn.Conv1d: weight (out, in / groups, kernel) and bias (out,), even within 1/sqrt(fan in).

    padding: zeros at both ends; "valid" for none, "same" for as many outputs as inputs.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int | str = 0, dilation: int = 1,
        groups: int = 1, bias: bool = True, *, dtype: Any = np.float64, generator: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        positive("Conv1d", in_channels=in_channels, out_channels=out_channels, kernel_size=kernel_size, stride=stride, dilation=dilation,
                 groups=groups)  # fmt: skip
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv1d: {in_channels} and {out_channels} channels do not divide into {groups} groups")
        self.around, symmetric = self._padding(padding, stride, dilation * (kernel_size - 1))
        self.options = {"stride": stride, "padding": symmetric, "dilation": dilation, "groups": groups}
        bound = 1 / math.sqrt(in_channels // groups * kernel_size)
        self.weight = uniform(generator, bound, (out_channels, in_channels // groups, kernel_size), dtype)
        self.bias = uniform(generator, bound, (out_channels,), dtype) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        """(batch, in, length) to (batch, out, outputs); or without the batch."""
        if input.ndim == 2:
            one: Tensor = self.forward(input.unsqueeze(0))
            return one.squeeze(0)
        if self.around is not None and input.ndim == 3:
            input = input.pad([(0, 0), (0, 0), self.around])
        product = apply("conv1d", input, self.weight, **self.options)
        return product if self.bias is None else product + self.bias.reshape(-1, 1)

    @staticmethod
    def _padding(padding: int | str, stride: int, reach: int) -> tuple[tuple[int, int] | None, int]:
        """Zeros that are put around before (where both ends differ), and those that the op puts at both ends."""
        if padding == "valid":
            return None, 0
        if padding == "same" and stride == 1:
            return (None, reach // 2) if reach % 2 == 0 else ((reach // 2, reach - reach // 2), 0)
        if isinstance(padding, bool) or not isinstance(padding, int) or padding < 0:
            raise ValueError(f"Conv1d: {padding=} with {stride=}; expected a whole number from 0, 'valid', or 'same' with stride=1")
        return None, padding

    def extra_repr(self) -> str:
        out, _, kernel = self.weight.shape
        return f"{self.weight.shape[1] * self.options['groups']}, {out}, kernel_size={kernel}"
