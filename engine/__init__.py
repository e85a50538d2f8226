"""An autograd engine on numpy that records what it computes.

from engine import Tensor, Tape, nn, optim, losses

w, x = Tensor(0.5, requires_grad=True), Tensor([1.0, 2.0])
run = (w * x).tanh().sum().backward()
run[w]            # the gradient, an ndarray
"""

from typing import TYPE_CHECKING, Any

from engine import losses, nn, optim
from engine.backward import BackwardRun
from engine.differentiate import grad, hvp, jacobian
from engine.gradcheck import gradcheck
from engine.habits import unknown_name
from engine.namespace import F
from engine.tape import NonFinite, Tape, TapeError
from engine.tensor import Tensor, apply

__all__ = [
    "BackwardRun", "F", "NonFinite", "Tape", "TapeError", "Tensor", "apply", "grad", "gradcheck", "hvp", "jacobian", "losses", "nn",
    "optim",
]  # fmt: skip

if not TYPE_CHECKING:  # type checkers know the names that there are

    def __getattr__(name: str) -> Any:
        raise unknown_name(__name__, name)
