"""Losses as modules, with PyTorch's names and arguments: those of `engine.losses`, which are functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import losses
from engine.nn.module import Module
from engine.tensor import Tensor


class MSELoss(Module):
    """`engine.losses.mse_loss`."""

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return losses.mse_loss(input, target, self.reduction)


class CrossEntropyLoss(Module):
    """`engine.losses.cross_entropy`: of logits and class numbers."""

    def __init__(
        self, weight: Sequence[float] | None = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        self.weight, self.ignore_index, self.reduction, self.label_smoothing = weight, ignore_index, reduction, label_smoothing

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return losses.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction, label_smoothing=self.label_smoothing
        )
