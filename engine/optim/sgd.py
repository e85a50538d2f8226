"""Stochastic gradient descent, as torch.optim.SGD (momentum without dampening, weight decay added to the gradient)."""

from __future__ import annotations

from collections.abc import Iterable

from engine.optim.optimizer import Optimizer, positive
from engine.optim.rule import Rule, Term
from engine.tensor import Tensor


def rule(momentum: bool, weight_decay: bool) -> Rule:
    """The rule; only the terms that the settings call for."""
    slope, terms = "clipped", [Term("gradient", "g")]
    hyper, state = {"lr": r"\eta"}, {}
    if momentum:
        terms.append(Term("momentum_buffer_prev", "u_{k-1}"))
        hyper["momentum"], state["momentum_buffer"] = r"\mu", "momentum_buffer_prev"
    terms.append(Term("old", r"\theta"))
    if weight_decay:
        terms.append(Term("decayed", r"g_{\lambda}", f"{slope} + weight_decay*old"))
        hyper["weight_decay"], slope = r"\lambda", "decayed"
    if momentum:
        terms.append(Term("momentum_buffer", "u", f"momentum*momentum_buffer_prev + {slope}"))
        slope = "momentum_buffer"
    terms += [Term("delta", r"\Delta\theta", f"-(lr*{slope})"), Term("new", r"\theta'", "old + delta")]
    return Rule("sgd", tuple(terms), hyper, state)


class SGD(Optimizer):
    """theta' = theta - lr u, u = momentum u + g, as torch.optim.SGD.

    params: leaf tensors. lr: learning rate, above 0. momentum: in 0..1, 0 without. weight_decay: at least 0.
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 0.001, momentum: float = 0.0, *, weight_decay: float = 0.0) -> None:
        hyper = {"lr": positive("lr", lr)}
        if positive("momentum", momentum, zero=True):
            hyper["momentum"] = float(momentum)
        if positive("weight_decay", weight_decay, zero=True):
            hyper["weight_decay"] = float(weight_decay)
        super().__init__(params, rule("momentum" in hyper, "weight_decay" in hyper), hyper)
