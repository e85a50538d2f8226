"""What the fused recurrent cells share: a block of steps forward and backward, in as few and as large numpy calls as can be.

Arrays are feature-major, (features, rows): a gate is a contiguous block of a step's product. Forward, a step's inputs, a 1 and the state
stand one below the other and meet all weights in one product; the inputs come first, so that sums are rounded as the primitive steps round
them. (Inputs of sums in which the state has no part are projected for all steps at once.) Backward, the factors that the arriving gradient
is multiplied with are computed for all steps at once, so that a step of the loop is one or two products with them and one with the
recurrent weights. With one row everything is a vector. The views of the steps are made once a block, and blocks are used again
(`engine.ops.fused_memory`).

A *block* holds what forward leaves for backward, a *work* what is needed within one of them only. The logistic function is scipy's for
few numbers and 1 / (1 + exp(-x)) for many, the same function by the quicker way; the weights of the second kind have their sign turned, so
that the loop need not turn it. ``exp`` may overflow there, to the right result: the caller silences that, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from engine.ops.op import Array

FEW = 192  # numbers up to which scipy's logistic function is the quicker one
Products = list[Array | None]  # contributions to W_ih, W_hh, b_ih, b_hh; None for what is not asked for


class Shape(NamedTuple):
    """What a block is made for: steps of a cell on some rows."""

    cell: type[Block]
    steps: int
    rows: int
    features: int
    hidden: int
    dtype: Any

    def of(self, blocks: int) -> tuple[int, ...]:
        """The shape in which products take some blocks of a step: a vector where there is one row."""
        return (blocks * self.hidden,) if self.rows == 1 else (blocks * self.hidden, self.rows)


class Work:
    """Memory used within a pass over a block.

    projection: the product with inputs that are not joined, (steps, projected * hidden, rows). factors: (steps, factored, hidden * rows).
    columns: for more than one row, what `gathered` gives, and the same as (steps, features, rows).
    """

    def __init__(self, shape: Shape) -> None:
        cell, steps, rows, _, hidden, dtype = shape
        n = hidden * rows
        self.made_for, self.rows, self.hidden = shape, rows, hidden
        self.projection = np.empty((steps, cell.projected * hidden, rows), dtype)
        self.factors = np.empty((steps, cell.factored, n), dtype)
        self.spare = np.empty((steps, 3, n), dtype)
        self.sums, self.pair = np.empty(shape.of(4), dtype), np.empty((2, n), dtype)
        self.one = np.array(1, dtype)
        self.forward_turns = cell.forward_turns(self)
        self.backward_turns = cell.backward_turns(self)[::-1]
        self.nbytes = self.projection.nbytes + self.factors.nbytes + self.spare.nbytes
        self.columns: list[tuple[Array, Array]] = []
        if rows > 1:
            for blocks in (cell.summed, cell.multiplied):
                columns = np.empty((blocks * hidden, steps * rows), dtype)
                self.columns.append((columns, columns.reshape(-1, steps, rows).transpose(1, 0, 2)))
                self.nbytes += columns.nbytes

    def project(self, Wx: Array, block: Block) -> None:
        """The products of a block's inputs with Wx."""
        if self.rows == 1:
            block.xs.dot(Wx.T, self.projection[:, :, 0])
        else:
            np.matmul(Wx, block.xs_by_step, self.projection)

    def gathered(self, sums: Array, multiplied: Array) -> tuple[Array, Array]:
        """(steps, features, rows) as (features, n), for the gradients of the sums and what the recurrent weights met."""
        if self.rows == 1:  # the steps are the columns: nothing to copy
            return sums[:, :, 0].T, multiplied[:, :, 0].T
        (d, to_d), (s, to_s) = self.columns
        to_d[...] = sums
        to_s[...] = multiplied
        return d, s


