"""Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization") with its variants, as torch.optim.Adam.

AMSGrad: Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond". Decoupled weight decay: engine/optim/adamw.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from engine.optim.group import Settings, fraction, positive
from engine.optim.optimizer import Optimizer
from engine.optim.rule import Rule, Term
from engine.tensor import Tensor


@lru_cache
def rule(name: str, *, weight_decay: bool, decoupled: bool, amsgrad: bool) -> Rule:
    """The rule; only the terms that the settings call for. decoupled: the decay is a step of its own, and no part of the gradient."""
    hyper = {"lr": r"\eta", "beta1": r"\beta_{1}", "beta2": r"\beta_{2}", "eps": r"\epsilon"}
    state = {"exp_avg": "exp_avg_prev", "exp_avg_sq": "exp_avg_sq_prev"}
    terms = [Term("gradient", "g"), Term("exp_avg_prev", "m_{k-1}"), Term("exp_avg_sq_prev", "v_{k-1}")]
    if amsgrad:
        terms.append(Term("max_exp_avg_sq_prev", r"v^{\max}_{k-1}"))
        state["max_exp_avg_sq"] = "max_exp_avg_sq_prev"
    terms.append(Term("old", r"\theta"))
    slope, square = "clipped", "exp_avg_sq"
    if weight_decay:
        hyper["weight_decay"] = r"\lambda"
        if not decoupled:
            terms.append(Term("decayed", r"g_{\lambda}", f"{slope} + weight_decay*old"))
            slope = "decayed"
    hyper["step"] = "k"
    terms.append(Term("exp_avg", "m", f"beta1*exp_avg_prev + (1 - beta1)*{slope}"))
    terms.append(Term("exp_avg_sq", "v", f"beta2*exp_avg_sq_prev + (1 - beta2)*{slope}**2"))
    if amsgrad:
        terms.append(Term("max_exp_avg_sq", r"v^{\max}", "maximum(max_exp_avg_sq_prev, exp_avg_sq)"))
        square = "max_exp_avg_sq"
    terms.append(Term("exp_avg_hat", r"\hat{m}", "exp_avg/(1 - beta1**step)"))
    terms.append(Term("exp_avg_sq_hat", r"\hat{v}", f"{square}/(1 - beta2**step)"))
    step = "-(lr*exp_avg_hat/(sqrt(exp_avg_sq_hat) + eps))"
    if decoupled:
        terms.append(Term("adaptive_step", r"\Delta_{\mathrm{adaptive}}", step))
        terms.append(Term("decay", r"\Delta_{\mathrm{decay}}", "-(lr*weight_decay*old)"))
        step = "adaptive_step + decay"
    terms += [Term("delta", r"\Delta\theta", step), Term("new", r"\theta'", "old + delta")]
    return Rule(name, tuple(terms), hyper, state)


class Adam(Optimizer):
    """Adam with weight decay added to the gradient.

    params: leaf tensors or groups. lr: learning rate, above 0. betas: decay of the first and the second moment, each in 0..1 (1 excluded).
    eps: added to the root of the second moment. weight_decay: at least 0. amsgrad: by the largest second moment so far.
    """

    name = "adam"

    def __init__(
        self, params: Iterable[Tensor] | Iterable[Mapping[str, Any]], lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad})

    def check(self, settings: Settings) -> Settings:
        betas = settings["betas"]
        try:
            first, second = (fraction("beta", beta) for beta in betas)
        except (TypeError, ValueError):
            raise ValueError(f"betas are {betas!r}; expected two numbers from 0 to below 1") from None
        checked = {name: positive(name, settings[name], zero=True) for name in ("lr", "eps", "weight_decay")}
        return {"lr": checked["lr"], "betas": (first, second), "eps": checked["eps"], "weight_decay": checked["weight_decay"],
                "amsgrad": bool(settings["amsgrad"])}  # fmt: skip

    def make_rule(self, settings: Settings) -> Rule:
        return rule("adam", weight_decay=settings["weight_decay"] != 0, decoupled=False, amsgrad=settings["amsgrad"])

    def numbers(self, settings: Settings) -> dict[str, float]:
        (beta1, beta2), kept = settings["betas"], {k: settings[k] for k in ("lr", "eps", "weight_decay")}
        return {**kept, "beta1": beta1, "beta2": beta2}

    def from_numbers(self, numbers: Mapping[str, float]) -> Settings:
        kept = {k: v for k, v in numbers.items() if k not in ("beta1", "beta2")}
        return {**kept, "betas": (numbers["beta1"], numbers["beta2"])}
