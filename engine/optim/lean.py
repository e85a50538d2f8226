"""A rule's step compiled without its terms: what training runs, where `Rule.compute` is what a trace records.

The same trees become code that works in place wherever nobody can see it: on the state kept from the step before, and on intermediate
results after their last use. Two rewritings only, both exact in floating point: a sign moves into a number (-(a*x) is (-a)*x, and
likewise through a quotient), and a + b may be b + a. So the result is bit for bit that of the formulas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from engine.ops.formula import SYMBOLS, Tree, children, names_in, source, walk
from engine.ops.functions import FUNCTIONS

_IN_PLACE = {"sqrt", "abs", "exp", "log", "maximum", "minimum"}  # functions whose result may replace an argument
_NAMESPACE: Mapping[str, Any] = {**FUNCTIONS, "subtract": np.subtract, "divide": np.divide, "power": np.power, "negative": np.negative,
                                 "_equal": lambda a, b: a == b}  # fmt: skip
_REVERSED = {"sub": "subtract", "div": "divide", "pow": "power"}


class Lean:
    """A compiled step.

    trees: the computed terms in order, the last being the new value. numbers: names of hyper-parameters that are the same for a whole
    group. state: state -> name of its value before the step.
    """

    def __init__(self, trees: Mapping[str, Tree], numbers: Sequence[str], state: Mapping[str, str]) -> None:
        self._trees, self._numbers, self._state = trees, list(numbers), dict(state)

    @cached_property
    def _written(self) -> tuple[str, list[bool]]:
        writer = _Writer(self._trees, self._numbers, self._state)
        source = writer.source()
        return source, [name in writer.plain for name in writer.constants.values()]

    @property
    def source(self) -> str:
        """The Python source of `constants` and `update`."""
        return self._written[0]

    def operands(self, constants: Sequence[float], dtype: Any) -> tuple[Any, ...]:
        """The constants as `update` takes them for arrays of a dtype: what meets arrays alone as an array of one number, which rounds as
        Python's number would and is quicker; what meets the number of the step as it is."""
        plain = self._written[1]
        return tuple([value if keep else np.array(value, dtype) for value, keep in zip(constants, plain, strict=True)])

    @cached_property
    def _functions(self) -> dict[str, Any]:
        namespace = dict(_NAMESPACE)
        exec(compile(self.source, "<update>", "exec"), namespace)  # written from checked trees alone, as engine/ops/formula.py does
        return namespace

    @property
    def constants(self) -> Callable[..., tuple[float, ...]]:
        """What depends on the group alone, from its numbers in their order; computed once for many steps."""
        function: Callable[..., tuple[float, ...]] = self._functions["constants"]
        return function

    @property
    def update(self) -> Callable[..., Any]:
        """``update(clipped, old, step, state, *operands)`` -> the new value, an array of its own; `state` holds the new state after it.

        For arrays of at least one dimension: numpy's scalars, which 0-d arithmetic gives, cannot be changed in place.
        """
        function: Callable[..., Any] = self._functions["update"]
        return function


