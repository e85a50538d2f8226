"""Backpropagation through time by hand: no tape, no tensors, PyTorch's parameters, and all that is known to make numpy fast here.

The algorithm of the engine's fused kernels at its leanest: arrays are (features, rows), so that a gate is a contiguous block; a step's
inputs, a 1 and the state meet all weights in one product; the weights' gradients are one product after the loop; backward, everything
that does not depend on the arriving gradient is computed for many steps at once. All memory and all views of steps are made once, in
``prepare``, for one shape; a step of training allocates next to nothing. Long sequences go backward in pieces that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from benchmarks.peers import Step
from benchmarks.problem import Problem

Array = np.ndarray[Any, Any]
PIECE = 65536  # numbers of one gate that a piece of the backward pass has
FEW = 192  # numbers up to which scipy's logistic function is the quicker one
ONE = np.array(1, np.float32)


class _Bptt:
    """Weights, memory and the parts that the three cells share. factors: of the backward pass; summed: those of the sums.

    met: what the weights of a step meet, (inputs, 1, state) for each step. J: the weights joined likewise.
    """

    def __init__(self, problem: Problem, gates: int, factors: int, summed: int) -> None:
        B, T, I, H = problem.workload  # noqa: E741
        self.size, self.W, self.U, self.b, self.c = (B, T, I, H), *(np.array(w) for w in problem.weights[:4])
        self.met = np.ones((T + 1, I + 1 + H, B), np.float32)
        self.met[0, I + 1 :] = 0
        self.columns, self.h = list(self.met[:, :, 0] if B == 1 else self.met), self.met[:, I + 1 :]
        self.flat = self.h.reshape(T + 1, H * B)
        self.xs = self.met[:-1, : I + 1, 0] if B == 1 else np.ones((T * B, I + 1), np.float32)
        self.J = np.zeros((gates, H, I + 1 + H), np.float32)
        self.joined = self.J.reshape(gates * H, I + 1 + H)
        self.piece = -(-T // -(-T // max(1, PIECE // (H * B))))
        self.k = np.empty((self.piece, factors, H * B), np.float32)
        self.d, self.s = np.empty((summed * H, self.piece * B), np.float32), np.empty((H, self.piece * B), np.float32)

    def shaped(self, a: Array) -> Array:
        """Some blocks of a step for a product."""
        B = self.size[0]
        return a.reshape(-1) if B == 1 else a.reshape(-1, B)

    def place(self, x: Array) -> None:
        """Puts the inputs where products take them."""
        B, T, I, _ = self.size  # noqa: E741
        self.met[:-1, :I] = x.transpose(1, 2, 0)
        if B > 1:
            self.xs.reshape(T, B, I + 1)[:, :, :-1] = x.transpose(1, 0, 2)

    def pieces(self) -> list[tuple[int, int]]:
        T = self.size[1]
        return [(start, min(start + self.piece, T)) for start in range(0, T, self.piece)][::-1]

    def gathered(self, start: int, end: int, sums: Array) -> tuple[Array, Array, Array]:
        """The gradients of the sums and the states before the steps as (features, n), the inputs as (n, features)."""
        B = self.size[0]
        steps, xs = end - start, self.xs[start * B : end * B]
        if B == 1:
            return sums.reshape(steps, -1).T, self.flat[start:end].T, xs
        d, s = self.d[:, : steps * B], self.s[:, : steps * B]
        d.reshape(-1, steps, B)[...] = sums.reshape(steps, -1, B).transpose(1, 0, 2)
        s.reshape(-1, steps, B)[...] = self.h[start:end].transpose(1, 0, 2)
        return d, s, xs

    def forward(self, x: Array) -> Array:
        """The last hidden state, (hidden, rows)."""
        raise NotImplementedError

    def backward(self, dh: Array) -> list[Array]:
        """The gradients of W_ih, W_hh, b_ih, b_hh from that of the last hidden state."""
        raise NotImplementedError


def _products(d: Array, s: Array, xs: Array) -> list[Array]:
    db = d.dot(xs[:, -1])
    return [d.dot(xs[:, :-1]), d.dot(s.T), db, db]


def _added(total: list[Array] | None, new: list[Array]) -> list[Array]:
    return new if total is None else [a + b for a, b in zip(total, new, strict=True)]


class _Rnn(_Bptt):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem, 1, 1, 1)
        self.a = self.shaped(np.empty_like(self.flat[0]))
        self.back = [(k[0], self.shaped(k)) for k in self.k]

    def forward(self, x: Array) -> Array:
        I = self.size[2]  # noqa: E741
        self.place(x)
        J = self.joined
        J[:, :I], J[:, I + 1 :] = self.W, self.U
        np.add(self.b, self.c, J[:, I])
        dot, tanh, a = J.dot, np.tanh, self.a
        flat = a.reshape(-1)
        for column, h_next in zip(self.columns, self.flat[1:], strict=False):
            dot(column, a)
            tanh(flat, h_next)
        return self.h[-1]

    def backward(self, dh: Array) -> list[Array]:
        dot, multiply, total = self.U.T.dot, np.multiply, None
        d, column = dh.reshape(-1), self.shaped(dh)
        for start, end in self.pieces():
            h, k = self.flat[start + 1 : end + 1], self.k[: end - start, 0]
            multiply(h, h, k)
            np.subtract(ONE, k, k)
            for factor, da in self.back[end - start - 1 :: -1]:
                multiply(factor, d, factor)
                dot(da, column)
            total = _added(total, _products(*self.gathered(start, end, k)))
        assert total is not None
        return total


class _Lstm(_Bptt):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem, 4, 6, 4)
        B, T, _, H = self.size
        self.few = 3 * H * B <= FEW
        self.gate = s = np.zeros((T + 1, 6, H * B), np.float32)  # i, f, o, g, c before, tanh(c)
        self.turns = [
            (self.columns[t], self.shaped(s[t, :4]), s[t, :3], s[t, 3], s[t, :2], s[t, 3:5], s[t, 5], s[t, 2], s[t + 1, 4],
             self.flat[t + 1])
            for t in range(T)
        ]  # fmt: skip
        self.spare, self.pair, self.dc = (
            np.empty((self.piece, 3, H * B), np.float32),
            np.empty((2, H * B), np.float32),
            np.empty(H * B, np.float32),
        )
        self.back = [(k[:4], k[4], k[5], self.shaped(k[1:5]), k[0]) for k in self.k]

    def forward(self, x: Array) -> Array:
        I = self.size[2]  # noqa: E741
        self.place(x)
        J = self.J
        for out, given in ((J[:, :, :I], self.W), (J[:, :, I], self.b + self.c), (J[:, :, I + 1 :], self.U)):
            parts = given.reshape(out.shape)
            out[:2], out[2:] = parts[:2], parts[3:1:-1]
        if not self.few:
            np.negative(J[:3], J[:3])
        dot, add, multiply, divide, tanh, exp = self.joined.dot, np.add, np.multiply, np.divide, np.tanh, np.exp
        few, pair = self.few, self.pair
        first, second = pair
        for column, sums, ifo, g, i_f, g_c, tanh_c, o, c_next, h_next in self.turns:
            dot(column, sums)
            if few:
                expit(ifo, ifo)
            else:
                exp(ifo, ifo)
                add(ifo, ONE, ifo)
                divide(ONE, ifo, ifo)
            tanh(g, g)
            multiply(i_f, g_c, pair)
            add(first, second, c_next)
            tanh(c_next, tanh_c)
            multiply(o, tanh_c, h_next)
        return self.h[-1]

    def backward(self, dh: Array) -> list[Array]:
        dot, add, multiply, subtract, total = self.U.T.dot, np.add, np.multiply, np.subtract, None
        d, column, dc = dh.reshape(-1), self.shaped(dh), self.dc
        carried: Array = np.zeros_like(dc)
        for start, end in self.pieces():
            s, k, t = self.gate[start:end], self.k[: end - start], self.spare[: end - start]
            subtract(ONE, s[:, :3], t)
            multiply(t, s[:, :3], t)
            multiply(t[:, :2], s[:, 3:5], k[:, 1:3])
            multiply(t[:, 2], s[:, 5], k[:, 4])
            squares, pairs = s[:, 3:6:2], k[:, 3:6:2]
            multiply(squares, squares, pairs)
            subtract(ONE, pairs, pairs)
            multiply(pairs, s[:, 0:3:2], pairs)
            k[:, 0] = s[:, 1]
            for by_c, by_o, by_h, da, before in self.back[end - start - 1 :: -1]:
                multiply(by_o, d, by_o)
                multiply(by_h, d, by_h)
                add(by_h, carried, dc)
                multiply(by_c, dc, by_c)
                dot(da, column)
                carried = before
            carried = carried.copy()
            total = _added(total, _products(*self.gathered(start, end, k[:, 1:5])))
        assert total is not None
        return total


class _Gru(_Bptt):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem, 3, 5, 4)
        B, T, I, H = self.size  # noqa: E741
        self.few = 2 * H * B <= FEW
        self.Wn, self.projection = np.empty((H, I + 1), np.float32), np.empty((T, H, B), np.float32)
        self.gate = np.zeros((T, 4, H * B), np.float32)  # r, z, m, n
        self.turns = [
            (p.reshape(-1), self.columns[t], self.shaped(s[:3]), s[:2], *s, self.flat[t], self.flat[t + 1])
            for t, (p, s) in enumerate(zip(self.projection, self.gate, strict=True))
        ]
        self.spare, self.x = np.empty((self.piece, 2, H * B), np.float32), np.empty(H * B, np.float32)
        self.back = [(k, self.shaped(k[:3]), k[4]) for k in self.k]

    def forward(self, x: Array) -> Array:
        B, T, I, H = self.size  # noqa: E741
        self.place(x)
        J, W, b, c, Wn = self.joined, self.W, self.b, self.c, self.Wn
        J[: 2 * H, :I], J[:, I + 1 :] = W[: 2 * H], self.U
        np.add(b[: 2 * H], c[: 2 * H], J[: 2 * H, I])
        J[2 * H :, I] = c[2 * H :]
        Wn[:, :-1], Wn[:, -1] = W[2 * H :], b[2 * H :]
        if not self.few:
            np.negative(J[: 2 * H], J[: 2 * H])
        if B == 1:
            self.xs.dot(Wn.T, self.projection[:, :, 0])
        else:
            np.matmul(Wn, self.xs.reshape(T, B, I + 1).transpose(0, 2, 1), self.projection)
        dot, add, multiply, subtract, divide, tanh, exp = J.dot, np.add, np.multiply, np.subtract, np.divide, np.tanh, np.exp
        few, v = self.few, self.x
        for p_n, column, sums, rz, r, z, m, n, before, after in self.turns:
            dot(column, sums)
            if few:
                expit(rz, rz)
            else:
                exp(rz, rz)
                add(rz, ONE, rz)
                divide(ONE, rz, rz)
            multiply(r, m, v)
            add(v, p_n, v)
            tanh(v, n)
            subtract(before, n, v)
            multiply(v, z, v)
            add(v, n, after)
        return self.h[-1]

    def backward(self, dh: Array) -> list[Array]:
        dot, add, multiply, subtract, total = self.U.T.dot, np.add, np.multiply, np.subtract, None
        H, d = self.size[3], dh.reshape(-1)
        column = self.shaped(np.empty_like(self.flat[0]))
        through = column.reshape(-1)
        for start, end in self.pieces():
            s, k, t = self.gate[start:end], self.k[: end - start], self.spare[: end - start]
            r, z, m, n = s[:, 0], s[:, 1], s[:, 2], s[:, 3]
            subtract(ONE, s[:, :2], t)
            multiply(n, n, k[:, 3])
            subtract(ONE, k[:, 3], k[:, 3])
            multiply(k[:, 3], t[:, 1], k[:, 3])
            multiply(k[:, 3], r, k[:, 2])
            multiply(t[:, 0], m, k[:, 0])
            multiply(k[:, 0], k[:, 2], k[:, 0])
            subtract(self.flat[start:end], n, k[:, 1])
            multiply(k[:, 1], z, k[:, 1])
            multiply(k[:, 1], t[:, 1], k[:, 1])
            k[:, 4] = z
            for factors, da, by_z in self.back[end - start - 1 :: -1]:
                multiply(factors, d, factors)
                dot(da, column)
                add(through, by_z, d)
            d4, before, xs = self.gathered(start, end, k[:, :4])
            db = d4.dot(xs[:, -1])
            dW = np.empty_like(self.W)
            d4[: 2 * H].dot(xs[:, :-1], dW[: 2 * H])
            d4[3 * H :].dot(xs[:, :-1], dW[2 * H :])
            total = _added(total, [dW, d4[: 3 * H].dot(before.T), np.concatenate([db[: 2 * H], db[3 * H :]]), db[: 3 * H]])
        assert total is not None
        return total


CELLS: dict[str, Callable[[Problem], _Bptt]] = {"rnn": _Rnn, "lstm": _Lstm, "gru": _Gru}


def prepare(problem: Problem) -> Step:
    cell, x, targets = CELLS[problem.cell](problem), problem.x, problem.targets
    W, b = (np.array(w) for w in problem.weights[4:])
    rate, rows = np.float32(problem.learning_rate), np.arange(len(targets))

    def step() -> float:
        with np.errstate(over="ignore"):  # exp in the logistic function, to the right result
            h = cell.forward(x)
        z = np.dot(W, h)
        z += b[:, None]
        z -= z.max(axis=0)
        e = np.exp(z)
        total = e.sum(axis=0)
        loss = float((np.log(total) - z[targets, rows]).mean())
        e /= total
        e[targets, rows] -= 1
        e /= np.float32(len(targets))
        gradients = [*cell.backward(np.dot(W.T, e)), np.dot(e, h.T), e.sum(axis=1)]
        for parameter, gradient in zip((cell.W, cell.U, cell.b, cell.c, W, b), gradients, strict=True):
            parameter -= rate * gradient
        return loss

    return step
