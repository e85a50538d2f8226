"""Refusals in words: what was given to an operation, what it takes, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from inspect import signature
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.habits import KEYWORDS
from engine.ops.op import REGISTRY, Op
from engine.ops.shape import shapes_of
from engine.told import Told

_NONE: Mapping[str, Any] = MappingProxyType({})


def no_array(data: Any, dtype: Any, error: ValueError) -> Exception:
    """What to raise for what numpy makes no array of."""
    if "inhomogeneous" in str(error):
        return ValueError(
            "a tensor holds one block of numbers; the lists given have different lengths at the same depth: pad them, or stack"
        )
    return TypeError(
        f"a tensor holds real numbers; given {type(data).__name__} that is none{f' of dtype {dtype}' if dtype else ''}: {error}"
    )


def plain_number(op: str, name: str, value: Any) -> float:
    """An attribute that is a number. Raises TypeError naming it."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(_no_number(op, name, value)) from None


def _no_number(op: str, name: str, value: Any) -> Told:
    return Told(f"{op}: {name} is {value!r}; expected a number", "keyword-number", name=op, keyword=name)


def miscounted(op: Op, given: int) -> TypeError:
    """What to raise for another number of inputs than an op takes."""
    known = list(options(op))
    by_name = f", and by name {', '.join(known)}" if known else ""
    inputs = ", ".join(op.inputs)
    words = f"{op.name} takes {len(op.inputs)} inputs ({inputs}){by_name}; given {given}"
    return TypeError(Told(words, "operation-inputs", name=op.name, given=given, inputs=inputs))


def options(op: Op) -> Mapping[str, Any]:
    """The keyword arguments of an op, with their defaults (`inspect.Parameter.empty` for none)."""
    if op.kind == "elementwise":
        return op.attributes
    return {p.name: p.default for p in signature(op.forward).parameters.values() if p.kind is p.KEYWORD_ONLY}


def check_numbers(op: Op, attributes: Mapping[str, Any]) -> None:
    """Raises TypeError unless an elementwise op has these attributes and they are numbers."""
    for key, value in attributes.items():
        if key not in op.attributes:
            words = f"{op.name}: got an unexpected keyword argument {key!r}; it takes {', '.join(op.attributes) or 'none'}"
            raise TypeError(_unknown(words, op.name, key, list(op.attributes)))
        if not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(_no_number(op.name, key, value))


def one_by_one(op: Op, operands: Sequence[Any]) -> Sequence[Any]:
    """The tensors of one list, as PyTorch's cat and stack are given them. Raises TypeError where an op takes no such list."""
    if len(operands) == 1 and op.inputs[0].startswith("*"):
        return tuple(operands[0])
    raise TypeError(f"{op.name}: an input is a list of tensors; expected a tensor: stack or concat them first")


def explained(error: Exception, name: str, tensors: Sequence[Any], attributes: Mapping[str, Any] = _NONE) -> Exception:
    """numpy's own message with the op's name, shapes and dtypes; the op's own messages as they are."""
    text = str(error)
    if text.startswith(f"{name}: "):
        return error
    if REGISTRY.get(name) is not None and REGISTRY[name].hidden:  # a kernel that nobody calls by name: what it says is about the layer
        said = text if re.match(r"\w+: ", text) else f"{name.removesuffix('_fused')}: {text}"
        return type(error)(said)
    shapes, listed = " and ".join(str(x.shape) for x in tensors), shapes_of(tensors)
    if text.startswith("operands could not be broadcast"):
        words = f"{name}: shapes {shapes} do not broadcast; sizes, compared from the last, must be equal or 1"
        return ValueError(Told(words, "shapes-broadcast", name=name, shapes=listed))
    if isinstance(error, TypeError) and "argument" in text and "()" in text:
        return TypeError(_about_arguments(text, REGISTRY[name]))
    dtypes = " and ".join(str(x.dtype) for x in tensors)
    if isinstance(error, TypeError) and "bool" in dtypes:
        words = f"{name}: not for shapes {shapes}, dtypes {dtypes}: truth values are no numbers here; give them dtype=float"
        return TypeError(Told(words, "operation-refused", name=name, shapes=listed))
    given = "".join(f", {key}={value!r}" for key, value in attributes.items())
    words = f"{name}: not for shapes {shapes}, dtypes {dtypes}{given}: {text}"
    return (TypeError if isinstance(error, TypeError) else ValueError)(Told(words, "operation-refused", name=name, shapes=listed))


def _about_arguments(text: str, op: Op) -> str:
    """Python's complaint about keyword arguments, without the inner function's name and with those that there are."""
    known = list(options(op))
    complaint = text.partition("()")[2].strip().replace("keyword-only ", "")
    theirs = text.rpartition(" argument ")[2].strip("'")
    hint = f"; PyTorch's {theirs} is {KEYWORDS[theirs]} here" if KEYWORDS.get(theirs) in known else ""
    words = f"{op.name}: {complaint}; it takes {', '.join(known) or 'none'}{hint}"
    quoted = ", ".join(re.findall(r"'(\w+)'", complaint))
    if not quoted:  # of how many inputs it takes
        return words
    if "missing" in complaint:
        return Told(words, "keyword-missing", name=op.name, keyword=quoted)
    return _unknown(words, op.name, quoted, known)


def _unknown(words: str, op: str, keyword: str, known: Sequence[str]) -> Told:
    """words, with the code of a keyword argument that an op has not."""
    if not known:
        return Told(words, "keyword-none", name=op, keyword=keyword)
    return Told(words, "keyword-unknown", name=op, keyword=keyword, known=", ".join(known))
