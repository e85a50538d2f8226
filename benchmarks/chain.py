"""A chain of a million nodes, forward and backward, in a process of its own that prints what it took as JSON.

python -m benchmarks.chain TRACE 1000000
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Goal, Section, Table
from engine import Tape, Tensor

NODES = 1_000_000
MIB = 2**20
TEXT = """\
y = tanh(y w + b) over scalars, over and over, until the tape holds a million nodes; then backward, in a process of its own. The result and
the gradients are checked against a plain loop. Peak memory is the process's largest resident size, interpreter and libraries included."""


def run(level: str, count: int) -> dict[str, float]:
    """Seconds forward and backward, MiB of the process before and at its peak. Raises ArithmeticError where the numbers are wrong."""
    w, b, y = Tensor(0.8, requires_grad=True), Tensor(0.3, requires_grad=True), Tensor(0.1, requires_grad=True)
    start, begin = _peak(), time.perf_counter()
    with Tape(level) as tape:
        last = y
        while len(tape) < count:
            last = (last * w + b).tanh()
        middle = time.perf_counter()
        last.backward()
    end = time.perf_counter()
    expected = _plain((len(tape) - 3) // 3)
    found = (float(last), float(w.grad), float(b.grad))
    if not all(math.isclose(a, e, rel_tol=1e-9) for a, e in zip(found, expected, strict=True)):
        raise ArithmeticError(f"result and gradients {found}; expected {expected}")
    return {"nodes": len(tape), "forward": middle - begin, "backward": end - middle, "before": start, "peak": _peak()}


def _plain(repetitions: int) -> tuple[float, float, float]:
    """Result and derivatives by w and b, carried forward."""
    y, dw, db = 0.1, 0.0, 0.0
    for _ in range(repetitions):
        before, y = y, math.tanh(0.8 * y + 0.3)
        slope = 1 - y * y
        dw, db = slope * (before + 0.8 * dw), slope * (1 + 0.8 * db)
    return y, dw, db


def _peak() -> float:
    """The largest resident size of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss begins with the size of the process that started this one
        (line,) = [line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / MIB if sys.platform == "darwin" else size / 1024


def measure(count: int = NODES) -> Section:
    """The chain at GRAD and at TRACE."""
    rows, goals = [], []
    for level in ("GRAD", "TRACE"):
        command = [sys.executable, "-m", "benchmarks.chain", level, str(count)]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-800:]}")
        found = json.loads(done.stdout)
        rows.append([level, f"{found['nodes']:,.0f}", *(f"{found[key]:.2f}" for key in ("forward", "backward")),
                     f"{found['peak']:.0f}", f"{found['before']:.0f}"])  # fmt: skip
        goals.append(Goal(f"chain of {count:,} nodes: {level}, peak memory", found["peak"] / 1024, 1.0, "GiB"))
    header = ["level", "nodes", "forward s", "backward s", "peak MiB", "MiB before"]
    return Section("A million nodes", TEXT, [Table(header, rows)], goals)


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
