"""Formulas: one string in Python's syntax becomes one tree, and the tree becomes code or LaTeX.

A tree is a number, a name, or a list: ``["neg", a]``, ``["add" | "sub" | "mul" | "div" | "pow" | "matmul", a, b]``,
``["lt" | "le" | "gt" | "ge" | "eq", a, b]``, ``["call", function, a, ...]``; the last item of a call may be a mapping of
keyword attributes. Nothing is ever evaluated from text: `parse` reads Python's syntax tree through an allow-list, and
`compile_tree` writes a function out of a checked tree alone.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from engine.nearest import meant, near
from engine.told import Told

Tree = Any  # int | float | str | list[Tree | dict[str, int | float | bool | list[int] | None]]

BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.MatMult: "matmul"}
COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq"}
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@",
           "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=="}  # fmt: skip
SLIPS = {  # what is no operation here -> what was written, what is meant, and both in words
    ast.BitXor: ("a^b", "a**b", "for powers write a**b, not a^b"),
    ast.BitAnd: ("a & b", "where(a, b, 0)", "for both of two conditions write where(a, b, 0), not a & b"),
    ast.BitOr: ("a | b", "where(a, 1, b)", "for one of two conditions write where(a, 1, b), not a | b"),
    ast.FloorDiv: ("a // b", "a / b", "a // b has no gradient; for a quotient write a / b"),
    ast.Mod: ("a % b", "a / 100", "a % b is not known here; for a percentage write a / 100"),
    ast.LShift: ("a << b", "a * 2**b", "a << b is not known here; write a * 2**b"),
    ast.RShift: ("a >> b", "a / 2**b", "a >> b is not known here; write a / 2**b"),
    ast.Not: ("not a", "a == 0", "not a is not known here; write a == 0"),
    ast.Invert: ("~a", "a == 0", "~a is not known here; write a == 0"),
}
_SYNTAX = (  # Python's words -> the code of what they say; named groups are its parameters
    (re.compile(r"'(?P<bracket>.)' was never closed"), "formula-unclosed"),
    (re.compile(r"unmatched '(?P<bracket>.)'"), "formula-unopened"),
    (re.compile(r"closing parenthesis '(?P<closing>.)' does not match opening parenthesis '(?P<opening>.)'"), "formula-brackets"),
    (re.compile(r"invalid (?:non-printable )?character (?P<character>'.' \(U\+\w+\)|U\+\w+)"), "formula-character"),
    (re.compile(r"invalid \w+ literal|leading zeros"), "formula-number"),
)
MAX_NODES = 500
MAX_DEPTH = 100
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")  # a line as Python's reader cuts them


class FormulaError(ValueError):
    """A formula that cannot be read. `detail` says what and what to do, `column` (from 1) where."""

    def __init__(self, detail: str, column: int = 1) -> None:
        super().__init__(f"{detail} (column {column})")
        self.detail = detail
        self.column = column


class UnknownOperationError(FormulaError):
    """A formula calls what is no operation. `name` is what it calls, `nearest` the name that is near, if one is."""

    def __init__(self, name: str, nearest: str | None, column: int) -> None:
        super().__init__(self.told(name, nearest, "docs/ops.md"), column)
        self.name, self.nearest = name, nearest

    @staticmethod
    def told(name: str, nearest: str | None, lists: str) -> Told:
        """The same in words. lists: where all operations are listed."""
        return Told(
            f"the operation {name!r} is not known; {meant(nearest)}{lists} lists all", "operation-unknown", name=name, nearest=nearest
        )


def parse(text: str, names: Collection[str] | None = None, functions: Collection[str] | None = None) -> Tree:
    """The tree of a formula such as ``tanh(w*x + b)``.

    names: the names that may occur; None allows any. functions: the same for what may be called.
    Raises FormulaError, with the column, for anything but numbers, names, arithmetic, comparisons and calls.
    """
    return parse_with_columns(text, names, functions)[0]


def parse_with_columns(text: str, names: Collection[str] | None = None, functions: Collection[str] | None = None) -> tuple[Tree, list[int]]:
    """As `parse`, with the column (from 1, in characters) of every subtree in the order of `walk`."""
    stripped = text.strip()
    shift = len(text) - len(text.lstrip())
    try:
        root = ast.parse(stripped, mode="eval").body
    except SyntaxError as error:
        column = (error.offset or len(stripped) + 1) if (error.lineno or 1) == 1 else 1
        raise FormulaError(_syntax(error.msg), shift + column) from None
    except (RecursionError, MemoryError):
        raise FormulaError(too_deep()) from None
    except ValueError:
        raise FormulaError(Told("not a formula: it holds a character or a number that cannot be read", "formula-unreadable")) from None
    reader = _Reader(names, functions, stripped, shift)
    return reader.read(root, 0), reader.columns


def _syntax(message: str) -> Told:
    """What Python says of a text that is no formula."""
    for words, code in _SYNTAX:
        found = words.match(message)
        if found:
            return Told(f"not a formula: {message}", code, **found.groupdict())
    return Told(f"not a formula: {message}", "formula-syntax")


def too_deep() -> Told:
    return Told(f"nested too deeply: at most {MAX_DEPTH} levels are read", "formula-deep", most=MAX_DEPTH)


def too_long(most: int) -> Told:
    """most: terms and operations that are read."""
    return Told(f"too long: at most {most} terms and operations are read", "formula-long", most=most)


class _Reader:
    """Reads one syntax tree; counts its nodes, and notes the column of those that become subtrees, as it goes."""

    def __init__(self, names: Collection[str] | None, functions: Collection[str] | None, text: str, shift: int) -> None:
        self.names, self.functions, self.shift, self.count = names, functions, shift, 0
        self.columns: list[int] = []
        self.lines = _LINE.findall(text)

    def column(self, node: ast.AST) -> int:
        line = getattr(node, "lineno", 1) - 1
        before = self.lines[line].encode()[: getattr(node, "col_offset", 0)].decode()  # Python counts bytes, people characters
        return sum(map(len, self.lines[:line])) + len(before) + 1 + self.shift

    def fail(self, node: ast.AST, detail: str) -> FormulaError:
        return FormulaError(detail, self.column(node))

    def read(self, node: ast.expr, depth: int) -> Tree:
        self.count += 1
        if self.count > MAX_NODES:
            raise self.fail(node, too_long(MAX_NODES))
        if depth > MAX_DEPTH:
            raise self.fail(node, too_deep())
        if not isinstance(node, ast.UnaryOp) or not isinstance(node.op, ast.UAdd):  # +x is x: no subtree of its own
            self.columns.append(self.column(node))
        match node:
            case ast.Constant(value=bool() | str() | bytes() | complex() | None):
                raise self.fail(node, Told("only real numbers are known here", "formula-real"))
            case ast.Constant(value=int() | float() as value):
                return _number(value, lambda: self.fail(node, Told("this number does not fit a double", "number-double")))
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return ["neg", self.read(operand, depth + 1)]
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand, depth + 1)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return [BINARY[type(op)], self.read(left, depth + 1), self.read(right, depth + 1)]
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARE:
                return [COMPARE[type(op)], self.read(left, depth + 1), self.read(right, depth + 1)]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
                return self.call(node, name, arguments, keywords, depth)
        if isinstance(node, ast.BinOp | ast.UnaryOp) and type(node.op) in SLIPS:
            given, write, words = SLIPS[type(node.op)]
            raise self.fail(node, Told(words, "formula-operator", given=given, write=write))
        words = f"{_describe(node)} is not known here: use numbers, names, + - * / ** @ and calls of operations"
        raise self.fail(node, Told(words, "formula-construct"))

    def name(self, node: ast.AST, name: str) -> str:
        if self.names is not None and name not in self.names:
            known, close = ", ".join(sorted(self.names)), near(name, sorted(self.names))
            words = f"the name {name!r} has no value; {meant(close)}names with a value: {known or 'none'}"
            raise self.fail(node, Told(words, "name-unknown", name=name, nearest=close, known=known))
        return name

    def call(self, node: ast.Call, name: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword],
             depth: int) -> Tree:  # fmt: skip
        if self.functions is not None and name not in self.functions:
            raise UnknownOperationError(name, near(name, sorted(self.functions)), self.column(node))
        tree: list[Any] = ["call", name, *(self.read(argument, depth + 1) for argument in arguments)]
        attributes = {word.arg: self.attribute(word.value) for word in keywords if word.arg is not None}
        if len(attributes) != len(keywords):
            raise self.fail(node, Told("write keyword arguments out, one by one", "keyword-spread"))
        if attributes:
            tree.append(attributes)
        return tree

    def attribute(self, node: ast.expr) -> Any:
        """A keyword argument: a number, True, False, None, or a tuple of integers."""
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise self.fail(node, _keyword_value()) from None
        if isinstance(value, tuple | list) and len(value) <= 32 and all(type(item) is int for item in value):
            return list(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        raise self.fail(node, _keyword_value())


def _number(value: int | float, error: Callable[[], FormulaError]) -> int | float:
    try:
        as_double = float(value)
    except OverflowError:
        raise error() from None
    if math.isinf(as_double):
        raise error()
    return value if isinstance(value, int) and int(as_double) == value else as_double


def _keyword_value() -> Told:
    return Told("a keyword argument is a number, True, False, None or a tuple of integers", "keyword-value")


def _describe(node: ast.AST) -> str:
    words = {ast.Attribute: "an attribute", ast.Lambda: "a lambda", ast.Subscript: "an index", ast.JoinedStr: "an f-string",
             ast.ListComp: "a comprehension", ast.GeneratorExp: "a comprehension", ast.BoolOp: "and/or"}  # fmt: skip
    return words.get(type(node), f"{type(node).__name__.lower()!r}")


def children(tree: Tree) -> Sequence[Tree]:
    """The subtrees of a tree, without operators, function names and keyword attributes."""
    if not isinstance(tree, list):
        return ()
    return [part for part in tree[2 if tree[0] == "call" else 1 :] if not isinstance(part, dict)]


def walk(tree: Tree) -> Iterator[Tree]:
    """Every subtree, the tree itself first."""
    yield tree
    for part in children(tree):
        yield from walk(part)


def names_in(tree: Tree) -> list[str]:
    """The names that occur, in order of first occurrence."""
    return list(dict.fromkeys(part for part in walk(tree) if isinstance(part, str)))


def source(tree: Tree, scalars: bool = False) -> str:
    """The tree as Python source, fully parenthesised. Names must be identifiers. A name squared is written as a product, the quickest form.

    scalars: for single numbers: choices become Python's own, which numpy takes ten times as long for.
    """
    if isinstance(tree, str):
        if not tree.isidentifier() or keyword.iskeyword(tree):
            raise ValueError(f"{tree!r} is not a name")
        return tree
    if isinstance(tree, int | float):
        return repr(tree)
    if tree[0] == "pow" and tree[2] == 2 and isinstance(tree[1], str):
        tree = ["mul", tree[1], tree[1]]
    parts = [source(part, scalars) for part in children(tree)]
    if tree[0] == "neg":
        return f"(-{parts[0]})"
    if tree[0] == "call" and scalars and tree[1] == "where":
        return f"({parts[1]} if {parts[0]} else {parts[2]})"
    if tree[0] == "call" and scalars and tree[1] in ("maximum", "minimum") and not any(isinstance(part, list) for part in tree[2:]):
        a, b = parts
        return f"({b} if {b} {'>' if tree[1] == 'maximum' else '<'} {a} or {b} != {b} else {a})"  # the last but one for a NaN
    if tree[0] == "call":
        return f"{source(tree[1])}({', '.join(parts)})"
    if tree[0] == "eq":  # tensors keep == for identity
        return f"_equal({', '.join(parts)})"
    return f"({parts[0]} {SYMBOLS[tree[0]]} {parts[1]})"


def compile_steps(
    steps: Mapping[str, Tree], arguments: Sequence[str], functions: Mapping[str, Callable[..., Any]]
) -> Callable[..., dict[str, Any]]:
    """One function of `arguments` that computes named values in turn and returns them by name.

    Here and in `compile_tree` the engine writes code, and nowhere else: trees that `parse` has checked become a plain Python function,
    whose source can be read in its ``__doc__``.
    """
    lines = [f"    {name} = {source(tree)}" for name, tree in steps.items()]
    lines.append("    return {" + ", ".join(f"{name!r}: {name}" for name in steps) + "}")
    return _compile(f"def formula({', '.join(arguments)}):\n" + "\n".join(lines), functions)


def compile_tree(
    tree: Tree, arguments: Sequence[str], functions: Mapping[str, Callable[..., Any]], keywords: Mapping[str, Any] | None = None, *,
    scalars: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """A function of `arguments` that computes one tree; arithmetic by operators, calls through `functions`.

    keywords: keyword arguments with their defaults. scalars: see `source`.
    A bare call of the arguments in their order is that function itself.
    """
    if isinstance(tree, list) and tree[0] == "call" and tree[2:] == list(arguments) and not keywords:
        return functions[tree[1]]
    return _compile(f"def formula({_signature(arguments, keywords)}):\n    return {source(tree, scalars)}", functions)


def compile_pair(
    first: Tree, second: Tree, arguments: Sequence[str], functions: Mapping[str, Callable[..., Any]],
    keywords: Mapping[str, Any] | None = None, *, scalars: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """As `compile_tree`, for two trees: the function gives both values."""
    body = f"return {source(first, scalars)}, {source(second, scalars)}"
    return _compile(f"def formula({_signature(arguments, keywords)}):\n    {body}", functions)


def _signature(arguments: Sequence[str], keywords: Mapping[str, Any] | None) -> str:
    options = [f"{name}={value!r}" for name, value in (keywords or {}).items()]
    return ", ".join([*arguments, "*", *options] if options else arguments)


def _compile(text: str, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"_equal": operator.eq, **functions}
    exec(compile(text, "<formula>", "exec"), namespace)  # text is written from a checked tree
    function: Callable[..., Any] = namespace["formula"]
    function.__doc__ = text
    return function
