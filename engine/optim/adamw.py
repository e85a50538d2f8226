"""AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2), as torch.optim.AdamW."""

from __future__ import annotations

from collections.abc import Iterable

from engine.optim.optimizer import Optimizer, positive
from engine.optim.rule import Rule, Term
from engine.tensor import Tensor

RULE = Rule(
    name="adamw",
    terms=(
        Term("gradient", "g"),
        Term("exp_avg_prev", "m_{k-1}"),
        Term("exp_avg_sq_prev", "v_{k-1}"),
        Term("old", r"\theta"),
        Term("exp_avg", "m", "beta1*exp_avg_prev + (1 - beta1)*clipped"),
        Term("exp_avg_sq", "v", "beta2*exp_avg_sq_prev + (1 - beta2)*clipped**2"),
        Term("exp_avg_hat", r"\hat{m}", "exp_avg/(1 - beta1**step)"),
        Term("exp_avg_sq_hat", r"\hat{v}", "exp_avg_sq/(1 - beta2**step)"),
        Term("adaptive_step", r"\Delta_{\mathrm{adaptive}}", "-(lr*exp_avg_hat/(sqrt(exp_avg_sq_hat) + eps))"),
        Term("decay", r"\Delta_{\mathrm{decay}}", "-(lr*weight_decay*old)"),
        Term("delta", r"\Delta\theta", "adaptive_step + decay"),
        Term("new", r"\theta'", "old + delta"),
    ),
    hyper={
        "lr": r"\eta", "beta1": r"\beta_{1}", "beta2": r"\beta_{2}", "eps": r"\epsilon", "weight_decay": r"\lambda", "step": "k",
    },
    state={"exp_avg": "exp_avg_prev", "exp_avg_sq": "exp_avg_sq_prev"},
)  # fmt: skip


class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    params: leaf tensors. lr: learning rate, above 0. betas: decay of the first and the second moment, each in 0..1 (1 excluded).
    eps: added to the root of the second moment. weight_decay: at least 0.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:  # fmt: skip
        if len(betas) != 2 or not all(0 <= b < 1 for b in betas):
            raise ValueError(f"betas are {betas!r}; expected two numbers from 0 to below 1")
        hyper = {"lr": positive("lr", lr), "beta1": float(betas[0]), "beta2": float(betas[1]), "eps": positive("eps", eps, zero=True),
                 "weight_decay": positive("weight_decay", weight_decay, zero=True)}  # fmt: skip
        super().__init__(params, RULE, hyper)
