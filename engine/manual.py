"""What help() shows of an operation: its formula, its inputs, its attributes with their defaults."""

from __future__ import annotations

from inspect import Parameter, Signature

from engine.ops.formula import source
from engine.ops.op import Op
from engine.refusals import options


def formula_of(op: Op) -> str:
    """The formula as plain text where the op is defined by one, else as its LaTeX."""
    if op.formula is None:
        names = {name.removeprefix("*"): name.removeprefix("*") for name in op.inputs}
        return (op.latex or "").format(y="y", **names)
    text = source(op.formula).replace("_equal(a, b)", "(a == b)")
    return f"y = {text[1:-1] if text.startswith('(') else text}"  # whatever is no call stands in parentheses


def described(op: Op, role: str) -> str:
    """A docstring. role: what it is that is called."""
    return f"{formula_of(op)}\n\nThe op ``{op.name}``{role}; docs/ops.md has its derivatives, numbers, and what each argument is."


def signature_of(op: Op, first: str | None = None) -> Signature:
    """How the op is called. first: another name for the first input."""
    names = [first, *op.inputs[1:]] if first else op.inputs
    inputs = [
        Parameter(name.removeprefix("*"), Parameter.VAR_POSITIONAL if name.startswith("*") else Parameter.POSITIONAL_ONLY) for name in names
    ]
    return Signature([*inputs, *(Parameter(name, Parameter.KEYWORD_ONLY, default=default) for name, default in options(op).items())])
