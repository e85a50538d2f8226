"""Einstein sums of two operands: the equation read once, the sum done by the matrix product."""

from __future__ import annotations

import math
from functools import lru_cache
from string import ascii_letters
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.told import Told

_SMALL = 2048  # products up to which numpy's own loop is quicker than arranging a matrix product


def read(equation: Any, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[str, str, str]:
    """The letters of two operands of these shapes and of the output, ``...`` written out. Raises ValueError naming equation and shapes."""
    try:
        first, second, out = _letters(equation, len(a), len(b))
        if _sizes_fit(first, a, second, b):
            return first, second, out
        problem = "a letter's sizes differ"
    except (ValueError, TypeError) as error:
        problem = str(error)
    expected = "two terms such as 'ij,jk->ik', a letter a dimension, of the same size wherever it occurs (or 1 in one operand)"
    words = f"einsum: {equation!r} for shapes {a} and {b}: {problem}; expected {expected}"
    raise ValueError(Told(words, "operation-refused", name="einsum", shapes=f"{a}, {b}"))


def _sizes_fit(first: str, a: tuple[int, ...], second: str, b: tuple[int, ...]) -> bool:
    mine = dict(zip(first, a, strict=True))
    theirs = dict(zip(second, b, strict=True))
    if any(mine[c] != n for c, n in zip(first, a, strict=True)) or any(theirs[c] != n for c, n in zip(second, b, strict=True)):
        return False  # a diagonal of a block that is not square
    return all(n == theirs.get(c, n) or 1 in (n, theirs[c]) for c, n in mine.items())


@lru_cache(maxsize=512)
def _letters(equation: str, ndim_a: int, ndim_b: int) -> tuple[str, str, str]:
    if not isinstance(equation, str):
        raise TypeError("the equation is no text")
    left, arrow, out = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != 2:
        raise ValueError(f"{len(terms)} terms")
    named = [term.replace("...", "", 1) for term in (*terms, out)]
    if any(c not in ascii_letters for c in "".join(named)):
        raise ValueError("only letters, ',', '->' and one '...' a term are read")
    dotted = [ndim - len(name) if "..." in term else 0 for term, name, ndim in zip(terms, named, (ndim_a, ndim_b), strict=False)]
    for term, name, extra, ndim in zip(terms, named, dotted, (ndim_a, ndim_b), strict=False):
        if extra < 0 or extra + len(name) != ndim:
            raise ValueError(f"{term!r} does not have {ndim} dimensions")
    unused = [c for c in ascii_letters if c not in left + out][: max(dotted)]
    spare = "".join(unused)
    first, second = (term.replace("...", spare[len(spare) - extra :]) for term, extra in zip(terms, dotted, strict=True))
    if not arrow:
        both = named[0] + named[1]
        out = spare + "".join(sorted(c for c in set(both) if both.count(c) == 1))
    elif spare and "..." not in out:
        raise ValueError("the output lacks the '...' of the terms")
    else:
        out = out.replace("...", spare)
    if len(set(out)) != len(out) or not set(out) <= set(first + second):
        raise ValueError(f"the output {out!r} repeats a letter, or has one that no term has")
    return first, second, out


def sizes_of(a: Array, b: Array, first: str, second: str) -> dict[str, int]:
    """How far each letter runs; 1 only where no operand has more."""
    sizes: dict[str, int] = {}
    for c, n in (*zip(first, a.shape, strict=True), *zip(second, b.shape, strict=True)):
        sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    return sizes


def contract(a: Array, b: Array, first: str, second: str, out: str) -> Any:
    """The Einstein sum for letters that `read` gave: by numpy's loop when small, by one (batched) matrix product otherwise."""
    sizes = sizes_of(a, b, first, second)
    if math.prod(sizes.values()) <= _SMALL:
        return np.einsum(f"{first},{second}->{out}", a, b)
    a, first = _diagonal(a, first, sizes)
    b, second = _diagonal(b, second, sizes)
    a, first = _alone(a, first, second, out)
    b, second = _alone(b, second, first, out)
    batch = [c for c in first if c in second and c in out]
    summed = [c for c in first if c in second and c not in out]
    free_a, free_b = [c for c in first if c not in second], [c for c in second if c not in first]
    count = [math.prod(sizes[c] for c in group) for group in (batch, free_a, summed, free_b)]
    left = a.transpose([first.index(c) for c in (*batch, *free_a, *summed)])
    right = b.transpose([second.index(c) for c in (*batch, *summed, *free_b)])
    if batch:
        product = np.matmul(left.reshape(count[0], count[1], count[2]), right.reshape(count[0], count[2], count[3]))
    else:
        product = left.reshape(count[1], count[2]).dot(right.reshape(count[2], count[3]))
    order = [*batch, *free_a, *free_b]
    return product.reshape([sizes[c] for c in order]).transpose([order.index(c) for c in out])


def _diagonal(x: Array, mine: str, sizes: dict[str, int]) -> tuple[Array, str]:
    """An operand with each letter once, and without those of size 1 that only the other operand really has."""
    unique = "".join(dict.fromkeys(mine))
    if unique != mine:
        x = np.einsum(f"{mine}->{unique}", x)
    kept = [i for i, c in enumerate(unique) if x.shape[i] == sizes[c]]
    return x.reshape([x.shape[i] for i in kept]), "".join(unique[i] for i in kept)


def _alone(x: Array, mine: str, theirs: str, out: str) -> tuple[Any, str]:
    """An operand with the letters summed that neither the other operand nor the output has."""
    summed = tuple(i for i, c in enumerate(mine) if c not in theirs and c not in out)
    if not summed:
        return x, mine
    return np.add.reduce(x, axis=summed), "".join(c for i, c in enumerate(mine) if i not in summed)


def spread(F: Any, part: Any, reached: str, mine: str, shape: tuple[int, ...]) -> Any:
    """A gradient over some letters of an operand, as one over its whole term: the same along a letter that was summed out of this
    operand alone, zero off the diagonal of a repeated letter."""
    have = dict(zip(reached, part.shape, strict=True))
    wanted = [n if have.get(c, 1) == 1 else have[c] for c, n in zip(mine, shape, strict=True)]
    kept = [have.get(c, 1) if mine.index(c) == i else 1 for i, c in enumerate(mine)]
    if mine != reached:
        part = F.reshape(part, shape=kept)
    if kept != wanted:
        part = F.broadcast_to(part, shape=wanted)
    later = [i for i, c in enumerate(mine) if mine.index(c) != i]
    if later:
        on_diagonal = np.ones(wanted, dtype=bool)
        grid = np.ogrid[tuple(slice(n) for n in wanted)]
        for i in later:
            on_diagonal &= grid[i] == grid[mine.index(mine[i])]
        part = part * on_diagonal.astype(part.dtype)
    return part
