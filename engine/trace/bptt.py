"""Back-propagation through time, itemised: what the loss of each step sends to each state, and what each use of a parameter adds.

All of it is computed from the stored trace. The loss enters the recurrence where something outside it reads a state: the part of the loss
that reads the state of step t is called L_t here, so that dL/dh_s is the sum over t >= s of dL_t/dh_s. With a read-out of the last state
there is one such part, that of each sequence's last step. Of several layers one is looked at: what reads its states outside its own
recurrence are the layers above too, over all of their steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from engine.backward import gradients_since
from engine.ops.op import Array
from engine.tape import Tape
from engine.tensor import Tensor, apply
from engine.trace.arena import encode
from engine.trace.document import Document
from engine.trace.serial import plain

STATES = ("h", "c")
MOST_ELEMENTS = 8_000_000  # of all Jacobians together
MOST_OPERATIONS = 30_000_000_000  # multiplications and additions, a second or two of one processor
_SWEEP, _PAIR = 1_000_000, 200_000  # what a sweep, or a pair of steps, costs beside its arithmetic, counted in operations
_STEP = re.compile(r"(?P<chain>.+?)/t=(?P<time>[0-9]+)(?:/.*)?")


class NotItemisedError(ValueError):
    """What cannot be itemised: a recurrence or a row that there is not, Jacobians that are too large."""


class TooMuchError(NotItemisedError):
    """Jacobians that are too large, or too many. most, actual: elements or operations that there may be, and that there would be."""

    def __init__(self, detail: str, most: int, actual: int) -> None:
        super().__init__(detail, most, actual)
        self.detail, self.most, self.actual = detail, most, actual

    def __str__(self) -> str:
        return self.detail


def check_cost(steps: int, rows: int, width: int, units: int) -> None:
    """Raises TooMuchError for Jacobians that would take too much memory or time, before any is made.

    rows: of the batch. width: of a state, h and c together. units: of h.
    """
    elements = steps * rows * width**2
    sweeps = steps * width * (_SWEEP + 20 * rows * units * width)
    pairs = steps * (steps + 1) // 2 * (_PAIR + 14 * width**3 + 2 * rows * width**2)  # products and their singular values; gradients
    todo = "make the trace of one example, of a shorter sequence, or of a smaller hidden_size"
    for what, actual, most in (("elements", elements, MOST_ELEMENTS), ("operations", sweeps + pairs, MOST_OPERATIONS)):
        if actual > most:
            given = f"the Jacobians of this trace take about {actual:,} {what}"
            raise TooMuchError(f"{given}, at most {most:,} are computed; {todo}", most, actual)


@dataclass(frozen=True)
class Chain:
    """A recurrence of a trace, in the order in which it runs: the last step comes first in one that reads backwards.

    scope: of the cell (``lstm``, of another layer or direction ``lstm/l1_reverse``). steps: for each step its states' nodes, (h,) or
    (h, c). times: the number of each step.
    """

    scope: str
    steps: tuple[tuple[int, ...], ...]
    times: tuple[int, ...]


def find_chains(document: Document) -> dict[str, Chain]:
    """The recurrences of a trace by their scopes: the nodes labelled h (and c) of the scopes ``<cell>/t=<t>``, lower layers first.

    Raises NotItemisedError where steps are missing.
    """
    found: dict[str, dict[int, dict[str, int]]] = {}
    for node in document.nodes:
        match = _STEP.fullmatch(node["scope"])
        if match and node["op"] is not None and node["label"] in STATES and node["role"] != "probe" and len(node["shape"]) == 2:
            found.setdefault(match["chain"], {}).setdefault(int(match["time"]), {})[node["label"]] = node["id"]
    return {scope: _chain(scope, steps) for scope, steps in found.items() if all("h" in states for states in steps.values())}


def _chain(scope: str, steps: Mapping[int, Mapping[str, int]]) -> Chain:
    names = [name for name in STATES if name in steps[min(steps)]]
    if sorted(steps) != list(range(1, len(steps) + 1)) or any(sorted(states) != sorted(names) for states in steps.values()):
        raise NotItemisedError(f"the states of {scope} have gaps; expected h (and c) at every step from t=1")
    times = tuple(sorted(steps, key=lambda t: steps[t]["h"]))
    return Chain(scope, tuple(tuple(steps[t][name] for name in names) for t in times), times)


def choose(chains: Mapping[str, Chain], scope: str | None) -> Chain | None:
    """The recurrence of that scope; unless given the highest one that reads forward, None where there is none.

    Raises NotItemisedError for a scope that is none of them.
    """
    if scope is None:
        forward = [chain for chain in chains.values() if chain.times[0] == 1 and not chain.scope.endswith("_reverse")]
        found = forward or list(chains.values())
        return found[-1] if found else None
    if scope not in chains:
        raise NotItemisedError(f"the trace has no recurrence of that name; it has {', '.join(chains) or 'none'}")
    return chains[scope]


class Recurrence:
    """A chain, cut at its states: its local gradients and Jacobians, by row of the batch.

    Shapes: with H units and S = H (or 2 H, h before c), `local` is one array (rows, S) a step, of dL_t with respect to the state of step t;
    `jacobians` one (rows, S, S) a step from the second, d state_t / d state_(t-1), over the rows of step t. In all of these h and c are
    coordinates of their own. `within` is one (rows, S, S) a step: what moves with what inside it, h with c, as recorded gradients have it.
    Raises NotItemisedError where the Jacobians would take too much memory or time, and where rows are not computed each from its own.
    """

    def __init__(self, document: Document, chain: Chain) -> None:
        self.chain = chain
        shapes = [document.nodes[states[0]]["shape"] for states in chain.steps]
        units = shapes[0][1]
        if any(later > rows for (rows, _), (later, _) in pairwise(shapes)):
            raise NotItemisedError(
                f"{chain.scope} reads sequences of different lengths backwards, which join it one by one; ask for the trace of one example"
            )
        check_cost(len(shapes), max(rows for rows, _ in shapes), units * len(chain.steps[0]), units)
        with Tape("GRAD"), np.errstate(all="ignore"):
            self._compute(document)
            self.local = self._local(document)
            slopes = [self._slopes(t) for t in range(len(chain.steps))]
        self.within = [within for within, _ in slopes]
        self.jacobians = [jacobian for _, jacobian in slopes[1:]]

    def _compute(self, document: Document) -> None:
        """Computes the trace again with a leaf in place of each state, for all that comes after the states of its step are complete."""
        complete = {state: max(states) for states in self.chain.steps for state in states}
        initial = document.nodes[self.chain.steps[0][0]]["shape"]
        self.leaves: dict[int, Tensor] = {}
        self.results: list[Tensor] = []
        for number, node in enumerate(document.nodes):
            if node["op"] is None or node["role"] == "probe":
                value = document.value(number)  # the state before the first step is a leaf too, so that this step is recorded
                self.results.append(Tensor(value, requires_grad=value.dtype.kind == "f" and node["shape"] == initial))
                continue
            operands = [self.leaves[i] if i in self.leaves and number > complete[i] else self.results[i] for i in node["inputs"]]
            result = apply(node["op"], *operands, **node["attributes"])
            self.results.append(result)
            if number in complete:
                self.leaves[number] = Tensor(result.data, requires_grad=True)

    def _local(self, document: Document) -> list[Array]:
        loss = self.results[document.loss]
        if loss.requires_grad:
            loss.backward(None if document.seed is None else document.seed[1])
        return [_side_by_side([self.leaves[state] for state in states]) for states in self.chain.steps]

    def _slopes(self, t: int) -> tuple[Array, Array]:
        """`within` and the Jacobian of one step. It computes each row of a batch alone, so one sweep serves one unit of all rows."""
        now = [self.results[state] for state in self.chain.steps[t]]
        before = [self.leaves[state] for state in self.chain.steps[t - 1]] if t else []
        rows, width = now[0].shape
        nodes, tape = [result.node for result in now], now[0].tape
        assert tape is not None  # all of it is on one
        nodes_before = [tape.node_of(state) for state in before]
        lowest = min(nodes + nodes_before)
        within, jacobian = np.zeros((rows, len(now) * width, len(now) * width)), np.zeros((rows, len(now) * width, len(now) * width))
        for k, result in enumerate(now):
            units = slice(k * width, (k + 1) * width)
            if not result.requires_grad:
                within[:, units, units] = np.eye(width)
                continue
            for unit in range(width):
                seed = np.zeros((rows, width))
                seed[:, unit] = 1.0
                gradients = gradients_since(result, seed, lowest)
                within[:, k * width + unit] = _at(gradients, nodes, now)
                if before:
                    jacobian[:, k * width + unit] = _at(gradients, nodes_before, before)[:rows]
            if before and rows * width > 1:
                self._check_rows(t, result, jacobian[:, units], before)
        return within, jacobian

    def _check_rows(self, t: int, result: Tensor, jacobian: Array, before: Sequence[Tensor]) -> None:
        """Raises NotItemisedError where the rows of a step are not computed alone: a sweep of all of them then gives something else."""
        seed = np.random.default_rng(t).standard_normal(result.shape)
        result.backward(seed)
        swept, expected = _side_by_side(before), np.einsum("bi,bij->bj", seed, jacobian)
        beyond = swept[len(expected) :]  # rows that ended before this step
        scale = np.abs(expected).max(initial=0.0)
        if np.isfinite(swept).all() and (np.abs(swept[: len(expected)] - expected).max(initial=0.0) > 1e-6 * scale or beyond.any()):
            raise NotItemisedError(
                f"step {t + 1} computes the rows of its states from each other; itemised are recurrences of states (batch, hidden) whose "
                "rows are computed each from its own"
            )


def _side_by_side(states: Sequence[Tensor]) -> Array:
    """The gradients that the latest sweep left at the parts of a state: (rows, S)."""
    return np.concatenate([np.zeros(state.shape) if state.grad is None else state.grad for state in states], axis=1)


def _at(gradients: Sequence[Array | None], nodes: Sequence[int], states: Sequence[Tensor]) -> Array:
    """As `_side_by_side`, of a sweep whose gradients are given by node."""
    parts = [gradients[node] if node < len(gradients) else None for node in nodes]
    return np.concatenate([np.zeros(state.shape) if part is None else part for part, state in zip(parts, states, strict=True)], axis=1)


def gradients_by_loss(recurrence: Recurrence, row: int | None) -> list[list[Array]]:
    """dL_t / d state_s for every t and every s <= t: entry [t-1][s-1], (rows, S), as gradients are recorded: that of c counts its way by h.

    row: of the batch, None for all of them.
    """
    table = []
    chosen = slice(None) if row is None else slice(row, row + 1)
    for t, local in enumerate(recurrence.local):
        reached = [local[chosen]]
        for jacobian in reversed(recurrence.jacobians[:t]):
            now = reached[-1]
            reached.append(np.einsum("bi,bij->bj", now, jacobian[chosen][: len(now)]))
        reached.reverse()
        table.append([np.einsum("bi,bij->bj", g, recurrence.within[s][chosen][: len(g)]) for s, g in enumerate(reached)])
    return table


def products(recurrence: Recurrence, row: int) -> Iterator[Array]:
    """d state_t / d state_s for every s <= t of one row of the batch, (t, S, S) for each t, as far as its sequence goes."""
    eye = np.eye(recurrence.local[0].shape[1])[None]
    reached = eye
    yield reached
    for jacobian in recurrence.jacobians:
        if row < len(jacobian):
            reached = np.concatenate([jacobian[row] @ reached, eye])
            yield reached


def spectral_norms(matrices: Array) -> Array:
    """The largest singular values of (n, S, S); NaN for a matrix that is not finite."""
    scale = np.abs(matrices).max(axis=(1, 2), initial=0.0)
    usable = np.isfinite(scale) & (scale > 0)
    norms = np.where(scale == 0, 0.0, np.nan)
    scaled = matrices[usable] / scale[usable, None, None]  # squares of very small numbers would vanish
    squares = np.linalg.eigvalsh(scaled.transpose(0, 2, 1) @ scaled)[:, -1] if len(scaled) else np.empty(0)
    norms[usable] = scale[usable] * np.sqrt(np.maximum(squares, 0.0))
    return norms


def uses(document: Document, parameter: int, arrays: bool = False) -> dict[str, Any]:
    """A parameter's gradient G as the sum of its uses, in the order in which they were added; their arrays add up to it exactly.

    Each use has its time step (null outside time), its norm ||G_u||, and `bar`, <G_u, G> / ||G||: the bars add up to ||G||.
    `steps` says the same of all uses of one step together, in order of time. arrays: gives the arrays of G and of its uses as well.
    """
    node, gradient = document.nodes[parameter], document.gradient(parameter)
    assert gradient is not None  # asked for parameters that have one
    whole = gradient.astype(np.float64)
    norm = float(np.linalg.norm(whole))
    terms, by_time = [], dict[Any, Array]()
    for use in document.contributions(parameter):
        consumer = document.nodes[use.node] if use.node >= 0 else None
        time = None if consumer is None else consumer["time"]
        terms.append({
            "node": use.node if consumer else None, "path": consumer["path"] if consumer else None, "port": use.port if consumer else None,
            "time": time, "event": use.event, **_share(use.array, whole, norm), **({"array": encode(use.array)} if arrays else {}),
        })  # fmt: skip
        by_time[time] = use.array.astype(np.float64) + by_time.get(time, 0.0)
    order = sorted(by_time, key=lambda time: (time is None, time))
    steps = [{"time": time, **_share(by_time[time], whole, norm)} for time in order]
    about = {"node": parameter, "path": node["path"], "shape": node["shape"], "norm": norm}
    return {**about, **({"array": encode(gradient)} if arrays else {}), "terms": terms, "steps": steps}


def _share(part: Array, whole: Array, norm: float) -> dict[str, float]:
    part = part.astype(np.float64)
    with np.errstate(all="ignore"):
        along = float(np.vdot(part, whole)) / norm if norm else 0.0
    return {"norm": float(np.linalg.norm(part)), "bar": along}


def itemise(document: Document, row: int | None = None, parameter: int | str | None = None, scope: str | None = None) -> dict[str, Any]:
    """The itemised back-propagation of a trace, as JSON (docs/api.md, "Itemised BPTT").

    row: an example of the batch by its place; None for the whole batch. Jacobians are of one example: of the first where `row` is None.
    parameter: node number or path of one parameter, whose uses are given with their arrays; None for all parameters, with norms alone.
    scope: of the recurrence, as in `choose`.
    Raises NotItemisedError, a ValueError, for a row or a recurrence that there is not, and Jacobians that are too large; KeyError for a
    node that there is not, or that is no parameter with a gradient.
    """
    parameters = [node["id"] for node in document.nodes if node["role"] == "parameter" and node["gradient"] is not None]
    if parameter is not None:
        chosen = document.node(parameter)["id"]
        if chosen not in parameters:
            names = ", ".join(document.nodes[node]["path"] for node in parameters)
            raise KeyError(f"node {chosen} is no parameter with a gradient; those are {names or 'none'}")
        parameters = [chosen]
    chains = find_chains(document)
    chain = choose(chains, scope)
    rows = document.nodes[chain.steps[0][0]]["shape"][0] if chain else 1
    if row is not None and not 0 <= row < rows:
        raise NotItemisedError(f"row is {row}; the batch has rows 0 to {rows - 1}")
    answer: dict[str, Any] = plain(
        {
            "trace": document.doc["id"],
            "row": row,
            "cells": list(chains),
            **(_NO_CHAIN if chain is None else _norms(document, chain, row)),
            "parameters": [uses(document, node, arrays=parameter is not None) for node in parameters],
        }
    )
    return answer


_NO_CHAIN: Mapping[str, Any] = {
    "cell": None, "states": [], "times": [], "state_norms": {}, "loss_norms": {}, "jacobian_row": None, "jacobian_norms": []
}  # fmt: skip


def _norms(document: Document, chain: Chain, row: int | None) -> Mapping[str, Any]:
    names = STATES[: len(chain.steps[0])]
    recurrence = Recurrence(document, chain)
    table = gradients_by_loss(recurrence, row)
    times = range(len(chain.steps))
    loss_norms = {
        name: [[float(np.linalg.norm(_part(table[t][s], k, len(names)))) if s <= t else 0.0 for s in times] for t in times]
        for k, name in enumerate(names)
    }
    return {
        "cell": chain.scope,
        "states": list(names),
        "times": list(chain.times),
        "state_norms": {name: [_state_norm(document, states[k], row) for states in chain.steps] for k, name in enumerate(names)},
        "loss_norms": loss_norms,
        "jacobian_row": row or 0,
        "jacobian_norms": [spectral_norms(reached).tolist() for reached in products(recurrence, row or 0)],
    }


def _part(array: Array, k: int, count: int) -> Array:
    """The h or the c of states side by side."""
    width = array.shape[1] // count
    return array[:, k * width : (k + 1) * width]


def _state_norm(document: Document, node: int, row: int | None) -> float:
    gradient = document.gradient(node)
    if gradient is None:
        return 0.0
    return float(np.linalg.norm(gradient if row is None else gradient[row : row + 1]))
