"""An update rule: an ordered list of named formulas that both computes the step and says what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.ops.formula import Tree, compile_steps, parse
from engine.ops.functions import FUNCTIONS


@dataclass(frozen=True)
class Term:
    """One named quantity of an update. formula: over the terms before it and the hyper-parameters; None for what is given."""

    name: str
    symbol: str  # LaTeX
    formula: str | None = None


CLIPPED = (Term("coefficient", "c"), Term("clipped", r"\tilde{g}", "coefficient*gradient"))


@dataclass(frozen=True)
class Rule:
    """How one parameter moves.

    name: the optimizer's, as in a trace's ``rules``.
    terms: given ones (``gradient``, ``old``, the state before) and computed ones, in order, the last being ``new``; formulas are
        written over ``clipped``, the gradient after clipping, which is ``gradient`` itself where nothing was clipped.
    hyper: hyper-parameters that occur, name -> LaTeX.
    state: state kept between steps, name -> term that holds its value before the step (zeros before the first).
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

    def describe(self, clipped: bool) -> dict[str, Any]:
        """The rule as docs/trace-format.md has it; with the clipping's terms or with the gradient in their place."""
        terms: list[dict[str, Any]] = []
        for term in self.terms:
            tree = self.trees.get(term.name)
            terms.append({"name": term.name, "symbol": term.symbol, "formula": tree if clipped else _renamed(tree, "clipped", "gradient")})
            if clipped and term.name == "gradient":
                terms += [{"name": t.name, "symbol": t.symbol, "formula": None if t.formula is None else parse(t.formula)} for t in CLIPPED]
        return {"terms": terms, "symbols": {**{t["name"]: t["symbol"] for t in terms}, **self.hyper}}

    def order(self, clipped: bool) -> Sequence[str]:
        """The names of all terms in the order in which a trace lists them, hyper-parameters last."""
        return [*(term["name"] for term in self.describe(clipped)["terms"]), *self.hyper]


def _renamed(tree: Tree, old: str, new: str) -> Tree:
    if isinstance(tree, list):
        return [tree[0], *(_renamed(part, old, new) for part in tree[1:])]
    return new if tree == old else tree
