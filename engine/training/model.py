"""The network that is trained: recurrent layers and a linear read-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import losses
from engine.nn import CELLS, Linear, Module, Unrolled
from engine.ops.op import Array
from engine.tape import label, scope, tracing
from engine.tensor import Tensor
from engine.training.settings import Settings
from engine.training.task import Batch, Task


class SequenceModel(Module):
    """`rnn` (RNN, LSTM or GRU) and `head` (Linear) on the top layer's last state or on its every state.

    Of two directions the read-out sees both, forward before reverse; the last state of the reverse one is that of the first step.
    """

    def __init__(self, task: Task, settings: Settings, generator: np.random.Generator | None = None) -> None:
        size, layers, both = settings.hidden_size, settings.layers, settings.bidirectional
        cell = CELLS[settings.cell]
        self.rnn = cell(task.input_size, size, num_layers=layers, batch_first=True, bidirectional=both, generator=generator)
        self.rnn.truncate = settings.truncation
        self.head = Linear(size * self.rnn.directions, task.output_size, generator=generator)
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
        """Records the prediction at every step, loss or no loss, to be looked at. Does nothing below TRACE.

        Where the last state is read, step t is taken for the last one of the forward direction; the reverse one has read everything.
        """
        tape = tracing()
        if tape is None:
            return
        for t in range(1, unrolled.time + 1):
            with tape.probe(), tape.scope(f"predict/t={t}", time=t):
                output: Any = self.head(unrolled.at(t) if self.readout == "every" else unrolled.so_far(t))
                if self.kind == "classification":
                    label(output, "logits")
                    label(output.softmax(), "p")
                else:
                    label(output, "y_hat")
