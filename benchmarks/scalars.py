"""Graphs of scalars: this engine and micrograd, time a node."""

from __future__ import annotations

import importlib.metadata
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.agreement import Disagreement
from benchmarks.report import Goal, Section, Table
from benchmarks.timing import Plan, call, interleaved
from engine import Tape, Tensor

TEXT = """\
Every number is a node of its own, in float64. *Network*: micrograd's demonstration, a perceptron 2-16-16-1 with relu on eight points,
summed; *chain*: products, sums and relus, one after another. Both engines evaluate the same Python expression over leaves of theirs;
their results and gradients are compared before anything is timed. Nanoseconds a node (leaves included), forward and backward; this engine
keeps provenance (TRACE: scope, source line and every contribution), micrograd keeps none. micrograd has no tanh and goes back by
recursion, so the chain ends below Python's limit."""

Expression = Callable[[Sequence[Any]], Any]


def network(leaves: Sequence[Any]) -> Any:
    """The sum of a perceptron's outputs: 16 coordinates of eight points first, then weights and biases."""
    points, rest = [leaves[i : i + 2] for i in range(0, 16, 2)], iter(leaves[16:])
    layers = [[([next(rest) for _ in range(n)], next(rest)) for _ in range(m)] for n, m in ((2, 16), (16, 16), (16, 1))]
    total = None
    for x in points:
        for k, layer in enumerate(layers):
            outputs = []
            for weights, bias in layer:
                a = bias
                for weight, value in zip(weights, x, strict=True):
                    a = a + weight * value
                outputs.append(a if k == 2 else a.relu())
            x = outputs
        total = x[0] if total is None else total + x[0]
    return total


def chain(leaves: Sequence[Any]) -> Any:
    """y = relu(y w + b), over and over."""
    y, w, b = leaves
    for _ in range(250):
        y = (y * w + b).relu()
    return y


NETWORK = 16 + 16 * 3 + 16 * 17 + 17


def numbers(count: int) -> list[float]:
    generator = random.Random(5)
    return [generator.uniform(-1, 1) for _ in range(count)]


EXPRESSIONS: dict[str, tuple[Expression, list[float]]] = {"network": (network, numbers(NETWORK)), "chain": (chain, [0.5, 0.9, 0.2])}


def here(expression: Expression, values: Sequence[float], level: str) -> Callable[[], list[float]]:
    """This engine: builds the graph anew from fresh leaves, goes back, returns the result and the leaves' gradients."""

    def step() -> list[float]:
        leaves = [Tensor(v, requires_grad=True) for v in values]
        with Tape(level):
            result = expression(leaves)
            result.backward()
        return [float(result), *(float(leaf.grad) for leaf in leaves)]

    return step


def micrograd(expression: Expression, values: Sequence[float]) -> Callable[[], list[float]]:
    """The same with micrograd."""
    from micrograd.engine import Value

    def step() -> list[float]:
        leaves = [Value(v) for v in values]
        result = expression(leaves)
        result.backward()
        return [result.data, *(leaf.grad for leaf in leaves)]

    return step


def nodes(expression: Expression, values: Sequence[float]) -> int:
    """How many nodes the graph has."""
    with Tape("GRAD") as tape:
        expression([Tensor(v, requires_grad=True) for v in values])
    return len(tape)


def contenders(name: str) -> dict[str, Callable[[], list[float]]]:
    """The steps to compare on one expression; micrograd's where it is installed."""
    expression, values = EXPRESSIONS[name]
    found = {"GRAD": here(expression, values, "GRAD"), "TRACE": here(expression, values, "TRACE")}
    try:
        importlib.metadata.version("micrograd")
    except importlib.metadata.PackageNotFoundError:
        return found
    return {**found, "micrograd": micrograd(expression, values)}


def disagreements(name: str) -> list[str]:
    """One sentence a contender whose result or gradients differ from the first one's."""
    results = {key: step() for key, step in contenders(name).items()}
    first = next(iter(results.values()))
    return [f"{key}: {name} of scalars: result or gradients differ" for key, found in results.items()
            if not np.allclose(found, first, rtol=1e-10, atol=1e-12)]  # fmt: skip


def measure(plan: Plan) -> Section:
    """Time a node on both expressions."""
    rows, goals, notes = [], [], []
    for name, (expression, values) in EXPRESSIONS.items():
        if wrong := disagreements(name):
            raise Disagreement("\n".join(wrong))
        count = nodes(expression, values)
        timings = interleaved({key: call(step) for key, step in contenders(name).items()}, plan)
        each = {key: timing.median / count * 1e9 for key, timing in timings.items()}
        rows.append([name, str(count), *(f"{each[key]:.0f}" if key in each else "-" for key in ("GRAD", "TRACE", "micrograd"))])
        if "micrograd" in each:
            goals += [Goal(f"scalar {name}: {level} / micrograd", each[level] / each["micrograd"], 1.0) for level in ("TRACE", "GRAD")]
    if not goals:
        notes.append("micrograd: not installed")
    header = ["ns a node", "nodes", "this engine, GRAD", "this engine, TRACE", "micrograd"]
    return Section("Scalars", TEXT, [Table(header, rows)], goals, notes)
