"""AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2), as torch.optim.AdamW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.optim.adam import Adam, rule
from engine.optim.group import Settings
from engine.optim.rule import Rule
from engine.tensor import Tensor


class AdamW(Adam):
    """Adam with decoupled weight decay: the parameter shrinks by a step of its own, and the moments know nothing of it.

    params: leaf tensors or groups. lr: learning rate, above 0. betas: decay of the first and the second moment, each in 0..1 (1 excluded).
    eps: added to the root of the second moment. weight_decay: at least 0. amsgrad: by the largest second moment so far.
    """

    name = "adamw"

    def __init__(
        self, params: Iterable[Tensor] | Iterable[Mapping[str, Any]], lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.01, amsgrad: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)

    def make_rule(self, settings: Settings) -> Rule:
        return rule("adamw", weight_decay=True, decoupled=True, amsgrad=settings["amsgrad"])
