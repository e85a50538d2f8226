"""What running a recurrent layer over a batch gives: what is asked of it is computed by the kernel, or was recorded step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.cells import State
from engine.tensor import Tensor, apply


class Unrolled:
    """A layer run over a batch, one direction.

    steps: at TRACE the hidden state of each step, (rows, hidden), rows being the sequences still running; empty below TRACE.
    """

    steps: tuple[Tensor, ...] = ()

    @property
    def last(self) -> State:
        """The state of every sequence after its own last step, (batch, hidden) each: (h,) or (h, c)."""
        raise NotImplementedError

    @property
    def final(self) -> Tensor:
        """The hidden state of every sequence after its own last step, (batch, hidden)."""
        raise NotImplementedError

    def output(self) -> Tensor:
        """The hidden states of all steps, (batch, time, hidden), zeros where a sequence has ended; recorded when called."""
        raise NotImplementedError


class Fused(Unrolled):
    """Run by the kernel when something is asked for, on the weights as they are then, and for no more than that.

    Whoever wants all steps and the last states asks for the steps first: they hold both, else the kernel runs again.
    """

    def __init__(self, op: str, operands: Sequence[Any], attributes: Mapping[str, Any], time: int, states: int) -> None:
        self.op, self.operands, self.attributes, self.time, self.states = op, operands, attributes, time, states
        self._everything: Tensor | None = None
        self._last: State | None = None
        self._final: Tensor | None = None

    def run(self, output: str) -> Tensor:
        return apply(self.op, *self.operands, output=output, **self.attributes)

    @property
    def everything(self) -> Tensor:
        """The hidden states of all steps, time first, and the last states."""
        if self._everything is None:
            self._everything = self.run("all")
        return self._everything

    @property
    def last(self) -> State:
        if self._last is None:
            if self._everything is None and self.states == 1:
                self._last = (self.final,)
            else:
                whole, start = (self.run("states"), 0) if self._everything is None else (self._everything, self.time)
                self._last = tuple([whole[start + k] for k in range(self.states)])
        return self._last

    @property
    def final(self) -> Tensor:
        if self._final is None:
            self._final = self.run("last") if self._everything is None and self._last is None else self.last[0]
        return self._final

    def output(self) -> Tensor:
        return self.everything[: self.time].transpose([1, 0, 2])


class Primitive(Unrolled):
    """Run step by step, each primitive recorded."""

    def __init__(self, steps: Sequence[Tensor], last: State, batch: int) -> None:
        self.steps, self._last, self.batch = tuple(steps), last, batch

    @property
    def last(self) -> State:
        return self._last

    @property
    def final(self) -> Tensor:
        return self._last[0]

    def output(self) -> Tensor:
        return apply("stack", *[padded(h, self.batch) for h in self.steps], axis=1)


def padded(h: Tensor, batch: int) -> Tensor:
    """Rows of zeros after those that are still running."""
    if h.shape[0] == batch:
        return h
    return apply("concat", h, np.zeros((batch - h.shape[0], h.shape[1]), h.dtype))
