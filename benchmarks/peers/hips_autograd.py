"""HIPS autograd: the same primitives as engine/cells.py, through its numpy."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
from autograd import value_and_grad
from autograd.scipy.special import expit, logsumexp

from benchmarks.peers import Step
from benchmarks.problem import Problem

State = tuple[Any, ...]


def rnn(x: Any, state: State, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> State:
    return (np.tanh(x @ W_ih.T + b_ih + (state[0] @ W_hh.T + b_hh)),)


def gru(x: Any, state: State, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> State:
    (h,), H = state, W_hh.shape[1]
    gi = x @ W_ih.T + b_ih
    gh = h @ W_hh.T + b_hh
    r = expit(gi[:, :H] + gh[:, :H])
    z = expit(gi[:, H : 2 * H] + gh[:, H : 2 * H])
    n = np.tanh(gi[:, 2 * H :] + r * gh[:, 2 * H :])
    return ((1 - z) * n + z * h,)


def lstm(x: Any, state: State, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> State:
    (h, c), H = state, W_hh.shape[1]
    a = x @ W_ih.T + b_ih + (h @ W_hh.T + b_hh)
    i = expit(a[:, :H])
    f = expit(a[:, H : 2 * H])
    g = np.tanh(a[:, 2 * H : 3 * H])
    o = expit(a[:, 3 * H :])
    c = f * c + i * g
    return (o * np.tanh(c), c)


STEPS = {"rnn": rnn, "gru": gru, "lstm": lstm}


def prepare(problem: Problem) -> Step:
    B, T, _, H = problem.workload
    x, targets, advance, rows = problem.x, problem.targets, STEPS[problem.cell], np.arange(B)
    parameters = [w.copy() for w in problem.weights]

    def loss_of(weights: Any) -> Any:
        *recurrent, W, b = weights
        zeros = np.zeros((B, H), np.float32)
        state: State = (zeros, zeros) if problem.cell == "lstm" else (zeros,)
        for t in range(T):
            state = advance(x[:, t], state, *recurrent)
        logits = state[0] @ W.T + b
        return np.mean(logsumexp(logits, axis=1) - logits[rows, targets])

    differentiate = value_and_grad(loss_of)

    def step() -> float:
        loss, gradients = differentiate(parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= problem.learning_rate * gradient
        return float(loss)

    return step
