"""PyTorch's primitive operations: the same ones, in the same order, that this engine records at TRACE (engine/cells.py)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from benchmarks.peers import Step
from benchmarks.problem import Problem

State = tuple[Tensor, ...]


def rnn(x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> State:
    return (torch.tanh(linear(x, W_ih) + b_ih + (linear(state[0], W_hh) + b_hh)),)


def gru(x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> State:
    (h,), H = state, W_hh.shape[1]
    gi = linear(x, W_ih) + b_ih
    gh = linear(h, W_hh) + b_hh
    r = torch.sigmoid(gi[:, :H] + gh[:, :H])
    z = torch.sigmoid(gi[:, H : 2 * H] + gh[:, H : 2 * H])
    n = torch.tanh(gi[:, 2 * H :] + r * gh[:, 2 * H :])
    return ((1 - z) * n + z * h,)


def lstm(x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> State:
    (h, c), H = state, W_hh.shape[1]
    a = linear(x, W_ih) + b_ih + (linear(h, W_hh) + b_hh)
    i = torch.sigmoid(a[:, :H])
    f = torch.sigmoid(a[:, H : 2 * H])
    g = torch.tanh(a[:, 2 * H : 3 * H])
    o = torch.sigmoid(a[:, 3 * H :])
    c = f * c + i * g
    return (o * torch.tanh(c), c)


STEPS = {"rnn": rnn, "gru": gru, "lstm": lstm}


def prepare(problem: Problem) -> Step:
    torch.set_num_threads(1)
    B, T, _, H = problem.workload
    parameters = [torch.tensor(w, requires_grad=True) for w in problem.weights]
    *recurrent, W, b = parameters
    optimizer = torch.optim.SGD(parameters, lr=problem.learning_rate)
    x, targets, advance = torch.tensor(problem.x), torch.tensor(problem.targets), STEPS[problem.cell]

    def step() -> float:
        state: State = (torch.zeros(B, H), torch.zeros(B, H)) if problem.cell == "lstm" else (torch.zeros(B, H),)
        for t in range(T):
            state = advance(x[:, t], state, *recurrent)
        loss = cross_entropy(linear(state[0], W) + b, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
