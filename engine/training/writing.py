"""A network that predicts what follows, let write: each step's prediction is drawn and read as the next input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from engine.nn.random import Stream
from engine.ops.op import Array
from engine.tape import Tape
from engine.tensor import Tensor
from engine.training.model import SequenceModel

_PLACE = 2**63  # of the random numbers; dropout's places and the epochs' streams are small


class Writer:
    """Draws sequences of classes; the same ones for the same parameters, seed and step."""

    def __init__(self, model: SequenceModel, seed: int, step: int) -> None:
        self.model, self.stream = model, Stream(seed, _PLACE, step)

    def __call__(
        self, start: npt.NDArray[np.float64], inputs: npt.NDArray[np.float64], stop: int | None, *, count: int = 8, most: int = 20,
        temperature: float = 0.8,
    ) -> list[list[int]]:  # fmt: skip
        """`count` sequences of class numbers, at most `most` long.

        start: the first input, (features,). inputs: (classes, features), the input that follows each class. stop: the class that ends a
        sequence, which is not part of it; None: none does. temperature: logits are divided by it, above 0. Raises ValueError for a
        network of both directions, which has to know what follows.
        """
        if self.model.rnn.bidirectional:
            raise ValueError("a network of both directions reads what follows before it says what follows; it cannot write")
        if not temperature > 0:
            raise ValueError(f"temperature is {temperature!r}; expected a number above 0")
        chance, state = self.stream.generator().random((most, count)), None
        written = np.zeros((count, most), dtype=np.int64)
        x: Array = np.repeat(np.asarray(start, self.model.dtype)[None], count, axis=0)
        rows = np.asarray(inputs, self.model.dtype)
        with Tape("OFF"):
            for t in range(most):
                output, state = self.model.rnn(Tensor(x[:, None]), state)
                logits = self.model.head(output[:, 0]).data
                below = np.cumsum(softmax(np.nan_to_num(logits.astype(np.float64)) / temperature, axis=1), axis=1)
                written[:, t] = np.minimum((below <= chance[t][:, None] * below[:, -1:]).sum(axis=1), len(rows) - 1)
                x = rows[written[:, t]]
        ends = [most if stop is None or stop not in row else row.index(stop) for row in written.tolist()]
        return [row[:end] for row, end in zip(written.tolist(), ends, strict=True)]