class _Writer:
    """Writes the two functions of one rule."""

    def __init__(self, trees: Mapping[str, Tree], numbers: Sequence[str], state: Mapping[str, str]) -> None:
        self.numbers, self.state = numbers, state
        self.lines: list[str] = []
        self.constants: dict[str, str] = {}  # source -> name
        self.plain: set[str] = set()  # constants that are used beside the number of the step
        self.fixed, self.stepped = set(numbers), {"step"}  # names that are numbers: of the group, of the step
        self.names: dict[str, str] = {}  # term -> the variable that holds it
        self.mine = set(state.values())  # arrays that may be overwritten after their last use
        self.trees = {name: _signs_moved(tree, self.fixed | {"step"}) for name, tree in trees.items()}
        self.left = Counter(part for tree in self.trees.values() for part in walk(tree) if isinstance(part, str))
        self.temporaries = 0

    def source(self) -> str:
        after = {before: name for name, before in self.state.items()}
        for name, before in self.state.items():
            self.lines.append(f"{before} = state[{name!r}]")
        for term, tree in self.trees.items():
            if self.is_number(tree):
                self.lines.append(f"{term} = {self.number(tree)}")
                self.stepped.add(term)
                continue
            variable, owned = self.write(tree, Counter(part for part in walk(tree) if isinstance(part, str)))
            self.names[term] = variable
            if term in self.state:
                if after.get(variable) != term:
                    self.lines.append(f"state[{term!r}] = {variable}")
            elif owned:
                self.mine.add(term)
            result = variable
        head = f"def constants({', '.join(self.numbers)}):\n    return ({''.join(f'{text}, ' for text in self.constants)})\n\n\n"
        arguments = ", ".join(["clipped", "old", "step", "state", *self.constants.values()])
        return head + f"def update({arguments}):\n" + "\n".join(f"    {line}" for line in [*self.lines, f"return {result}"]) + "\n"

    def is_number(self, tree: Tree) -> bool:
        return all(name in self.fixed or name in self.stepped for name in names_in(tree))

    def number(self, tree: Tree) -> str:
        """Source of a number; what is the same for the whole group is computed once."""
        text, names = source(tree), names_in(tree)
        if any(name in self.stepped for name in names):
            for name in names:
                if name in self.fixed:
                    self.constants[name] = name
                    self.plain.add(name)
            return text
        if isinstance(tree, str):
            return self.constants.setdefault(text, text)
        return self.constants.setdefault(text, f"k{len(self.constants)}") if names else text

    def write(self, tree: Tree, uses: Mapping[str, int]) -> tuple[str, bool]:
        """Writes what computes a tree. Gives the variable, and whether it may be overwritten. uses: of names in the whole statement."""
        if isinstance(tree, str):
            self.left[tree] -= 1
            return self.names.get(tree, tree), tree in self.mine and self.left[tree] == 0 and uses[tree] == 1
        if tree[0] == "call":
            return self.call(tree[1], [self.operand(part, uses) for part in tree[2:]])
        if tree[0] == "neg":
            variable, owned = self.write(tree[1], uses)
            return self.put(f"negative({variable}, {variable})", variable) if owned else self.put(f"-{variable}")
        if tree[0] == "pow" and tree[2] == 2:  # as engine/ops/formula.py writes it
            variable, owned = self.write(tree[1], uses)
            return self.put(f"{variable} *= {variable}", variable) if owned else self.put(f"{variable} * {variable}")
        kind, sign = tree[0], SYMBOLS[tree[0]]
        (left, left_owned), (right, right_owned) = (self.operand(part, uses) for part in tree[1:])
        if left_owned:
            return self.put(f"{left} {sign}= {right}", left)
        if right_owned and kind in ("add", "mul"):
            return self.put(f"{right} {sign}= {left}", right)
        if right_owned and kind in _REVERSED:
            return self.put(f"{_REVERSED[kind]}({left}, {right}, {right})", right)
        return self.put(f"{left} {sign} {right}")

    def call(self, name: str, operands: list[tuple[str, bool]]) -> tuple[str, bool]:
        texts = [text for text, _ in operands]
        into = next((text for text, owned in operands if owned), None)
        if into is not None and name in _IN_PLACE:
            return self.put(f"{name}({', '.join(texts)}, out={into})", into)
        return self.put(f"{name}({', '.join(texts)})")

    def operand(self, tree: Tree, uses: Mapping[str, int]) -> tuple[str, bool]:
        return (self.number(tree), False) if self.is_number(tree) else self.write(tree, uses)

    def put(self, text: str, into: str | None = None) -> tuple[str, bool]:
        """One line: a value into a new variable, or an operation that changes `into`."""
        if into is not None:
            self.lines.append(text)
            return into, True
        variable = f"t{self.temporaries}"
        self.temporaries += 1
        self.lines.append(f"{variable} = {text}")
        return variable, True


def _signs_moved(tree: Tree, numbers: set[str]) -> Tree:
    """The tree with each minus sign in a number of its product or quotient, where there is one."""
    if not isinstance(tree, list):
        return tree
    if tree[0] == "neg" and isinstance(tree[1], list) and tree[1][0] in ("mul", "div"):
        kind, left, right = tree[1]
        signed = _signs_moved(["neg", left], numbers)
        if signed[0] != "neg" or all(name in numbers for name in names_in(left)):
            return [kind, signed, _signs_moved(right, numbers)]
    start = 2 if tree[0] == "call" else 1
    return [*tree[:start], *(_signs_moved(part, numbers) for part in children(tree))]
