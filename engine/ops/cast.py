"""From one dtype to another."""

from __future__ import annotations

from typing import Any

from engine.ops.op import Array, Derivative, Record, Sample, structured
from engine.told import Told

_DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")


def _cast(x: Array, *, dtype: str) -> Array:
    if dtype not in _DTYPES:
        words = f"cast: dtype is {dtype!r}; expected one of {', '.join(_DTYPES)}"
        raise ValueError(Told(words, "keyword-choice", name="cast", keyword="dtype", options=", ".join(_DTYPES)))
    y: Array = x.astype(dtype)
    return y


def _cast_vjp(F: Any, g: Any, record: Record) -> list[Any]:
    return [F.cast(g, dtype=record.inputs[0].dtype.name)]


structured(
    name="cast", inputs=("x",), forward=_cast, vjp=_cast_vjp, element=lambda index, inputs, attributes: [(0, index, 1.0)],
    latex=r"{y} = {x}", derivatives=[Derivative("x", latex=r"\bar{{{y}}}")],
    samples=[Sample(([0.5, -1.5],), {"dtype": "float64"}), Sample((0.25,), {"dtype": "float64"})],
    errors=[Sample(([0.5],), {"dtype": "complex128"})], hidden=True,
)  # fmt: skip
