"""All three cells and both optimizers against figures that PyTorch computed (scripts/make_pytorch_figures.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, losses, nn, optim

FIGURES = Path(__file__).resolve().parents[1] / "fixtures" / "pytorch"
CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
OPTIMIZERS = {
    "sgd": lambda params: optim.SGD(params, lr=0.1),
    "sgd_momentum": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adamw": lambda params: optim.AdamW(params, lr=0.01, weight_decay=0.1),
}


class Network(nn.Module):
    def __init__(self, figures: dict[str, Any]) -> None:
        self.rnn, self.head = CELLS[figures["cell"]](3, 4, batch_first=True), nn.Linear(4, 3)
        self.lengths = figures["lengths"]
        self.load_state_dict(figures["parameters"])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        output, state = self.rnn(x, lengths=self.lengths)
        state = state if isinstance(state, tuple) else (state,)
        return self.head(state[0][0]), output, state


@pytest.fixture(params=["rnn", "gru", "lstm"])
def figures(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIGURES / f"{request.param}.json").read_text())
    return found


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_values_and_gradients(figures: dict[str, Any], level: Any) -> None:
    network, x = Network(figures), Tensor(figures["x"], requires_grad=True)
    with Tape(level):
        logits, output, state = network(x)
        loss = losses.cross_entropy(logits, np.array(figures["targets"]))
        run = loss.backward()
    close(logits.data, figures["logits"])
    close(output.data, figures["output"])
    for ours, theirs in zip(state, figures["state"], strict=True):
        close(ours.data, theirs)
    close(loss.item(), figures["loss"])
    for name, parameter in network.named_parameters():
        close(run[parameter], figures["gradients"][name])
    close(run[x], figures["gradient_x"])


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_parameters_after_five_steps(figures: dict[str, Any], name: str, level: Any) -> None:
    network = Network(figures)
    optimizer = OPTIMIZERS[name](network.parameters())
    seen = []
    for _ in range(5):
        with Tape(level):
            loss = losses.cross_entropy(network(Tensor(figures["x"]))[0], np.array(figures["targets"]))
            optimizer.zero_grad()
            loss.backward()
            optim.clip_grad_norm_(network.parameters(), 0.5)
            optimizer.step()
        seen.append(loss.item())
    expected = figures["after"][name]
    close(seen, expected["losses"])
    for key, parameter in network.named_parameters():
        close(parameter.data, expected["parameters"][key])
