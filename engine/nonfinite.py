"""Where a gradient stopped being a number: the sweep done once more, contribution by contribution, until one is not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backward import unbroadcast
from engine.ops.op import NumpyNamespace, Record, as_array
from engine.tape import NonFinite

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
            value = tape.values[target]
            with np.errstate(over="ignore"):  # a float32 gradient may have no room for it: then it is infinite here too
                arrived = as_array(contribution).astype(value.dtype, copy=False)
            found = tape.nonfinite_in(arrived, node, infinities, port)
            if found is not None:
                return found
            arrived = unbroadcast(arrived, value.shape)
            gradients[target] = gradients[target] + arrived if target in gradients else arrived
    return None