class Block:
    """Some steps of a cell on the same rows.

    xs: the inputs and a 1, (steps * rows, features + 1). h: the states before and after the steps, (steps + 1, hidden, rows).
    columns: what the recurrent product takes at each step, the state; where the inputs are `joined`, the inputs, a 1 and the state.
    """

    gates: ClassVar[int]  # blocks of the weights' rows
    projected: ClassVar[int]  # blocks that the product with the inputs makes
    factored: ClassVar[int]  # blocks of factors in the backward pass
    summed: ClassVar[int]  # blocks of sums that have a gradient, for the weights
    multiplied: ClassVar[int] = 1  # blocks that the recurrent weights are multiplied with
    states: ClassVar[int] = 1
    logistic: ClassVar[int] = 0  # gates with the logistic function
    joined: ClassVar[bool] = False  # whether the inputs take part in the recurrent product, and are not projected before

    def __init__(self, shape: Shape) -> None:
        _, steps, rows, features, hidden, dtype = self.made_for = shape
        self.steps, self.rows, self.hidden = steps, rows, hidden
        more = features + 1 if self.joined else 0
        met = np.ones((steps + 1, more + hidden, rows), dtype)
        self.h = met[:, more:]
        self.flat = self.h.reshape(steps + 1, hidden * rows)
        self.columns = list(met[:, :, 0] if rows == 1 else met)
        in_columns = met[:-1, :features].transpose(0, 2, 1) if self.joined else None
        if in_columns is not None and rows == 1:
            self.xs, self.places = met[:-1, :more, 0], [in_columns]
        else:
            self.xs = np.ones((steps * rows, features + 1), dtype)
            by_step = self.xs.reshape(steps, rows, features + 1)
            self.xs_by_step = by_step.transpose(0, 2, 1)
            self.places = [by_step[:, :, :-1]] if in_columns is None else [by_step[:, :, :-1], in_columns]
        self.few = self.logistic * hidden * rows <= FEW
        self.nbytes = self.xs.nbytes + met.nbytes

    def receive(self, xs: Array) -> None:
        """Takes the inputs, (steps, rows, features)."""
        for place in self.places:
            place[...] = xs

    def state(self, t: int) -> list[Array]:
        """The states before step t, (hidden, rows) each."""
        return [self.h[t]]

    @classmethod
    def weights(cls, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, few: bool, options: Any) -> tuple[Array | None, Array]:
        """The matrices of the forward pass, for (input, 1), None where they are joined, and for the columns."""
        raise NotImplementedError

    def forward(self, work: Work, U: Array, options: Any) -> None:
        """All steps, from ``state(0)`` and the projection."""
        raise NotImplementedError

    def backward(self, work: Work, W_hh: Array, gradients: list[Array], arriving: Sequence[Array] | None, options: Any) -> Array:
        """All steps backward: gives the gradients of the sums inside the gates, (steps, summed * hidden, rows).

        gradients: of the states after the last step, flat; become those before the first. arriving: those of the hidden states as
        outputs, flat, for each step.
        """
        raise NotImplementedError

    def state_gradients(self, work: Work, W_hh: Array, sums: Array, after: Array, arriving: Array | None) -> Array:
        """The gradients of the hidden states of all steps, (steps, hidden, rows), when `backward` has been: computed again from what it
        left, so that its loop keeps nothing.

        sums: what it gave. after: the gradient of the last state, (hidden, rows), as it was before. arriving: as it was given.
        """
        gradients = np.empty((self.steps, self.hidden, self.rows), sums.dtype)
        gradients[:-1], gradients[-1] = self.through(work, W_hh, sums)[1:], after
        if arriving is not None:
            gradients += arriving.reshape(gradients.shape)
        return gradients

    def through(self, work: Work, W_hh: Array, sums: Array) -> Array:
        """What each step sends to the hidden state before it, (steps, hidden, rows), when `backward` has been."""
        sent: Array = np.matmul(W_hh.T, sums)
        return sent

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
        db = d.dot(xs[:, -1]) if needs[2] or needs[3] else None
        return [d.dot(xs[:, :-1]) if needs[0] else None, d.dot(s.T) if needs[1] else None, db, db]

    @staticmethod
    def to_inputs(d: Array, W_ih: Array) -> Array:
        """The contribution to the inputs, (n, inputs)."""
        dx: Array = d.T.dot(W_ih)
        return dx
