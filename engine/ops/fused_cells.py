"""The fused RNN and LSTM, and the table of the fused cells. See `fused_block` for how they are built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import expit

from engine.ops.fused_block import Block, Shape, Work
from engine.ops.fused_gru import Gru, GruBefore
from engine.ops.op import Array


class Rnn(Block):
    """h_t = tanh(a) or max(a, 0), a = W_ih x_t + b_ih + W_hh h_(t-1) + b_hh."""

    gates = factored = summed = 1
    projected, joined = 0, True

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.after = list(self.flat[1:])

    @classmethod
    def weights(cls, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, few: bool, options: Any) -> tuple[None, Array]:
        (rows, hidden), features = W_hh.shape, W_ih.shape[1]
        U = np.empty((rows, features + 1 + hidden), W_hh.dtype)
        U[:, :features] = W_ih
        np.add(b_ih, b_hh, U[:, features])
        U[:, features + 1 :] = W_hh
        return None, U

    def forward(self, work: Work, U: Array, options: Any) -> None:
        dot, tanh, maximum, a = U.dot, np.tanh, np.maximum, work.sums[: self.hidden]
        flat = a.reshape(-1)
        if options["nonlinearity"] == "tanh":
            for column, h_next in zip(self.columns, self.after, strict=False):
                dot(column, a)
                tanh(flat, h_next)
        else:
            zero = np.array(0, a.dtype)
            for column, h_next in zip(self.columns, self.after, strict=False):
                dot(column, a)
                maximum(flat, zero, out=h_next)

    def backward(self, work: Work, W_hh: Array, gradients: list[Array], arriving: Sequence[Array] | None, options: Any) -> Array:
        dot, add, multiply = W_hh.T.dot, np.add, np.multiply
        h, factors = self.flat[1:], work.factors[:, 0]
        if options["nonlinearity"] == "tanh":  # 1 - h^2
            multiply(h, h, factors)
            np.subtract(work.one, factors, factors)
        else:
            np.sign(h, factors)  # 1 where h > 0; at 0 the subgradient is 0
        (d,) = gradients
        column = d.reshape(work.made_for.of(1))
        for t, (factor, da) in enumerate(work.backward_turns, 1):
            if arriving is not None:
                add(d, arriving[-t], d)
            multiply(factor, d, factor)
            dot(da, column)
        return work.factors.reshape(self.steps, self.hidden, self.rows)

    @staticmethod
    def backward_turns(work: Work) -> list[Any]:
        return [(k[0], k.reshape(work.made_for.of(1))) for k in work.factors]


class Lstm(Block):
    """i, f, o and g are gates; c_t = f c_(t-1) + i g; h_t = o tanh(c_t).

    gate: for each step i, f, o, g, c_(t-1), tanh(c_t), so that [i, f] [g, c] is one product; one step more for the last c.
    The factors are those of f, i, f, g for the gradient of c_t, of o and c_t for that of h_t, in this order: the middle four, in PyTorch's
    order, become the gradients of the sums, the first that of c_(t-1).
    """

    gates = summed = 4
    projected, factored, states, logistic, joined = 0, 6, 2, 3, True

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        _, steps, rows, _, hidden, dtype = shape
        self.gate = gate = np.empty((steps + 1, 6, hidden * rows), dtype)
        four = shape.of(4)
        self.turns = [
            (self.columns[t], s[:4].reshape(four), s[:3], s[3], s[:2], s[3:5], s[5], s[2], gate[t + 1, 4], self.flat[t + 1])
            for t, s in enumerate(gate[:-1])
        ]
        self.nbytes += gate.nbytes

    def state(self, t: int) -> list[Array]:
        return [self.h[t], self.gate[t, 4].reshape(self.hidden, self.rows)]

    @classmethod
    def weights(cls, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, few: bool, options: Any) -> tuple[None, Array]:
        """Gates in the order i, f, o, g."""
        (rows, hidden), features = W_hh.shape, W_ih.shape[1]
        U = np.empty((4, hidden, features + 1 + hidden), W_hh.dtype)
        for out, given in ((U[:, :, :features], W_ih), (U[:, :, features], b_ih + b_hh), (U[:, :, features + 1 :], W_hh)):
            parts = given.reshape(out.shape)
            out[:2] = parts[:2]
            out[2:] = parts[3:1:-1]
        if not few:
            np.negative(U[:3], U[:3])
        return None, U.reshape(rows, features + 1 + hidden)

    def forward(self, work: Work, U: Array, options: Any) -> None:
        dot, add, multiply, divide, tanh, exp = U.dot, np.add, np.multiply, np.divide, np.tanh, np.exp
        few, one, pair = self.few, work.one, work.pair
        first, second = pair
        for column, sums, ifo, g, i_f, g_c, tanh_c, o, c_next, h_next in self.turns:
            dot(column, sums)
            if few:
                expit(ifo, ifo)
            else:
                exp(ifo, ifo)
                add(ifo, one, ifo)
                divide(one, ifo, ifo)
            tanh(g, g)
            multiply(i_f, g_c, pair)
            add(first, second, c_next)
            tanh(c_next, tanh_c)
            multiply(o, tanh_c, h_next)

    def backward(self, work: Work, W_hh: Array, gradients: list[Array], arriving: Sequence[Array] | None, options: Any) -> Array:
        dot, add, multiply, subtract = W_hh.T.dot, np.add, np.multiply, np.subtract
        s, k, t3, one = self.gate[:-1], work.factors, work.spare, work.one
        subtract(one, s[:, :3], t3)
        multiply(t3, s[:, :3], t3)
        multiply(t3[:, :2], s[:, 3:5], k[:, 1:3])  # i (1 - i) g, f (1 - f) c
        multiply(t3[:, 2], s[:, 5], k[:, 4])  # o (1 - o) tanh(c)
        g_tanh, to_g_c = s[:, 3:6:2], k[:, 3:6:2]
        multiply(g_tanh, g_tanh, to_g_c)
        subtract(one, to_g_c, to_g_c)
        multiply(to_g_c, s[:, 0:3:2], to_g_c)  # i (1 - g^2), o (1 - tanh(c)^2)
        k[:, 0] = s[:, 1]
        dh, dc = gradients
        column, carried = dh.reshape(work.made_for.of(1)), dc
        for t, (by_c, by_o, by_h, da, before) in enumerate(work.backward_turns, 1):
            if arriving is not None:
                add(dh, arriving[-t], dh)
            multiply(by_o, dh, by_o)
            multiply(by_h, dh, by_h)
            add(by_h, carried, dc)
            multiply(by_c, dc, by_c)
            dot(da, column)
            carried = before
        dc[...] = carried
        return k[:, 1:5].reshape(self.steps, 4 * self.hidden, self.rows)

    @staticmethod
    def backward_turns(work: Work) -> list[Any]:
        return [(k[:4], k[4], k[5], k[1:5].reshape(work.made_for.of(4)), k[0]) for k in work.factors]


CELLS: Mapping[str, type[Block]] = MappingProxyType({"rnn": Rnn, "lstm": Lstm, "gru": Gru, "gru_before": GruBefore})
