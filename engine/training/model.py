"""The network that is trained: one recurrent layer and a linear read-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import losses
from engine.nn import CELLS, Linear, Module, Unrolled
from engine.ops.op import Array
from engine.tape import label, scope, tracing
from engine.tensor import Tensor
from engine.training.task import Batch, Task


class SequenceModel(Module):
    """`rnn` (RNN, LSTM or GRU) and `head` (Linear) on its last state or on every state."""

    def __init__(self, task: Task, cell: str, hidden_size: int, generator: np.random.Generator | None = None) -> None:
        self.rnn = CELLS[cell](task.input_size, hidden_size, batch_first=True, generator=generator)
        self.head = Linear(hidden_size, task.output_size, generator=generator)
        self.kind, self.readout = task.kind, task.readout
        self.name_parameters()

    def forward(self, batch: Batch) -> tuple[Tensor, Unrolled]:
        """What the loss reads, and the states behind it, for a batch in order of falling length.

        Gives logits (batch, classes), or predictions (batch, outputs), with read-out "every" (batch, time, outputs).
        Raises ValueError for read-out "every" over unequal lengths: a prediction on padding would enter the loss.
        """
        if self.readout == "every" and batch.lengths.min() != batch.lengths.max():
            raise ValueError(f"read-out at every step takes sequences of one length; given lengths {sorted(set(batch.lengths.tolist()))}")
        x = label(Tensor(batch.inputs, name="x"), "x", "input")
        unrolled = self.rnn.run(x, None, batch.lengths.tolist())
        with scope("head"):
            output = self.head(unrolled.final if self.readout == "last" else unrolled.output())
        return label(output, "logits" if self.kind == "classification" else "y_hat"), unrolled

    def loss(self, output: Tensor, targets: Array) -> Tensor:
        """Cross-entropy or mean squared error, a 0-d tensor."""
        target = label(Tensor(targets, name="target"), "target", "input")
        loss = losses.cross_entropy if self.kind == "classification" else losses.mse_loss
        with scope("loss"):
            return label(loss(output, target), "L", "loss")

    def probe(self, unrolled: Unrolled) -> None:
        """Records the prediction at every step, loss or no loss, to be looked at. Does nothing below TRACE."""
        tape = tracing()
        if tape is None:
            return
        for t, h in enumerate(unrolled.steps, start=1):
            with tape.probe(), tape.scope(f"predict/t={t}", time=t):
                output: Any = self.head(h)
                if self.kind == "classification":
                    label(output, "logits")
                    label(output.softmax(), "p")
                else:
                    label(output, "y_hat")
