"""Dropout."""

from __future__ import annotations

from engine.nn.module import Module
from engine.nn.random import Stream, probability
from engine.tensor import Tensor, apply


class Dropout(Module):
    """In training each number is set to 0 with probability p and the others are divided by 1 - p, as torch.nn.Dropout.

    Masks are counter-based: `seed` fixes them all (None: one is chosen), the n-th call draws the n-th mask. `Module.seed_` of the whole
    network gives each layer its own stream and a training step. The mask is a constant on the tape, so a trace shows it.
    """

    def __init__(self, p: float = 0.5, *, seed: int | None = None) -> None:
        self.p, self.stream = probability("p", p), Stream(seed)

    def forward(self, input: Tensor) -> Tensor:
        """Any shape; the input itself in evaluation mode or with p = 0."""
        return dropped(input, self.p, self.stream) if self.training else input

    def extra_repr(self) -> str:
        return f"p={self.p}"


def dropped(input: Tensor, p: float, stream: Stream) -> Tensor:
    """The input with a mask that is drawn now; the input itself when p is 0."""
    return input if p == 0 else apply("dropout", input, stream.mask(input.shape, p, input.dtype))
