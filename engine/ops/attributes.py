"""The attributes of operations: what each is called, what it takes, its default, and what it means."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.ops.op import Op

_MEANINGS: Mapping[str, str] = {
    "alpha": "size of the negative side", "axes": "for each axis of the output, the input's; None exchanges the last two",
    "axis": "one axis, several, or None for all; negative ones count from the end", "correction": "taken off the count (1: Bessel's)",
    "delta": "distance up to which the loss is a square", "dilation": "step between the numbers that a kernel reads",
    "equation": "`ij,jk->ik`: a letter an axis; `...` for leading ones; letters not in the output are summed",
    "eps": "added to the variance", "groups": "channels are cut into so many parts that do not meet", "high": "upper bound",
    "ignore_index": "rows of this class do not count",
    "index": "a part an axis, as docs/trace-format.md writes it; `x[...]` makes it", "is_causal": "a position sees none after it",
    "keepdims": "keep reduced axes, of length 1", "label_smoothing": "share of the target spread evenly over all classes, 0 to 1",
    "log_target": "the target holds logarithms", "low": "lower bound", "max_val": "upper bound", "min_val": "lower bound",
    "negative_slope": "slope below 0", "ord": "1, 2 or `inf`", "padding": "zeros put before and after",
    "padding_idx": "row that never learns",
    "part": "which of the parts, from 0", "pos_weight": "weight of the target's first term",
    "reduction": "`mean`, `sum` or `none` (kl_div: also `batchmean`)", "rows": "numbers of rows, in any order, also repeated",
    "scale": "of the scores; None for one over the root of their depth", "shape": "sizes; in a reshape -1 for the one that follows",
    "shift": "by how many places, one an axis", "sizes": "of all parts, or of each but the last", "stride": "step between outputs",
    "value": "what is put there", "weight": "one a class; the mean is weighted then", "widths": "(before, after) for each axis",
}  # fmt: skip
_ONE_AXIS = {"concat", "cumsum", "gather", "log_softmax", "softmax", "split", "stack", "unsqueeze"}
_TYPES: Mapping[str, str] = {
    "int": "integer", "float": "number", "bool": "boolean", "str": "string", "None": "null", "Sequence[int]": "integer[]",
    "Sequence[float]": "number[]", "Sequence[Sequence[int]]": "integer[][]", "Sequence[Any]": "index",
}  # fmt: skip


@dataclass(frozen=True)
class Attribute:
    """A keyword argument of an operation.

    kinds: of values that it takes, as Python's annotations have them, such as ``("int", "Sequence[int]", "None")``. required: it has no
    default. meaning: in words; None where none is written yet, which a test finds.
    """

    name: str
    kinds: tuple[str, ...]
    required: bool
    default: Any
    meaning: str | None

    @property
    def types(self) -> tuple[str, ...]:
        """The kinds by JSON's names; ``index`` is one that docs/trace-format.md describes."""
        return tuple(_TYPES[kind] for kind in self.kinds)


def attributes_of(op: Op) -> tuple[Attribute, ...]:
    """The attributes of an operation, in the order in which it declares them."""
    if op.kind == "elementwise":
        return tuple(Attribute(name, ("float",), False, value, _meaning(op, name)) for name, value in op.attributes.items())
    given = [one for one in inspect.signature(op.forward).parameters.values() if one.kind is one.KEYWORD_ONLY]
    return tuple(
        Attribute(one.name, _kinds(one.annotation), one.default is one.empty, None if one.default is one.empty else one.default,
                  _meaning(op, one.name))
        for one in given
    )  # fmt: skip


def _kinds(annotation: Any) -> tuple[str, ...]:
    """Of an annotation as it is written in the sources: ``int | Sequence[int] | None``."""
    text = str(annotation).strip("'").replace("Axis", "int | Sequence[int] | None")
    return tuple(part.strip() for part in text.split("|"))


def _meaning(op: Op, name: str) -> str | None:
    return "one axis; negative ones count from the end" if name == "axis" and op.name in _ONE_AXIS else _MEANINGS.get(name)
