"""The reverse sweep: from a tensor back to everything it depends on, in one pass over the tape."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.events import LOCK, Product, Summed, Sweep, locked
from engine.ops.op import Array, NumpyNamespace, Record, as_array
from engine.tape import NO_ATTRIBUTES, NonFinite, Tape, TapeError, attributes_of, close_implicit
from engine.tensor import handed_out

if TYPE_CHECKING:
    from engine.tensor import Tensor

_F = NumpyNamespace()


class BackwardRun:
    """The gradients of one backward sweep. They belong to the run, not to the nodes: another run never adds to them silently."""

    def __init__(self, tape: Tape, node: int) -> None:
        self.tape = tape
        self.node = node
        self._gradients: list[Any] = [None] * len(tape)
        self._tensors: list[Tensor | None] = []  # of a recorded sweep

    def __repr__(self) -> str:
        reached = sum(g is not None for g in self._gradients)
        return f"BackwardRun(from node {self.node}, gradients of {reached} nodes, {'latest' if self.is_latest else 'replaced'})"

    @property
    def is_latest(self) -> bool:
        """Whether no other run of the same tape came after it."""
        return self.tape.latest_gradients is self._gradients

    def gradient(self, node: int) -> Array | None:
        """The gradient of a node as it was recorded, read-only (a 0-d one may be numpy's own scalar), or None where none arrived."""
        return locked(self._gradients[node]) if node < len(self._gradients) else None

    def tensor(self, tensor: Tensor) -> Tensor:
        """The gradient of a tensor as a tensor that can be differentiated. Raises TapeError unless `backward` had create_graph=True."""
        if not self._tensors:
            raise TapeError("this backward run was not recorded; call backward(create_graph=True)")
        nodes = [tensor.node] if tensor.tape is self.tape else [n for n, leaf in self.tape.leaves.items() if leaf is tensor]
        found = [g for n in nodes if n < len(self._tensors) and (g := self._tensors[n]) is not None]
        if not found:
            self[tensor]  # raises
        total = found[0]
        for more in found[1:]:
            total = total + more
        return total

    def __getitem__(self, tensor: Tensor) -> Array:
        """The gradient of a tensor. Raises KeyError when the differentiated tensor does not depend on it."""
        if tensor.tape is None:
            arrived = [g for n, leaf in self.tape.leaves.items() if leaf is tensor and (g := self.gradient(n)) is not None]
            if arrived:
                return handed_out(arrived[0] if len(arrived) == 1 else np.sum(arrived, axis=0))
        elif tensor.tape is self.tape:
            gradient = self.gradient(tensor.node)
            if gradient is not None:
                return handed_out(gradient)
        raise KeyError(
            f"no gradient reached {tensor.name or 'this tensor'}: it does not require one, or what was differentiated does not depend on it"
        )

    def first_nonfinite(self, infinities: bool = True) -> NonFinite | None:
        """The first operation whose gradient rule made a NaN or an infinity out of finite numbers, in the order of the sweep; None when
        every contribution is finite. infinities: as `Tape.first_nonfinite`. The rules run once more for it.
        """
        from engine.nonfinite import first_nonfinite_contribution  # the module builds on this one

        return first_nonfinite_contribution(self, infinities)

    def __contains__(self, tensor: Tensor) -> bool:
        try:
            self[tensor]
        except KeyError:
            return False
        return True


def backward(tensor: Tensor, gradient: Any = None, *, accumulate: bool = False, create_graph: bool = False) -> BackwardRun:
    """See `Tensor.backward`."""
    tape = tensor.tape
    if tape is None or not tensor.requires_grad:
        raise TapeError(
            "nothing to differentiate: this tensor was not computed from tensors with requires_grad=True (or inside Tape(level='OFF'), "
            "or under a probe)"
        )
    if gradient is None and tensor._data.size != 1:
        raise TapeError(
            f"backward() of a tensor of shape {tensor.shape} needs a gradient of that shape, or sum it first: x.sum().backward()"
        )
    seed = np.ones(tensor._data.shape, tensor._data.dtype) if gradient is None else np.array(gradient, dtype=tensor.dtype)
    if seed.shape != tensor.shape:
        raise ValueError(f"backward: the gradient has shape {seed.shape}; expected {tensor.shape}")
    run = BackwardRun(tape, tensor.node)
    _start(run, seed, accumulate)
    if create_graph:
        from engine.differentiate import recorded_sweep  # rules on tensors; the module builds on this one

        recorded_sweep(run)
    else:
        _sweep(run)
    _hand_out(run)
    tape.latest_gradients = run._gradients  # not the run: tape and run would hold each other
    if not create_graph:
        close_implicit(tape)
    return run


def gradients_since(tensor: Tensor, seed: Array, lowest: int) -> list[Any]:
    """The gradients of the nodes from `lowest` to the tensor's own, by node: of a part of a long tape, and quickly. Leaves keep theirs."""
    assert tensor.tape is not None  # it was recorded
    run = BackwardRun(tensor.tape, tensor.node)
    _start(run, seed, accumulate=False)
    _sweep(run, lowest)
    return run._gradients


def _start(run: BackwardRun, seed: Array, accumulate: bool) -> None:
    """Where the sweep begins: the seed at the differentiated node, and what leaves keep from earlier runs."""
    tape, gradients = run.tape, run._gradients
    if seed.ndim:
        LOCK(seed, False)
    else:
        seed = seed[()]  # one number, as all 0-d values
    gradients[run.node] = seed
    if tape.tracing:
        tape.note("seed", "backward", run.node, -1, run.node, seed)
    if not accumulate:
        return
    latest = {id(leaf): node for node, leaf in tape.leaves.items() if node < len(gradients)}
    for node, leaf in tape.leaves.items():
        if leaf.requires_grad and leaf.grad is not None and latest.get(id(leaf)) == node:
            kept = leaf.grad.copy()
            kept.flags.writeable = False
            gradients[node] = kept
            if tape.tracing:
                tape.note("accumulate", "backward", target=node, array=kept)


def _sweep(run: BackwardRun, lowest: int = 0) -> None:
    """One walk down the tape, to node `lowest`.

    Contributions are kept at TRACE; the first is the gradient by reference, the second allocates.
    """
    tape, gradients = run.tape, run._gradients
    rows, requires, values = tape.rows, tape.requires, tape.arrays
    sent: list[Any] = []
    if tape.tracing:
        tape.note_sweep(Sweep(run.node, gradients, sent))
    send = sent.append if tape.tracing else None
    owned: set[int] = set()  # nodes whose gradient is an array made here, which nobody else holds: it may be added to in place
    record, scratch, add = Record((), None, {}, None, ()), None, np.add
    ndarray = np.ndarray
    arriving: Any  # (target, contribution) for each edge that wants one
    for node in range(run.node, lowest - 1, -1):
        g = gradients[node]
        if g is None:
            continue
        row = rows[node]
        op = row[0]
        if op is None:
            continue
        slopes = op.on_arrays if type(g) is ndarray else op.on_scalars
        count = len(row)
        if slopes is not None and row[1] is NO_ATTRIBUTES and count < 6:  # by the shortest way
            output, a = values[node], row[3]
            if count == 4:
                slope = slopes.each[0]
                arriving = ((a, g if slope is None else slope(g, values[a], output)),)
            else:
                b = row[4]
                if not requires[b]:
                    slope = slopes.each[0]
                    arriving = ((a, g if slope is None else slope(g, values[a], values[b], output)),)
                elif not requires[a]:
                    slope = slopes.each[1]
                    arriving = ((b, g if slope is None else slope(g, values[a], values[b], output)),)
                elif slopes.both is not None:
                    to_a, to_b = slopes.both(g, values[a], values[b], output)
                    arriving = ((a, to_a), (b, to_b))
                else:
                    first, second = slopes.each
                    arriving = (
                        (a, g if first is None else first(g, values[a], values[b], output)),
                        (b, g if second is None else second(g, values[a], values[b], output)),
                    )
        elif op.placed and row[2] is not None:
            if send is not None:
                send(g)
            _place(gradients, owned, row[3], values[row[3]], row[2], g)
            continue
        else:
            sources, attributes = row[3:], row[1]
            record.inputs, record.needs = [values[i] for i in sources], [requires[i] for i in sources]
            record.attributes = attributes_of(row) if type(attributes) is tuple else attributes
            record.output, record.residuals = values[node], row[2]
            contributions = op.vjp(_F, g, record)
            arriving = [(i, c) for i, c in zip(sources, contributions, strict=True) if requires[i]]

        for target, contribution in arriving:
            value = values[target]
            kind = type(contribution)
            kept = contribution
            if kind is ndarray:
                if contribution.shape != value.shape or contribution.dtype is not value.dtype:
                    contribution, kept = _fitted(contribution, value)
            elif kind is not type(value):
                if kind is Product:
                    scratch = scratch or Scratch()
                    contribution = scratch.whole(contribution, gradients[target] is None)
                else:
                    contribution, kept = _fitted(contribution, value)
            if send is not None:
                send(kept)
            before = gradients[target]
            if before is None:
                gradients[target] = contribution
                if kind is Product:
                    owned.add(target)
            elif target in owned:
                add(before, contribution, before)
            else:
                gradients[target] = total = before + contribution
                if type(total) is ndarray:
                    owned.add(target)


class Scratch:
    """Memory for products of matrices that are added to a gradient at once: fresh pages for each would take longer than the product."""

    def __init__(self) -> None:
        self.arrays: dict[Any, Array] = {}

    def whole(self, product: Product, mine: bool) -> Array:
        """The product; in memory of its own, or in memory that the next one of its shape uses again."""
        left, right = product.left, product.right
        if mine:
            return left.T.dot(right)  # type: ignore[no-any-return]
        key = (left.shape[1], right.shape[1], left.dtype)
        array = self.arrays.get(key)
        if array is None:
            array = self.arrays[key] = np.empty(key[:2], left.dtype)
        return product.into(array)


def _fitted(contribution: Any, value: Any) -> tuple[Any, Any]:
    """A contribution in the shape and dtype of its target; the same as it is kept, with what it was before axes were summed away."""
    if type(contribution) is not np.ndarray:
        contribution = np.asarray(contribution)
    if contribution.dtype is not value.dtype:  # a float64 operand beside it must not widen a float32 gradient
        contribution = contribution.astype(value.dtype, copy=False)
    shape, whole = value.shape, contribution.shape
    if whole[1:] == shape and len(whole) == 2:  # a bias
        if whole[0] == 1:
            return (summed := contribution[0]), summed
        if whole[0] > 1:
            summed = _ones(whole[0], contribution.dtype).dot(contribution)  # one product is quicker than a sum over rows
            return summed, Summed(contribution, summed)
    if whole == shape:
        return contribution, contribution
    summed = unbroadcast(contribution, shape)
    if summed.size == contribution.size:  # axes of length 1: nothing is summed away
        return summed, summed
    return summed, Summed(contribution, summed)


def _place(gradients: list[Any], owned: set[int], target: int, value: Array, index: Any, g: Any) -> None:
    """A contribution that is zero but at a basic index: put or added there, the zeros are never made."""
    before = gradients[target]
    if before is None:
        gradients[target] = before = np.zeros(value.shape, value.dtype)
        before[index] = g
        owned.add(target)
        return
    if target not in owned:
        gradients[target] = before = before.copy()
        owned.add(target)
    part = before[index]
    if type(part) is np.ndarray:
        np.add(part, g, part)
    else:
        before[index] = part + g


def _hand_out(run: BackwardRun) -> None:
    """Gives each leaf its gradient of this run, None where none arrived; read-only, since several may share one array."""
    gradients, leaves = run._gradients, run.tape.leaves
    once = len(leaves) == len(run.tape.leaf_nodes)  # each leaf is one node
    totals: dict[int, tuple[Tensor, Array | None]] = {}
    for node, leaf in leaves.items():
        if not leaf._requires_grad:
            continue
        gradient = gradients[node] if node < len(gradients) else None
        if type(gradient) is np.ndarray:
            LOCK(gradient, False)
            if once:
                leaf._grad = gradient  # of its shape and dtype already
                continue
        if gradient is not None and gradient.shape != leaf._data.shape:
            raise TapeError(
                f"{leaf.name or 'a leaf'} had shape {gradient.shape} when recorded and {leaf._data.shape} since its data were replaced; "
                "the gradients cannot be added: give data of the same shape, or make a tensor of its own"
            )
        _, before = totals.get(id(leaf), (leaf, None))
        totals[id(leaf)] = (leaf, gradient if before is None else before if gradient is None else before + gradient)
    for leaf, total in totals.values():
        leaf._grad = None if total is None else as_array(total)


@lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(count, dtype)
    ones.flags.writeable = False
    return ones


def unbroadcast(array: Array, shape: tuple[int, ...]) -> Array:
    """The array summed over the axes that broadcasting from `shape` added or stretched."""
    if array.size == math.prod(shape):  # nothing is summed away
        return array.reshape(shape)
    extra = array.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and array.shape[i + extra] != 1)
    summed: Array = as_array(np.add.reduce(array, axis=axes[0] if len(axes) == 1 else axes)) if axes else array
    return summed if summed.shape == shape else summed.reshape(shape)
