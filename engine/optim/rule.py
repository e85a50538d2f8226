"""An update rule: an ordered list of named formulas that both computes the step and says what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.ops.formula import Tree, compile_steps, names_in, parse
from engine.ops.functions import FUNCTIONS
from engine.optim.lean import Lean


@dataclass(frozen=True)
class Term:
    """One named quantity of an update. formula: over the terms before it and the hyper-parameters; None for what is given."""

    name: str
    symbol: str  # LaTeX
    formula: str | None = None


@dataclass(frozen=True)
class Rate:
    """How a learning rate came about: a schedule's terms, ``lr`` among the computed ones, and their numbers.

    hyper: the schedule's own constants, name -> LaTeX. values: of every term and constant, by name.
    """

    terms: tuple[Term, ...]
    hyper: Mapping[str, str]
    values: Mapping[str, float]


@dataclass(frozen=True)
class Rule:
    """How one parameter moves.

    name: the optimizer's, as in a trace's ``rules``.
    terms: given ones (``gradient``, ``old``, the state before) and computed ones, in order, the last being ``new``; formulas are
        written over ``clipped``, the gradient after clipping, which is ``gradient`` itself where nothing was clipped.
    hyper: hyper-parameters that occur, name -> LaTeX; ``step`` among them is the number of the parameter's own step, from 1.
    state: state kept between steps, name -> term that holds its value before the step.
    """

    name: str
    terms: tuple[Term, ...]
    hyper: Mapping[str, str]
    state: Mapping[str, str]

    @cached_property
    def trees(self) -> dict[str, Tree]:
        """The formula trees of the computed terms, in order."""
        known = ["clipped", *self.hyper]
        trees: dict[str, Tree] = {}
        for term in self.terms:
            if term.formula is not None:
                trees[term.name] = parse(term.formula, known, FUNCTIONS)
            known.append(term.name)
        return trees

    @cached_property
    def given(self) -> tuple[str, ...]:
        """What the compiled rule takes, in order: the given terms (the clipped gradient for the gradient), then the hyper-parameters."""
        names = ["clipped" if t.name == "gradient" else t.name for t in self.terms if t.formula is None]
        return (*names, *self.hyper)

    @cached_property
    def compute(self) -> Callable[..., dict[str, Any]]:
        """The computed terms by name, from those of `given`."""
        return compile_steps(self.trees, self.given, FUNCTIONS)

    @cached_property
    def lean(self) -> Lean:
        """The same step without its terms: only the new value, and the state in place. Bit for bit what `compute` gives."""
        return Lean(self.trees, [name for name in self.hyper if name != "step"], self.state)

    def describe(self, clipping: Sequence[Term] = (), rate: Rate | None = None) -> dict[str, Any]:
        """The rule as docs/trace-format.md has it.

        clipping: terms from the gradient to ``clipped``; without them the gradient stands in its place. rate: the schedule behind ``lr``.
        Made once for each; not to be changed.
        """
        key = (tuple(clipping), None if rate is None else (tuple(rate.terms), tuple(rate.hyper.items())))
        found = self._descriptions.get(key)
        if found is None:
            found = self._descriptions[key] = self._described(clipping, rate)
        return found

    @cached_property
    def _descriptions(self) -> dict[Any, dict[str, Any]]:
        return {}

    def _described(self, clipping: Sequence[Term], rate: Rate | None) -> dict[str, Any]:
        terms: list[dict[str, Any]] = []
        for term in self._with(rate):
            tree = None if term.formula is None else parse(term.formula)
            terms.append({"name": term.name, "symbol": term.symbol, "formula": tree if clipping else _renamed(tree, "clipped", "gradient")})
            if term.name == "gradient":
                for t in clipping:
                    terms.append({"name": t.name, "symbol": t.symbol, "formula": None if t.formula is None else parse(t.formula)})
        computed = {term["name"] for term in terms}
        hyper = {**self.hyper, **(rate.hyper if rate is not None else {})}
        symbols = {**{t["name"]: t["symbol"] for t in terms}, **{name: latex for name, latex in hyper.items() if name not in computed}}
        return {"terms": terms, "symbols": symbols}

    def _with(self, rate: Rate | None) -> tuple[Term, ...]:
        """The terms, those of the learning rate before the first that uses it."""
        if rate is None:
            return self.terms
        first = next(i for i, term in enumerate(self.terms) if term.formula is not None and "lr" in names_in(self.trees[term.name]))
        return (*self.terms[:first], *rate.terms, *self.terms[first:])


def _renamed(tree: Tree, old: str, new: str) -> Tree:
    if isinstance(tree, list):
        return [tree[0], *(_renamed(part, old, new) for part in tree[1:])]
    return new if tree == old else tree
