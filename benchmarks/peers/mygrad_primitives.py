"""MyGrad: the same primitives as engine/cells.py.

guard "on" is its default: recorded arrays are locked against changes, as this engine's are. "off" is what its guide advises for speed.
"""

from __future__ import annotations

from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import sigmoid
from mygrad.nnet.losses import softmax_crossentropy

from benchmarks.peers import Step
from benchmarks.problem import Problem

State = tuple[Any, ...]
ONE = np.float32(1)  # a plain 1 would widen everything after it to float64


def rnn(x: Any, state: State, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> State:
    return (mg.tanh(mg.matmul(x, W_ih.T) + b_ih + (mg.matmul(state[0], W_hh.T) + b_hh)),)


def gru(x: Any, state: State, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> State:
    (h,), H = state, W_hh.shape[1]
    gi = mg.matmul(x, W_ih.T) + b_ih
    gh = mg.matmul(h, W_hh.T) + b_hh
    r = sigmoid(gi[:, :H] + gh[:, :H])
    z = sigmoid(gi[:, H : 2 * H] + gh[:, H : 2 * H])
    n = mg.tanh(gi[:, 2 * H :] + r * gh[:, 2 * H :])
    return ((ONE - z) * n + z * h,)


def lstm(x: Any, state: State, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> State:
    (h, c), H = state, W_hh.shape[1]
    a = mg.matmul(x, W_ih.T) + b_ih + (mg.matmul(h, W_hh.T) + b_hh)
    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H : 2 * H])
    g = mg.tanh(a[:, 2 * H : 3 * H])
    o = sigmoid(a[:, 3 * H :])
    c = f * c + i * g
    return (o * mg.tanh(c), c)


STEPS = {"rnn": rnn, "gru": gru, "lstm": lstm}


def prepare(problem: Problem, *, guard: str) -> Step:
    B, T, _, H = problem.workload
    x, targets, advance = problem.x, problem.targets, STEPS[problem.cell]
    parameters = [mg.tensor(w) for w in problem.weights]
    *recurrent, W, b = parameters

    def step() -> float:
        zeros = np.zeros((B, H), np.float32)
        state: State = (zeros, zeros) if problem.cell == "lstm" else (zeros,)
        for t in range(T):
            state = advance(x[:, t], state, *recurrent)
        loss = softmax_crossentropy(mg.matmul(state[0], W.T) + b, targets)
        loss.backward()
        for parameter in parameters:
            parameter.data -= problem.learning_rate * parameter.grad
        return float(loss.item())

    return step if guard == "on" else mg.mem_guard_off(step)
