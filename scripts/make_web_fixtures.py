"""Writes the small traces that the page's tests read (web/src/model/fixtures/), with the engine's own recorder.

Deterministic: the same engine writes the same files. With the project installed: ``python scripts/make_web_fixtures.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import F, Tape, Tensor
from engine.trace import Change, Document, Edit, Mute, MuteStep, record, to_bytes, what_if
from engine.training import Batch, Settings, trace_step
from engine.training.task import Kind, Part, Readout

FOLDER = Path(__file__).resolve().parents[1] / "web" / "src" / "model" / "fixtures"
LETTERS = "abdeikmnorstu"
NAMES = (("stone", 1), ("rossi", 0), ("mori", 2), ("bruno", 0), ("baker", 1), ("ueda", 2))
CLASSES = ("Italian", "English", "Japanese")


class Names:
    """A few surnames, one letter a step."""

    name, input_size, output_size = "surnames", len(LETTERS), len(CLASSES)
    data_version = "fixtures"
    kind: Kind = "classification"
    readout: Readout = "last"

    def size(self, part: Part) -> int:
        return len(NAMES)

    def batch(self, part: Part, indices: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        chosen = [NAMES[i] for i in indices]
        lengths = np.array([len(word) for word, _ in chosen], dtype=np.int64)
        inputs = np.zeros((len(chosen), int(lengths.max()), len(LETTERS)))
        for row, (word, _) in enumerate(chosen):
            for t, letter in enumerate(word):
                inputs[row, t, LETTERS.index(letter)] = 1
        return Batch(inputs, lengths, np.array([k for _, k in chosen], dtype=np.int64), np.array(indices, dtype=np.int64))

    def describe(self, batch: Batch, part: Part) -> dict[str, Any]:
        words = [NAMES[i] for i in batch.indices]
        examples = [
            {"index": int(i), "length": len(word), "tokens": list(word), "text": word, "target": target}
            for i, (word, target) in zip(batch.indices, words, strict=True)
        ]
        return {"task": self.name, "display": "letters", "kind": self.kind, "readout": self.readout, "classes": list(CLASSES),
                "features": list(LETTERS), "examples": examples}  # fmt: skip


class Waves:
    """The next value of a sine, predicted at every step."""

    name, input_size, output_size = "waves", 1, 1
    data_version = "fixtures"
    kind: Kind = "regression"
    readout: Readout = "every"

    def size(self, part: Part) -> int:
        return 8

    def batch(self, part: Part, indices: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        series = np.sin(np.arange(5)[None, :] * 0.9 + np.asarray(indices)[:, None])[:, :, None]
        lengths = np.full(len(indices), 4, dtype=np.int64)
        return Batch(series[:, :-1], lengths, series[:, 1:], np.array(indices, dtype=np.int64))

    def describe(self, batch: Batch, part: Part) -> dict[str, Any]:
        examples = [
            {"index": int(i), "length": 4, "tokens": batch.inputs[row, :, 0].tolist(), "text": f"from {i}",
             "target": batch.targets[row, :, 0].tolist()}
            for row, i in enumerate(batch.indices)
        ]  # fmt: skip
        return {"task": self.name, "display": "series", "kind": self.kind, "readout": self.readout, "classes": None,
                "features": ["value"], "examples": examples}  # fmt: skip


def expression(inputs: dict[str, Any]) -> dict[str, Any]:
    """tanh(w*x + b), summed when it is no scalar."""
    with Tape(level="TRACE") as tape:
        w, x, b = (Tensor(inputs[name], requires_grad=True, name=name) for name in ("w", "x", "b"))
        for leaf, name in ((w, "w"), (x, "x"), (b, "b")):
            tape.label(leaf, name, role="input")
        y = (w * x + b).tanh()
        if y.ndim:
            y = y.sum()
        tape.label(y, "L", role="loss")
        run = y.backward()
    program = {"kind": "expression", "expression": "tanh(w*x + b)", "inputs": inputs, "wrt": ["w", "x", "b"]}
    return record(tape, run, program=program)


def two_layers() -> dict[str, Any]:
    """mean((V @ tanh(W @ x + b) - y)**2), with axes longer than a worksheet shows."""
    grid = np.arange(30, dtype=float).reshape(6, 5)
    inputs = {
        "W": np.sin(grid),
        "x": np.cos(np.arange(5.0)),
        "b": 0.1 * np.arange(6.0),
        "V": np.cos(np.arange(12.0).reshape(2, 6)),
        "y": np.array([0.5, -0.5]),
    }
    with Tape(level="TRACE") as tape:
        leaves = {name: Tensor(value, requires_grad=name in "WbV", name=name) for name, value in inputs.items()}
        for name, leaf in leaves.items():
            tape.label(leaf, name, role="input")
        W, x, b, V, y = leaves.values()
        loss = ((V @ (W @ x + b).tanh() - y) ** 2).mean()
        tape.label(loss, "L", role="loss")
        run = loss.backward()
    written = {name: value.tolist() for name, value in inputs.items()}
    program = {"kind": "expression", "expression": "mean((V @ tanh(W @ x + b) - y)**2)", "inputs": written, "wrt": ["W", "b", "V"]}
    return record(tape, run, program=program)


def whole_tensors() -> dict[str, Any]:
    """A sum of what operations on whole tensors make, each element with a weight of its own, so that no gradient is like another."""
    grid = np.arange(6, dtype=float).reshape(2, 3)
    inputs = {
        "x": np.sin(grid + 1),
        "t": 0.1 + 0.3 * np.cos(grid) ** 2,
        "u": np.array([0.4, -1.1]),
        "s": np.sin(np.arange(24.0)).reshape(2, 3, 4),
    }
    with Tape(level="TRACE") as tape:
        leaves = {name: tape.label(Tensor(value, requires_grad=True, name=name), name, role="input") for name, value in inputs.items()}
        x, t, u, s = leaves.values()
        which, where = np.array([[1, 0, 1]]), np.array([[True, False, False], [False, True, True]])
        made = [
            x.softmax(), x.softmax(axis=0), x.log_softmax(), x.logsumexp(axis=1), x.cumsum(axis=1), x.max(axis=1), x.min(), x.norm(),
            x.norm(ord=1, axis=0), x.prod(axis=1), x.var(axis=1), x.std(), x.flip(axis=1), x.roll(shift=1, axis=1), x.roll(shift=2),
            x.permute(1, 0), x.unsqueeze(axis=0), x.split(sizes=[1, 2], axis=1)[1], F.pad(x, widths=((1, 0), (0, 2))),
            F.gather(x, Tensor(which), axis=0), F.masked_fill(x, Tensor(where), value=-2.0), F.dot(u, u * 2), F.outer(u, x[0]),
            F.einsum(x, s, equation="ij,ijk->k"), F.conv1d(s, s[:, :, :2], padding=1), F.layer_norm(x, t[0], t[1]),
            F.linear(s, s[0]), s @ s.permute(0, 2, 1), F.mse_loss(x, t), F.l1_loss(x, t), F.huber_loss(x * 3, t),
            F.bce_with_logits(x, t), F.kl_div(x, t), F.nll_loss(x, Tensor(np.array([2, 0]))),
        ]  # fmt: skip
        parts = [(one * np.cos(np.arange(float(one.size))).reshape(one.shape)).sum() for one in made]
        loss = F.stack(*parts).sum()
        tape.label(loss, "L", role="loss")
        run = loss.backward()
    written = {name: value.tolist() for name, value in inputs.items()}
    return record(tape, run, program={"kind": "expression", "expression": "sum(x)", "inputs": written, "wrt": list(inputs)})


def settings(cell: str, hidden: int, optimizer: dict[str, Any], batch: int = 2, **more: Any) -> Settings:
    return Settings(cell=cell, hidden_size=hidden, optimizer=optimizer, clip_norm=1.0, batch_size=batch, seed=3, **more)


def edited(document: dict[str, Any], changes: Sequence[tuple[dict[str, Any], Change]]) -> dict[str, Any]:
    """A film with edits: each as the page writes it, and as the engine takes it."""
    document["id"] = "sha256:" + "0" * 64
    written = [edit for edit, _ in changes]
    program = {"kind": "what-if", "parent": document["id"], "program": document["program"], "edits": written}
    return what_if(Document(document), [change for _, change in changes], program)


def main() -> None:
    adamw, sgd = {"name": "adamw", "lr": 0.01}, {"name": "sgd", "lr": 0.1, "momentum": 0.9}
    documents = {
        "scalar": expression({"w": 0.5, "x": 2.0, "b": -0.3}),
        "vector": expression({"w": 0.5, "x": [1.0, 2.0], "b": 0.0}),
        "layers": two_layers(),
        "tensors": whole_tensors(),
        "rnn": trace_step(Names(), settings("rnn", 4, adamw), 40, example=0),
        "wide": trace_step(Names(), settings("rnn", 6, sgd, layers=2, bidirectional=True), 2, example=0),
        "rnn-batch": trace_step(Names(), settings("rnn", 3, sgd, batch=3), 2),
        "gru": trace_step(Names(), settings("gru", 2, adamw), 3, example=2),
        "stack": trace_step(Names(), settings("rnn", 2, sgd, batch=2, layers=2, bidirectional=True), 2),
        "lstm": trace_step(Waves(), settings("lstm", 2, sgd), 3, example=1),
        "adam": trace_step(Waves(), settings("rnn", 2, {"name": "adam", "weight_decay": 0.1, "amsgrad": True}), 3, example=1),
        "rmsprop": trace_step(Waves(), settings("rnn", 2, {"name": "rmsprop"}, schedule={"name": "cosine", "T_max": 10}), 3, example=1),
        "rmsprop-centered": trace_step(Waves(), settings("rnn", 2, {"name": "rmsprop", "momentum": 0.9, "centered": True}), 3, example=1),
        "adagrad": trace_step(Waves(), settings("rnn", 2, {"name": "adagrad", "lr_decay": 0.1, "weight_decay": 0.1}), 3, example=1),
        "nesterov": trace_step(
            Waves(),
            settings(
                "rnn",
                2,
                {**sgd, "nesterov": True},
                schedule={"name": "exponential", "gamma": 0.5},
                edits=[{"step": 2, "lr": 0.2}, {"step": 3, "lr": 0.4}],
            ),
            3,
            example=1,
        ),
    }
    documents["rnn-edited"] = edited(
        trace_step(Names(), settings("rnn", 4, adamw), 40, example=0),
        [
            ({"node": "rnn.weight_hh_l0", "index": [0, 2], "value": 1.5}, Edit("rnn.weight_hh_l0", (0, 2), 1.5)),
            ({"node": "rnn/t=2/tanh#0", "index": [0, 1], "value": 0.5}, Edit("rnn/t=2/tanh#0", (0, 1), 0.5)),
            ({"mute": {"node": "rnn/t=3/linear#1", "port": 1}}, Mute("rnn/t=3/linear#1", 1)),
            ({"mute": {"time": 5}}, MuteStep(5)),
        ],
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (FOLDER / f"{name}.json").write_bytes(to_bytes(document))


if __name__ == "__main__":
    main()
