"""Where a gradient stopped being a number: the sweep done once more, contribution by contribution, until one is not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ops.op import NumpyNamespace, Record, as_array
from engine.tape import NonFinite, Tape

if TYPE_CHECKING:
    from engine.backward import BackwardRun

_F = NumpyNamespace()


def first_nonfinite_contribution(run: BackwardRun, infinities: bool = True) -> NonFinite | None:
    """See `BackwardRun.first_nonfinite`."""
    tape = run.tape
    seed = run.gradient(run.node)
    gradients: dict[int, Any] = {run.node: np.ones(tape.values[run.node].shape) if seed is None else as_array(seed)}
    for node in range(run.node, -1, -1):
        g, op = gradients.pop(node, None), tape.ops[node]
        if g is None or op is None:
            continue
        sources = tape.inputs[node]
        needs = [tape.requires[i] for i in sources]
        inputs = [as_array(tape.values[i]) for i in sources]
        with np.errstate(all="ignore"):
            sent = op.vjp(_F, g, Record(inputs, tape.values[node], tape.attributes[node], tape.residuals[node], needs))
        for port, (target, contribution) in enumerate(zip(sources, sent, strict=True)):
            if not needs[port] or contribution is None:
                continue
            found = tape.nonfinite_in(as_array(contribution), node, infinities, port)
            if found is not None:
                return found
            _add(gradients, tape, target, as_array(contribution))
    return None


def _add(gradients: dict[int, Any], tape: Tape, target: int, contribution: Any) -> None:
    shape = tape.values[target].shape
    lead = contribution.ndim - len(shape)
    thin = tuple(i + lead for i, n in enumerate(shape) if n == 1 and contribution.shape[i + lead] != 1)
    if lead or thin:
        contribution = contribution.sum(axis=(*range(lead), *thin)).reshape(shape)
    gradients[target] = gradients[target] + contribution if target in gradients else contribution
