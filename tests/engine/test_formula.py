"""Reading formulas: only what is allowed gets through, and errors say where."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ops.formula import MAX_NODES, FormulaError, compile_tree, names_in, parse, parse_with_columns, walk
from engine.ops.functions import FUNCTIONS


def test_a_formula_becomes_a_tree() -> None:
    assert parse("tanh(w*x + b)") == ["call", "tanh", ["add", ["mul", "w", "x"], "b"]]
    assert parse("-x**2 / 2.5") == ["div", ["neg", ["pow", "x", 2]], 2.5]
    assert parse("sum(x, axis=(0, 1), keepdims=True)") == ["call", "sum", "x", {"axis": [0, 1], "keepdims": True}]
    assert names_in(parse("b + a*b")) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        *[
            ("w +", 4),
            ("tanh(w*q)", 8),
            ("foo(w)", 1),
            ("w.real", 1),
            ("w[0]", 1),
            ("(lambda: w)()", 1),
            ("w + 'a'", 5),
            ("w if w else w", 1),
        ],
        *[("w + 1j", 5), ("__import__('os')", 1), ("[w]", 1), ("w < w < w", 1), ("tanh(**w)", 1), ("sum(w, axis=w)", 13), ("", 1)],
        *[("w + 1e999999", 5), ("  é + foo(w)", 3), ("tanh(\nw + q)", 11)],
        *[("w +\x0c q", 6), ("w + (\r\n q)", 9), ("(\r w + q)", 8)],
    ],
)
def test_what_is_not_allowed_is_refused_at_its_column(text: str, column: int) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text, names=("w",), functions=("tanh", "sum"))
    assert caught.value.column == column
    assert caught.value.detail


@pytest.mark.parametrize(
    ("text", "hint"),
    [("w^2", r"for powers write a\*\*b"), ("w & w", "write where"), ("w | w", "write where"), ("w // 2", "write a / b"), ("w % 2", "a % b"),
     ("not w", "write a == 0"), ("~w", "write a == 0"), ("w << 1", "2"), ("w >> 1", "2")],
)  # fmt: skip
def test_a_slip_of_the_pen_is_told_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(FormulaError, match=rf"{hint}.*\(column 5\)"):
        parse(f"w +({text})")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("tanh(w*x) + 2", [1, 1, 6, 6, 8, 13]),
        ("  ββββ + sum(β, axis=0)", [3, 3, 10, 14]),  # bytes would give more
        ("-+-x", [1, 3, 4]),
        ("(x)", [2]),
        ("x < +y", [1, 1, 6]),
    ],
)
def test_every_subtree_has_its_column_in_characters(text: str, columns: list[int]) -> None:
    tree, found = parse_with_columns(text)
    assert tree == parse(text)
    assert found == columns
    assert len(list(walk(tree))) == len(columns)


def test_length_and_depth_are_bounded() -> None:
    with pytest.raises(FormulaError, match="too long"):
        parse(f"maximum({', '.join(['w'] * MAX_NODES)})")
    with pytest.raises(FormulaError, match="nested too deeply"):
        parse("-" * 200 + "w")
    with pytest.raises(FormulaError):
        parse("(" * 5000 + "w" + ")" * 5000)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, names=("w",), functions=FUNCTIONS)
    except FormulaError as error:
        column = error.column
    else:
        column = 1
    assert 1 <= column <= len(text) + 2


_leaf = st.one_of(st.floats(-5, 5, allow_subnormal=False), st.sampled_from(["x", "w"]))
_tree = st.recursive(
    _leaf,
    lambda t: st.one_of(st.tuples(st.just("neg"), t), st.tuples(st.sampled_from(["add", "sub", "mul"]), t, t)).map(list),
    max_leaves=12,
)


@given(_tree, st.floats(-3, 3), st.floats(-3, 3))
def test_compiled_code_computes_the_tree(tree: object, x: float, w: float) -> None:
    def value(t: object) -> float:
        if isinstance(t, list):
            parts = [value(p) for p in t[1:]]
            return {
                "neg": lambda: -parts[0],
                "add": lambda: sum(parts),
                "sub": lambda: parts[0] - parts[1],
                "mul": lambda: math.prod(parts),
            }[t[0]]()
        return {"x": x, "w": w}[t] if isinstance(t, str) else float(t)  # type: ignore[arg-type]

    assert compile_tree(tree, ("x", "w"), FUNCTIONS)(x, w) == value(tree)
