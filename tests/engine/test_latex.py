"""Formula trees as LaTeX, against the fixtures that the page's renderer passes too."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from engine.ops.formula import parse
from engine.ops.latex import format_number, symbol, to_latex

FIXTURES = Path(__file__).parent.parent / "fixtures" / "latex.json"
CASES: list[dict[str, Any]] = json.loads(FIXTURES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[f"{i}: {case['latex']}" for i, case in enumerate(CASES)])
def test_a_tree_is_rendered_as_the_fixture_says(case: dict[str, Any]) -> None:
    numbers = {name: float(value) for name, value in case["numbers"].items()}  # "NaN" and "Infinity" are read by float too
    assert to_latex(case["tree"], case["symbols"], numbers) == case["latex"]


def test_the_fixtures_hold_every_kind_of_node_and_number() -> None:
    heads = {part[0] for case in CASES for part in _lists(case["tree"])}
    called = {part[1] for case in CASES for part in _lists(case["tree"]) if part[0] == "call"}
    values = [float(value) for case in CASES for value in case["numbers"].values()]
    assert heads == {"neg", "add", "sub", "mul", "div", "pow", "matmul", "lt", "le", "gt", "ge", "eq", "call"}
    assert called >= {"exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "abs", "sign", "maximum", "minimum", "where"}
    assert any(map(math.isnan, values))
    assert {math.inf, -math.inf} <= set(values)


def _lists(tree: Any) -> list[list[Any]]:
    return [tree, *(part for child in tree[1:] for part in _lists(child))] if isinstance(tree, list) else []


def test_braces_and_delimiters_are_balanced() -> None:
    for case in CASES:
        text = case["latex"]
        assert text.count("{") == text.count("}"), text
        assert text.count(r"\left") == text.count(r"\right"), text
        assert text.count(r"\begin{cases}") == text.count(r"\end{cases}"), text


@pytest.mark.parametrize("value", [1.0625, 2.5e-4, 0.1 + 0.2, 123456.0, 9.9995e-4, 1e-3, 9999.5, 1e4, 5e-324, -math.pi])
def test_a_number_keeps_four_significant_digits(value: float) -> None:
    text = format_number(value).replace(r"\cdot 10^{", "e").replace("10^{", "1e").replace("}", "")
    assert float(text) == pytest.approx(value, rel=5.0001e-4)
    digits = text.split("e")[0].lstrip("-0.").replace(".", "")
    assert len(digits.rstrip("0")) <= 4


def test_numbers_win_over_symbols_and_symbols_over_names() -> None:
    tree = parse("a*b + c")
    assert to_latex(tree, {"a": r"\alpha", "b": r"\beta"}, {"b": 2}) == r"\alpha\cdot 2 + c"


@pytest.mark.parametrize(
    ("name", "latex"), [("h", "h"), ("lr", r"\mathrm{lr}"), ("W_hh", r"W_{\mathrm{hh}}"), ("x1", "x_{1}"), ("h_0", "h_{0}"), ("__", r"\_")]
)
def test_the_symbol_of_a_name(name: str, latex: str) -> None:
    assert symbol(name) == latex


@pytest.mark.parametrize("tree", [["nothing", "a"], ["add", "a"], [], None, {"a": 1}])
def test_what_is_no_tree_is_named_in_the_error(tree: Any) -> None:
    with pytest.raises(ValueError, match="is not a formula tree; expected"):
        to_latex(tree)
