"""Why this number? One node, or one element of it, taken apart: its formula, what its gradient is made of, how it was updated.

The answers are JSON (docs/api.md, "Why"). A number that is asked of a whole non-scalar node is given as ``{"shape", "norm"}``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from engine.ops.formula import Tree
from engine.ops.latex import format_number, symbol, to_latex
from engine.ops.op import Array
from engine.ops.spelled import Asked, contribution_in_numbers, element_in_numbers
from engine.trace.document import Contribution, Document
from engine.trace.serial import plain

Index = tuple[int, ...]

_ALL_TERMS = 8  # a sum of up to so many terms is written out in numbers
_MOST_TERMS = 64  # so many terms of a sum are given one by one
_INCOMING = "gradient of y"  # a name that no formula can hold: the gradient of the consumer's output
_PARAMETER = re.compile(r"(?:(?P<module>.*)\.)?(?P<kind>weight|bias)(?:_(?P<part>[a-z]+))?(?:_l(?P<layer>[0-9]+))?")


class UnknownNodeError(ValueError):
    """The trace has no such node."""


class OutsideNodeError(ValueError):
    """The index is not one of the node's elements."""


def explain(document: Document, node: int | str, index: Sequence[int] | None = None) -> dict[str, Any]:
    """Why a node, or its element at `index`, has its value, its gradient and its update.

    node: number or path. index: of the element (empty for a 0-d node), None for the whole node.
    Raises UnknownNodeError and OutsideNodeError, both ValueErrors.
    """
    try:
        about = document.node(node)
    except KeyError as error:
        raise UnknownNodeError(error.args[0]) from None
    at = None if index is None else tuple(index)
    if at is not None and (len(at) != len(about["shape"]) or not all(0 <= i < n for i, n in zip(at, about["shape"], strict=True))):
        raise OutsideNodeError(
            f"index {list(at)} is outside node {about['path']!r} of shape {about['shape']}; "
            f"expected {len(about['shape'])} numbers, each from 0 to below the size of its dimension"
        )
    if at is None and not about["shape"]:
        at = ()
    number = about["id"]
    return {
        "trace": document.doc["id"],
        **{key: about[key] for key in ("path", "label", "op", "shape")},
        "node": number,
        "index": None if at is None else list(at),
        "symbol": node_symbol(document, number),
        "value": _shown(document.value(number), at),
        "gradient": _shown(document.gradient(number), at),
        "forward": None if about["op"] is None else _forward(document, about, at),
        "backward": _backward(document, number, at),
        "update": _update(document, number, at),
    }


def node_symbol(document: Document, number: int) -> str:
    r"""The LaTeX symbol of a node: ``h_{3}``, ``W_{\mathrm{hh}}``, a constant's number, or ``\mathrm{add}_{17}`` where it has no name."""
    node = document.nodes[number]
    if node["label"] is None:
        if node["op"] is not None:
            return _with_subscript(symbol(node["op"].replace("_", "")), str(number))
        if node["role"] == "constant" and not node["shape"]:
            return format_number(float(document.value(number)))
        scoped = "/" in node["path"] or node["path"].startswith("constant#")
        return rf"\mathrm{{constant}}_{{{number}}}" if scoped else _leaf_symbol(node["path"])
    stem = {"y_hat": r"\hat{y}"}.get(node["label"]) or symbol(node["label"])
    return stem if node["time"] is None else _with_subscript(stem, str(node["time"]))


def _leaf_symbol(path: str) -> str:
    found = _PARAMETER.fullmatch(path)
    if found is None:
        return symbol(re.sub(r"\W", "_", path))
    stem = "W" if found["kind"] == "weight" else "b"
    part = found["part"] or (found["module"] or "").rpartition(".")[2]
    layer = found["layer"] if found["layer"] not in (None, "0") else ""
    subscript = ",".join(piece for piece in (rf"\mathrm{{{part}}}" if part else "", layer) if piece)
    return _with_subscript(stem, subscript) if subscript else stem


def _with_subscript(stem: str, subscript: str) -> str:
    if stem.endswith("}") and "_{" in stem:
        return f"{stem[:-1]},{subscript}}}"
    return f"{stem}_{{{subscript}}}"


def _shown(array: Array | None, at: Index | None) -> Any:
    """An element, or shape and norm of the whole, as JSON."""
    if array is None:
        return None
    if at is None:
        return {"shape": list(array.shape), "norm": plain(float(np.linalg.norm(array.astype(np.float64))))}
    return plain(array[at].item())


