"""The operations described as data: for the trace, the API's catalogue and the reference page."""

from __future__ import annotations

from typing import Any

from engine.ops.attributes import attributes_of
from engine.ops.latex import to_latex
from engine.ops.op import REGISTRY, Op


def describe(op: Op) -> dict[str, Any]:
    """One op as docs/trace-format.md has it: kind, inputs, formula tree, LaTeX, local derivatives, kinks."""
    return {
        "kind": op.kind,
        "inputs": list(op.inputs),
        "formula": op.formula,
        "latex": op.latex if op.formula is None else to_latex(op.formula),
        "derivatives": [
            {"input": d.input, "formula": d.formula, "latex": d.latex if d.formula is None else to_latex(d.formula)} for d in op.derivatives
        ],
        "kinks": [{"at": list(k.at), "subgradient": list(k.subgradient), "why": k.why} for k in op.kinks],
    }


def catalogue() -> list[dict[str, Any]]:
    """Every op that a trace may hold, by name, with its attributes."""
    return [{"name": name, **describe(op), "attributes": _attributes(op)} for name, op in sorted(REGISTRY.items()) if not op.hidden]


def _attributes(op: Op) -> list[dict[str, Any]]:
    """name, types, required, default (null where there is none), meaning."""
    return [
        {"name": one.name, "types": list(one.types), "required": one.required, "default": one.default, "meaning": one.meaning}
        for one in attributes_of(op)
    ]
