"""Computes with PyTorch the weights and figures that tests/engine/test_nn_parity.py compares the engine's modules with.

    pip install torch==2.13.0 safetensors
    python scripts/make_module_figures.py            # writes tests/fixtures/modules/*.safetensors
    python scripts/make_module_figures.py --check    # recomputes, and fails where a stored figure differs

Each file holds a PyTorch state_dict as it is saved (``state.``), the inputs, the outputs, and the gradients of weighted outputs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "modules"
LENGTHS = [3, 5, 2]

RECURRENT: dict[str, Callable[[], nn.Module]] = {
    "rnn_relu_2": lambda: nn.RNN(3, 4, 2, "relu"),
    "rnn_tanh_bidirectional": lambda: nn.RNN(3, 4, 1, batch_first=True, bidirectional=True),
    "gru_2_bidirectional": lambda: nn.GRU(3, 4, 2, batch_first=True, bidirectional=True),
    "gru_no_bias": lambda: nn.GRU(3, 4, 1, False),
    "lstm_2_bidirectional": lambda: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True),
    "lstm_3": lambda: nn.LSTM(3, 4, 3),
}
OTHERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(3, 4), (2, 3)),
    "layer_norm": (lambda: nn.LayerNorm([4, 3]), (2, 4, 3)),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), (2, 4, 7)),
    "encoder_layer": (lambda: nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True), (2, 5, 6)),
    "encoder_layer_first": (lambda: nn.TransformerEncoderLayer(6, 3, 8, 0.0, "gelu", norm_first=True), (5, 2, 6)),
    "sequential": (lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)), (2, 3)),
}


def weighted(outputs: list[Tensor]) -> Tensor:
    """A scalar in which every number of the outputs has its own weight."""
    return sum((torch.linspace(-1, 1, o.numel()).reshape(o.shape) * o).sum() for o in outputs)  # type: ignore[return-value]


def collected(module: nn.Module, inputs: dict[str, Tensor], outputs: list[Tensor]) -> dict[str, Tensor]:
    weighted(outputs).backward()
    found = {f"state.{name}": value for name, value in module.state_dict().items()}
    found |= {f"in.{name}": value.detach() for name, value in inputs.items()}
    found |= {f"out.{k}": value.detach() for k, value in enumerate(outputs)}
    found |= {f"grad.{name}": p.grad for name, p in module.named_parameters() if p.grad is not None}
    found |= {f"grad_in.{name}": x.grad for name, x in inputs.items() if x.grad is not None}
    return {name: value.contiguous().clone() for name, value in found.items()}


def recurrent(make: Callable[[], nn.Module], lengths: bool) -> dict[str, Tensor]:
    layer = make()
    first = layer.batch_first
    x = torch.randn((3, 5, 3) if first else (5, 3, 3), requires_grad=True)
    shape = (layer.num_layers * (2 if layer.bidirectional else 1), 3, 4)
    initial = [torch.randn(shape, requires_grad=True) for _ in range(2 if isinstance(layer, nn.LSTM) else 1)]
    hx = tuple(initial) if len(initial) == 2 else initial[0]
    if lengths:
        packed, state = layer(pack_padded_sequence(x, LENGTHS, batch_first=first, enforce_sorted=False), hx)
        output, _ = pad_packed_sequence(packed, batch_first=first, total_length=5)
    else:
        output, state = layer(x, hx)
    inputs = {"x": x, **{f"h{k}": part for k, part in enumerate(initial)}}
    return collected(layer, inputs, [output, *(state if isinstance(state, tuple) else (state,))])


def other(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> dict[str, Tensor]:
    module = make()
    for parameter in module.parameters():  # zeros and ones would hide a mistake
        nn.init.normal_(parameter, 0.0, 0.5)
    x = torch.randn(shape, requires_grad=True)
    return collected(module, {"x": x}, [module(x)])


def attention() -> dict[str, Tensor]:
    module = nn.MultiheadAttention(6, 2, batch_first=True)
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0.0, 0.5)
    q, k, v = (torch.randn((2, n, 6), requires_grad=True) for n in (3, 4, 4))
    hidden = torch.tensor([[False, False, True, False], [False, True, False, False]])
    output, weights = module(q, k, v, key_padding_mask=hidden)
    return collected(module, {"q": q, "k": k, "v": v}, [output, weights])


def embedding() -> dict[str, Tensor]:
    module = nn.Embedding(5, 3, padding_idx=1)
    indices = torch.tensor([[0, 1, 4], [4, 4, 2]])
    return collected(module, {"x": indices}, [module(indices)])


def everything() -> dict[str, dict[str, Tensor]]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(7)
    found = {name: recurrent(make, False) for name, make in RECURRENT.items()}
    found |= {f"{name}_lengths": recurrent(make, True) for name, make in RECURRENT.items()}
    found |= {name: other(make, shape) for name, (make, shape) in OTHERS.items()}
    return found | {"attention": attention(), "embedding": embedding()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored figures in place of writing them")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    worst = 0.0
    for name, tensors in everything().items():
        path = FOLDER / f"{name}.safetensors"
        if not check:
            save_file(tensors, path)
            continue
        stored = load_file(path)
        if stored.keys() != tensors.keys():
            raise SystemExit(f"{path.name} holds other tensors")
        worst = max([worst, *(float((stored[key] - value).abs().max()) for key, value in tensors.items())])
    if check:
        print(f"largest difference {worst:.3g}")
        if worst > 1e-12:
            raise SystemExit(f"the stored figures are not what PyTorch {torch.__version__} computes")


if __name__ == "__main__":
    main()
