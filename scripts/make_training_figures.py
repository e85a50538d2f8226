"""Trains with PyTorch what tests/engine/test_training_parity.py trains with the engine.

    pip install torch==2.13.0
    python -m scripts.make_training_figures            # writes tests/fixtures/training/steps.json
    python -m scripts.make_training_figures --check    # recomputes, and fails where a stored figure differs

Twenty steps in float64 of networks and optimizers in many settings, on the same batches from the same parameters. The masks of dropout are
the engine's, as constants; everything else is PyTorch's own: layers, packed sequences, losses, clipping, optimizers and schedules.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.nn.random import Stream
from engine.training import Batch, Kind, Part, Readout, Settings
from engine.training.checkpoint import restore
from engine.training.loop import BatchOrder

FILE = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "training" / "steps.json"
STEPS, BATCH, LONGEST, FEATURES, CLASSES = 20, 6, 7, 3, 4
HEAD, LAYERS = 0, 1  # places of the masks' streams
_WARM = {"name": "warmup_cosine", "warmup_iters": 5, "total_iters": 15, "start_factor": 0.1, "eta_min": 1e-3}
_FALLING = {"name": "exponential", "gamma": 0.9}
_CENTERED = {"name": "rmsprop", "centered": True, "momentum": 0.5}
_EDITS = [{"step": 4, "lr": 0.05}, {"step": 11, "lr": 0.005}]
CASES: Mapping[str, tuple[tuple[Kind, Readout, bool], dict[str, Any]]] = {
    "adam": (("classification", "last", True), {"cell": "gru", "optimizer": {"name": "adam", "lr": 0.02, "weight_decay": 0.05}}),
    "amsgrad": (("regression", "last", True), {"cell": "lstm", "optimizer": {"name": "adamw", "lr": 0.05, "amsgrad": True}}),
    "nesterov": (("regression", "every", False), {"cell": "rnn", "optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": True}}),
    "rmsprop": (("classification", "every", False), {"cell": "lstm", "optimizer": {"name": "rmsprop"}}),
    "rmsprop_centered": (("regression", "every", True), {"cell": "gru", "optimizer": _CENTERED}),
    "adagrad": (("classification", "last", True), {"cell": "rnn", "optimizer": {"name": "adagrad", "lr": 0.1, "lr_decay": 0.1}}),
    "step": (("classification", "every", True), {"cell": "gru", "schedule": {"name": "step", "step_size": 6, "gamma": 0.5}}),
    "exponential": (("regression", "every", True), {"cell": "lstm", "schedule": _FALLING}),
    "cosine": (("regression", "last", True), {"cell": "rnn", "schedule": {"name": "cosine", "T_max": 15, "eta_min": 1e-3}}),
    "linear": (("classification", "last", False), {"cell": "gru", "schedule": {"name": "linear", "start_factor": 0.2, "total_iters": 8}}),
    "warmup_cosine": (("classification", "every", True), {"cell": "lstm", "schedule": _WARM}),
    "edits": (("regression", "every", False), {"cell": "gru", "edits": _EDITS}),
    "edits_of_a_schedule": (("classification", "last", True), {"cell": "rnn", "edits": _EDITS, "schedule": _FALLING}),
    "dropout": (("classification", "every", True), {"cell": "lstm", "layers": 2, "dropout": 0.4}),
    "dropout_both": (("regression", "last", True), {"cell": "gru", "layers": 2, "bidirectional": True, "dropout": 0.3, "clip_norm": None}),
    "dropout_every": (("regression", "every", False), {"cell": "rnn", "layers": 3, "dropout": 0.2, "schedule": _WARM}),
    "forget_bias": (("classification", "last", True), {"cell": "lstm", "initialisation": "orthogonal", "forget_bias": 1.0}),
}  # fmt: skip


class Numbers:
    """Made-up sequences of numbers with made-up targets, of one length or of several."""

    name, data_version, input_size = "numbers", "00", FEATURES

    def __init__(self, kind: Kind, readout: Readout, uneven: bool) -> None:
        self.kind, self.readout, self.uneven = kind, readout, uneven
        self.output_size = CLASSES if kind == "classification" else 2

    def size(self, part: Part) -> int:
        return 20

    def batch(self, part: Part, indices: Any) -> Batch:
        random = np.random.Generator(np.random.Philox(key=7))
        inputs = random.standard_normal((20, LONGEST, FEATURES))
        lengths = random.integers(1, LONGEST + 1, 20) if self.uneven else np.full(20, LONGEST)
        shape = (20, LONGEST) if self.readout == "every" else (20,)
        classes, numbers = random.integers(0, CLASSES, shape), random.standard_normal((*shape, 2))
        chosen = np.asarray(indices, dtype=np.int64)
        return Batch(inputs[chosen], lengths[chosen], (classes if self.kind == "classification" else numbers)[chosen], chosen)

    def describe(self, batch: Batch, part: Part) -> dict[str, Any]:
        return {
            "examples": [{"index": int(i), "text": "", "target": t.tolist()} for i, t in zip(batch.indices, batch.targets, strict=True)]
        }


def of_case(name: str) -> tuple[Any, Settings]:
    """The task and the settings of a case."""
    form, changes = CASES[name]
    return Numbers(*form), Settings(**{"hidden_size": 5, "batch_size": BATCH, "clip_norm": 0.5, "seed": 3, **changes})


def trained(name: str) -> dict[str, Any]:
    """Losses, gradient norms before clipping, learning rates, and the last parameters, of PyTorch's training of a case."""
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    torch.set_num_threads(1)  # so little work is slower on several
    task, settings = of_case(name)
    start = {key: torch.tensor(value) for key, value in restore(task, settings, None).model.state_dict().items()}
    both, cell = settings.bidirectional, {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[settings.cell]
    width = settings.hidden_size * (1 + both)
    layers = torch.nn.ModuleList()
    for k in range(settings.layers):
        layer = cell(FEATURES if k == 0 else width, settings.hidden_size, batch_first=True, bidirectional=both, dtype=torch.float64)
        layer.load_state_dict({key: start[f"rnn.{key}".replace("_l0", f"_l{k}")] for key in layer.state_dict()})
        layers.append(layer)
    head = torch.nn.Linear(width, task.output_size, dtype=torch.float64)
    head.load_state_dict({"weight": start["head.weight"], "bias": start["head.bias"]})
    params = [*layers.parameters(), *head.parameters()]
    optimizer, schedule = _optimizer(params, settings)
    order = BatchOrder(20, BATCH, settings.seed)
    found: dict[str, Any] = {"losses": [], "norms": [], "rates": []}
    for step in range(1, STEPS + 1):
        batch = task.batch("train", order.indices(step)).by_falling_length()
        if schedule is None:
            for edit in settings.edits:
                if edit["step"] == step:
                    optimizer.param_groups[0]["lr"] = edit["lr"]
        lengths, masks = torch.tensor(batch.lengths), Stream(settings.seed, LAYERS, step)
        x, (rows, time, _) = torch.tensor(batch.inputs), batch.inputs.shape
        for k, layer in enumerate(layers):
            if k and settings.dropout:
                x = x * torch.tensor(masks.mask((rows, time, width), settings.dropout, np.float64))
            packed, state = layer(pack_padded_sequence(x, lengths, batch_first=True))
            x, _ = pad_packed_sequence(packed, batch_first=True)
        h = state[0] if isinstance(state, tuple) else state
        read = torch.cat(list(h), dim=1) if task.readout == "last" else x
        if settings.dropout:
            read = read * torch.tensor(Stream(settings.seed, HEAD, step).mask(tuple(read.shape), settings.dropout, np.float64))
        output, target = head(read), torch.tensor(batch.targets)
        if task.readout == "every":
            there = torch.arange(time)[None] < lengths[:, None]
            output, target = output[there], target[there]
        loss = (torch.nn.functional.cross_entropy if task.kind == "classification" else torch.nn.functional.mse_loss)(output, target)
        optimizer.zero_grad()
        loss.backward()
        most = math.inf if settings.clip_norm is None else settings.clip_norm
        found["norms"].append(float(torch.nn.utils.clip_grad_norm_(params, most)))
        found["losses"].append(float(loss.detach()))
        found["rates"].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if schedule is not None:
            schedule.step()
    found["parameters"] = {
        f"rnn.{key}".replace("_l0", f"_l{k}"): value.tolist() for k, layer in enumerate(layers) for key, value in layer.state_dict().items()
    }
    found["parameters"] |= {f"head.{key}": value.tolist() for key, value in head.state_dict().items()}
    return found


def _optimizer(params: Any, settings: Settings) -> tuple[Any, Any]:
    """PyTorch's optimizer and schedule of these settings; of edits under a schedule, and of a warm-up with a cosine, as a LambdaLR."""
    import torch

    options = {key: value for key, value in settings.optimizer.items() if key != "name"}
    names = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
    optimizer = getattr(torch.optim, names[settings.optimizer["name"]])(params, **options)
    if settings.schedule is None:
        return optimizer, None
    constants = {key: value for key, value in settings.schedule.items() if key != "name"}
    base, kinds = settings.optimizer["lr"], torch.optim.lr_scheduler
    if settings.edits:
        gamma = constants["gamma"]
        bases = [base, *(edit["lr"] for edit in settings.edits)]
        return optimizer, kinds.LambdaLR(
            optimizer, lambda e: gamma**e * bases[sum(edit["step"] <= e + 1 for edit in settings.edits)] / base
        )
    if settings.schedule["name"] == "warmup_cosine":
        warm, total, first, least = (constants[key] for key in ("warmup_iters", "total_iters", "start_factor", "eta_min"))

        def factor(e: int) -> float:
            if e < warm:
                return float(first + (1 - first) * e / warm)
            height = (1 + math.cos(math.pi * min(1.0, (e - warm) / (total - warm)))) / 2
            return float((least + (base - least) * height) / base)

        return optimizer, kinds.LambdaLR(optimizer, factor)
    made = {"step": kinds.StepLR, "exponential": kinds.ExponentialLR, "cosine": kinds.CosineAnnealingLR, "linear": kinds.LinearLR}
    return optimizer, made[settings.schedule["name"]](optimizer, **constants)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored figures in place of writing them")
    check = parser.parse_args().check
    import torch

    from scripts.make_pytorch_figures import difference

    found = {"torch": torch.__version__.split("+")[0], "cases": {name: trained(name) for name in CASES}}
    if check:
        worst = difference(json.loads(FILE.read_text(encoding="utf-8")), found)
        print(f"largest difference {worst:.3g}")
        if worst > 1e-12:
            raise SystemExit(f"{FILE.name} is not what PyTorch {torch.__version__} computes")
        return
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
