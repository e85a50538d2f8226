"""The network that is trained: recurrent layers and a linear read-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import losses
from engine.nn import CELLS, Linear, Module, Unrolled
from engine.nn.init import forget_bias_
from engine.nn.random import Stream
from engine.ops.fused import counts_of
from engine.ops.op import Array
from engine.tape import label, scope, tracing
from engine.tensor import Tensor, apply
from engine.training.settings import Settings
from engine.training.task import Batch, Task


class SequenceModel(Module):
    """`rnn` (RNN, LSTM or GRU) and `head` (Linear) on the top layer's last state or on its every state.

    Of two directions the read-out sees both, forward before reverse; the last state of the reverse one is that of the first step.
    Dropout, in training, thins what the layers above the first and the read-out read; `seed_` fixes the masks of a step.
    """

    def __init__(self, task: Task, settings: Settings, generator: np.random.Generator | None = None) -> None:
        size, layers, both, dtype = settings.hidden_size, settings.layers, settings.bidirectional, np.dtype(settings.dtype)
        cell = CELLS[settings.cell]
        self.rnn = cell(
            task.input_size, size, num_layers=layers, batch_first=True, bidirectional=both, dropout=settings.dropout,
            initialisation=settings.initialisation, seed=settings.seed, dtype=dtype, generator=generator,
        )  # fmt: skip
        if settings.forget_bias is not None:
            forget_bias_(self.rnn, settings.forget_bias)
        self.rnn.truncate = settings.truncation
        self.head = Linear(size * self.rnn.directions, task.output_size, dtype=dtype, generator=generator)
        self.kind, self.readout, self.dropout, self.dtype = task.kind, task.readout, settings.dropout, dtype
        self.stream = Stream(settings.seed)
        self._mask: Array | None = None  # of what the read-out reads, (batch, width) or (batch, time, width), of the latest forward pass
        self.name_parameters()

    def forward(self, batch: Batch) -> tuple[Tensor, Unrolled]:
        """What the loss reads, and the states behind it, for a batch in order of falling length.

        Gives logits (batch, classes), or predictions (batch, outputs). With read-out "every" predictions (batch, time, outputs); logits,
        and all where lengths differ, are packed, (sum of lengths, ...): those of the first step, then those of the second (`packed`).
        """
        unrolled = self.states(batch)
        return self.answer(unrolled, batch), unrolled

    def states(self, batch: Batch) -> Unrolled:
        """The recurrent layers over a batch."""
        x = label(Tensor(self._of_dtype(batch.inputs), name="x"), "x", "input")
        return self.rnn.run(x, None, batch.lengths.tolist())

    def answer(self, unrolled: Unrolled, batch: Batch) -> Tensor:
        """The read-out of the batch's states."""
        with scope("head"):
            output = self.head(self._thinned(self._read(unrolled, batch), batch))
        return label(output, "logits" if self.kind == "classification" else "y_hat")

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy or mean squared error over all that is predicted, a 0-d tensor."""
        targets = packed(batch.targets, batch) if self._packs(batch) else batch.targets
        target = label(Tensor(targets if self.kind == "classification" else self._of_dtype(targets), name="target"), "target", "input")
        loss = losses.cross_entropy if self.kind == "classification" else losses.mse_loss
        with scope("loss"):
            return label(loss(output, target), "L", "loss")

    def probe(self, unrolled: Unrolled) -> None:
        """Records the prediction at every step, loss or no loss, to be looked at. Does nothing below TRACE.

        Where the last state is read, step t is taken for the last one of the forward direction; the reverse one has read everything. What
        the read-out does not read in this step, it does not read here.
        """
        tape = tracing()
        if tape is None:
            return
        for t in range(1, unrolled.time + 1):
            with tape.probe(), tape.scope(f"predict/t={t}", time=t):
                h = unrolled.at(t) if self.readout == "every" else unrolled.so_far(t)
                if self._mask is not None:
                    h = _drop(h, (self._mask if self.readout == "last" else self._mask[:, t - 1])[: h.shape[0]].copy())
                output: Any = self.head(h)
                if self.kind == "classification":
                    label(output, "logits")
                    label(output.softmax(), "p")
                else:
                    label(output, "y_hat")

    def _packs(self, batch: Batch) -> bool:
        """Whether what is predicted stands packed, and not (batch, time, outputs)."""
        return self.readout == "every" and (self.kind == "classification" or bool(batch.lengths[0] != batch.lengths[-1]))

    def _read(self, unrolled: Unrolled, batch: Batch) -> Tensor:
        if self.readout == "last":
            return unrolled.final
        if self._packs(batch):
            return unrolled.packed(counts_of(batch.lengths.tolist(), unrolled.time, len(batch.lengths)))
        return unrolled.output()

    def _thinned(self, read: Tensor, batch: Batch) -> Tensor:
        """What dropout leaves of what the read-out reads. The mask is drawn for the padded batch, so it does not depend on the packing."""
        self._mask = None
        if not self.dropout or not self.training:
            return read
        shape = (len(batch.lengths), read.shape[-1]) if self.readout == "last" else (*batch.inputs.shape[:2], read.shape[-1])
        self._mask = self.stream.mask(shape, self.dropout, self.dtype)
        return _drop(read, packed(self._mask, batch) if self._packs(batch) else self._mask)

    def _of_dtype(self, array: Array) -> Array:
        return array.astype(self.dtype, copy=False)


def _drop(read: Tensor, mask: Array) -> Tensor:
    return apply("dropout", read, label(Tensor(mask), "mask", "constant"))


def packed(padded: Array, batch: Batch) -> Array:
    """(batch, time, ...) as (sum of lengths, ...): the rows of the first step, longest sequence first, then those of the second."""
    there = np.arange(padded.shape[1])[:, None] < batch.lengths
    return np.swapaxes(padded, 0, 1)[there]
