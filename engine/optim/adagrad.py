"""Adagrad (Duchi, Hazan and Singer, "Adaptive Subgradient Methods"), as torch.optim.Adagrad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.optim.group import Settings, positive
from engine.optim.optimizer import Optimizer
from engine.optim.rule import Rule, Term
from engine.tensor import Tensor


@lru_cache
def rule(lr_decay: bool, weight_decay: bool) -> Rule:
    """The rule; only the terms that the settings call for."""
    terms, slope, rate = [Term("gradient", "g"), Term("sum_prev", "s_{k-1}"), Term("old", r"\theta")], "clipped", "lr"
    hyper = {"lr": r"\eta", "eps": r"\epsilon"}
    if weight_decay:
        terms.append(Term("decayed", r"g_{\lambda}", f"{slope} + weight_decay*old"))
        hyper["weight_decay"], slope = r"\lambda", "decayed"
    terms.append(Term("sum", "s", f"sum_prev + {slope}**2"))
    if lr_decay:
        terms.append(Term("decayed_lr", r"\eta_{k}", "lr/(1 + (step - 1)*lr_decay)"))
        hyper["lr_decay"], hyper["step"], rate = r"\gamma", "k", "decayed_lr"
    terms += [Term("delta", r"\Delta\theta", f"-({rate}*{slope}/(sqrt(sum) + eps))"), Term("new", r"\theta'", "old + delta")]
    return Rule("adagrad", tuple(terms), hyper, {"sum": "sum_prev"})


class Adagrad(Optimizer):
    """The gradient by the root of the sum of all its squares, as torch.optim.Adagrad.

    params: leaf tensors or groups. lr: learning rate, above 0. lr_decay: at least 0. weight_decay: at least 0, added to the gradient.
    initial_accumulator_value: what the sum of squares starts from, at least 0. eps: added to the root.
    """

    name = "adagrad"

    def __init__(
        self, params: Iterable[Tensor] | Iterable[Mapping[str, Any]], lr: float = 0.01, lr_decay: float = 0.0, weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0, eps: float = 1e-10,
    ) -> None:  # fmt: skip
        settings = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
                    "initial_accumulator_value": initial_accumulator_value, "eps": eps}  # fmt: skip
        super().__init__(params, settings)

    def check(self, settings: Settings) -> Settings:
        return {name: positive(name, value, zero=True) for name, value in settings.items()}

    def make_rule(self, settings: Settings) -> Rule:
        return rule(settings["lr_decay"] != 0, settings["weight_decay"] != 0)

    def initial(self, settings: Settings, name: str, like: Array) -> Array:
        return np.full_like(like, settings["initial_accumulator_value"])
