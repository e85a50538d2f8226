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
from engine.ops.attributes import attributes_of
from engine.ops.formula import walk
from engine.ops.latex import to_latex
from engine.ops.op import Sample
from engine.ops.spelled import Asked, contribution_in_numbers, element_in_numbers, worked_out

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ops.md"
HEAD = """# Operations

Every operation of the engine, as it is defined: this page is written by `python scripts/make_ops_reference.py` and a test keeps it true.
Each is `engine.F.name(inputs, attributes)`, and a method of the tensor that is its first input. A bar over a symbol is the gradient of the
loss with respect to it; what an operation sends back to an input of a smaller, broadcast shape is summed over the axes that were stretched.

*With numbers*: an elementwise operation at one number; any other at a small sample, where of the output and of each contribution one
element is written out, counted from 0, the gradient that arrives being 1 at the output's first element, 2 at the next, and so on.

Integers and truth values have no gradient. Where an operation gives fractions they count as float64, whatever their width; float32 stays
float32. What is refused raises ValueError, IndexError or TypeError, with the operation's name first.

Departures from PyTorch, where it has the operation too: a row of nothing but -inf sends no gradient back through `logsumexp` (there NaN),
as attention gives zeros for a query that sees nothing. `max` and `min` share the gradient where several tie, as PyTorch's `amax` and
`amin`. `kl_div` takes a probability of 0 beside a logarithm of -inf, where nothing is expected and nothing was said, as 0 (there NaN).
`pad` takes numpy's widths. `cross_entropy` takes class numbers, no probabilities; `pos_weight` is one number.
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


def sample_in_numbers(op: Op) -> str:
    """A structured op: of its output and of each contribution one element, of the first sample for which all can be written."""
    for sample in op.samples:
        arrays = [np.asarray(x) for x in sample.inputs]
        output = np.asarray(apply(op.name, *(Tensor(x) for x in arrays), **sample.attributes).data)
        if not output.size or max(x.size for x in arrays) == 1:
            continue
        asked = Asked(arrays, output, sample.attributes, np.arange(1.0, output.size + 1).reshape(output.shape))
        values = {place: element_in_numbers(op, place, arrays, sample.attributes) for place in np.ndindex(output.shape)}
        parts = [longest("y", "=", values)]
        for port, x in enumerate(arrays):
            name = symbol_of(op, port)
            if x.dtype.kind == "f":
                sent = {place: contribution_in_numbers(op, port, place, asked) for place in np.ndindex(x.shape)}
                parts.append(longest(rf"\bar{{{name}}}", r"\mathrel{+}=", sent))
        if None not in parts:
            given = [f"{symbol_of(op, port)} = {shown(x)}" for port, x in enumerate(arrays)]
            given += [rf"\mathrm{{{escaped(key)}}} = \text{{{escaped(str(value))}}}" for key, value in sample.attributes.items()]
            return r",\quad ".join([*given, *(part for part in parts if part)])
    raise SystemExit(f"{op.name}: none of its samples can be written out in numbers")


def symbol_of(op: Op, port: int) -> str:
    name = op.inputs[min(port, len(op.inputs) - 1)]
    several = name.startswith("*")
    name = name.removeprefix("*")
    upright = rf"\mathrm{{{escaped(name)}}}" if len(name) > 2 else name
    return f"{upright}_{{{port}}}" if several else upright


def escaped(text: str) -> str:
    return text.replace("_", r"\_")


def shown(x: Any) -> str:
    """A small array, else its shape."""
    if x.size > 12:
        return r"\text{(" + ", ".join(map(str, x.shape)) + ")}"
    if not x.ndim:
        return to_latex(float(x)) if x.dtype.kind != "b" else rf"\text{{{bool(x)}}}"
    inner = [shown(part) for part in x]
    return "(" + ",\\ ".join(inner) + ")"


def longest(left: str, sign: str, trees: dict[tuple[int, ...], Any]) -> str | None:
    """The equation of the element that takes most terms, with its value; None where none is written."""
    written = {place: tree for place, tree in trees.items() if tree is not None}
    if not written:
        return None
    place = max(written, key=lambda at: (sum(1 for _ in walk(written[at])), worked_out(written[at]) != 0))
    text, value = to_latex(written[place]), to_latex(worked_out(written[place]))
    at = f"_{{{','.join(map(str, place))}}}" if place else ""
    base = f"{{{left}}}" if at and "_" in left else left
    return f"{base}{at} {sign} {text}" + ("" if text == value else f" = {value}")


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
    options = attributes_of(op)
    if unknown := [one.name for one in options if one.meaning is None]:
        raise SystemExit(f"{op.name}: say in engine/ops/attributes.py what {', '.join(unknown)} is")
    lines = [f"## {op.name}", "", f"Inputs: {', '.join(f'`{name}`' for name in op.inputs)}."]
    if options:
        lines[-1] += " Attributes:"
        lines += ["", *(f"- `{one.name}{'' if one.required else f'={one.default!r}'}`: {one.meaning}" for one in options)]
    lines += ["", f"$${latex_of(op)}$$", ""]
    for k in range(len(op.derivatives)):
        lines += [f"$${contribution(op, k)}$$", ""]
    if (numbers := in_numbers(op) if op.formula is not None else sample_in_numbers(op)) is not None:
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