def _broadcast(at: Index | None, shape: Sequence[int]) -> Index | None:
    """The element of an input of this shape that an elementwise op reads for its output's element `at`."""
    if at is None:
        return None
    return tuple(0 if n == 1 else i for i, n in zip(at[len(at) - len(shape) :], shape, strict=True))


def _equation(left: str, right: str) -> str:
    return f"{left} = {right}"


class _Symbols:
    """The symbols of a node's inputs and output, by the names that its op gives them."""

    def __init__(self, document: Document, node: Mapping[str, Any]) -> None:
        names = document.doc["ops"][node["op"]]["inputs"]
        symbols = [node_symbol(document, i) for i in node["inputs"]]
        self.names: list[str]
        if names[-1].startswith("*"):
            self.names = [f"{names[-1][1:]}_{port}" for port in range(len(symbols))]
            self.by_name = {names[-1][1:]: r",\,".join(symbols)}
        else:
            self.names = list(names)
            self.by_name = dict(zip(names, symbols, strict=True))
        self.inputs = symbols
        self.output = node_symbol(document, node["id"])
        self.options = _options(document, node)
        # A constant stands in formulas as its number, with the parentheses that a negative one needs.
        self.constants = {
            name: float(document.value(i)) for name, i in zip(self.names, node["inputs"], strict=True)
            if document.nodes[i]["op"] is None and document.nodes[i]["role"] == "constant" and not document.nodes[i]["shape"]
        }  # fmt: skip

    def formula(self, tree: Tree) -> str:
        symbols = {**self.by_name, "y": self.output, _INCOMING: rf"\bar{{{self.output}}}"}
        return to_latex(tree, symbols, {**self.options, **self.constants})

    def authored(self, latex: str) -> str:
        """A structured op's LaTeX; symbols with a subscript are grouped, so that it may give them another."""
        texts = {"y": self.output, **self.by_name}
        return latex.format(**{name: f"{{{text}}}" if "_" in text else text for name, text in texts.items()})


def _forward(document: Document, node: Mapping[str, Any], at: Index | None) -> dict[str, Any]:
    op, symbols = document.doc["ops"][node["op"]], _Symbols(document, node)
    if op["formula"] is None:
        terms, others = _element_terms(document, node, symbols, at)
        numbers = _sum_in_numbers(document, node, at, terms) if terms is not None else _element_in_numbers(document, node, at)
        return {
            "latex": symbols.authored(op["latex"]),
            "latex_numbers": numbers,
            "terms": _whole_inputs(document, node, symbols) if terms is None else terms,
            "others": others,
        }
    places = [_broadcast(at, document.nodes[i]["shape"]) for i in node["inputs"]]
    terms = [
        _term(document, name, text, i, place)
        for name, text, i, place in zip(symbols.names, symbols.inputs, node["inputs"], places, strict=True)
    ]
    numbers = None
    if at is not None:
        values = {**_options(document, node), **_input_numbers(document, node, symbols, at)}
        numbers = _equation(to_latex(op["formula"], numbers=values), format_number(_element(document.value(node["id"]), at)))
    written = _equation(symbols.output, symbols.formula(op["formula"]))
    return {"latex": written, "latex_numbers": numbers, "terms": terms, "others": None}


def _element(array: Array, at: Index) -> float:
    return float(array[at])


