"""A loop over PyTorch's cells: nn.RNNCell, nn.LSTMCell, nn.GRUCell."""

from __future__ import annotations

import torch

from benchmarks.peers import Step
from benchmarks.problem import CLASSES, Problem

CELLS = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}


def prepare(problem: Problem) -> Step:
    torch.set_num_threads(1)
    B, T, I, H = problem.workload  # noqa: E741
    cell, head = CELLS[problem.cell](I, H), torch.nn.Linear(H, CLASSES)
    parameters = [*cell.parameters(), *head.parameters()]
    with torch.no_grad():
        for parameter, weight in zip(parameters, problem.weights, strict=True):
            parameter.copy_(torch.tensor(weight))
    optimizer = torch.optim.SGD(parameters, lr=problem.learning_rate)
    x, targets = torch.tensor(problem.x), torch.tensor(problem.targets)

    def step() -> float:
        h = c = torch.zeros(B, H)
        for t in range(T):
            if problem.cell == "lstm":
                h, c = cell(x[:, t], (h, c))
            else:
                h = cell(x[:, t], h)
        loss = torch.nn.functional.cross_entropy(head(h), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
