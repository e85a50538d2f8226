"""Gradients of functions, to any order: `grad`, `jacobian`, `hvp`, and the backward sweep that is itself recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.namespace import F
from engine.ops.op import Array, Record, as_array
from engine.tape import Tape
from engine.tensor import Tensor

if TYPE_CHECKING:
    from engine.backward import BackwardRun


def grad(output: Tensor, inputs: Tensor | Sequence[Tensor], grad_output: Any = None, *, create_graph: bool = False) -> list[Tensor]:
    """The gradients of a tensor with respect to several others, each of its input's shape; zeros where the output does not depend on it.

    grad_output: of the output's shape, what to start from; not needed for one element (1 is taken). create_graph: whether the gradients
    can be differentiated again. The leaves' ``.grad`` is set as by `Tensor.backward`. Raises TapeError as that does.
    """
    inputs = several(inputs)
    run = output.backward(grad_output, create_graph=create_graph)
    zeros = [None if x in run else Tensor(np.zeros(x.shape, x.dtype)) for x in inputs]
    return [zero if zero is not None else run.tensor(x) if create_graph else Tensor(run[x]) for x, zero in zip(inputs, zeros, strict=True)]


def several(inputs: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    """A tensor alone stands for a list of it."""
    return [inputs] if isinstance(inputs, Tensor) else inputs


def function(caller: str, f: Any) -> None:
    """Raises TypeError unless f is a function."""
    if not callable(f):
        raise TypeError(f"{caller}: f is a {type(f).__name__}; expected a function of the inputs, such as lambda x: (x * x).sum()")


def jacobian(f: Callable[..., Tensor], inputs: Tensor | Sequence[Tensor]) -> list[Array]:
    """The Jacobian of f for each input, of shape (*output's shape, *input's shape): one backward sweep an element of the output.

    f: from the inputs to one tensor. Inputs that need no gradient are taken as leaves that do. Raises TypeError for integer inputs, and for
    an f that is no function.
    """
    function("jacobian", f)
    inputs = several(inputs)
    leaves = [Tensor(x.data, requires_grad=True) for x in inputs]
    with Tape("GRAD"):
        output = f(*leaves)
        rows: list[list[Array]] = [[] for _ in leaves]
        for k in range(output.size):
            seed = np.zeros(output.size, output.dtype)
            seed[k] = 1
            gradients = grad(output, leaves, seed.reshape(output.shape)) if output.requires_grad else [Tensor(x.data * 0) for x in leaves]
            for found, gradient in zip(rows, gradients, strict=True):
                found.append(as_array(gradient.data))
    return [np.array(found, dtype=output.dtype).reshape(*output.shape, *leaf.shape) for found, leaf in zip(rows, leaves, strict=True)]


def hvp(f: Callable[..., Tensor], inputs: Tensor | Sequence[Tensor], vectors: Any) -> list[Array]:
    """The Hessian of a scalar function times a vector: the gradient of (gradient of f) . v, without the Hessian ever being made.

    f: from the inputs to one tensor of one element. vectors: one for each input, of its shape; alone for an input that is. Gives one array
    an input, of its shape (Pearlmutter, "Fast exact multiplication by the Hessian", by reverse over reverse). Raises ValueError for shapes
    that do not fit, TypeError for an f that is no function.
    """
    function("hvp", f)
    if isinstance(inputs, Tensor):
        inputs, vectors = [inputs], [vectors]
    shapes = [np.shape(v.data if isinstance(v, Tensor) else v) for v in vectors]
    if shapes != [x.shape for x in inputs]:
        raise ValueError(f"hvp: vectors have shapes {shapes}; expected those of the inputs, {[x.shape for x in inputs]}")
    leaves = [Tensor(x.data, requires_grad=True) for x in inputs]
    with Tape("GRAD"):
        output = f(*leaves)
        if output.size != 1:
            raise ValueError(f"hvp: f gave shape {output.shape}; expected one element")
        if not output.requires_grad:
            return [np.zeros(x.shape, x.dtype) for x in leaves]
        first = grad(output, leaves, np.ones(output.shape), create_graph=True)
        product = Tensor(0.0, dtype=output.dtype)
        for g, v in zip(first, vectors, strict=True):
            product = product + (g * (v.detach() if isinstance(v, Tensor) else Tensor(v, dtype=g.dtype))).sum()
        if not product.requires_grad:  # the gradient is constant
            return [np.zeros(x.shape, x.dtype) for x in leaves]
        return [as_array(g.data) for g in grad(product, leaves)]


def recorded_sweep(run: BackwardRun) -> None:
    """The backward sweep on tensors: the same rules as on arrays, evaluated in the namespace whose operations are recorded."""
    tape, count = run.tape, len(run._gradients)
    gradients = {node: Tensor(g) for node, g in enumerate(run._gradients) if g is not None}
    with tape, tape.phase("backward"):
        _walk(tape, gradients, run.node, 0)
    run._tensors = [gradients.get(node) for node in range(count)]
    run._gradients[:] = [None if g is None else g.data for g in run._tensors]


def _walk(tape: Tape, gradients: dict[int, Tensor], last: int, first: int) -> None:
    """Sends the gradients of the nodes from `last` down to `first` on to their inputs."""
    for node in range(last, first - 1, -1):
        g, op = gradients.get(node), tape.ops[node]
        if g is None or op is None:
            continue
        sources = tape.inputs[node]
        needs = [tape.requires[i] for i in sources]
        inputs, attributes = [Tensor.of_node(tape, i) for i in sources], tape.attributes[node]
        if op.primitive is not None:
            _through_primitives(tape, gradients, op.primitive(*inputs, **attributes), g, node)
            continue
        record = Record(inputs, Tensor.of_node(tape, node), attributes, tape.residuals[node], needs)
        for port, contribution in enumerate(op.vjp(F, g, record)):
            if needs[port]:
                _arrive(tape, gradients, node, port, sources[port], contribution)


def _through_primitives(tape: Tape, gradients: dict[int, Tensor], output: Tensor, g: Tensor, node: int) -> None:
    """What a fused kernel sends back, through its primitives, which were just computed anew from its inputs."""
    first = node + 1  # what the sweep has recorded so far comes after every node that it may still reach
    arrived = {output.node: g}
    _walk(tape, arrived, output.node, first)
    sources = tape.inputs[node]
    for port, target in enumerate(sources):
        if target in arrived and target not in sources[:port]:
            _arrive(tape, gradients, node, port, target, arrived[target])


def _arrive(tape: Tape, gradients: dict[int, Tensor], node: int, port: int, target: int, contribution: Any) -> None:
    """One contribution, as a tensor, reaches its node."""
    value = tape.values[target]
    arrived = contribution if isinstance(contribution, Tensor) else Tensor(contribution)
    if arrived.dtype != value.dtype:
        arrived = F.cast(arrived, dtype=value.dtype.name)
    if arrived.shape != value.shape:
        extra = arrived.ndim - value.ndim
        stretched = [i + extra for i, n in enumerate(value.shape) if n == 1 and arrived.shape[i + extra] != 1]
        if axes := [*range(extra), *stretched]:
            arrived = arrived.sum(axes)
        arrived = arrived.reshape(value.shape)
    before = gradients.get(target)
    gradients[target] = arrived if before is None else before + arrived
    if tape.tracing:
        tape.note("vjp", "backward", node, port, target, arrived.data)
        if before is not None:
            tape.note("accumulate", "backward", node, port, target)
