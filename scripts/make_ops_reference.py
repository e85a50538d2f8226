"""Writes docs/ops.md, the reference of every operation, from the definitions in engine/ops.

python scripts/make_ops_reference.py            # writes it
python scripts/make_ops_reference.py --check    # fails where it is not what the definitions say
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import Tape, Tensor, apply
from engine.ops import REGISTRY, Op
from engine.ops.latex import to_latex
from engine.ops.op import Sample

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ops.md"
HEAD = """# Operations

Every operation of the engine, as it is defined: this page is written by `python scripts/make_ops_reference.py` and a test keeps it true.
Each is `engine.F.name(inputs, attributes)`, and a method of the tensor that is its first input. A bar over a symbol is the gradient of the
loss with respect to it; what an operation sends back to an input of a smaller, broadcast shape is summed over the axes that were stretched.
"""


def latex_of(op: Op) -> str:
    return op_latex(op.latex, op) if op.formula is None else "y = " + to_latex(op.formula)


def op_latex(text: str | None, op: Op) -> str:
    """Authored LaTeX with the inputs' own names."""
    names = {
        name.removeprefix("*"): rf"\mathrm{{{name.removeprefix('*')}}}" if len(name) > 2 else name.removeprefix("*") for name in op.inputs
    }
    return (text or "").format(y="y", **names)


def contribution(op: Op, k: int) -> str:
    derivative = op.derivatives[k]
    name = derivative.input.removeprefix("*")
    if derivative.formula is None:
        return rf"\bar{{{name}}} \mathrel{{+}}= {op_latex(derivative.latex, op)}"
    return rf"\frac{{\partial y}}{{\partial {name}}} = {to_latex(derivative.formula)}"


def in_numbers(op: Op) -> str | None:
    """An elementwise op at its first sample: formula and derivatives with numbers."""
    sample = op.samples[0]
    if op.formula is None or any(np.ndim(x) for x in sample.inputs):
        return None
    numbers = {**op.attributes, **dict(zip(op.inputs, map(float, sample.inputs), strict=True))}
    inputs = [Tensor(float(x), requires_grad=True) if not isinstance(x, bool) else Tensor(x) for x in sample.inputs]
    with Tape("GRAD"):
        y = apply(op.name, *inputs)
        parts = [f"y = {to_latex(op.formula, numbers=numbers)} = {to_latex(float(y.item()))}"]
        if y.requires_grad:
            run = y.backward()
            parts += gradients(op, inputs, run, {**numbers, "y": float(y.item())})
    return r",\quad ".join(parts)


def gradients(op: Op, inputs: list[Tensor], run: Any, numbers: dict[str, float]) -> list[str]:
    written = []
    for derivative, x in zip(op.derivatives, inputs, strict=True):
        if x in run:
            formula, value = to_latex(derivative.formula, numbers=numbers), to_latex(float(run[x]))
            equal = "" if formula == value else f" = {value}"
            written.append(rf"\frac{{\partial y}}{{\partial {derivative.input}}} = {formula}{equal}")
    return written


def refusal(op: Op, sample: Sample) -> str:
    try:
        apply(op.name, *[Tensor(x) for x in sample.inputs], **sample.attributes)
    except (ValueError, IndexError) as error:
        return str(error)
    raise SystemExit(f"{op.name}: an error sample is not refused")


def section(op: Op) -> str:
    options = {
        **op.attributes,
        **{key: value for sample in op.samples for key, value in sample.attributes.items() if key not in op.attributes},
    }
    lines = [f"## {op.name}", "", f"Inputs: {', '.join(f'`{name}`' for name in op.inputs)}."]
    if op.attributes:
        lines[-1] += f" Attributes: {', '.join(f'`{key}={value!r}`' for key, value in op.attributes.items())}."
    elif options:
        lines[-1] += f" Attributes: {', '.join(f'`{key}`' for key in options)}."
    lines += ["", f"$${latex_of(op)}$$", ""]
    for k in range(len(op.derivatives)):
        lines += [f"$${contribution(op, k)}$$", ""]
    if (numbers := in_numbers(op)) is not None:
        lines += ["With numbers:", "", f"$${numbers}$$", ""]
    for kink in op.kinks:
        at = ", ".join(f"{x:g}" for x in kink.at)
        chosen = ", ".join(f"{x:g}" for x in kink.subgradient)
        lines += [f"No derivative at ({at}): {chosen} is taken; {kink.why}.", ""]
    if op.errors:
        lines += [f"Refuses, for example: `{refusal(op, op.errors[0])}`", ""]
    return "\n".join(lines)


def page() -> str:
    shown = sorted((op for op in REGISTRY.values() if not op.hidden), key=lambda op: op.name)
    index = ", ".join(f"[{op.name}](#{op.name})" for op in shown)
    return "\n".join([HEAD, f"{len(shown)} operations: {index}.", "", *(section(op) for op in shown)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the page in place of writing it")
    if parser.parse_args().check:
        if PAGE.read_text(encoding="utf-8") != page():
            raise SystemExit("docs/ops.md is not what the definitions say; run python scripts/make_ops_reference.py")
    else:
        PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
