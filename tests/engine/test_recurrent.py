"""RNN, LSTM and GRU: fused equals primitive, lengths are masked, signatures are PyTorch's."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, nn
from engine.gradcheck import gradcheck

CELLS: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
LENGTHS = [None, [6, 6, 6], [6, 4, 1], [2, 6, 5]]


def layer(cell: str, **options: Any) -> Any:
    return CELLS[cell](3, 5, batch_first=True, generator=np.random.default_rng(1), **options)


def run(network: Any, x: np.ndarray, lengths: Any, level: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Values and gradients of all outputs and parameters at a level."""
    inputs = Tensor(x, requires_grad=True)
    with Tape(level):
        output, state = network(inputs, lengths=lengths)
        parts = [output, *(state if isinstance(state, tuple) else (state,))]
        weights = [np.cos(np.arange(part.size)).reshape(part.shape) for part in parts]
        total = sum(((part * weight).sum() for part, weight in zip(parts, weights, strict=True)), Tensor(0.0))
        gradients = total.backward()
    return [p.data for p in parts], [gradients[t] for t in (inputs, *network.parameters())]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_fused_and_primitive_are_one_definition(cell: str, lengths: Any) -> None:
    network, x = layer(cell), np.random.default_rng(2).standard_normal((3, 6, 3))
    fused, primitive = run(network, x, lengths, "GRAD"), run(network, x, lengths, "TRACE")
    for ours, theirs in zip([*fused[0], *fused[1]], [*primitive[0], *primitive[1]], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


def test_relu_networks_too() -> None:
    network, x = layer("rnn", nonlinearity="relu"), np.random.default_rng(2).standard_normal((3, 6, 3))
    fused, primitive = run(network, x, [6, 4, 1], "GRAD"), run(network, x, [6, 4, 1], "TRACE")
    for ours, theirs in zip([*fused[0], *fused[1]], [*primitive[0], *primitive[1]], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_padding_is_never_read(cell: str, level: Any) -> None:
    network, x = layer(cell), np.random.default_rng(2).standard_normal((3, 6, 3))
    clean = run(network, x, [6, 4, 1], level)
    x[1, 4:], x[2, 1:] = np.nan, np.inf
    dirty = run(network, x, [6, 4, 1], level)
    for a, b in zip([*clean[0], *clean[1]], [*dirty[0], *dirty[1]], strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.all(dirty[1][0][1, 4:] == 0)
    assert np.all(dirty[0][0][2, 1:] == 0)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_equal_finite_differences(cell: str) -> None:
    network = layer(cell)
    x = Tensor(np.random.default_rng(3).standard_normal((2, 4, 3)), requires_grad=True)
    parameters = list(network.parameters())

    named = list(network.named_parameters())

    def with_parameters(*tensors: Tensor) -> Tensor:
        for (name, _), tensor in zip(named, tensors[1:], strict=True):
            setattr(network, name, tensor)
        try:
            output: Tensor = network(tensors[0], lengths=[4, 2])[0]
            return output
        finally:
            for name, parameter in named:
                setattr(network, name, parameter)

    assert gradcheck(with_parameters, [x, *parameters]) == []


@pytest.mark.parametrize("cell", CELLS)
def test_shapes_are_those_of_pytorch(cell: str) -> None:
    network = CELLS[cell](3, 5)
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell]
    assert {name: p.shape for name, p in network.named_parameters()} == {
        "weight_ih_l0": (gates * 5, 3), "weight_hh_l0": (gates * 5, 5), "bias_ih_l0": (gates * 5,), "bias_hh_l0": (gates * 5,)
    }  # fmt: skip
    states = 2 if cell == "lstm" else 1
    for x, shape, state_shape in ((np.zeros((6, 2, 3)), (6, 2, 5), (1, 2, 5)), (np.zeros((6, 3)), (6, 5), (1, 5))):
        given = tuple(Tensor(np.ones(state_shape)) for _ in range(states))
        output, state = network(Tensor(x), given if states == 2 else given[0])
        assert output.shape == shape
        assert {s.shape for s in (state if states == 2 else (state,))} == {state_shape}


def test_initial_weights_lie_within_pytorchs_bounds() -> None:
    network = nn.GRU(30, 16, generator=np.random.default_rng(0))
    for parameter in network.parameters():
        assert np.abs(parameter.data).max() <= 0.25
        assert np.abs(parameter.data).max() > 0.2


@pytest.mark.parametrize("layer", [nn.RNN, nn.GRU, nn.LSTM])
def test_constructors_say_pytorchs_arguments_in_its_order(layer: type) -> None:
    parameters = inspect.signature(layer).parameters.values()
    pytorchs = {"input_size": inspect.Parameter.empty, "hidden_size": inspect.Parameter.empty, "num_layers": 1, "bias": True,
                "batch_first": False, "dropout": 0.0, "bidirectional": False, "proj_size": 0}  # fmt: skip
    if layer is nn.RNN:
        pytorchs = {name: default for part in (list(pytorchs.items())[:3], [("nonlinearity", "tanh")], list(pytorchs.items())[3:])
                    for name, default in part}  # fmt: skip
    by_position = {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    assert list(by_position.items()) == list(pytorchs.items())
    assert all(p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in parameters)  # nothing hidden behind *args or **options


def test_errors_name_the_cell_and_the_shapes() -> None:
    network = nn.GRU(3, 5, batch_first=True)
    with pytest.raises(ValueError, match=r"gru: input has shape \(2, 4, 2\); expected \(batch, time, 3\)"):
        network(Tensor(np.zeros((2, 4, 2))))
    with pytest.raises(ValueError, match="expected 2 falling lengths"):
        network(Tensor(np.zeros((2, 4, 3))), lengths=[5, 1])
    with pytest.raises(ValueError, match="initial state has shape"):
        network(Tensor(np.zeros((2, 4, 3))), Tensor(np.zeros((1, 3, 5))))
    with pytest.raises(ValueError, match="proj_size is 2"):
        nn.LSTM(3, 5, proj_size=2)
    with pytest.raises(ValueError, match="num_layers is 0"):
        nn.LSTM(3, 5, num_layers=0)
    with pytest.raises(ValueError, match=r"missing weight_ih_l0.*unexpected a"):
        network.load_state_dict({"a": np.zeros(3)})


def test_embedding_takes_rows_and_adds_up_their_gradients() -> None:
    table = nn.Embedding(4, 2, generator=np.random.default_rng(0))
    run = table(np.array([1, 3, 1])).sum().backward()
    np.testing.assert_array_equal(run[table.weight], [[0, 0], [2, 2], [0, 0], [1, 1]])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_float32_networks_stay_float32(cell: str, level: Any) -> None:
    network = layer(cell, dtype=np.float32)
    x = np.random.default_rng(2).standard_normal((3, 6, 3)).astype(np.float32)
    values, gradients = run(network, x, [6, 4, 1], level)
    assert {array.dtype.name for array in (*values, *gradients)} == {"float32"}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_an_empty_batch_and_no_time(cell: str, level: Any) -> None:
    values, gradients = run(layer(cell), np.zeros((0, 6, 3)), None, level)
    assert values[0].shape == (0, 6, 5)
    assert not any(g.any() for g in gradients)
    with pytest.raises(ValueError, match="at least one time step"), Tape(level):
        layer(cell)(Tensor(np.zeros((2, 0, 3))))
