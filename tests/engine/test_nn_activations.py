"""Activations and losses as modules: the ops that they stand for, in a Sequential, at the caller's line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import F, Tape, Tensor, gradcheck, losses, nn

X = np.random.default_rng(0).normal(size=(3, 4))
SAME: dict[str, tuple[nn.Module, Callable[[Any], Tensor]]] = {
    "ReLU()": (nn.ReLU(), F.relu),
    "Tanh()": (nn.Tanh(), F.tanh),
    "Sigmoid()": (nn.Sigmoid(), F.sigmoid),
    "GELU(approximate='none')": (nn.GELU(), F.gelu),
    "GELU(approximate='tanh')": (nn.GELU("tanh"), F.gelu_tanh),
    "SiLU()": (nn.SiLU(), F.silu),
    "LeakyReLU(negative_slope=0.2)": (nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, negative_slope=0.2)),
    "ELU(alpha=2.0)": (nn.ELU(2), lambda x: F.elu(x, alpha=2.0)),
    "Softmax(dim=0)": (nn.Softmax(dim=0), lambda x: F.softmax(x, axis=0)),
    "LogSoftmax(dim=-1)": (nn.LogSoftmax(-1), lambda x: F.log_softmax(x, axis=-1)),
    "Softplus()": (nn.Softplus(), F.softplus),
    "Identity()": (nn.Identity(7, any="thing"), lambda x: x),
}


@pytest.mark.parametrize("shown", SAME)
def test_an_activation_is_its_op(shown: str) -> None:
    module, op = SAME[shown]
    x = Tensor(X, requires_grad=True)
    assert repr(module) == shown
    np.testing.assert_array_equal(module(x).data, op(x).data)
    assert gradcheck(lambda x: module(x) * 1.0, x) == []  # the identity alone computes nothing


def test_a_network_of_them_is_traced_to_the_callers_line() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2), nn.LogSoftmax(dim=1))
    with Tape("TRACE") as tape:
        y = model(Tensor(X))
    assert y.shape == (3, 2)
    sources = {tape.source(node) for node, op in enumerate(tape.ops) if op is not None}
    assert len(sources) == 1
    assert str(sources.pop()).startswith(f"{__name__}:")


@pytest.mark.parametrize(
    ("given", "shape"), [((), (2, 60)), ((0,), (120,)), ((1, 2), (2, 12, 5)), ((-2, -1), (2, 3, 20)), ((0, -3), (6, 4, 5))]
)
def test_flatten_joins_axes_as_pytorchs(given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(nn.Flatten(*given)(Tensor(x)).data, x.reshape(shape))


def test_what_they_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="GELU: approximate is 'erf'; expected 'none' or 'tanh'"):
        nn.GELU("erf")
    with pytest.raises(TypeError, match="ELU: alpha is 'a'; expected a number"):
        nn.ELU("a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Flatten: a tensor of shape \(3,\) has no axes 1 to -1"):
        nn.Flatten()(Tensor(X[:, 0]))


def test_losses_are_modules_too() -> None:
    logits, classes = Tensor(X), np.array([0, 3, 1])
    module = nn.CrossEntropyLoss(label_smoothing=0.1, reduction="sum")
    expected = losses.cross_entropy(logits, classes, label_smoothing=0.1, reduction="sum")
    assert module(logits, classes).item() == expected.item()
    assert nn.MSELoss()(logits, X + 1).item() == pytest.approx(1)
