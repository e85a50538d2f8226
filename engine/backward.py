"""The reverse sweep: from a tensor back to everything it depends on, in one pass over the tape."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ops.op import Array, NumpyNamespace, Record, as_array
from engine.tape import LOCK, Placed, Tape, TapeError, close_implicit
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

    @property
    def is_latest(self) -> bool:
        """Whether no other run of the same tape came after it."""
        return self.tape.latest_gradients is self._gradients

    def gradient(self, node: int) -> Array | None:
        """The gradient of a node as it was recorded (a 0-d one is numpy's own scalar), or None where none arrived."""
        return self._gradients[node] if node < len(self._gradients) else None

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
    if gradient is None and tensor.size != 1:
        raise TapeError(
            f"backward() of a tensor of shape {tensor.shape} needs a gradient of that shape, or sum it first: x.sum().backward()"
        )
    seed = np.ones(tensor.shape, tensor.dtype) if gradient is None else np.array(gradient, dtype=tensor.dtype)
    if seed.shape != tensor.shape:
        raise ValueError(f"backward: the gradient has shape {seed.shape}; expected {tensor.shape}")
    run = BackwardRun(tape, tensor.node)
    owned: set[int] = set()  # nodes whose gradient is a sum made here, which nobody else holds
    _start(run, seed, accumulate)
    if create_graph:
        from engine.differentiate import recorded_sweep  # rules on tensors; the module builds on this one

        recorded_sweep(run)
    else:
        _sweep(run, owned)
    _hand_out(run)
    tape.latest_gradients = run._gradients  # not the run: tape and run would hold each other
    if not create_graph:
        close_implicit(tape)
    return run


def _start(run: BackwardRun, seed: Array, accumulate: bool) -> None:
    """Where the sweep begins: the seed at the differentiated node, and what leaves keep from earlier runs."""
    tape, gradients = run.tape, run._gradients
    log = tape.log if tape.tracing else None
    if seed.ndim:
        LOCK(seed, False)
    else:
        seed = seed[()]  # one number, as all 0-d values
    gradients[run.node] = seed
    if log is not None:
        log.append(("seed", "backward", run.node, -1, run.node, seed, None))
    if not accumulate:
        return
    latest = {id(leaf): node for node, leaf in tape.leaves.items() if node < len(gradients)}
    for node, leaf in tape.leaves.items():
        if leaf.requires_grad and leaf.grad is not None and latest.get(id(leaf)) == node:
            kept = leaf.grad.copy()
            kept.flags.writeable = False
            gradients[node] = kept
            if log is not None:
                log.append(("accumulate", "backward", -1, -1, node, kept, None))


def _sweep(run: BackwardRun, owned: set[int]) -> None:
    """One walk down the tape. Contributions are logged at TRACE; the first is kept by reference, the second allocates.

    owned: collects the nodes whose gradient is an array made here, which may be added to in place.
    """
    tape, gradients = run.tape, run._gradients
    ops, all_inputs, requires, values = tape.ops, tape.inputs, tape.requires, tape.values
    all_attributes, residuals = tape.attributes, tape.residuals
    log = tape.log if tape.tracing else None
    ndarray = np.ndarray

    def arrive(node: int, port: int, target: int, contribution: Any) -> None:
        """One contribution reaches its node: summed over broadcast axes, then added to what is there."""
        value = values[target]
        kind = type(contribution)
        if (kind is not type(value) or kind is ndarray) and (contribution.shape != value.shape or contribution.dtype != value.dtype):
            contribution, logged = _fitted(contribution, value, log, node, port, target)
            if log is not None and not logged:
                log.append(("vjp", "backward", node, port, target, contribution, None))
        elif log is not None:
            log.append(("vjp", "backward", node, port, target, contribution, None))
        before = gradients[target]
        if before is None:
            gradients[target] = contribution
            return
        if target in owned:
            np.add(before, contribution, out=before)
        else:
            total = before + contribution
            gradients[target] = total
            if type(total) is ndarray:
                owned.add(target)
        if log is not None:
            log.append(("accumulate", "backward", node, port, target, None, None))

    for node in range(run.node, -1, -1):
        g = gradients[node]
        if g is None:
            continue
        op = ops[node]
        if op is None:
            continue
        sources = all_inputs[node]
        slopes = op.slopes
        if slopes and not all_attributes[node]:
            count = len(sources)
            if type(g) is not ndarray:
                slopes = op.on_scalars[1:]
            if count == 1:
                arrive(node, 0, sources[0], slopes[0](g, values[sources[0]], values[node]))
            elif count == 2:
                a, b = sources
                x, y, output = values[a], values[b], values[node]
                if requires[a]:
                    arrive(node, 0, a, slopes[0](g, x, y, output))
                if requires[b]:
                    arrive(node, 1, b, slopes[1](g, x, y, output))
            else:
                given = [values[i] for i in sources]
                for port, target in enumerate(sources):
                    if requires[target]:
                        arrive(node, port, target, slopes[port](g, *given, values[node]))
        elif op.placed and residuals[node] is not None:
            _place(gradients, owned, sources[0], values[sources[0]], residuals[node], g, log, node)
        else:
            needs = [requires[i] for i in sources]
            record = Record([values[i] for i in sources], values[node], all_attributes[node], residuals[node], needs)
            for port, contribution in enumerate(op.vjp(_F, g, record)):
                if needs[port]:
                    arrive(node, port, sources[port], contribution)


def _fitted(contribution: Any, value: Any, log: list[Any] | None, node: int, port: int, target: int) -> tuple[Any, bool]:
    """A contribution in the shape and dtype of its target; whether it has been logged, as a sum over broadcast axes is."""
    contribution = as_array(contribution)
    if contribution.dtype != value.dtype:  # a float64 operand beside it must not widen a float32 gradient
        contribution = contribution.astype(value.dtype)
    shape = value.shape
    if contribution.shape == shape:
        return contribution, False
    summed = unbroadcast(contribution, shape)
    if summed.size == contribution.size or log is None:  # axes of length 1: nothing is summed away
        return summed, False
    log.append(("vjp", "backward", node, port, target, contribution, None))
    log.append(("unbroadcast", "backward", node, port, target, summed, None))
    return summed, True


def _place(gradients: list[Any], owned: set[int], target: int, value: Array, index: Any, g: Any, log: list[Any] | None, node: int) -> None:
    """A contribution that is zero but at a basic index: put or added there, the zeros are never made."""
    before = gradients[target]
    if log is not None:
        log.append(("vjp", "backward", node, 0, target, Placed(g, index, value), None))
        if before is not None:
            log.append(("accumulate", "backward", node, 0, target, None, None))
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
        np.add(part, g, out=part)
    else:
        before[index] = part + g


def _hand_out(run: BackwardRun) -> None:
    """Gives each leaf its gradient of this run, None where none arrived; read-only, since several may share one array."""
    totals: dict[int, tuple[Tensor, Array | None]] = {}
    for node, leaf in run.tape.leaves.items():
        if not leaf._requires_grad:
            continue
        gradient = run.gradient(node)
        if type(gradient) is np.ndarray:
            LOCK(gradient, False)
        _, before = totals.get(id(leaf), (leaf, None))
        totals[id(leaf)] = (leaf, gradient if before is None else before if gradient is None else before + gradient)
    for leaf, total in totals.values():
        leaf._grad = None if total is None else as_array(total)  # of its shape and dtype already


@lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(count, dtype)
    ones.flags.writeable = False
    return ones


def unbroadcast(array: Array, shape: tuple[int, ...]) -> Array:
    """The array summed over the axes that broadcasting from `shape` added or stretched."""
    if array.ndim == 2 and shape == array.shape[1:] and array.shape[0] > 1:  # a bias: one product is quicker than a sum over rows
        bias: Array = _ones(array.shape[0], array.dtype).dot(array)
        return bias
    if array.size == math.prod(shape):  # nothing is summed away
        return array.reshape(shape)
    extra = array.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and array.shape[i + extra] != 1)
    summed: Array = as_array(np.add.reduce(array, axis=axes[0] if len(axes) == 1 else axes)) if axes else array
    return summed if summed.shape == shape else summed.reshape(shape)
