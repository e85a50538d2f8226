"""PyTorch's recurrent modules: nn.RNN, nn.LSTM, nn.GRU."""

from __future__ import annotations

import torch

from benchmarks.peers import Step
from benchmarks.problem import CLASSES, Problem

LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def prepare(problem: Problem) -> Step:
    torch.set_num_threads(1)
    weights, H = [torch.tensor(w) for w in problem.weights], problem.workload.H
    network, head = LAYERS[problem.cell](problem.workload.I, H, batch_first=True), torch.nn.Linear(H, CLASSES)
    parameters = [*network.parameters(), *head.parameters()]
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.copy_(weight)
    optimizer = torch.optim.SGD(parameters, lr=problem.learning_rate)
    x, targets = torch.tensor(problem.x), torch.tensor(problem.targets)

    def step() -> float:
        output, _ = network(x)
        loss = torch.nn.functional.cross_entropy(head(output[:, -1]), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
