"""Graphs as another program would record them, of any size: a recurrent network of scalars, written out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any


def recurrent(nodes: int, hidden: int = 4, scopes: bool = False) -> dict[str, Any]:
    """A graph program of about so many nodes, never more. scopes: a scope a time step, and within it one a hidden unit."""
    draw = random.Random(1)
    graph = _Graph(scopes)
    weights = [[graph.leaf(f"w_{i}_{j}", draw.gauss(0, 0.5), "parameter") for j in range(hidden)] for i in range(hidden)]
    biases = [graph.leaf(f"b_{i}", 0.1, "parameter") for i in range(hidden)]
    state = [graph.leaf(f"h_0_{i}", 0.0, "input") for i in range(hidden)]
    step = hidden * (2 * hidden + 2) + 1
    for t in range(1, (nodes - hidden * (hidden + 2) - hidden) // step + 1):
        x = graph.leaf(f"x_{t}", draw.gauss(0, 1), "input")
        following = []
        for i in range(hidden):
            scope = f"rnn/t={t}/h{i}"
            total = x
            for j in range(hidden):
                product = graph.op(f"m_{t}_{i}_{j}", "mul", (weights[i][j], state[j]), scope)
                total = graph.op(f"s_{t}_{i}_{j}", "add", (total, product), scope)
            total = graph.op(f"a_{t}_{i}", "add", (total, biases[i]), scope)
            following.append(graph.op(f"h_{t}_{i}", "tanh", (total,), scope))
        state = following
    total = state[0]
    for i in range(1, hidden):
        total = graph.op(f"l_{i}", "add", (total, state[i]), "")
    graph.op("L", "mul", (total, total), "")
    return {"kind": "graph", "nodes": graph.nodes, "edges": graph.edges, "loss": "L"}


class _Graph:
    def __init__(self, scopes: bool) -> None:
        self.scopes = scopes
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []

    def leaf(self, name: str, value: float, role: str) -> str:
        self.nodes.append({"id": name, "value": value, "role": role})
        return name

    def op(self, name: str, op: str, inputs: Sequence[str], scope: str) -> str:
        self.nodes.append({"id": name, "op": op, "scope": scope if self.scopes else ""})
        self.edges.extend({"from": source, "to": name, "port": port} for port, source in enumerate(inputs))
        return name
