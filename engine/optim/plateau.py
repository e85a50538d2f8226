"""Reducing the learning rate where a measured quantity stays, as torch.optim.lr_scheduler.ReduceLROnPlateau."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.optim.group import positive
from engine.optim.optimizer import Optimizer
from engine.optim.rule import Term
from engine.optim.schedules import Formulas, Governor, same_kind, whole

_FORMULAS = Formulas(
    (
        Term("lr_before", r"\eta_{e-1}"),
        Term("bad_epochs", "b"),
        Term("reduced", r"\eta_{r}", "maximum(lr_before*factor, min_lr)"),
        Term("candidate", r"\eta_{c}", "where(lr_before - reduced > plateau_eps, reduced, lr_before)"),
        Term("lr", r"\eta", "where(bad_epochs > patience, candidate, lr_before)"),
    ),
    {"factor": "f", "min_lr": r"\eta_{\min}", "patience": "P", "plateau_eps": r"\epsilon_{\eta}"},
)  # not "eps", which several optimizers have


class ReduceLROnPlateau(Governor):
    """Times `factor` when `metric` has not improved for more than `patience` steps.

    mode: whether less ("min") or more ("max") is better. threshold, threshold_mode: an improvement is one by this share of the best
    ("rel") or by this amount ("abs"). cooldown: steps after a reduction that do not count as bad. min_lr: lowest rate, one number or one
    for each group. eps: smaller reductions are left out. It depends on what was measured, so it is no function of the step.
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10, threshold: float = 1e-4,
        threshold_mode: str = "rel", cooldown: int = 0, min_lr: float | Sequence[float] = 0.0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        super().__init__(optimizer)
        if mode not in ("min", "max"):
            raise ValueError(f"mode is {mode!r}; expected 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode is {threshold_mode!r}; expected 'rel' or 'abs'")
        if positive("factor", factor, zero=True) >= 1:
            raise ValueError(f"factor is {factor!r}; expected a number from 0 to below 1")
        groups = optimizer.param_groups
        lowest = list(min_lr) if isinstance(min_lr, Sequence) else [min_lr] * len(groups)
        if len(lowest) != len(groups):
            raise ValueError(f"min_lr has {len(lowest)} rates; expected one number, or one for each of {len(groups)} groups")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor, self.threshold = float(factor), positive("threshold", threshold, zero=True)
        self.patience, self.cooldown = whole("patience", patience, 0), whole("cooldown", cooldown, 0)
        self.min_lrs, self.eps = [positive("min_lr", x, zero=True) for x in lowest], positive("eps", eps, zero=True)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldownwholeer = self.last_epoch = 0
        self.take()

    def step(self, metric: Any) -> None:
        """Takes a measurement, and reduces the rates where it is time. Raises ValueError when another schedule has taken over."""
        self.still()
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            raise ValueError(f"min_lr was given for {len(self.min_lrs)} groups; the optimizer has {len(groups)} now")
        current = float(metric)
        self.last_epoch += 1
        if self._better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldownwholeer > 0:
            self.cooldownwholeer -= 1
            self.num_bad_epochs = 0  # those of the cooldown do not count
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            numbers = {"lr_before": group["lr"], "bad_epochs": self.num_bad_epochs, "factor": self.factor, "min_lr": lowest,
                       "patience": self.patience, "plateau_eps": self.eps}  # fmt: skip
            self.govern(group, _FORMULAS.rate(numbers))
        if self.num_bad_epochs > self.patience:
            self.cooldownwholeer, self.num_bad_epochs = self.cooldown, 0

    def _better(self, current: float) -> bool:
        if self.threshold_mode == "rel":
            bound = self.best * (1 - self.threshold if self.mode == "min" else 1 + self.threshold)
        else:
            bound = self.best - self.threshold if self.mode == "min" else self.best + self.threshold
        return current < bound if self.mode == "min" else current > bound

    _KEPT = (
        "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lrs", "eps", "best", "num_bad_epochs",
        "cooldownwholeer", "last_epoch",
    )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """Settings, what was best, the counters and the rates."""
        kept = {name: getattr(self, name) for name in self._KEPT}
        return {"schedule": "ReduceLROnPlateau", **kept, "min_lrs": list(self.min_lrs), "lrs": self.get_last_lr()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave, and the rates. Raises ValueError for another schedule's."""
        same_kind(self, state, len(state.get("lrs", ())))
        for name in self._KEPT:
            value = state[name]
            setattr(self, name, list(value) if name == "min_lrs" else value)
        for group, lr in zip(self.optimizer.param_groups, state["lrs"], strict=True):
            group["lr"] = lr
