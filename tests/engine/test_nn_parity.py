"""Every module against PyTorch: a state_dict saved as safetensors loads unchanged and gives the same outputs and gradients.

The figures are PyTorch's own (scripts/make_module_figures.py), made anew where torch is installed.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from engine import Tape, Tensor, nn
from engine.nn import Module

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "fixtures" / "modules"
RECURRENT: dict[str, Callable[[], Any]] = {
    "rnn_relu_2": lambda: nn.RNN(3, 4, 2, "relu"),
    "rnn_tanh_bidirectional": lambda: nn.RNN(3, 4, 1, batch_first=True, bidirectional=True),
    "gru_2_bidirectional": lambda: nn.GRU(3, 4, 2, batch_first=True, bidirectional=True),
    "gru_no_bias": lambda: nn.GRU(3, 4, 1, False),
    "lstm_2_bidirectional": lambda: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True),
    "lstm_3": lambda: nn.LSTM(3, 4, 3),
}
OTHERS: dict[str, Callable[[], Any]] = {
    "linear": lambda: nn.Linear(3, 4),
    "layer_norm": lambda: nn.LayerNorm([4, 3]),
    "conv1d": lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2),
    "encoder_layer": lambda: nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True),
    "encoder_layer_first": lambda: nn.TransformerEncoderLayer(6, 3, 8, 0.0, "gelu", norm_first=True),
    "sequential": lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)),
}


def stored(name: str, module: Module) -> dict[str, Any]:
    """The figures of a case; the module has its weights then."""
    figures = load_file(FOLDER / f"{name}.safetensors")
    state = {key.removeprefix("state."): value for key, value in figures.items() if key.startswith("state.")}
    nn.from_safetensors(module, save(state))
    return figures


def check(module: Module, figures: dict[str, Any], inputs: dict[str, Tensor], outputs: list[Tensor]) -> None:
    loss = Tensor(0.0)
    for k, output in enumerate(outputs):
        np.testing.assert_allclose(output.data, figures[f"out.{k}"], rtol=1e-6, atol=1e-9)
        weights = np.linspace(-1, 1, output.size).reshape(output.shape)
        loss = loss + (output * weights).sum()
    run = loss.backward()
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(run[parameter], figures[f"grad.{name}"], rtol=1e-6, atol=1e-9, err_msg=name)
    for name, x in inputs.items():
        if x.requires_grad:
            np.testing.assert_allclose(run[x], figures[f"grad_in.{name}"], rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
@pytest.mark.parametrize("lengths", [None, [3, 5, 2]])
@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_layers(name: str, lengths: list[int] | None, level: Any) -> None:
    network = RECURRENT[name]()
    figures = stored(name if lengths is None else f"{name}_lengths", network)
    inputs = {key.removeprefix("in."): Tensor(value, requires_grad=True) for key, value in figures.items() if key.startswith("in.")}
    hx: Any = (inputs["h0"], inputs["h1"]) if "h1" in inputs else inputs["h0"]
    with Tape(level):
        output, state = network(inputs["x"], hx, lengths=lengths)
        check(network, figures, inputs, [output, *(state if isinstance(state, tuple) else (state,))])


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_layers(name: str, level: Any) -> None:
    module = OTHERS[name]()
    figures = stored(name, module)
    x = Tensor(figures["in.x"], requires_grad=True)
    with Tape(level):
        check(module, figures, {"x": x}, [module(x)])


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_attention_with_hidden_keys_and_its_weights(level: Any) -> None:
    module = nn.MultiheadAttention(6, 2, batch_first=True)
    figures = stored("attention", module)
    inputs = {name: Tensor(figures[f"in.{name}"], requires_grad=True) for name in "qkv"}
    hidden = np.array([[False, False, True, False], [False, True, False, False]])
    with Tape(level):
        output, weights = module(*inputs.values(), key_padding_mask=hidden)
        alone, nothing = module(*inputs.values(), key_padding_mask=hidden, need_weights=False)
        np.testing.assert_allclose(alone.data, output.data, rtol=1e-12)
        assert nothing is None
        check(module, figures, inputs, [output, weights])


def test_embedding_leaves_the_padding_row_alone() -> None:
    module = nn.Embedding(5, 3, padding_idx=1)
    figures = stored("embedding", module)
    check(module, figures, {}, [module(figures["in.x"])])


def test_weights_go_out_as_they_came_in() -> None:
    source, copy = nn.LSTM(3, 4, 2, bidirectional=True), nn.LSTM(3, 4, 2, bidirectional=True)
    nn.from_safetensors(copy, nn.to_safetensors(source))
    for (name, a), (other, b) in zip(source.named_parameters(), copy.named_parameters(), strict=True):
        assert name == other
        np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed: the stored figures stand for it")
def test_the_stored_figures_are_what_pytorch_computes() -> None:
    done = subprocess.run([sys.executable, "scripts/make_module_figures.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
