"""The order in which a fused kernel computes a batch of sequences: which rows take part at which step, cut into regular blocks.

Rows are sorted by falling length, so the first ``n`` rows take part in a step and fewer and fewer as the steps go by. Steps with the
same rows form a run. With ``reverse`` every row is taken from its own last step to its first: that is the same order of work on the
sequences turned around, so the kernels themselves know nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from engine.ops.op import Array

CACHED = 256 * 1024  # bytes of one gate that a block may have: what a block's backward pass works on stays in a core's cache


@dataclass(frozen=True)
class Span:
    """Some steps on the same rows. first: how many steps there are before it; at: how many (step, row) pairs."""

    steps: int
    rows: int
    first: int
    at: int

    @property
    def end(self) -> int:
        return self.at + self.steps * self.rows


@dataclass(frozen=True, eq=False)
class Plan:
    """The work on a batch of (time, batch) with certain lengths.

    size: how many (step, row) pairs there are, packed: those of the first step first. groups: the spans in the order of the steps, those
    together whose weights' gradients are one product. times, rows: where each pair is in the batch; None where all rows have all steps.
    """

    time: int
    batch: int
    size: int
    reverse: bool
    groups: tuple[tuple[Span, ...], ...]
    times: Array | None
    rows: Array | None

    @cached_property
    def spans(self) -> tuple[tuple[Span, int], ...]:
        """All spans in the order of the steps, each with the number of rows that go on after it."""
        spans = [span for group in self.groups for span in group]
        return tuple((span, spans[i + 1].rows if i + 1 < len(spans) else 0) for i, span in enumerate(spans))

    @cached_property
    def parts(self) -> dict[Any, Any]:
        """What is prepared for the spans, by what it is prepared for (`engine.ops.fused_memory.parts_of`)."""
        return {}

    @property
    def straight(self) -> bool:
        """Whether packed is what (time, batch, ...) is anyway."""
        return self.times is None and not self.reverse

    def ordered(self, x: Array) -> Array:
        """(time, batch, k) as `steps` takes it: in the order of work."""
        if self.times is not None:
            packed: Array = x[self.times, self.rows]
            return packed
        return x[::-1] if self.reverse else x

    def steps(self, ordered: Array, span: Span) -> Array:
        """The part of a span, (steps, rows, k)."""
        if span.first == 0 and span.end == self.size and self.times is None:
            return ordered
        if self.times is None:
            return ordered[span.first : span.first + span.steps]
        return ordered[span.at : span.end].reshape(span.steps, span.rows, ordered.shape[1])

    def pack(self, a: Array) -> Array:
        """(time, batch, k) -> (size, k); without a copy where the order is that of the batch."""
        if self.times is not None:
            packed: Array = a[self.times, self.rows]
            return packed
        return (a[::-1] if self.reverse else a).reshape(self.size, a.shape[2])

    def unpack(self, packed: Array, out: Array) -> None:
        """Puts (size, k) into its places of (time, batch, k)."""
        if self.times is not None:
            out[self.times, self.rows] = packed
        else:
            (out[::-1] if self.reverse else out)[...] = packed.reshape(out.shape)


def counts_of(lengths: Sequence[int] | None, steps: int, batch: int) -> list[int]:
    """How many rows take part at each step. Raises ValueError unless lengths fall and fit."""
    if lengths is None:
        return [batch] * steps
    if len(lengths) != batch or any(n < 1 or n > steps for n in lengths) or any(b > a for a, b in pairwise(lengths)):
        raise ValueError(
            f"lengths {list(lengths)} for {batch} sequences of at most {steps} steps; expected {batch} falling lengths in 1..{steps}"
        )
    return [sum(1 for n in lengths if n > t) for t in range(steps)]


def _between_cuts(first: int, steps: int, truncate: int | None) -> list[int]:
    """`steps` steps, of which the first is number `first` (from 0), cut after every `truncate` steps of the whole: their numbers."""
    if truncate is None:
        return [steps]
    cuts = [first, *range(first - first % truncate + truncate, first + steps, truncate), first + steps]
    return [b - a for a, b in pairwise(cuts)]


@lru_cache(maxsize=64)
def plan_of(time: int, batch: int, state_bytes: int, lengths: tuple[int, ...] | None, reverse: bool, truncate: int | None = None) -> Plan:
    """The plan for a batch. state_bytes: the bytes of one row of one gate. truncate: a span begins after every so many steps.

    Raises ValueError unless lengths fall and fit.
    """
    counts = counts_of(lengths, time, batch)
    whole = all(n == batch for n in counts)
    spans: list[Span] = []
    for rows, run in groupby(n for n in counts if n):
        for steps in _between_cuts(spans[-1].first + spans[-1].steps if spans else 0, len(list(run)), truncate):
            pieces = -(-steps // max(1, CACHED // (rows * state_bytes)))
            longest = -(-steps // pieces)
            for start in range(0, steps, longest):
                first, at = (spans[-1].first + spans[-1].steps, spans[-1].end) if spans else (0, 0)
                spans.append(Span(min(longest, steps - start), rows, first, at))
    groups: list[list[Span]] = []
    for span in spans:
        if groups and (span.end - groups[-1][0].at) * state_bytes <= CACHED:
            groups[-1].append(span)
        else:
            groups.append([span])
    times = rows_of = None
    if not whole and lengths is not None:
        times = np.repeat(np.arange(time), counts)
        rows_of = np.concatenate([np.arange(n) for n in counts])
        if reverse:
            times = np.asarray(lengths)[rows_of] - 1 - times
        times.flags.writeable = rows_of.flags.writeable = False
    return Plan(time, batch, sum(counts), reverse, tuple(map(tuple, groups)), times, rows_of)
