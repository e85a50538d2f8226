"""Stochastic gradient descent, as torch.optim.SGD."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from engine.optim.group import Settings, positive
from engine.optim.optimizer import Optimizer
from engine.optim.rule import Rule, Term
from engine.tensor import Tensor


@lru_cache
def rule(momentum: bool, weight_decay: bool, dampening: bool = False, nesterov: bool = False) -> Rule:
    """The rule; only the terms that the settings call for.

    The first value of the momentum buffer is the gradient itself, dampened or not; without dampening the formula gives that by itself.
    """
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
        buffer = f"momentum*momentum_buffer_prev + {slope}"
        if dampening:
            hyper["dampening"], hyper["step"] = r"\tau", "k"
            buffer = f"where(step == 1, {slope}, momentum*momentum_buffer_prev + (1 - dampening)*{slope})"
        terms.append(Term("momentum_buffer", "u", buffer))
        if nesterov:
            terms.append(Term("lookahead", r"\hat{g}", f"{slope} + momentum*momentum_buffer"))
        slope = "lookahead" if nesterov else "momentum_buffer"
    terms += [Term("delta", r"\Delta\theta", f"-(lr*{slope})"), Term("new", r"\theta'", "old + delta")]
    return Rule("sgd", tuple(terms), hyper, state)


class SGD(Optimizer):
    """theta' = theta - lr u, u = momentum u + (1 - dampening) g, as torch.optim.SGD.

    params: leaf tensors or groups. lr: learning rate, above 0. momentum: at least 0, 0 without. dampening: at least 0. weight_decay: at
    least 0, added to the gradient. nesterov: steps by g + momentum u; asks for momentum and no dampening.
    """

    name = "sgd"

    def __init__(
        self, params: Iterable[Tensor] | Iterable[Mapping[str, Any]], lr: float = 0.001, momentum: float = 0.0, dampening: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False,
    ) -> None:  # fmt: skip
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, settings)

    def check(self, settings: Settings) -> Settings:
        checked = {name: positive(name, settings[name], zero=True) for name in ("lr", "momentum", "dampening", "weight_decay")}
        if settings["nesterov"] and (not checked["momentum"] or checked["dampening"]):
            raise ValueError(
                f"nesterov asks for a momentum above 0 and no dampening; given momentum {checked['momentum']!r}, "
                f"dampening {checked['dampening']!r}"
            )
        return {**checked, "nesterov": bool(settings["nesterov"])}

    def make_rule(self, settings: Settings) -> Rule:
        return rule(
            settings["momentum"] != 0, settings["weight_decay"] != 0, settings["momentum"] != 0 != settings["dampening"],
            settings["nesterov"],
        )  # fmt: skip
