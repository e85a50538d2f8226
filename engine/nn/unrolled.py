"""What running a recurrent layer over a batch gives: what is asked of it is computed by the kernel, or was recorded step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.cells import State
from engine.ops.fused_memory import Kept
from engine.tensor import Tensor, apply


class Unrolled:
    """A layer run over a batch, one direction; or all layers and directions (`Stacked`).

    time: how many steps. steps: at TRACE the hidden state of each step, (rows, hidden), rows being the sequences still running; empty
    below TRACE.
    """

    time: int
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

    def packed(self, counts: Sequence[int]) -> Tensor:
        """The hidden states of all steps without what lies beyond a sequence's end, (sum of counts, hidden): the first step's rows, then
        the second's; recorded when called. counts: how many rows take part at each step."""
        raise NotImplementedError

    def at(self, t: int) -> Tensor:
        """What a read-out of step t (from 1) sees, (rows, hidden); at TRACE."""
        return self.steps[t - 1]

    def so_far(self, t: int) -> Tensor:
        """What a read-out of last states would see, were step t (from 1) the last one read; at TRACE. (rows, hidden)."""
        return self.steps[t - 1]


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

    def packed(self, counts: Sequence[int]) -> Tensor:
        _, batch, hidden = self.everything.shape
        flat = self.everything[: self.time].reshape(self.time * batch, hidden)
        if counts[-1] == batch:
            return flat
        return apply("rows", flat, rows=[t * batch + row for t, rows in enumerate(counts) for row in range(rows)])

    def watch(self) -> Kept:
        """Has the backward pass of what was asked for keep the gradients of the hidden states (`Kept.watched`); call it before that."""
        asked = self._final if self._everything is None else self._everything
        assert asked is not None and asked.tape is not None and asked.node is not None  # noqa: PT018 - one thing: it is on a tape
        kept: Kept = asked.tape.rows[asked.node][2]
        kept.watched = []
        return kept


class Primitive(Unrolled):
    """Run step by step, each primitive recorded."""

    def __init__(self, steps: Sequence[Tensor], last: State, batch: int) -> None:
        self.steps, self._last, self.batch, self.time = tuple(steps), last, batch, len(steps)

    @property
    def last(self) -> State:
        return self._last

    @property
    def final(self) -> Tensor:
        return self._last[0]

    def output(self) -> Tensor:
        return apply("stack", *[padded(h, self.batch) for h in self.steps], axis=1)

    def packed(self, counts: Sequence[int]) -> Tensor:
        return self.steps[0] if self.time == 1 else apply("concat", *self.steps, axis=0)


class Stacked(Unrolled):
    """The top layer of several, or of both directions: forward before reverse, side by side.

    runs: its directions. Last states are each direction's own: the reverse one has read the whole sequence when it comes to its first step.
    """

    def __init__(self, runs: Sequence[Unrolled]) -> None:
        self.runs, self.time = tuple(runs), runs[0].time
        self.steps = self.runs[0].steps if len(self.runs) == 1 else ()

    @property
    def last(self) -> State:
        return tuple([side_by_side(parts) for parts in zip(*[run.last for run in self.runs], strict=True)])

    @property
    def final(self) -> Tensor:
        return side_by_side([run.final for run in self.runs])

    def output(self) -> Tensor:
        return side_by_side([run.output() for run in self.runs])

    def packed(self, counts: Sequence[int]) -> Tensor:
        return side_by_side([run.packed(counts) for run in self.runs])

    def at(self, t: int) -> Tensor:
        return side_by_side([run.steps[t - 1] for run in self.runs])

    def so_far(self, t: int) -> Tensor:
        """The forward direction has read up to step t, the reverse one the whole sequence."""
        forward, *reverse = self.runs
        h = forward.steps[t - 1]
        return side_by_side([h, *[_first(run.final, h.shape[0]) for run in reverse]])


def side_by_side(parts: Sequence[Tensor]) -> Tensor:
    """Features of several, one after the other; of one, itself."""
    return parts[0] if len(parts) == 1 else apply("concat", *parts, axis=parts[0].ndim - 1)


def _first(h: Tensor, rows: int) -> Tensor:
    return h if h.shape[0] == rows else h[:rows]


def padded(h: Tensor, batch: int) -> Tensor:
    """Rows of zeros after those that are still running."""
    if h.shape[0] == batch:
        return h
    return apply("concat", h, np.zeros((batch - h.shape[0], h.shape[1]), h.dtype))
