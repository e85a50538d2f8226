"""The fused GRU, in both of its forms: reset after the product (PyTorch, cuDNN) and before it (Cho et al., 2014). See `fused_block`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from engine.ops.fused_block import Block, Products, Shape, Work
from engine.ops.op import Array


class Gru(Block):
    """h_t = (1 - z) n + z h_(t-1), n = tanh(W_in x_t + b_in + r m), m = W_hn h_(t-1) + b_hn.

    gate: for each step r, z, m, n. The factors, all for the gradient of h_t, are those of r, z, m, n and of h_(t-1) by way of z.
    """

    gates, projected, summed, factored, logistic, joined = 3, 1, 4, 5, 2, True

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        _, steps, rows, _, hidden, dtype = shape
        self.gate = np.empty((steps, 4, hidden * rows), dtype)
        three = shape.of(3)
        self.turns = [(self.columns[t], s[:3].reshape(three), s[:2], *s, self.flat[t], self.flat[t + 1]) for t, s in enumerate(self.gate)]
        self.nbytes += self.gate.nbytes

    @classmethod
    def weights(cls, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, few: bool, options: Any) -> tuple[Array, Array]:
        """The product with (input, 1) makes the term of n, that with the columns the sums of r and z, and m."""
        H, features = W_hh.shape[1], W_ih.shape[1]
        Wx, U = np.empty((H, features + 1), W_ih.dtype), np.empty((3 * H, features + 1 + H), W_hh.dtype)
        Wx[:, :-1], Wx[:, -1] = W_ih[2 * H :], b_ih[2 * H :]
        U[: 2 * H, :features], U[2 * H :, :features], U[:, features + 1 :] = W_ih[: 2 * H], 0, W_hh
        np.add(b_ih[: 2 * H], b_hh[: 2 * H], U[: 2 * H, features])
        U[2 * H :, features] = b_hh[2 * H :]
        if not few:
            np.negative(U[: 2 * H], U[: 2 * H])
        return Wx, U

    def forward(self, work: Work, U: Array, options: Any) -> None:
        dot, add, multiply, subtract, divide, tanh, exp = U.dot, np.add, np.multiply, np.subtract, np.divide, np.tanh, np.exp
        few, one, x = self.few, work.one, work.pair[0]
        for p_n, (column, sums, rz, r, z, m, n, before, after) in zip(work.forward_turns, self.turns, strict=True):
            dot(column, sums)
            if few:
                expit(rz, rz)
            else:
                exp(rz, rz)
                add(rz, one, rz)
                divide(one, rz, rz)
            multiply(r, m, x)
            add(x, p_n, x)
            tanh(x, n)
            subtract(before, n, x)
            multiply(x, z, x)
            add(x, n, after)

    @staticmethod
    def forward_turns(work: Work) -> list[Any]:
        return [p.reshape(-1) for p in work.projection]

    def backward(self, work: Work, W_hh: Array, gradients: list[Array], arriving: Sequence[Array] | None, options: Any) -> Array:
        dot, add, multiply, subtract = W_hh.T.dot, np.add, np.multiply, np.subtract
        s, k, t2, one = self.gate, work.factors, work.spare[:, :2], work.one
        r, z, m, n = s[:, 0], s[:, 1], s[:, 2], s[:, 3]
        to_r, to_z, to_m, to_n = k[:, 0], k[:, 1], k[:, 2], k[:, 3]
        subtract(one, s[:, :2], t2)  # 1 - r, 1 - z
        multiply(n, n, to_n)
        subtract(one, to_n, to_n)
        multiply(to_n, t2[:, 1], to_n)  # (1 - z) (1 - n^2)
        multiply(to_n, r, to_m)
        multiply(t2[:, 0], m, to_r)
        multiply(to_r, to_m, to_r)  # (1 - z) (1 - n^2) m r (1 - r)
        subtract(self.flat[:-1], n, to_z)
        multiply(to_z, z, to_z)
        multiply(to_z, t2[:, 1], to_z)  # (h - n) z (1 - z)
        k[:, 4] = z
        (d,) = gradients
        column, dh = work.sums[: self.hidden], work.sums[: self.hidden].reshape(-1)
        for t, (factors, da, by_z) in enumerate(work.backward_turns, 1):
            if arriving is not None:
                add(d, arriving[-t], d)
            multiply(factors, d, factors)
            dot(da, column)
            add(dh, by_z, d)
        return k[:, :4].reshape(self.steps, 4 * self.hidden, self.rows)

    def through(self, work: Work, W_hh: Array, sums: Array) -> Array:
        by_z = work.factors[:, 4].reshape(self.steps, self.hidden, self.rows)
        sent: Array = np.matmul(W_hh.T, sums[:, : 3 * self.hidden]) + by_z
        return sent

    @staticmethod
    def backward_turns(work: Work) -> list[Any]:
        return [(k, k[:3].reshape(work.made_for.of(3)), k[4]) for k in work.factors]

    @staticmethod
    def products(d: Array, s: Array, xs: Array, needs: Sequence[bool]) -> Products:
        H, x = d.shape[0] // 4, xs[:, :-1]
        dW = db = db_hh = None
        if needs[0]:
            dW = np.empty((3 * H, x.shape[1]), d.dtype)
            d[: 2 * H].dot(x, dW[: 2 * H])
            d[3 * H :].dot(x, dW[2 * H :])
        if needs[2] or needs[3]:
            sums = d.dot(xs[:, -1])
            db, db_hh = np.concatenate([sums[: 2 * H], sums[3 * H :]]), sums[: 3 * H]
        return [dW, d[: 3 * H].dot(s.T) if needs[1] else None, db, db_hh]

    @staticmethod
    def to_inputs(d: Array, W_ih: Array) -> Array:
        H = d.shape[0] // 4
        dx: Array = d[: 2 * H].T.dot(W_ih[: 2 * H])
        dx += d[3 * H :].T.dot(W_ih[2 * H :])
        return dx


class GruBefore(Block):
    """h_t = (1 - z) n + z h_(t-1), n = tanh(W_in x_t + b_in + W_hn (r h_(t-1)) + b_hn).

    gate: for each step r, z, n; reset: r h_(t-1). The factors are r itself and that of r for the gradient of r h_(t-1), those of z, n and
    h_(t-1) by way of z for the gradient of h_t.
    """

    gates = projected = summed = 3
    factored, multiplied, logistic = 5, 2, 2

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        _, steps, rows, _, hidden, dtype = shape
        self.gate = np.empty((steps, 3, hidden * rows), dtype)
        self.both = np.empty((steps, 2, hidden * rows), dtype)  # h_(t-1), r h_(t-1)
        one, two = shape.of(1), shape.of(2)
        self.turns = [
            (self.columns[t], s[:2].reshape(two), s[:2], s[0], s[1], s[2].reshape(one), s[2], reset, reset.reshape(one),
             self.flat[t], self.flat[t + 1])
            for t, (s, (_, reset)) in enumerate(zip(self.gate, self.both, strict=True))
        ]  # fmt: skip
        self.nbytes += self.gate.nbytes + self.both.nbytes

    @classmethod
    def weights(cls, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, few: bool, options: Any) -> tuple[Array, Array]:
        Wx, U = np.empty((W_ih.shape[0], W_ih.shape[1] + 1), W_ih.dtype), W_hh
        Wx[:, :-1] = W_ih
        np.add(b_ih, b_hh, Wx[:, -1])
        if not few:
            H, U = W_hh.shape[1], W_hh.copy()
            np.negative(Wx[: 2 * H], Wx[: 2 * H])
            np.negative(U[: 2 * H], U[: 2 * H])
        return Wx, U

    def forward(self, work: Work, U: Array, options: Any) -> None:
        add, multiply, subtract, divide, tanh, exp = np.add, np.multiply, np.subtract, np.divide, np.tanh, np.exp
        few, one, x, H = self.few, work.one, work.pair[0], self.hidden
        dot_rz, dot_n = U[: 2 * H].dot, U[2 * H :].dot
        for (p, p_n), (h, sums, rz, r, z, sum_n, n, reset, column, before, after) in zip(work.forward_turns, self.turns, strict=True):
            dot_rz(h, sums)
            add(sums, p, sums)
            if few:
                expit(rz, rz)
            else:
                exp(rz, rz)
                add(rz, one, rz)
                divide(one, rz, rz)
            multiply(r, before, reset)
            dot_n(column, sum_n)
            add(n, p_n, n)
            tanh(n, n)
            subtract(before, n, x)
            multiply(x, z, x)
            add(x, n, after)

    @staticmethod
    def forward_turns(work: Work) -> list[Any]:
        two, H = work.made_for.of(2), work.hidden
        return [(p[: 2 * H].reshape(two), p[2 * H :].reshape(-1)) for p in work.projection]

    def backward(self, work: Work, W_hh: Array, gradients: list[Array], arriving: Sequence[Array] | None, options: Any) -> Array:
        add, multiply, subtract = np.add, np.multiply, np.subtract
        s, k, t2, one, H = self.gate, work.factors, work.spare[:, :2], work.one, self.hidden
        r, z, n, before = s[:, 0], s[:, 1], s[:, 2], self.flat[:-1]
        to_r, to_z, to_n = k[:, 1], k[:, 2], k[:, 3]
        subtract(one, s[:, :2], t2)  # 1 - r, 1 - z
        k[:, 0] = r
        multiply(t2[:, 0], before, to_r)
        multiply(to_r, r, to_r)  # h r (1 - r)
        subtract(before, n, to_z)
        multiply(to_z, z, to_z)
        multiply(to_z, t2[:, 1], to_z)  # (h - n) z (1 - z)
        multiply(n, n, to_n)
        subtract(one, to_n, to_n)
        multiply(to_n, t2[:, 1], to_n)  # (1 - z) (1 - n^2)
        k[:, 4] = z
        (d,), dot_rz, dot_n = gradients, W_hh[: 2 * H].T.dot, W_hh[2 * H :].T.dot
        column, of_reset = d.reshape(work.made_for.of(1)), work.sums[:H]
        flat = of_reset.reshape(-1)
        for t, (by_h, by_reset, rz, sum_n, by_r, by_z) in enumerate(work.backward_turns, 1):
            if arriving is not None:
                add(d, arriving[-t], d)
            multiply(by_h, d, by_h)
            dot_n(sum_n, of_reset)
            multiply(by_reset, flat, by_reset)
            dot_rz(rz, column)
            add(d, by_r, d)
            add(d, by_z, d)
        return k[:, 1:4].reshape(self.steps, 3 * H, self.rows)

    def through(self, work: Work, W_hh: Array, sums: Array) -> Array:
        H, factors = self.hidden, work.factors.reshape(self.steps, -1, self.hidden, self.rows)
        sent: Array = np.matmul(W_hh[: 2 * H].T, sums[:, : 2 * H]) + factors[:, 0] + factors[:, 4]
        return sent

    @staticmethod
    def backward_turns(work: Work) -> list[Any]:
        one, two = work.made_for.of(1), work.made_for.of(2)
        return [(k[2:], k[:2], k[1:3].reshape(two), k[3].reshape(one), k[0], k[4]) for k in work.factors]

    def multiplicands(self) -> Array:
        self.both[:, 0] = self.flat[:-1]
        return self.both.reshape(self.steps, 2 * self.hidden, self.rows)

    @staticmethod
    def products(d: Array, s: Array, xs: Array, needs: Sequence[bool]) -> Products:
        H, dU = d.shape[0] // 3, None
        if needs[1]:
            dU = np.empty((3 * H, H), d.dtype)
            d[: 2 * H].dot(s[:H].T, dU[: 2 * H])
            d[2 * H :].dot(s[H:].T, dU[2 * H :])
        dW, _, db, db_hh = Block.products(d, s, xs, (needs[0], False, needs[2], needs[3]))
        return [dW, dU, db, db_hh]
