"""Losses, with PyTorch's names and reductions to the mean."""

from __future__ import annotations

from typing import Any

from engine.tensor import Tensor, apply

__all__ = ["cross_entropy", "mse_loss"]


def cross_entropy(input: Tensor, target: Any) -> Tensor:
    """Mean of -log softmax(input)[target] over the batch, as torch.nn.functional.cross_entropy.

    input: logits (batch, classes). target: integer class numbers (batch,). Returns a 0-d tensor in nats.
    Raises ValueError for other shapes, and for class numbers out of range.
    """
    return apply("cross_entropy", input, target)


def mse_loss(input: Tensor, target: Any) -> Tensor:
    """Mean of (input - target)**2 over all elements, as torch.nn.functional.mse_loss. Shapes must be equal."""
    return apply("mse_loss", input, target)
