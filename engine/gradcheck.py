"""Gradients, and gradients of gradients, checked against central finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.differentiate import function, grad, several
from engine.ops.op import Array, NumpyNamespace, Record, as_array
from engine.tape import Tape
from engine.tensor import Tensor, apply

_F = NumpyNamespace()


@dataclass(frozen=True)
class Mismatch:
    """One element whose derivative is not what finite differences say.

    order: 1 for a gradient, 2 for a gradient of the gradient. op: the first operation whose own rule is off (of the second order: whose
    rule, differentiated, is off), None where each is right alone (then the function computes something that was not recorded).
    """

    input: int
    index: tuple[int, ...]
    gradient: float
    finite_difference: float
    order: int = 1
    op: str | None = None

    def __str__(self) -> str:
        of = "gradient" if self.order == 1 else "gradient of the gradient"
        blame = f" (the rule of {self.op!r} is off)" if self.op else ""
        return f"input {self.input}{list(self.index)}: {of} {self.gradient:.9g}, finite difference {self.finite_difference:.9g}{blame}"


def gradcheck(
    f: Callable[..., Tensor],
    inputs: Tensor | Sequence[Tensor],
    *,
    order: int = 1,
    eps: float = 6e-6,
    rtol: float = 1e-6,
    atol: float = 1e-8,
) -> list[Mismatch]:
    """The elements whose derivatives are off; an empty list when all agree.

    f: from the inputs to one tensor of any shape; a fixed random weighting makes it a scalar. inputs: tensors; float64 leaves with
    requires_grad are checked. order: 1 for gradients; 2 for them and for the derivatives of a fixed random weighting of them.
    Raises ValueError for another order, and when there is nothing to check; TypeError for an f that is no function.
    """
    function("gradcheck", f)
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order is {order!r}; expected 1 or 2")
    inputs = several(inputs)
    checked = [k for k, x in enumerate(inputs) if x.requires_grad]
    if not checked or any(inputs[k].dtype != np.float64 for k in checked):
        raise ValueError("gradcheck needs at least one input with requires_grad=True, each of dtype float64")
    with Tape("OFF"):
        shape = f(*inputs).shape
    random = np.random.default_rng(0)
    weights = random.uniform(0.5, 1.5, shape)

    def value(moved: Sequence[Tensor]) -> float:
        with Tape("OFF"):
            return float((f(*moved).data * weights).sum())

    with Tape("GRAD") as tape:
        output = f(*inputs)
        gradients = _gradients(output, weights, [inputs[k] for k in checked])
    found = _compare(value, inputs, checked, gradients, 1, eps, rtol, atol)
    if not found and order == 2:
        directions = [random.uniform(0.5, 1.5, inputs[k].shape) for k in checked]
        found = _second(f, inputs, checked, weights, directions, eps, rtol, atol)
    if not found:
        return []
    blamed = _wrong_rule(tape) if found[0].order == 1 else _wrong_second_rule(tape, eps, rtol, atol)
    return [Mismatch(m.input, m.index, m.gradient, m.finite_difference, m.order, blamed) for m in found]


def _gradients(output: Tensor, weights: Array, inputs: Sequence[Tensor]) -> list[Array]:
    if not output.requires_grad:
        return [np.zeros(x.shape) for x in inputs]
    return [as_array(g.data) for g in grad(output, inputs, weights)]


def _second(
    f: Callable[..., Tensor], inputs: Sequence[Tensor], checked: Sequence[int], weights: Array, directions: Sequence[Array], eps: float,
    rtol: float, atol: float,
) -> list[Mismatch]:  # fmt: skip
    """The same comparison for s = sum of directions * gradients, whose finite differences are taken of exact gradients."""

    def along(moved: Sequence[Tensor]) -> float:
        leaves = [Tensor(x.data, requires_grad=x.requires_grad) for x in moved]
        with Tape("GRAD"):
            gradients = _gradients(f(*leaves), weights, [leaves[k] for k in checked])
        return float(sum(float((d * g).sum()) for d, g in zip(directions, gradients, strict=True)))

    leaves = [Tensor(x.data, requires_grad=x.requires_grad) for x in inputs]
    with Tape("GRAD"):
        output, wanted = f(*leaves), [leaves[k] for k in checked]
        product = Tensor(0.0)
        if output.requires_grad:
            for d, g in zip(directions, grad(output, wanted, weights, create_graph=True), strict=True):
                product = product + (g * d).sum()
        gradients = _gradients(product, np.ones(()), wanted)
    return _compare(along, leaves, checked, gradients, 2, eps, rtol, atol)


def _compare(
    value: Callable[[Sequence[Tensor]], float], inputs: Sequence[Tensor], checked: Sequence[int], gradients: Sequence[Array], order: int,
    eps: float, rtol: float, atol: float,
) -> list[Mismatch]:  # fmt: skip
    """The elements where the central difference of `value` is not the gradient."""
    found = []
    for k, gradient in zip(checked, gradients, strict=True):
        base = inputs[k].numpy()
        for index in np.ndindex(base.shape):
            ends, places = [], []
            for sign in (1, -1):
                moved = base.copy()
                moved[index] += sign * eps
                places.append(float(moved[index]))
                ends.append(value([Tensor(moved, requires_grad=True) if i == k else x for i, x in enumerate(inputs)]))
            estimate = (ends[0] - ends[1]) / (places[0] - places[1])
            if not np.isclose(gradient[index], estimate, rtol=rtol, atol=atol, equal_nan=True):
                found.append(Mismatch(k, index, float(gradient[index]), estimate, order))
    return found


def _wrong_rule(tape: Tape, eps: float = 6e-6) -> str | None:
    """The first op on a tape whose vector-Jacobian product is not what finite differences of its forward say."""
    random = np.random.default_rng(1)
    for node, op in enumerate(tape.ops):
        if op is None or not tape.requires[node]:
            continue
        inputs = [as_array(tape.values[i]) for i in tape.inputs[node]]
        needs = [tape.requires[i] for i in tape.inputs[node]]
        g = random.uniform(0.5, 1.5, tape.values[node].shape)
        record = Record(inputs, tape.values[node], tape.attributes[node], tape.residuals[node], needs)
        contributions = op.vjp(_F, g, record)
        for port, (x, contribution) in enumerate(zip(inputs, contributions, strict=True)):
            if not needs[port]:
                continue
            direction = random.uniform(0.5, 1.5, x.shape)
            ends = []
            for sign in (1, -1):
                result = op.forward(
                    *[y + sign * eps * direction if i == port else y for i, y in enumerate(inputs)], **tape.attributes[node]
                )
                ends.append(float((g * (result[0] if type(result) is tuple else result)).sum()))
            estimate = (ends[0] - ends[1]) / (2 * eps)
            if not np.isclose(float((as_array(contribution) * direction).sum()), estimate, rtol=1e-5, atol=1e-7):
                return op.name
    return None


def _wrong_second_rule(tape: Tape, eps: float, rtol: float, atol: float) -> str | None:
    """The first op on a tape whose gradient alone, differentiated again, is not what finite differences of it say."""
    random = np.random.default_rng(2)
    for node, op in enumerate(tape.ops):
        if op is None or not tape.requires[node]:
            continue
        sources = tape.inputs[node]
        leaves = [Tensor(tape.values[i], requires_grad=tape.requires[i] and tape.values[i].dtype == np.float64) for i in sources]
        checked = [k for k, x in enumerate(leaves) if x.requires_grad]
        directions = [random.uniform(0.5, 1.5, leaves[k].shape) for k in checked]
        weights = random.uniform(0.5, 1.5, tape.values[node].shape)
        alone = partial(apply, op.name, **tape.attributes[node])
        if checked and _second(alone, leaves, checked, weights, directions, eps, rtol, atol):
            return op.name
    return None
