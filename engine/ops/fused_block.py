"""What the fused recurrent cells share: a block of steps forward and backward, in as few and as large numpy calls as can be.

Arrays are feature-major, (features, rows): a gate is a contiguous block of a step's product. What does not depend on the recurrence is
done for all steps at once: forward the product with the inputs; backward the factors that the arriving gradient is multiplied with,
so that a step of the backward loop is one or two products with them and one with the recurrent weights. With one row everything is
a vector. The views of the steps are made once a block, and blocks are used again (`engine.ops.fused_memory`).

A *block* holds what forward leaves for backward, a *work* what is needed within one of them only. The logistic function is scipy's for
few numbers and 1 / (1 + exp(-x)) for many, the same function by the quicker way; the weights of the second kind have their sign turned, so
that the loop need not turn it. ``exp`` may overflow there, to the right result: the caller silences that, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from engine.ops.op import Array

FEW = 192  # numbers up to which scipy's logistic function is the quicker one
Products = list[Array | None]  # contributions to W_ih, W_hh, b_ih, b_hh; None for what is not asked for


class Work:
    """Memory used within a pass over a block: the product with the inputs, (steps, projected * hidden, rows), and the factors."""

    def __init__(self, cell: type[Block], steps: int, rows: int, hidden: int, dtype: Any) -> None:
        n = hidden * rows
        self.rows, self.hidden = rows, hidden
        self.projection = np.empty((steps, cell.projected * hidden, rows), dtype)
        self.factors = np.empty((steps, cell.factored, n), dtype)
        self.spare = np.empty((steps, 3, n), dtype)
        self.sums, self.pair = np.empty(self.shape(4), dtype), np.empty((2, n), dtype)
        self.one = np.array(1, dtype)
        self.forward_turns = cell.forward_turns(self)
        self.backward_turns = cell.backward_turns(self)[::-1]
        self.nbytes = self.projection.nbytes + self.factors.nbytes + self.spare.nbytes

    def shape(self, blocks: int) -> tuple[int, ...]:
        """The shape in which products take some blocks of a step: a vector where there is one row."""
        return (blocks * self.hidden,) if self.rows == 1 else (blocks * self.hidden, self.rows)

    def project(self, Wx: Array, xs: Array) -> None:
        """The products of the inputs, xs (steps * rows, inputs + 1), with Wx."""
        if self.rows == 1:
            np.dot(xs, Wx.T, out=self.projection[:, :, 0])
        else:
            np.matmul(Wx, xs.reshape(len(self.projection), self.rows, -1).transpose(0, 2, 1), out=self.projection)


class Block:
    """Some steps of a cell on the same rows. h: the states before and after the steps, (steps + 1, hidden, rows)."""

    gates: ClassVar[int]  # blocks of the weights' rows
    projected: ClassVar[int]  # blocks that the product with the inputs makes
    factored: ClassVar[int]  # blocks of factors in the backward pass
    summed: ClassVar[int]  # blocks of sums that have a gradient, for the weights
    multiplied: ClassVar[int] = 1  # blocks that the recurrent weights are multiplied with
    states: ClassVar[int] = 1
    logistic: ClassVar[int] = 0  # gates with the logistic function

    def __init__(self, steps: int, rows: int, hidden: int, dtype: Any) -> None:
        self.steps, self.rows, self.hidden = steps, rows, hidden
        self.h = np.empty((steps + 1, hidden, rows), dtype)
        self.flat = self.h.reshape(steps + 1, hidden * rows)
        self.columns = list(self.flat if rows == 1 else self.h)
        self.few = self.logistic * hidden * rows <= FEW
        self.nbytes = self.h.nbytes

    def state(self, t: int) -> list[Array]:
        """The states before step t, (hidden, rows) each."""
        return [self.h[t]]

    @classmethod
    def weights(cls, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, few: bool, options: Any) -> tuple[Array, Array]:
        """The matrices of the forward pass, for (input, 1) and for the state."""
        Wx = np.empty((W_ih.shape[0], W_ih.shape[1] + 1), W_ih.dtype)
        Wx[:, :-1] = W_ih
        np.add(b_ih, b_hh, out=Wx[:, -1])
        return Wx, W_hh

    def forward(self, work: Work, U: Array, options: Any) -> None:
        """All steps, from ``state(0)`` and the projection."""
        raise NotImplementedError

    def backward(self, work: Work, W_hh: Array, gradients: list[Array], arriving: Sequence[Array] | None, options: Any) -> Array:
        """All steps backward: gives the gradients of the sums inside the gates, (steps, summed * hidden, rows).

        gradients: of the states after the last step, flat; become those before the first. arriving: those of the hidden states as
        outputs, flat, for each step.
        """
        raise NotImplementedError

    @staticmethod
    def forward_turns(work: Work) -> list[Any]:
        """The views of the projection that each step of the forward loop takes."""
        return list(work.projection[:, :, 0] if work.rows == 1 else work.projection)

    @staticmethod
    def backward_turns(work: Work) -> list[Any]:
        """The views of the factors that each step of the backward loop takes."""
        raise NotImplementedError

    def multiplicands(self) -> Array:
        """What the recurrent weights were multiplied with, (steps, multiplied * hidden, rows)."""
        return self.h[:-1]

    @staticmethod
    def products(d: Array, s: Array, xs: Array, needs: Sequence[bool]) -> Products:
        """Contributions to the parameters of d (summed * hidden, n), s (multiplied * hidden, n) and the inputs xs (n, inputs + 1)."""
        db = np.dot(d, xs[:, -1]) if needs[2] or needs[3] else None
        return [np.dot(d, xs[:, :-1]) if needs[0] else None, np.dot(d, s.T) if needs[1] else None, db, db]

    @staticmethod
    def to_inputs(d: Array, W_ih: Array) -> Array:
        """The contribution to the inputs, (n, inputs)."""
        dx: Array = np.dot(d.T, W_ih)
        return dx
