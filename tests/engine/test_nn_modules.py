"""Modules: what is inside, state, freezing, modes, initial weights, dropout, sequences to sequences, threads."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, grad, gradcheck, losses, nn, optim


def test_names_and_state_are_pytorchs() -> None:
    network = nn.LSTM(3, 4, 2, bidirectional=True)
    assert [name for name, _ in network.named_parameters()][:5] == [
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse"]  # fmt: skip
    assert network.weight_ih_l1_reverse.shape == (16, 8)  # type: ignore[attr-defined]
    layer = nn.TransformerEncoderLayer(4, 2, 8)
    assert {"self_attn.in_proj_weight", "self_attn.out_proj.bias", "linear1.weight", "norm2.bias"} <= set(layer.state_dict())


def test_a_state_that_does_not_fit_is_refused_whole_and_said_plainly() -> None:
    module, before = nn.Linear(3, 2), None
    before = module.state_dict()
    with pytest.raises(ValueError, match=r"missing bias; unexpected extra; weight has shape \(3, 2\), expected \(2, 3\)"):
        module.load_state_dict({"weight": np.zeros((3, 2)), "extra": np.zeros(1)})
    np.testing.assert_array_equal(module.state_dict()["weight"], before["weight"])
    found = module.load_state_dict({"weight": np.ones((2, 3)), "extra": np.zeros(1)}, strict=False)
    assert (found.missing_keys, found.unexpected_keys) == (["bias"], ["extra"])
    np.testing.assert_array_equal(module.state_dict()["weight"], np.ones((2, 3)))


def test_a_frozen_part_gets_no_gradient_and_is_not_moved() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    before = model.state_dict()
    optimizer = optim.SGD(list(model[1].parameters()), lr=0.1)
    model(Tensor(np.ones((2, 3)))).sum().backward()
    optimizer.step()
    assert model[0].weight.grad is None
    after = model.state_dict()
    np.testing.assert_array_equal(after["0.weight"], before["0.weight"])
    assert np.any(after["1.weight"] != before["1.weight"])


def test_dropout_is_for_training_and_its_mask_is_recorded() -> None:
    layer, x = nn.Dropout(0.5, seed=3), Tensor(np.ones((4, 5)), requires_grad=True)
    with Tape("TRACE") as tape:
        y = layer(x)
        run = y.sum().backward()
    mask = tape.values[tape.inputs[y.node][1]]
    np.testing.assert_array_equal(y.data, mask)
    np.testing.assert_array_equal(run[x], mask)
    assert set(np.unique(mask)) == {0.0, 2.0}
    np.testing.assert_array_equal(nn.Dropout(0.5, seed=3)(x).data, y.data)
    assert np.any(layer(x).data != y.data)
    assert layer.eval()(x) is x


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_fused_and_primitive_forms_draw_the_same_masks(cell: Any) -> None:
    network = cell(3, 4, 3, batch_first=True, bidirectional=True, dropout=0.4, generator=np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((4, 6, 3))
    outputs, gradients = [], []
    for level in ("GRAD", "TRACE", "TRACE"):
        network.seed_(5, step=7)
        with Tape(level):  # type: ignore[arg-type]
            output, _ = network(Tensor(x), lengths=[2, 6, 6, 4])
            run = output.sum().backward()
        outputs.append(output.data)
        gradients.append([run[p] for p in network.parameters()])
    for other in (1, 2):
        np.testing.assert_allclose(outputs[other], outputs[0], rtol=1e-10, atol=1e-12)
        for a, b in zip(gradients[other], gradients[0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    assert np.any(network.eval()(Tensor(x), lengths=[2, 6, 6, 4])[0].data != outputs[0])


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_gru_resets_after_the_product_or_before_it(reset_after: bool) -> None:
    network = nn.GRU(3, 4, 2, batch_first=True, reset_after=reset_after, generator=np.random.default_rng(0))
    x = Tensor(np.random.default_rng(1).standard_normal((2, 3, 3)), requires_grad=True)
    assert gradcheck(lambda x: network(x)[0], [x]) == []
    with Tape("GRAD"):
        fused = network(x)[0]
    with Tape("TRACE"):
        np.testing.assert_allclose(network(x)[0].data, fused.data, rtol=1e-12)


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_second_derivatives_go_through_the_fused_kernels(cell: Any) -> None:
    network = cell(2, 3, batch_first=True, bidirectional=True, generator=np.random.default_rng(0))
    x = Tensor(np.random.default_rng(1).standard_normal((2, 3, 2)), requires_grad=True)
    assert gradcheck(lambda x: network(x, lengths=[3, 2])[0], [x], order=2, rtol=1e-5, atol=1e-7) == []


def test_truncated_back_propagation_stops_at_the_border() -> None:
    network, x = nn.LSTM(2, 3, batch_first=True), np.random.default_rng(0).standard_normal((1, 6, 2))
    first, second = Tensor(x[:, :3], requires_grad=True), Tensor(x[:, 3:], requires_grad=True)
    whole, _ = network(Tensor(x))
    _, state = network(first)
    output, _ = network(second, nn.detach(state))
    np.testing.assert_allclose(output.data, whole.data[:, 3:], rtol=1e-12)
    run = output.sum().backward()
    assert second in run
    assert first not in run
    assert nn.detach(None) is None


def test_initial_weights() -> None:
    layer = nn.LSTM(3, 8, initialisation="orthogonal", forget_bias=1.5, generator=np.random.default_rng(0))
    for k in range(4):
        block = layer.weight_hh_l0.data[8 * k : 8 * (k + 1)]  # type: ignore[attr-defined]
        np.testing.assert_allclose(block @ block.T, np.eye(8), atol=1e-12)
    np.testing.assert_array_equal((layer.bias_ih_l0.data + layer.bias_hh_l0.data)[8:16], np.full(8, 1.5))  # type: ignore[attr-defined]
    bound = nn.GRU(3, 100, generator=np.random.default_rng(0)).weight_hh_l0.data  # type: ignore[attr-defined]
    assert 0.095 < np.abs(bound).max() <= 0.1
    with pytest.raises(ValueError, match="initialisation is 'xavier'"):
        nn.GRU(3, 4, initialisation="xavier")
    with pytest.raises(ValueError, match="forget_bias_"):
        nn.init.forget_bias_(nn.GRU(3, 4))


def test_a_module_shows_its_structure() -> None:
    assert repr(nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.2))) == (
        "Sequential(\n  (0): Linear(in_features=3, out_features=4, bias=True)\n  (1): Dropout(p=0.2)\n)"
    )
    assert repr(nn.LSTM(3, 4, 2, bidirectional=True)) == "LSTM(3, 4, num_layers=2, bidirectional=True)"


@pytest.mark.parametrize("teacher_forcing", [1.0, 0.5])
def test_a_sequence_to_sequence_network_learns_to_reverse(teacher_forcing: float) -> None:
    random = np.random.default_rng(0)
    made = {"batch_first": True, "generator": random}
    model = nn.Seq2Seq(nn.GRU(4, 24, **made), nn.GRU(6, 24, **made), nn.Embedding(5, 6, generator=random),
                       nn.Linear(24, 5, generator=random), start=4, teacher_forcing=teacher_forcing, seed=1)  # fmt: skip
    optimizer = optim.AdamW(model.parameters(), lr=0.02)
    tokens = random.integers(0, 4, (32, 3))
    source, target = Tensor(np.eye(4)[tokens]), tokens[:, ::-1].copy()
    seen = []
    for _ in range(120):
        with Tape("GRAD"):
            loss = losses.cross_entropy(model(source, target).reshape(-1, 5), target.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < 0.1 * seen[0]
    model.eval()
    assert (model.generate(source, 3) == target).mean() > 0.95


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="Seq2Seq: encoder"):
        nn.Seq2Seq(nn.GRU(3, 4, batch_first=True), nn.GRU(3, 5, batch_first=True), nn.Embedding(5, 3), nn.Linear(5, 5))
    with pytest.raises(ValueError, match="no multiple of num_heads"):
        nn.MultiheadAttention(5, 2)
    with pytest.raises(ValueError, match="do not divide into 3 groups"):
        nn.Conv1d(4, 6, 3, groups=3)
    x = Tensor(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="a mask of shape"):
        nn.MultiheadAttention(4, 2, batch_first=True)(x, x, x, attn_mask=np.zeros((2, 2)))


def test_eight_threads_on_eight_tapes_give_what_one_gives() -> None:
    def train(seed: int) -> list[float]:
        network = nn.GRU(3, 8, 2, batch_first=True, generator=np.random.default_rng(seed))
        optimizer = optim.AdamW(network.parameters(), lr=0.01)
        x, seen = np.random.default_rng(seed).standard_normal((4, 7, 3)), []
        for step in range(6):
            with Tape("TRACE" if step % 2 else "GRAD"):
                loss = (network(Tensor(x))[0] ** 2.0).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            seen.append(float(loss.item()))
        return seen

    alone = [train(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(train, range(8)))
    assert together == alone


def test_attention_says_pytorchs_arguments_and_refuses_what_it_has_not() -> None:
    names = list(inspect.signature(nn.MultiheadAttention).parameters)
    assert names[:9] == ["embed_dim", "num_heads", "dropout", "bias", "add_bias_kv", "add_zero_attn", "kdim", "vdim", "batch_first"]
    with pytest.raises(ValueError, match=r"MultiheadAttention: .*kdim=3.* not offered"):
        nn.MultiheadAttention(4, 2, kdim=3)
    module = nn.MultiheadAttention(4, 2)
    with pytest.raises(ValueError, match=r"input has shape \(3, 2, 5\); expected \(batch, length, 4\)"):
        module(Tensor(np.zeros((3, 2, 5))), Tensor(np.zeros((3, 2, 4))), Tensor(np.zeros((3, 2, 4))))
    with pytest.raises(ValueError, match="expected a batch in all or none"):
        module(Tensor(np.zeros((3, 4))), Tensor(np.zeros((3, 2, 4))), Tensor(np.zeros((3, 2, 4))))


def test_a_convolution_gives_as_many_outputs_as_it_is_told() -> None:
    x = Tensor(np.ones((1, 2, 9)))
    assert [nn.Conv1d(2, 3, k, padding="same", dilation=2)(x).shape for k in (1, 2, 3, 4)] == [(1, 3, 9)] * 4
    assert nn.Conv1d(2, 3, 4, padding="valid")(x).shape == (1, 3, 6)
    assert nn.Conv1d(2, 3, 4)(x[0]).shape == (3, 6)
    even = nn.Conv1d(1, 1, 2, padding="same", bias=False)
    even.weight.data = np.array([[[1.0, 10.0]]])
    np.testing.assert_array_equal(even(Tensor([[[1.0, 2.0, 3.0]]])).data, [[[21.0, 32.0, 3.0]]])  # the odd zero stands at the end
    for padding, stride in ((-1, 1), ("same", 2), ("reflect", 1), (True, 1)):
        with pytest.raises(ValueError, match=r"Conv1d: padding=.* with stride="):
            nn.Conv1d(2, 3, 3, stride, padding)


LAYERS: dict[str, tuple[Any, str]] = {
    "another width": (lambda: nn.Linear(4, 2)(Tensor(np.ones((2, 3)))), r"linear: x has shape \(2, 3\) and W \(2, 4\)"),
    "lengths too long": (
        lambda: nn.GRU(3, 4)(Tensor(np.ones((5, 2, 3))), lengths=[6, 1]),
        r"gru: lengths \[6, 1\] for 2 sequences of at most 5",
    ),
    "one dimension": (lambda: nn.GRU(3, 4)(Tensor(np.ones(3))), r"gru: input has shape \(3,\); expected \(time, batch, 3\)"),
    "half a size": (lambda: nn.LayerNorm([2.5]), r"LayerNorm: normalized_shape is \[2.5\]; expected whole sizes"),  # type: ignore[list-item]
    "a negative eps": (lambda: nn.LayerNorm(3, eps=-1.0), "LayerNorm: eps is -1.0; expected a number of at least 0"),
    "chance in words": (lambda: nn.Dropout("a"), "p is 'a'; expected a probability"),  # type: ignore[arg-type]
    "two batches": (
        lambda: nn.MultiheadAttention(4, 2)(*(Tensor(np.ones((3, n, 4))) for n in (2, 1, 1))),
        "MultiheadAttention: query, key and",
    ),
    "two lengths": (
        lambda: nn.MultiheadAttention(4, 2)(*(Tensor(np.ones((n, 2, 4))) for n in (3, 5, 4))),
        "MultiheadAttention: query, key and",
    ),
    "no such file": (lambda: nn.from_safetensors(nn.Linear(3, 2), b"abc"), "these 3 bytes are no safetensors file"),
}


@pytest.mark.parametrize("what", LAYERS)
def test_what_a_layer_cannot_take_is_refused_in_its_words(what: str) -> None:
    call, message = LAYERS[what]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


SMALL: dict[str, tuple[Any, tuple[int, ...]]] = {
    "linear": (lambda **o: nn.Linear(3, 2, **o), (2, 3)),
    "layer_norm": (lambda **o: nn.LayerNorm(3, dtype=o.get("dtype", np.float64)), (2, 3)),
    "conv1d": (lambda **o: nn.Conv1d(2, 2, 2, padding="same", **o), (1, 2, 4)),
    "attention": (lambda **o: nn.MultiheadAttention(4, 2, **o), (3, 1, 4)),
    "encoder": (lambda **o: nn.TransformerEncoderLayer(4, 2, 3, 0.0, "gelu", **o), (3, 1, 4)),
    "gru": (lambda **o: nn.GRU(2, 2, 2, bidirectional=True, **o), (2, 1, 2)),
    "gru_before": (lambda **o: nn.GRU(2, 2, reset_after=False, **o), (2, 1, 2)),
    "lstm": (lambda **o: nn.LSTM(2, 2, **o), (2, 1, 2)),
    "rnn": (lambda **o: nn.RNN(2, 2, **o), (2, 1, 2)),
}


def called(module: nn.Module, x: Tensor) -> Tensor:
    output = module(x, x, x) if isinstance(module, nn.MultiheadAttention) else module(x)
    return output[0] if isinstance(output, tuple) else output


@pytest.mark.parametrize("name", SMALL)
def test_every_layer_is_right_to_the_second_order(name: str) -> None:
    make, shape = SMALL[name]
    module = make(generator=np.random.default_rng(0))
    x = Tensor(np.random.default_rng(1).standard_normal(shape), requires_grad=True)
    found = gradcheck(lambda x: called(module, x), x, order=2, rtol=1e-4, atol=1e-6)
    assert [str(mismatch) for mismatch in found] == []
    (slope,) = grad(called(module, x).tanh().sum(), x, create_graph=True)
    mixed = (slope * slope).sum().backward()  # through the gradient to the parameters
    place = next(module.parameters())
    index, eps = (0,) * place.ndim, 1e-6
    ends = []
    for sign in (1, -1):
        moved = place.data.copy()
        moved[index] += sign * eps
        kept, place.data = place.data, moved
        ends.append(float((grad(called(module, x).tanh().sum(), x)[0].data ** 2).sum()))
        place.data = kept
    assert mixed[place][index] == pytest.approx((ends[0] - ends[1]) / (2 * eps), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
@pytest.mark.parametrize("name", SMALL)
def test_every_layer_in_float32_stays_there(name: str, level: Any) -> None:
    make, shape = SMALL[name]
    module, x = make(dtype=np.float32), Tensor(np.random.default_rng(1).standard_normal(shape), dtype=np.float32, requires_grad=True)
    with Tape(level):
        output = called(module, x)
        run = output.sum().backward()
    assert output.dtype == run[x].dtype == np.float32
    assert {run[p].dtype for p in module.parameters() if p in run} == {np.dtype(np.float32)}
