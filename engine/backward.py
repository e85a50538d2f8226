"""The reverse sweep: from a tensor back to everything it depends on, in one pass over the tape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ops.op import Array, NumpyNamespace, Record, as_array
from engine.tape import Tape, TapeError, close_implicit

if TYPE_CHECKING:
    from engine.tensor import Tensor

_F = NumpyNamespace()


class BackwardRun:
    """The gradients of one backward sweep. They belong to the run, not to the nodes: another run never adds to them silently."""

    def __init__(self, tape: Tape, node: int) -> None:
        self.tape = tape
        self.node = node
        self._gradients: list[Array | None] = [None] * len(tape)

    @property
    def is_latest(self) -> bool:
        """Whether no other run of the same tape came after it."""
        return self.tape.latest_gradients is self._gradients

    def gradient(self, node: int) -> Array | None:
        """The gradient of a node, or None where none arrived."""
        return self._gradients[node] if node < len(self._gradients) else None

    def __getitem__(self, tensor: Tensor) -> Array:
        """The gradient of a tensor. Raises KeyError when the differentiated tensor does not depend on it."""
        if tensor.tape is None:
            found = [self._gradients[n] for n, leaf in self.tape.leaves.items() if leaf is tensor and n < len(self._gradients)]
            arrived = [g for g in found if g is not None]
            if arrived:
                return arrived[0] if len(arrived) == 1 else np.sum(arrived, axis=0)
        elif tensor.tape is self.tape:
            gradient = self.gradient(tensor.node)
            if gradient is not None:
                return gradient
        raise KeyError(
            f"no gradient reached {tensor.name or 'this tensor'}: it does not require one, or what was differentiated does not depend on it"
        )

    def __contains__(self, tensor: Tensor) -> bool:
        try:
            self[tensor]
        except KeyError:
            return False
        return True


def backward(tensor: Tensor, gradient: Any = None, *, accumulate: bool = False) -> BackwardRun:
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
    sweep = _Sweep(run)
    sweep.start(seed, accumulate)
    sweep.walk()
    _hand_out(run)
    tape.latest_gradients = run._gradients  # not the run: tape and run would hold each other
    close_implicit(tape)
    return run


class _Sweep:
    """One walk down the tape. Contributions are logged at TRACE; the first is kept by reference, the second allocates."""

    def __init__(self, run: BackwardRun) -> None:
        self.tape, self.node, self.gradients = run.tape, run.node, run._gradients
        self.owned: set[int] = set()  # nodes whose gradient is a sum made here, which nobody else holds
        self.log = run.tape.log if run.tape.tracing else None

    def start(self, seed: Array, accumulate: bool) -> None:
        seed.flags.writeable = False
        self.gradients[self.node] = seed
        if self.log is not None:
            self.log.append(("seed", "backward", self.node, -1, self.node, seed, None))
        if not accumulate:
            return
        latest = {id(leaf): node for node, leaf in self.tape.leaves.items() if node < len(self.gradients)}
        for node, leaf in self.tape.leaves.items():
            if leaf.requires_grad and leaf.grad is not None and latest.get(id(leaf)) == node:
                kept = leaf.grad.copy()
                kept.flags.writeable = False
                self.gradients[node] = kept
                if self.log is not None:
                    self.log.append(("accumulate", "backward", -1, -1, node, kept, None))

    def walk(self) -> None:
        tape = self.tape
        ops, inputs, requires, values, gradients = tape.ops, tape.inputs, tape.requires, tape.values, self.gradients
        for node in range(self.node, -1, -1):
            g, op = gradients[node], ops[node]
            if g is None or op is None:
                continue
            sources = inputs[node]
            needs = tuple([requires[i] for i in sources])
            record = Record(tuple([values[i] for i in sources]), values[node], tape.attributes[node], tape.residuals[node], needs)
            for port, contribution in enumerate(op.vjp(_F, g, record)):
                if needs[port]:
                    self.arrive(node, port, sources[port], as_array(contribution))

    def arrive(self, node: int, port: int, target: int, contribution: Array) -> None:
        """One contribution reaches its node: summed over broadcast axes, then added to what is there."""
        value, log = self.tape.values[target], self.log
        shape = value.shape
        if contribution.dtype != value.dtype:  # a float64 operand beside it must not widen a float32 gradient
            contribution = contribution.astype(value.dtype)
        if contribution.shape != shape:
            summed = unbroadcast(contribution, shape)
            if summed.size == contribution.size:  # axes of length 1: nothing is summed away
                contribution = summed
            elif log is not None:
                contribution.flags.writeable = False
                log.append(("vjp", "backward", node, port, target, contribution, None))
                log.append(("unbroadcast", "backward", node, port, target, summed, None))
                contribution, log = summed, None
            else:
                contribution = summed
        if log is not None:
            log.append(("vjp", "backward", node, port, target, contribution, None))
        if self.log is not None:
            contribution.flags.writeable = False
        before = self.gradients[target]
        if before is None:
            self.gradients[target] = contribution
            return
        if target in self.owned:
            np.add(before, contribution, out=before)
        else:
            self.gradients[target] = as_array(before + contribution)
            self.owned.add(target)
        if self.log is not None:
            self.log.append(("accumulate", "backward", node, port, target, None, None))


def _hand_out(run: BackwardRun) -> None:
    """Gives each leaf its gradient of this run, None where none arrived; read-only, since several may share one array."""
    totals: dict[int, tuple[Tensor, Array | None]] = {}
    for node, leaf in run.tape.leaves.items():
        if not leaf.requires_grad:
            continue
        gradient = run.gradient(node)
        if gradient is not None:
            gradient.flags.writeable = False
        _, before = totals.get(id(leaf), (leaf, None))
        totals[id(leaf)] = (leaf, gradient if before is None else before if gradient is None else before + gradient)
    for leaf, total in totals.values():
        leaf.grad = total


def unbroadcast(array: Array, shape: tuple[int, ...]) -> Array:
    """The array summed over the axes that broadcasting from `shape` added or stretched."""
    extra = array.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and array.shape[i + extra] != 1)
    summed: Array = np.asarray(array.sum(axis=axes)) if axes else array
    return summed.reshape(shape)
