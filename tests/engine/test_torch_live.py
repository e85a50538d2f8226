"""Layers and losses in all their options beside PyTorch itself, where it is installed; stored figures hold the usual ones elsewhere."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from engine import Tensor, losses, nn

torch = pytest.importorskip("torch")
Z = np.random.default_rng(0).standard_normal((5, 4))
LABELS = np.array([2, 0, 3, 1, 0])


def same(mine: Tensor, theirs: Any, inputs: list[tuple[Any, Any]]) -> None:
    """Values and, for a gradient that differs at each element, the gradients of the inputs."""
    np.testing.assert_allclose(mine.data, theirs.detach().numpy(), rtol=1e-9, atol=1e-12)
    incoming = np.cos(np.arange(mine.size)).reshape(mine.shape) + 1.5
    run = mine.backward(incoming)
    theirs.backward(torch.tensor(incoming))
    for x, t in inputs:
        expected = np.zeros(x.shape) if t.grad is None else t.grad.numpy()
        np.testing.assert_allclose(run[x], expected, rtol=1e-8, atol=1e-11)


def pair(array: Any) -> tuple[Tensor, Any]:
    return Tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignored", [-100, 0, 3])
@pytest.mark.parametrize("weight", [None, [0.5, 2.0, 0.0, 1.5]])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_in_every_combination_of_its_options(reduction: str, ignored: int, weight: Any, smoothing: float) -> None:
    z, t = pair(Z)
    mine = losses.cross_entropy(z, LABELS, weight, ignore_index=ignored, reduction=reduction, label_smoothing=smoothing)
    theirs = torch.nn.functional.cross_entropy(
        t, torch.tensor(LABELS), None if weight is None else torch.tensor(weight, dtype=torch.float64), ignore_index=ignored,
        reduction=reduction, label_smoothing=smoothing,
    )  # fmt: skip
    same(mine, theirs, [(z, t)])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignored", [-100, 0])
@pytest.mark.parametrize("weight", [None, [0.5, 2.0, 0.25, 1.5]])
def test_nll_in_every_combination_of_its_options(reduction: str, ignored: int, weight: Any) -> None:
    z, t = pair(Z)
    mine = losses.nll_loss(z, LABELS, weight, ignore_index=ignored, reduction=reduction)
    w = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    same(mine, torch.nn.functional.nll_loss(t, torch.tensor(LABELS), w, ignore_index=ignored, reduction=reduction), [(z, t)])


def test_cross_entropy_of_classes_along_the_second_axis_and_of_one_row() -> None:
    wide, labels = np.random.default_rng(1).standard_normal((2, 4, 3)), np.array([[0, 3, -100], [1, 1, 2]])
    for reduction in ("mean", "none"):
        z, t = pair(wide)
        mine = losses.cross_entropy(z, labels, reduction=reduction, label_smoothing=0.2)
        same(mine, torch.nn.functional.cross_entropy(t, torch.tensor(labels), reduction=reduction, label_smoothing=0.2), [(z, t)])
    z, t = pair(Z[0])
    same(losses.cross_entropy(z, np.array(1)), torch.nn.functional.cross_entropy(t, torch.tensor(1)), [(z, t)])


def twins(mine: Any, theirs: Any) -> None:
    """Gives ours the weights of theirs, as a file would."""
    theirs.double()
    nn.from_safetensors(mine, save({name: value.numpy() for name, value in theirs.state_dict().items()}))


PADDING = np.array([[False, False, True, True], [False, True, False, False]])
CAUSAL = np.triu(np.ones((4, 4), bool), 1)
ADDED = np.random.default_rng(2).standard_normal((4, 4))
MASKS: list[Any] = [None, CAUSAL, ADDED, np.repeat(CAUSAL[None], 6, 0), np.random.default_rng(3).standard_normal((6, 4, 4))]


@pytest.mark.parametrize(("attn", "padded"), list(itertools.product(range(len(MASKS)), [False, True])))
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("need_weights", "average"), [(True, True), (True, False), (False, True)])
def test_attention_with_all_masks_and_weights(attn: int, padded: bool, batch_first: bool, need_weights: bool, average: bool) -> None:
    mine, theirs = nn.MultiheadAttention(6, 3, batch_first=batch_first), torch.nn.MultiheadAttention(6, 3, batch_first=batch_first)
    twins(mine, theirs)
    shape = (2, 4, 6) if batch_first else (4, 2, 6)
    inputs = [pair(np.random.default_rng(seed).standard_normal(shape)) for seed in range(3)]
    mask, hidden = MASKS[attn], PADDING if padded else None
    as_torch = [None if m is None else torch.tensor(m) for m in (mask, hidden)]
    if padded and mask is not None and mask.dtype.kind == "f":  # PyTorch wants both of one kind
        as_torch[1] = torch.zeros(2, 4, dtype=torch.float64).masked_fill(as_torch[1], -torch.inf)
    out, weights = mine(*(x for x, _ in inputs), hidden, need_weights, mask, average)
    expected, expected_weights = theirs(
        *(t for _, t in inputs), as_torch[1], need_weights=need_weights, attn_mask=as_torch[0], average_attn_weights=average
    )
    assert (weights is None) == (expected_weights is None)
    if weights is not None:
        np.testing.assert_allclose(weights.data, expected_weights.detach().numpy(), rtol=1e-9, atol=1e-12)
    same(out, expected, inputs)


def test_attention_without_a_batch() -> None:
    for batch_first in (False, True):
        mine, theirs = nn.MultiheadAttention(6, 3, batch_first=batch_first), torch.nn.MultiheadAttention(6, 3, batch_first=batch_first)
        twins(mine, theirs)
        inputs = [pair(np.random.default_rng(seed).standard_normal((length, 6))) for seed, length in enumerate((4, 5, 5))]
        hidden = np.array([False, True, False, False, False])
        out, weights = mine(*(x for x, _ in inputs), hidden)
        expected, expected_weights = theirs(*(t for _, t in inputs), torch.tensor(hidden))
        assert weights is not None
        assert weights.shape == (4, 5)
        np.testing.assert_allclose(weights.data, expected_weights.detach().numpy(), rtol=1e-9)
        same(out, expected, inputs)


@pytest.mark.parametrize("mask", [None, CAUSAL, ADDED], ids=["free", "causal", "added"])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(("norm_first", "activation"), [(False, "relu"), (True, "gelu")])
def test_the_encoder_layer_with_masks(mask: Any, padded: bool, norm_first: bool, activation: str) -> None:
    options: dict[str, Any] = {"dropout": 0.0, "activation": activation, "batch_first": True, "norm_first": norm_first}
    mine, theirs = nn.TransformerEncoderLayer(6, 2, 8, **options), torch.nn.TransformerEncoderLayer(6, 2, 8, **options)
    twins(mine, theirs)
    x, t = pair(np.random.default_rng(4).standard_normal((2, 4, 6)))
    hidden = torch.tensor(PADDING) if padded else None
    if hidden is not None and mask is not None and mask.dtype.kind == "f":
        hidden = torch.zeros(2, 4, dtype=torch.float64).masked_fill(hidden, -torch.inf)
    expected = theirs(t, None if mask is None else torch.tensor(mask), hidden)
    same(mine(x, mask, PADDING if padded else None), expected, [(x, t)])


@pytest.mark.parametrize("options", [{"padding": "same"}, {"padding": "same", "dilation": 3}, {"padding": "valid", "stride": 2},
                                     {"padding": 2, "groups": 2, "bias": False}])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_convolution_in_its_options(options: dict[str, Any], kernel: int, batch: tuple[int, ...]) -> None:
    mine, theirs = nn.Conv1d(4, 6, kernel, **options), torch.nn.Conv1d(4, 6, kernel, **options)
    twins(mine, theirs)
    x, t = pair(np.random.default_rng(5).standard_normal((*batch, 4, 9)))
    same(mine(x), theirs(t), [(x, t)])


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_weights_travel_both_ways_and_strict_loading_tells_what_does_not_fit(cell: str) -> None:
    mine, theirs = getattr(nn, cell)(3, 4, 2, bidirectional=True), getattr(torch.nn, cell)(3, 4, 2, bidirectional=True).double()
    theirs.load_state_dict({name: torch.tensor(value) for name, value in mine.state_dict().items()})  # its own strict check
    x = np.random.default_rng(6).standard_normal((5, 2, 3))
    np.testing.assert_allclose(mine(Tensor(x))[0].data, theirs(torch.tensor(x))[0].detach().numpy(), rtol=1e-9, atol=1e-12)
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    del state["weight_hh_l1"]
    state["extra"], state["bias_ih_l0"] = np.zeros(2), np.zeros(2)
    with pytest.raises(ValueError, match=r"missing weight_hh_l1; unexpected extra; bias_ih_l0 has shape \(2,\), expected"):
        mine.load_state_dict(state)
    del state["bias_ih_l0"]
    report = mine.load_state_dict(state, strict=False)
    assert sorted(report.missing_keys) == ["bias_ih_l0", "weight_hh_l1"]
    assert report.unexpected_keys == ["extra"]
