"""RMSprop (Tieleman and Hinton; centered: Graves, "Generating Sequences With Recurrent Neural Networks"), as torch.optim.RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from engine.optim.group import Settings, positive
from engine.optim.optimizer import Optimizer
from engine.optim.rule import Rule, Term
from engine.tensor import Tensor


@lru_cache
def rule(momentum: bool, weight_decay: bool, centered: bool) -> Rule:
    """The rule; only the terms that the settings call for."""
    hyper = {"lr": r"\eta", "alpha": r"\alpha", "eps": r"\epsilon"}
    state = {"square_avg": "square_avg_prev"}
    terms = [Term("gradient", "g"), Term("square_avg_prev", "v_{k-1}")]
    if centered:
        terms.append(Term("grad_avg_prev", r"\bar{g}_{k-1}"))
        state["grad_avg"] = "grad_avg_prev"
    if momentum:
        terms.append(Term("momentum_buffer_prev", "u_{k-1}"))
        hyper["momentum"], state["momentum_buffer"] = r"\mu", "momentum_buffer_prev"
    terms.append(Term("old", r"\theta"))
    slope = "clipped"
    if weight_decay:
        terms.append(Term("decayed", r"g_{\lambda}", f"{slope} + weight_decay*old"))
        hyper["weight_decay"], slope = r"\lambda", "decayed"
    square = "square_avg"
    terms.append(Term(square, "v", f"alpha*square_avg_prev + (1 - alpha)*{slope}**2"))
    if centered:
        # written as a way towards the gradient: where gradients hardly vary the variance is a small difference, and this form keeps it
        terms.append(Term("grad_avg", r"\bar{g}", f"grad_avg_prev + (1 - alpha)*({slope} - grad_avg_prev)"))
        terms.append(Term("variance", r"\sigma^{2}", f"{square} - grad_avg**2"))
        square = "variance"
    terms.append(Term("scaled", r"\hat{g}", f"{slope}/(sqrt({square}) + eps)"))
    slope = "scaled"
    if momentum:
        terms.append(Term("momentum_buffer", "u", f"momentum*momentum_buffer_prev + {slope}"))
        slope = "momentum_buffer"
    terms += [Term("delta", r"\Delta\theta", f"-(lr*{slope})"), Term("new", r"\theta'", "old + delta")]
    return Rule("rmsprop", tuple(terms), hyper, state)


class RMSprop(Optimizer):
    """The gradient by the root of its mean square, as torch.optim.RMSprop.

    params: leaf tensors or groups. lr: learning rate, above 0. alpha: decay of the mean square, at least 0. eps: added to the root.
    weight_decay: at least 0, added to the gradient. momentum: at least 0. centered: by the standard deviation in place of the root mean
    square.
    """

    name = "rmsprop"

    def __init__(
        self, params: Iterable[Tensor] | Iterable[Mapping[str, Any]], lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    ) -> None:  # fmt: skip
        settings = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum, "centered": centered}
        super().__init__(params, settings)

    def check(self, settings: Settings) -> Settings:
        checked = {name: positive(name, settings[name], zero=True) for name in ("lr", "alpha", "eps", "weight_decay", "momentum")}
        if checked["alpha"] > 1:
            raise ValueError(f"alpha is {settings['alpha']!r}; expected a number from 0 to 1")
        return {**checked, "centered": bool(settings["centered"])}

    def make_rule(self, settings: Settings) -> Rule:
        return rule(settings["momentum"] != 0, settings["weight_decay"] != 0, settings["centered"])
