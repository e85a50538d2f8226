"""Optimizers with PyTorch's names and arithmetic, every term of a step named."""

from typing import TYPE_CHECKING, Any

from engine.habits import unknown_name
from engine.optim.adagrad import Adagrad
from engine.optim.adam import Adam
from engine.optim.adamw import AdamW
from engine.optim.clipping import clip_grad_norm_, clip_grad_value_
from engine.optim.group import Group
from engine.optim.optimizer import Optimizer
from engine.optim.plateau import ReduceLROnPlateau
from engine.optim.rmsprop import RMSprop
from engine.optim.rule import Rate, Rule, Term
from engine.optim.schedules import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    LinearWarmupLR,
    Schedule,
    SequentialLR,
    StepLR,
    WarmupCosineLR,
)  # fmt: skip
from engine.optim.sgd import SGD

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "ConstantLR", "CosineAnnealingLR", "ExponentialLR", "Group", "LinearLR", "LinearWarmupLR",
    "Optimizer", "RMSprop", "Rate", "ReduceLROnPlateau", "Rule", "Schedule", "SequentialLR", "StepLR", "Term", "WarmupCosineLR",
    "clip_grad_norm_", "clip_grad_value_",
]  # fmt: skip

if not TYPE_CHECKING:  # type checkers know the names that there are

    def __getattr__(name: str) -> Any:
        raise unknown_name(__name__, name)
