"""Computes with PyTorch the figures that tests/engine/test_pytorch_parity.py compares the engine with.

    pip install torch==2.13.0
    python scripts/make_pytorch_figures.py            # writes tests/fixtures/pytorch/*.json
    python scripts/make_pytorch_figures.py --check    # recomputes, and fails where a stored figure differs

Three sequences of lengths 5, 3 and 2 go through one layer and a linear read-out of the last hidden state into a cross-entropy,
in float64; then five steps of each optimizer, clipped at a global norm of 0.5.
"""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "pytorch"
LENGTHS = [5, 3, 2]
TARGETS = [2, 0, 1]
OPTIMIZERS = {
    "sgd": lambda params: torch.optim.SGD(params, lr=0.1),
    "sgd_momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adamw": lambda params: torch.optim.AdamW(params, lr=0.01, weight_decay=0.1),
}


class Network(torch.nn.Module):
    """A recurrent layer and a read-out of its last hidden state."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        self.rnn, self.head = layer, torch.nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, ...]]:
        packed, state = self.rnn(pack_padded_sequence(x, LENGTHS, batch_first=True))
        state = state if isinstance(state, tuple) else (state,)
        output, _ = pad_packed_sequence(packed, batch_first=True, total_length=5)
        return self.head(state[0][0]), output, state


def figures(cell: str) -> dict[str, object]:
    torch.manual_seed({"rnn": 1, "gru": 2, "lstm": 3}[cell])
    torch.set_default_dtype(torch.float64)
    network = Network({"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](3, 4, batch_first=True))
    x = torch.randn(3, 5, 3, requires_grad=True)
    initial = {name: p.tolist() for name, p in network.named_parameters()}
    loss = torch.nn.functional.cross_entropy
    logits, output, state = network(x)
    value = loss(logits, torch.tensor(TARGETS))
    value.backward()
    found = {
        "torch": torch.__version__.split("+")[0], "cell": cell, "lengths": LENGTHS, "targets": TARGETS, "x": x.tolist(),
        "parameters": initial, "logits": logits.tolist(), "output": output.tolist(), "state": [s.tolist() for s in state],
        "loss": value.item(), "gradients": {name: p.grad.tolist() for name, p in network.named_parameters()}, "gradient_x": x.grad.tolist(),
        "after": {},
    }  # fmt: skip
    for name, make in OPTIMIZERS.items():
        moved = copy.deepcopy(network)
        optimizer = make(moved.parameters())
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            value = loss(moved(x.detach())[0], torch.tensor(TARGETS))
            value.backward()
            torch.nn.utils.clip_grad_norm_(moved.parameters(), 0.5)
            optimizer.step()
            losses.append(value.item())
        found["after"][name] = {"losses": losses, "parameters": {n: p.tolist() for n, p in moved.named_parameters()}}
    return found


def difference(a: object, b: object) -> float:
    """The largest absolute difference of two nested structures of numbers; infinite where they differ otherwise."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max(difference(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max(map(difference, a, b), default=0.0)
    if isinstance(a, float | int) and isinstance(b, float | int):
        return abs(a - b)
    return 0.0 if a == b else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored figures in place of writing them")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    for cell in ("rnn", "gru", "lstm"):
        path, found = FOLDER / f"{cell}.json", figures(cell)
        if check:
            worst = difference(json.loads(path.read_text()), found)
            print(f"{cell}: largest difference {worst:.3g}")
            if worst > 1e-12:
                raise SystemExit(f"{path.name} is not what PyTorch {torch.__version__} computes")
        else:
            path.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
