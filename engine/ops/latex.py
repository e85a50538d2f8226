r"""Formula trees as LaTeX. The page's ``web/src/math/latex.ts`` follows the same rules; both pass tests/fixtures/latex.json.

*Levels.* Every piece of text has a level, and is put in parentheses where its place asks for a higher one:

    COMPARISON 0 < SUM 1 < NEGATIVE 2 < PRODUCT 3 < POWER 4 < ATOM 5

    piece                          level       asks of its parts
    a < b, \le, >, \ge, =          COMPARISON  SUM, SUM
    where: cases                   COMPARISON  nothing; rows ``value & condition``, the second condition the opposite one;
                                               a condition c that is no comparison: rows for ``c = 0``, ``c \ne 0``;
                                               a = between two numbers is decided: no cases, the part that holds
    a + b, a - b                   SUM         SUM, PRODUCT
    -a                             NEGATIVE    PRODUCT
    mul, matmul                    PRODUCT     PRODUCT, POWER
    \frac{a}{b}                    POWER       nothing
    a^{b}                          POWER       ATOM, nothing
    e^{a} (exp)                    POWER       nothing
    \sqrt{a}, \left|a\right|, f(a, b), names   ATOM   nothing
    numbers                        ATOM; NEGATIVE with a sign; otherwise PRODUCT as ``m\cdot 10^{e}``, POWER as ``10^{e}``

*Parentheses* are ``(…)``, and ``\left(…\right)`` when the text inside holds ``^``, ``\frac``, ``\sqrt``, ``\begin`` or ``\left``.

*Products.* Between two factors stands ``\,``; ``\cdot `` when the right factor is a number, or when its text, in its parentheses
if it has any, starts with a digit or with ``\frac``.

*Functions.* ``\log \sin \cos \tanh``, ``\sigma`` for sigmoid, ``\max`` and ``\min``; every other one is ``\operatorname{name}``
with ``_`` written ``\_``. Keyword attributes follow the arguments as ``\mathrm{axis} = 1`` (a list as ``(0, 1)``, and
``\mathrm{True}``, ``\mathrm{False}``, ``\mathrm{None}``).

*Names.* What `numbers` says, else what `symbols` says, else: the name is split at ``_``, empty parts dropped, and the first
part split before its trailing digits; the first piece is the symbol and the others, joined by ``,``, its subscript. A piece of one
character or of digits only stands as it is, a longer one in ``\mathrm{…}``. A name of underscores only is ``\_``.

*Numbers.* Four significant digits of the exact decimal value, ties away from zero, trailing zeros dropped; positional when
the rounded number's exponent is -3 to 3, else ``m\cdot 10^{e}``, or ``10^{e}`` when m is 1. ``0`` for both zeros,
``\mathrm{NaN}``, ``\infty``, ``-\infty``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NamedTuple

COMPARISON, SUM, NEGATIVE, PRODUCT, POWER, ATOM = range(6)

_RELATIONS = {"lt": "<", "le": r"\le", "gt": ">", "ge": r"\ge", "eq": "="}
_OPPOSITES = {"lt": r"\ge", "le": ">", "gt": r"\le", "ge": "<", "eq": r"\ne"}
_FUNCTIONS = {"log": r"\log", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh", "sigmoid": r"\sigma",
              "maximum": r"\max", "minimum": r"\min"}  # fmt: skip
_TALL = re.compile(r"\^|\\(frac|sqrt|begin|left)")
_ROUNDING = Context(prec=4, rounding=ROUND_HALF_UP)


class _Piece(NamedTuple):
    text: str
    level: int
    is_number: bool = False


def to_latex(tree: Any, symbols: Mapping[str, str] | None = None, numbers: Mapping[str, float] | None = None) -> str:
    """The LaTeX of a formula tree (docs/trace-format.md), by the rules at the head of this module.

    symbols: LaTeX for names, instead of `symbol`. numbers: figures to write in the place of names; they win over symbols.
    Raises ValueError for what is not a formula tree.
    """
    return _Renderer(symbols or {}, numbers or {}).render(tree).text


def format_number(value: float) -> str:
    """A number with four significant digits, as LaTeX."""
    return _number(value).text


def parenthesise(text: str) -> str:
    r"""``(text)``, or ``\left(text\right)`` when the text is tall."""
    return rf"\left({text}\right)" if _TALL.search(text) else f"({text})"


def symbol(name: str) -> str:
    """The LaTeX of a name that nobody chose a symbol for: ``x``, ``x1`` with a subscript, upright words."""
    first, *rest = [part for part in name.split("_") if part] or [r"\_"]
    head = first.rstrip("0123456789")
    pieces = [piece for piece in (head, first[len(head) :], *rest) if piece]
    base, *subscripts = [piece if re.fullmatch(r".|\\_|[0-9]+", piece) else rf"\mathrm{{{piece}}}" for piece in pieces]
    return f"{base}_{{{','.join(subscripts)}}}" if subscripts else base


def _number(value: float) -> _Piece:
    if math.isnan(value):
        return _Piece(r"\mathrm{NaN}", ATOM, True)
    if math.isinf(value):
        return _Piece(r"\infty", ATOM, True) if value > 0 else _Piece(r"-\infty", NEGATIVE, True)
    if value == 0:
        return _Piece("0", ATOM, True)
    rounded = _ROUNDING.plus(Decimal(value))
    sign, exponent = rounded.is_signed(), rounded.adjusted()
    figures = "".join(map(str, rounded.as_tuple().digits)).rstrip("0")
    if -3 <= exponent <= 3:
        text, level = f"{abs(rounded.normalize(_ROUNDING)):f}", ATOM
    elif figures == "1":
        text, level = f"10^{{{exponent}}}", POWER
    else:
        mantissa = f"{figures[0]}.{figures[1:]}" if len(figures) > 1 else figures
        text, level = rf"{mantissa}\cdot 10^{{{exponent}}}", PRODUCT
    return _Piece(f"-{text}", NEGATIVE, True) if sign else _Piece(text, level, True)


class _Renderer:
    """Renders trees with one choice of symbols and numbers."""

    def __init__(self, symbols: Mapping[str, str], numbers: Mapping[str, float]) -> None:
        self.symbols, self.numbers = symbols, numbers

    def at(self, tree: Any, level: int) -> str:
        """The text of a subtree where its place asks for `level`."""
        piece = self.render(tree)
        return piece.text if piece.level >= level else parenthesise(piece.text)

    def text(self, tree: Any) -> str:
        return self.render(tree).text

    def render(self, tree: Any) -> _Piece:
        match tree:
            case str():
                if tree in self.numbers:
                    return _number(self.numbers[tree])
                return _Piece(self.symbols[tree] if tree in self.symbols else symbol(tree), ATOM)
            case int() | float():
                return _number(tree)
            case ["neg", a]:
                return _Piece(f"-{self.at(a, PRODUCT)}", NEGATIVE)
            case ["add" | "sub" as name, a, b]:
                return _Piece(f"{self.at(a, SUM)} {'+' if name == 'add' else '-'} {self.at(b, PRODUCT)}", SUM)
            case ["mul" | "matmul", a, b]:
                return self.product(a, b)
            case ["div", a, b]:
                return _Piece(rf"\frac{{{self.text(a)}}}{{{self.text(b)}}}", POWER)
            case ["pow", a, b]:
                return _Piece(f"{self.at(a, ATOM)}^{{{self.text(b)}}}", POWER)
            case [relation, a, b] if relation in _RELATIONS:
                return _Piece(self.relation(a, _RELATIONS[relation], b), COMPARISON)
            case ["call", name, *arguments]:
                return self.call(name, arguments)
        raise ValueError(f"{tree!r} is not a formula tree; expected a number, a name, or a list that starts with an operator")

    def known(self, tree: Any) -> float | None:
        """The number that a tree stands for, if it is one."""
        return self.numbers.get(tree) if isinstance(tree, str) else tree if isinstance(tree, int | float) else None

    def product(self, a: Any, b: Any) -> _Piece:
        right = self.at(b, POWER)
        figures = self.render(b).is_number or right[0].isdigit() or right.startswith(r"\frac")
        return _Piece(self.at(a, PRODUCT) + (r"\cdot " if figures else r"\,") + right, PRODUCT)

    def relation(self, a: Any, sign: str, b: Any) -> str:
        return f"{self.at(a, SUM)} {sign} {self.at(b, SUM)}"

    def call(self, name: str, arguments: list[Any]) -> _Piece:
        if name == "exp":
            return _Piece(f"e^{{{self.text(arguments[0])}}}", POWER)
        if name == "sqrt":
            return _Piece(rf"\sqrt{{{self.text(arguments[0])}}}", ATOM)
        if name == "abs":
            return _Piece(rf"\left|{self.text(arguments[0])}\right|", ATOM)
        if name == "where":
            return self.cases(*arguments)
        attributes = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        parts = [self.text(argument) for argument in arguments]
        parts += [rf"\mathrm{{{_escape(key)}}} = {_attribute(value)}" for key, value in attributes.items()]
        function = _FUNCTIONS.get(name) or rf"\operatorname{{{_escape(name)}}}"
        return _Piece(function + parenthesise(", ".join(parts)), ATOM)

    def cases(self, condition: Any, a: Any, b: Any) -> _Piece:
        if isinstance(condition, list) and condition[0] in _RELATIONS:
            kind, left, right = condition
            known = self.known(left), self.known(right)
            if kind == "eq" and None not in known:  # between two numbers there is nothing to choose
                return self.render(a if known[0] == known[1] else b)
        else:  # a value as condition: true where it is not zero
            kind, left, right = "eq", condition, 0
            a, b = b, a
        first, second = (self.relation(left, sign, right) for sign in (_RELATIONS[kind], _OPPOSITES[kind]))
        return _Piece(rf"\begin{{cases}}{self.text(a)} & {first} \\ {self.text(b)} & {second}\end{{cases}}", COMPARISON)


def _escape(word: str) -> str:
    return word.replace("_", r"\_")


def _attribute(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return rf"\mathrm{{{value}}}"
    if isinstance(value, list):
        return f"({', '.join(format_number(item) for item in value)})"
    return format_number(value)
