"""What the engine costs when it records nothing: level OFF against plain numpy calls."""

from __future__ import annotations

from timeit import Timer
from typing import Any

import numpy as np
from scipy.special import expit

from benchmarks.report import Goal, Section, Table
from benchmarks.timing import Plan, interleaved
from engine import Tape, Tensor

TEXT = """\
The same calls on tensors inside `Tape("OFF")` and on numpy arrays, float32, on a small array (1, 16) and a large one (256, 256);
microseconds a call. The most that is allowed is numpy's time, 10 % and 0.5 microseconds."""

# op: on tensors, the plain call
CALLS = {
    "add": ("x + y", "a + b"),
    "mul": ("x * y", "a * b"),
    "tanh": ("x.tanh()", "np.tanh(a)"),
    "sigmoid": ("x.sigmoid()", "expit(a)"),
    "linear": ("apply('linear', x, w)", "a @ m.T"),
    "matmul": ("x @ w", "a @ m"),
    "sum": ("x.sum()", "a.sum()"),
    "reshape": ("x.reshape(-1)", "a.reshape(-1)"),
    "index": ("x[:, 2:]", "a[:, 2:]"),
}
SHAPES = ((1, 16), (256, 256))


def names(shape: tuple[int, int]) -> dict[str, Any]:
    """What the calls use: tensors x, y and w, and the arrays that they hold."""
    from engine.tensor import apply

    generator = np.random.default_rng(3)
    a, b = (generator.standard_normal(shape).astype(np.float32) for _ in range(2))
    m = generator.standard_normal((shape[1], shape[1])).astype(np.float32)
    return {"x": Tensor(a), "y": Tensor(b), "w": Tensor(m), "a": a, "b": b, "m": m, "np": np, "expit": expit, "apply": apply}


def measure(plan: Plan) -> Section:
    """Every call on both shapes."""
    rows, goals = [], []
    for shape in SHAPES:
        known = names(shape)
        timers = {f"{op}{side}": Timer(calls[side], globals=known) for op, calls in CALLS.items() for side in (0, 1)}
        with Tape("OFF"):
            found = interleaved(timers, plan)
        for op in CALLS:
            ours, plain = (found[f"{op}{side}"].median * 1e6 for side in (0, 1))
            rows.append([f"{op} {shape}", f"{ours:.2f}", f"{plain:.2f}", f"{ours - plain:+.2f}"])
            goals.append(Goal(f"OFF: {op} {shape}", ours, 1.1 * plain + 0.5, "µs"))
    return Section("Level OFF", TEXT, [Table(["µs a call", "this engine, OFF", "numpy", "more"], rows)], goals)
