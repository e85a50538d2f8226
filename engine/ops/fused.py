"""Fused recurrent layers: one op runs a whole sequence, for training at full speed.

Each is the same definition as the primitive form in `engine.nn.recurrent`, proved equal by test. Rows are sequences sorted by falling
length: at step t only the first ``counts[t]`` rows take part, so padding is never computed with. The projection of the inputs is
one product before the loop, the weights' gradients are one product after it.

All take ``x`` (time, batch, features), the initial state(s) (batch, hidden) and PyTorch's four parameters, and give every state:
(time, batch, hidden), for the LSTM (2, time, batch, hidden) with hidden states first; zeros where a sequence has ended.
Gate order and formulas are PyTorch's (torch.nn.RNN, LSTM, GRU; the GRU's reset after the product, as cuDNN).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit

from engine.ops.op import Array, Op, Record, register


def counts_of(lengths: Sequence[int] | None, steps: int, batch: int) -> list[int]:
    """How many rows take part at each step. Raises ValueError unless lengths fall and fit."""
    if lengths is None:
        return [batch] * steps
    if len(lengths) != batch or any(n < 1 or n > steps for n in lengths) or any(b > a for a, b in pairwise(lengths)):
        raise ValueError(
            f"lengths {list(lengths)} for {batch} sequences of at most {steps} steps; expected {batch} falling lengths in 1..{steps}"
        )
    return [sum(1 for n in lengths if n > t) for t in range(steps)]


def _prepare(x: Array, lengths: Sequence[int] | None) -> tuple[Array, list[int]]:
    counts = counts_of(lengths, x.shape[0], x.shape[1])
    if counts[-1] != x.shape[1]:  # what lies in the padding must not reach the weights' gradients, not even as 0 * NaN
        x = x.copy()
        for t, n in enumerate(counts):
            x[t, n:] = 0
    return x, counts


def _project(x: Array, W: Array, b: Array) -> Array:
    steps, batch, features = x.shape
    y: Array = (x.reshape(steps * batch, features) @ W.T + b).reshape(steps, batch, W.shape[0])
    return y


def _previous(h0: Array, hs: Array) -> Array:
    """The state before each step, (time, batch, hidden)."""
    return np.concatenate([h0[None], hs[:-1]])


def _gradients(dgi: Array, dgh: Array, x: Array, previous: Array, W_ih: Array, needs: Sequence[bool]) -> tuple[Any, Any, Any, Any, Any]:
    """Contributions to x, W_ih, W_hh, b_ih, b_hh from those to both projections."""
    gi, gh = dgi.reshape(-1, dgi.shape[-1]), dgh.reshape(-1, dgh.shape[-1])
    dx = (gi @ W_ih).reshape(x.shape) if needs[0] else None
    return dx, gi.T @ x.reshape(-1, x.shape[-1]), gh.T @ previous.reshape(-1, previous.shape[-1]), gi.sum(0), gh.sum(0)


def _rnn(x: Array, h0: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, *, lengths: Sequence[int] | None,
         nonlinearity: str) -> tuple[Array, Any]:  # fmt: skip
    x, counts = _prepare(x, lengths)
    pre = _project(x, W_ih, b_ih + b_hh)
    hs, U, h = np.zeros((*x.shape[:2], h0.shape[1]), dtype=pre.dtype), W_hh.T, h0
    for t, n in enumerate(counts):
        a = h[:n] @ U
        a += pre[t, :n]
        h = np.tanh(a, out=hs[t, :n]) if nonlinearity == "tanh" else np.maximum(a, 0, out=hs[t, :n])
    return hs, (x, counts)


def _rnn_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    _, h0, W_ih, W_hh, _, _ = record.inputs
    hs, (x, counts) = record.output, record.residuals
    slope = 1 - hs * hs if record.attributes["nonlinearity"] == "tanh" else hs > 0
    da, carry = np.zeros_like(hs), np.zeros_like(h0)
    for t in range(len(counts) - 1, -1, -1):
        n = counts[t]
        np.add(g[t, :n], carry[:n], out=da[t, :n])
        da[t, :n] *= slope[t, :n]
        np.matmul(da[t, :n], W_hh, out=carry[:n])
    dx, dW, dU, db, dbh = _gradients(da, da, x, _previous(h0, hs), W_ih, record.needs)
    return [dx, carry, dW, dU, db, dbh]


def _lstm(x: Array, h0: Array, c0: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, *,
          lengths: Sequence[int] | None) -> tuple[Array, Any]:  # fmt: skip
    x, counts = _prepare(x, lengths)
    pre = _project(x, W_ih, b_ih + b_hh)
    steps, batch, H = x.shape[0], x.shape[1], h0.shape[1]
    states, gates, tanh_c = (
        np.zeros((2, steps, batch, H), dtype=pre.dtype),
        np.zeros_like(pre),
        np.zeros((steps, batch, H), dtype=pre.dtype),
    )
    U, h, c = W_hh.T, h0, c0
    for t, n in enumerate(counts):
        a = h[:n] @ U
        a += pre[t, :n]
        s = gates[t, :n]
        expit(a[:, : 2 * H], out=s[:, : 2 * H])
        np.tanh(a[:, 2 * H : 3 * H], out=s[:, 2 * H : 3 * H])
        expit(a[:, 3 * H :], out=s[:, 3 * H :])
        c = np.add(s[:, H : 2 * H] * c[:n], s[:, :H] * s[:, 2 * H : 3 * H], out=states[1, t, :n])
        h = np.multiply(s[:, 3 * H :], np.tanh(c, out=tanh_c[t, :n]), out=states[0, t, :n])
    return states, (x, counts, gates, tanh_c)


def _lstm_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    _, h0, c0, W_ih, W_hh, _, _ = record.inputs
    states, (x, counts, gates, tanh_c) = record.output, record.residuals
    H = h0.shape[1]
    before = _previous(c0, states[1])
    da, carry, carry_c = np.zeros_like(gates), np.zeros_like(h0), np.zeros_like(c0)
    for t in range(len(counts) - 1, -1, -1):
        n = counts[t]
        i, f, c_in, o = (gates[t, :n, k * H : (k + 1) * H] for k in range(4))
        dh = g[0, t, :n] + carry[:n]
        dc = g[1, t, :n] + carry_c[:n] + dh * o * (1 - tanh_c[t, :n] ** 2)
        d = da[t, :n]
        d[:, :H] = dc * c_in * i * (1 - i)
        d[:, H : 2 * H] = dc * before[t, :n] * f * (1 - f)
        d[:, 2 * H : 3 * H] = dc * i * (1 - c_in**2)
        d[:, 3 * H :] = dh * tanh_c[t, :n] * o * (1 - o)
        carry_c[:n] = dc * f
        np.matmul(d, W_hh, out=carry[:n])
    dx, dW, dU, db, dbh = _gradients(da, da, x, _previous(h0, states[0]), W_ih, record.needs)
    return [dx, carry, carry_c, dW, dU, db, dbh]


def _gru(x: Array, h0: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, *, lengths: Sequence[int] | None) -> tuple[Array, Any]:
    x, counts = _prepare(x, lengths)
    pre = _project(x, W_ih, b_ih)
    steps, batch, H = x.shape[0], x.shape[1], h0.shape[1]
    hs, gates = np.zeros((steps, batch, H), dtype=pre.dtype), np.zeros((steps, batch, 4 * H), dtype=pre.dtype)  # r, z, n, U_n h + b
    U, h = W_hh.T, h0
    for t, k in enumerate(counts):
        gh = h[:k] @ U
        gh += b_hh
        s = gates[t, :k]
        expit(pre[t, :k, : 2 * H] + gh[:, : 2 * H], out=s[:, : 2 * H])
        s[:, 3 * H :] = gh[:, 2 * H :]
        n = np.tanh(pre[t, :k, 2 * H :] + s[:, :H] * gh[:, 2 * H :], out=s[:, 2 * H : 3 * H])
        z = s[:, H : 2 * H]
        h = np.add((1 - z) * n, z * h[:k], out=hs[t, :k])
    return hs, (x, counts, gates)


def _gru_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    _, h0, W_ih, W_hh, _, _ = record.inputs
    hs, (x, counts, gates) = record.output, record.residuals
    H = h0.shape[1]
    previous = _previous(h0, hs)
    dgi = np.zeros((*hs.shape[:2], 3 * H), dtype=hs.dtype)
    dgh, carry = np.zeros_like(dgi), np.zeros_like(h0)
    for t in range(len(counts) - 1, -1, -1):
        k = counts[t]
        r, z, n, gh_n = (gates[t, :k, j * H : (j + 1) * H] for j in range(4))
        d = g[t, :k] + carry[:k]
        dn = d * (1 - z) * (1 - n * n)
        di, dh = dgi[t, :k], dgh[t, :k]
        di[:, :H] = dn * gh_n * r * (1 - r)
        di[:, H : 2 * H] = d * (previous[t, :k] - n) * z * (1 - z)
        di[:, 2 * H :] = dn
        dh[:, : 2 * H] = di[:, : 2 * H]
        np.multiply(dn, r, out=dh[:, 2 * H :])
        np.matmul(dh, W_hh, out=carry[:k])
        carry[:k] += d * z
    dx, dW, dU, db, dbh = _gradients(dgi, dgh, x, previous, W_ih, record.needs)
    return [dx, carry, dW, dU, db, dbh]


_PARAMETERS = ("W_ih", "W_hh", "b_ih", "b_hh")
register(Op("rnn_fused", "structured", ("x", "h0", *_PARAMETERS), _rnn, _rnn_vjp, None, (), hidden=True))
register(Op("lstm_fused", "structured", ("x", "h0", "c0", *_PARAMETERS), _lstm, _lstm_vjp, None, (), hidden=True))
register(Op("gru_fused", "structured", ("x", "h0", *_PARAMETERS), _gru, _gru_vjp, None, (), hidden=True))


def _last_step(hs: Array, *, lengths: Sequence[int] | None) -> Array:
    if lengths is None:
        last: Array = hs[-1]
        return last
    return hs[np.asarray(lengths, dtype=np.int64) - 1, np.arange(hs.shape[1])]


def _last_step_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    hs, lengths = record.inputs[0], record.attributes["lengths"]
    d = np.zeros_like(hs)
    if lengths is None:
        d[-1] = g
    else:
        d[np.asarray(lengths, dtype=np.int64) - 1, np.arange(hs.shape[1])] = g
    return [d]


register(Op("last_step", "structured", ("hs",), _last_step, _last_step_vjp, None, (), hidden=True))
