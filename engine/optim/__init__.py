"""Optimizers with PyTorch's names and arithmetic, every term of a step named."""

from engine.optim.adamw import AdamW
from engine.optim.clipping import clip_grad_norm_
from engine.optim.optimizer import Optimizer
from engine.optim.rule import Rule
from engine.optim.sgd import SGD

__all__ = ["SGD", "AdamW", "Optimizer", "Rule", "clip_grad_norm_"]