def _options(document: Document, node: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of an elementwise op's parameters: as given, else their defaults."""
    op = document.op(node["id"])
    return (
        {}
        if op is None or op.kind != "elementwise"
        else {name: node["attributes"].get(name, value) for name, value in op.attributes.items()}
    )


def _input_numbers(document: Document, node: Mapping[str, Any], symbols: _Symbols, at: Index) -> dict[str, float]:
    """The inputs' numbers, by name, that an elementwise op reads for its output's element `at`."""
    values = {}
    for name, i in zip(symbols.names, node["inputs"], strict=True):
        place = _broadcast(at, document.nodes[i]["shape"])
        assert place is not None  # `at` is an index
        values[name] = _element(document.value(i), place)
    return values


def _whole_inputs(document: Document, node: Mapping[str, Any], symbols: _Symbols) -> list[dict[str, Any]]:
    places: list[Index | None] = [None if document.nodes[i]["shape"] else () for i in node["inputs"]]
    return [
        _term(document, name, text, i, place)
        for name, text, i, place in zip(symbols.names, symbols.inputs, node["inputs"], places, strict=True)
    ]


def _term(document: Document, name: str, text: str, number: int, place: Index | None) -> dict[str, Any]:
    return {"name": name, "symbol": text, "node": number, "index": None if place is None else list(place),
            "value": _shown(document.value(number), place)}  # fmt: skip


def _element_terms(
    document: Document, node: Mapping[str, Any], symbols: _Symbols, at: Index | None
) -> tuple[list[dict[str, Any]] | None, dict[str, Any] | None]:
    """The terms factor x value whose sum is one element of a structured op's output; None where it is no such sum.

    Of a long sum the largest terms by magnitude, in the order of the sum, and the count and the sum of the others.
    """
    op = document.op(node["id"])
    if at is None or op is None or op.element is None:
        return None, None
    inputs = [document.value(i) for i in node["inputs"]]
    parts = list(op.element(at, inputs, node["attributes"]))
    products = np.array([factor * _element(inputs[port], place) for port, place, factor in parts], dtype=np.float64)
    magnitudes = np.where(np.isnan(products), np.inf, np.abs(products))  # a NaN explains the sum more than any number
    largest_first = np.argsort(-magnitudes, kind="stable")
    shown, left_out = np.sort(largest_first[:_MOST_TERMS]), np.sort(largest_first[_MOST_TERMS:])
    terms = []
    for (port, place, factor), product in ((parts[k], products[k]) for k in shown.tolist()):
        term = _term(document, symbols.names[port], symbols.inputs[port], node["inputs"][port], place)
        terms.append({**term, "factor": plain(factor), "product": plain(float(product))})
    if not len(left_out):
        return terms or None, None
    with np.errstate(invalid="ignore"):  # infinities of both signs
        return terms, {"count": len(left_out), "value": plain(float(products[left_out].sum()))}


def _sum_in_numbers(document: Document, node: Mapping[str, Any], at: Index | None, terms: list[dict[str, Any]] | None) -> str | None:
    if at is None or terms is None:
        return None
    total = format_number(_element(document.value(node["id"]), at))
    if len(terms) > _ALL_TERMS:
        shown = [_written([term]) for term in terms[:3]]
        return _equation(" + ".join([*shown, r"\cdots", _written(terms[-1:])]), total)
    return _equation(_written(terms), total)


def _element_in_numbers(document: Document, node: Mapping[str, Any], at: Index | None) -> str | None:
    """An element that is no sum of terms (a softmax's, a loss), written out where it is short."""
    op = document.op(node["id"])
    if at is None or op is None:
        return None
    tree = element_in_numbers(op, at, [document.value(i) for i in node["inputs"]], node["attributes"])
    return None if tree is None else _result(to_latex(tree), _element(document.value(node["id"]), at))


def _result(written: str, value: float) -> str:
    total = format_number(value)
    return total if written == total else _equation(written, total)


def _written(terms: Sequence[Mapping[str, Any]]) -> str:
    """A sum of products in numbers; a factor of 1 is left out."""
    tree: Tree = None
    values: dict[str, float] = {}
    for k, term in enumerate(terms):
        factor, value = float(term["factor"]), float(term["value"])  # float reads "NaN" and "Infinity" as well
        values[f"f{k}"], values[f"v{k}"] = factor, value
        product = f"v{k}" if factor == 1 else ["mul", f"f{k}", f"v{k}"]
        tree = product if tree is None else ["add", tree, product]
    return to_latex(tree, numbers=values)


def _backward(document: Document, number: int, at: Index | None) -> dict[str, Any]:
    """One row a contribution, in order of arrival, and their sum, folded in that order as the engine did."""
    rows: list[dict[str, Any]] = []
    arrays: list[Array] = []
    if number == document.loss and document.seed is not None:
        event, seed = document.seed
        arrays.append(seed)
        loss = node_symbol(document, number)
        numbers = None if at is None else format_number(_element(seed, at))
        rows.append(_row(None, None, None, event, rf"\frac{{\partial {loss}}}{{\partial {loss}}}", numbers, seed, at))
    for contribution in document.contributions(number):
        arrays.append(contribution.array)
        rows.append(_contribution_row(document, contribution, at))
    total: Array | None = None
    for array in arrays:
        total = array if total is None else np.asarray(total + array)
    return {"contributions": rows, "sum": _shown(total, at)}


def _row(node: int | None, port: int | None, about: Mapping[str, Any] | None, event: int, latex: str, numbers: str | None, array: Array,
         at: Index | None) -> dict[str, Any]:  # fmt: skip
    return {
        "node": node, "port": port, "path": None if about is None else about["path"], "time": None if about is None else about["time"],
        "event": event, "latex": latex, "latex_numbers": numbers, "value": _shown(array, at),
    }  # fmt: skip


def _contribution_row(document: Document, contribution: Contribution, at: Index | None) -> dict[str, Any]:
    if contribution.node < 0:  # kept from an earlier backward run
        kept = rf"\bar{{{node_symbol(document, contribution.target)}}}_{{0}}"
        return _row(None, None, None, contribution.event, kept, None, contribution.array, at)
    consumer = document.nodes[contribution.node]
    symbols = _Symbols(document, consumer)
    derivatives = document.doc["ops"][consumer["op"]]["derivatives"]
    derivative = derivatives[min(contribution.port, len(derivatives) - 1)]
    if derivative["formula"] is None:
        latex, numbers = symbols.authored(derivative["latex"]), _structured_numbers(document, contribution, at)
    else:
        tree = _times_incoming(derivative["formula"])
        latex, numbers = symbols.formula(tree), _contribution_numbers(document, contribution, tree, symbols, at)
    return _row(consumer["id"], contribution.port, consumer, contribution.event, latex, numbers, contribution.array, at)


def _times_incoming(derivative: Tree) -> Tree:
    if derivative == 1:
        return _INCOMING
    return ["neg", _INCOMING] if derivative == ["neg", 1] else ["mul", _INCOMING, derivative]


def _contribution_numbers(document: Document, contribution: Contribution, tree: Tree, symbols: _Symbols, at: Index | None) -> str | None:
    """In numbers, where one element of the consumer makes it (a broadcast input's contribution is summed over several)."""
    consumer = document.nodes[contribution.node]
    incoming = document.gradient(consumer["id"])
    if at is None or incoming is None or consumer["shape"] != document.nodes[contribution.target]["shape"]:
        return None
    values = {**_options(document, consumer), **_input_numbers(document, consumer, symbols, at)}
    values |= {"y": _element(document.value(consumer["id"]), at), _INCOMING: _element(incoming, at)}
    return _result(to_latex(tree, numbers=values), _element(contribution.array, at))


def _structured_numbers(document: Document, contribution: Contribution, at: Index | None) -> str | None:
    """What a structured op sends to one element in numbers, where it is short."""
    consumer, op = document.nodes[contribution.node], document.op(contribution.node)
    incoming = document.gradient(contribution.node)
    if at is None or incoming is None or op is None:
        return None
    inputs = [document.value(i) for i in consumer["inputs"]]
    asked = Asked(inputs, document.value(contribution.node), consumer["attributes"], incoming)
    tree = contribution_in_numbers(op, contribution.port, at, asked)
    return None if tree is None else _result(to_latex(tree), _element(contribution.array, at))


def _update(document: Document, number: int, at: Index | None) -> dict[str, Any] | None:
    """The terms of the optimizer's rule in its order, hyper-parameters last; None where the node was not updated."""
    events = document.doc["events"]
    update = events["kinds"].index("update")
    event = next((e for e, kind in enumerate(events["kind"]) if kind == update and events["node"][e] == number), None)
    if event is None:
        return None
    found = {name: document.tensor(reference) for name, reference in events["details"][str(event)]["terms"].items()}
    rule = _rule_of(document.doc["rules"].values(), set(found))
    formulas = {term["name"]: term["formula"] for term in rule["terms"]}
    symbols = {**{name: symbol(name) for name in found}, **{t["name"]: t["symbol"] for t in rule["terms"]}, **rule.get("symbols", {})}
    places = {name: () if not array.shape else at for name, array in found.items()}
    values = {name: _element(found[name], place) for name, place in places.items() if place is not None}
    return {
        "event": event,
        "terms": [
            {"name": name, "symbol": symbols[name], **_update_latex(name, formulas.get(name), symbols, values),
             "value": _shown(array, places[name])}
            for name, array in found.items()
        ],
    }  # fmt: skip


def _rule_of(rules: Collection[Mapping[str, Any]], found: set[str]) -> Mapping[str, Any]:
    """The rule whose symbols are the terms that an update has. Groups of parameters may have one each, and the terms of one may be some of
    another's."""
    exact = next((rule for rule in rules if set(rule.get("symbols", ())) == found), None)
    return exact or next(rule for rule in rules if {term["name"] for term in rule["terms"]} <= found)


def _update_latex(name: str, tree: Tree, symbols: Mapping[str, str], values: Mapping[str, float]) -> dict[str, str | None]:
    number = format_number(values[name]) if name in values else None
    if tree is None:
        return {"latex": symbols[name], "latex_numbers": None if number is None else _equation(symbols[name], number)}
    right = to_latex(tree, symbols)
    return {
        "latex": right if right == symbols[name] else _equation(symbols[name], right),
        "latex_numbers": None if number is None else _equation(to_latex(tree, numbers=values), number),
    }
