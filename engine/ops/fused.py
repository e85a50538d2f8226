"""Fused recurrent layers: one op runs a whole sequence, for training at full speed.

Each is the same definition as the primitive steps in `engine.cells`, proved equal by test. All take ``x`` (time, batch, features), the
initial state(s) (batch, hidden) and PyTorch's four parameters (zero biases stand for none). Attributes:

lengths: how many steps each row has, falling; None for all of them. What lies beyond is never read, and the output is zero there.
reverse: time runs backwards; every row starts from its initial state at its own last step.
output: "all", (time + s, batch, hidden): the hidden states of all steps, then the state after every row's last step in the order of
    work, hidden and, for the LSTM, cell (s = 2; else s = 1). "states", (s, batch, hidden): the latter alone.
    "last", (batch, hidden): the last hidden state alone.
batch_first: x is (batch, time, features); the output is as without.
truncate: no gradient goes back from a state to the step before it where that is the last of every so many (truncated back-propagation
    through time); None for no truncation. Not with reverse.

`fused_plan` says which rows take part when, `fused_block`, `fused_cells` and `fused_gru` have the arithmetic, `fused_memory` keeps what is
used again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from engine.ops.fused_block import Block
from engine.ops.fused_cells import CELLS
from engine.ops.fused_memory import Kept, give_work, parts_of, take_block, take_work
from engine.ops.fused_plan import Span, counts_of, plan_of
from engine.ops.op import Array, Op, Record, register

__all__ = ["counts_of"]

_OUTPUTS = ("all", "states", "last")


def _forward(
    name: str, *inputs: Array, lengths: Sequence[int] | None = None, reverse: bool = False, output: str = "all", batch_first: bool = False,
    truncate: int | None = None, **options: Any,
) -> tuple[Array, Kept]:  # fmt: skip
    x, *states, W_ih, W_hh, b_ih, b_hh = _of_one_dtype(inputs)
    cell = _cell(name, options)
    (gates, features), hidden, dtype = W_ih.shape, states[0].shape[1], x.dtype
    if x.ndim != 3 or x.shape[2] != features or W_hh.shape != (gates, hidden) or output not in _OUTPUTS:
        raise _misfit(name, x, W_ih, W_hh, hidden, output)
    check_truncate(f"{name}_fused", truncate, reverse)
    if batch_first:
        x = x.transpose(1, 0, 2)
    time, batch, _ = x.shape
    plan = plan_of(time, batch, hidden * dtype.itemsize, None if lengths is None else tuple(lengths), reverse, truncate)
    xs = plan.ordered(x)
    last = np.empty((1 if output == "last" else cell.states, batch, hidden), dtype)
    state, kept, weights = [part.T for part in states], Kept(plan), {}
    for span, going_on, shape in parts_of(plan, cell, features, hidden, dtype):
        rows, block, work = span.rows, take_block(shape), take_work(shape)
        kept.blocks.append(block)
        block.receive(plan.steps(xs, span))
        for part, given in zip(block.state(0), state, strict=True):
            part[...] = given if rows == batch else given[:, :rows]
        few = block.few
        if few not in weights:
            weights[few] = cell.weights(W_ih, W_hh, b_ih, b_hh, few, options)
        Wx, U = weights[few]
        if Wx is not None:
            work.project(Wx, block)
        if few:
            block.forward(work, U, options)
        else:
            with np.errstate(over="ignore"):  # exp in the logistic function overflows to the right result
                block.forward(work, U, options)
        give_work(work)
        state = block.state(span.steps)
        if going_on < rows:
            for out, part in zip(last, state, strict=False):
                out[going_on:rows] = part[:, going_on:].T
    if output == "last":
        return last[0], kept
    if output == "states":
        return last, kept
    return _all(kept, last, time), kept


def check_truncate(name: str, truncate: int | None, reverse: bool) -> None:
    """Raises ValueError for a truncation that is not possible."""
    if truncate is None:
        return
    if truncate < 1:
        raise ValueError(f"{name}: truncate is {truncate!r}; expected a number of steps from 1, or None for no truncation")
    if reverse:
        raise ValueError(f"{name}: truncate is {truncate} for a layer of both directions; truncation is for those that run forward alone")


def _misfit(name: str, x: Array, W_ih: Array, W_hh: Array, hidden: int, output: str) -> ValueError:
    if output not in _OUTPUTS:
        return ValueError(f"{name}_fused: output is {output!r}; expected 'all', 'states' or 'last'")
    if x.ndim != 3 or x.shape[2] != W_ih.shape[1]:
        return ValueError(f"{name}_fused: x has shape {x.shape}; expected (time, batch, {W_ih.shape[1]})")
    return ValueError(f"{name}_fused: W_hh has shape {W_hh.shape}; expected {(W_ih.shape[0], hidden)}")


def _all(kept: Kept, last: Array, time: int) -> Array:
    """Hidden states of all steps and the last states, (time + s, batch, hidden)."""
    plan, (_, batch, hidden) = kept.plan, last.shape
    out = np.empty((time + len(last), batch, hidden), last.dtype)
    steps = out[:time]
    if plan.times is not None:
        steps[...] = 0
    packed = steps.reshape(-1, hidden) if plan.straight else np.empty((plan.size, hidden), last.dtype)
    for (span, _), block in zip(plan.spans, kept.blocks, strict=True):
        packed[span.at : span.end].reshape(span.steps, span.rows, hidden)[...] = block.h[1:].transpose(0, 2, 1)
    if not plan.straight:
        plan.unpack(packed, steps)
    out[time:] = last
    return out


def _vjp(name: str, F: Any, g: Array, record: Record) -> list[Any]:
    _, *_, W_ih, W_hh, _, _ = record.inputs
    truncate = record.attributes.get("truncate")
    dtype, needs, options, kept = record.output.dtype, record.needs, record.attributes, record.residuals
    if W_ih.dtype is not dtype or W_hh.dtype is not dtype:
        W_ih, W_hh = W_ih.astype(dtype, copy=False), W_hh.astype(dtype, copy=False)
    cell, plan, output = _cell(name, options), kept.plan, options.get("output", "all")
    hidden, s = W_hh.shape[1], cell.states
    wanted = needs[s + 1 :]
    final = [g, None][:s] if output == "last" else list(g if output == "states" else g[-s:])
    arriving = plan.pack(g[:-s]) if output == "all" else None
    dxs = np.empty((plan.size, W_ih.shape[1]), dtype) if needs[0] else None
    totals: list[Array | None] = [None] * 4
    flow: list[Any] = [None] * s  # gradients of the states between spans, (hidden, rows) each
    blocks, watched = list(kept.blocks), kept.watched
    if watched is not None:
        watched.clear()
    for group in reversed(plan.groups):
        works, columns = [], []
        for span in reversed(group):
            block = blocks.pop()
            work = take_work(block.made_for)
            flow = [_joined(part, ended, hidden, span.rows, dtype) for part, ended in zip(flow, final, strict=True)]
            by_step, given = _by_step(arriving, span), None if watched is None else flow[0].copy()
            sums = block.backward(work, W_hh, [part.reshape(-1) for part in flow], by_step, options)
            if watched is not None:
                watched.append(block.state_gradients(work, W_hh, sums, given, by_step))
            if truncate and span.first and span.first % truncate == 0:
                flow = [np.zeros_like(part) for part in flow]
            works.append(work)
            columns.append((*work.gathered(sums, block.multiplicands()), block.xs))
        d, multiplied, xs = columns[0] if len(columns) == 1 else _side_by_side(columns[::-1])
        if True in wanted:
            new = cell.products(d, multiplied, xs, wanted)
            totals = [b if a is None or b is None else a + b for a, b in zip(totals, new, strict=True)]
        if dxs is not None:
            dxs[group[0].at : group[-1].end] = cell.to_inputs(d, W_ih)
        for work in works:  # the columns are its memory
            give_work(work)
    if not plan.groups:  # no rows
        totals, flow = [np.zeros(w.shape, dtype) for w in record.inputs[s + 1 :]], [np.zeros((hidden, 0), dtype)] * s
    return [None if dxs is None else _inputs(dxs, record), *[part.T for part in flow], *totals]


def _side_by_side(columns: Sequence[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """Of some spans: the gradients of the sums and what the recurrent weights met, (features, n), and the inputs, (n, features + 1)."""
    d, multiplied, xs = zip(*columns, strict=True)
    return np.concatenate(d, axis=1), np.concatenate(multiplied, axis=1), np.concatenate(xs)


def _joined(flow: Array | None, ended: Array | None, hidden: int, rows: int, dtype: Any) -> Array:
    """The gradients of the states after a span's last step: of the rows that went on, and of those whose last step it is."""
    if flow is not None and flow.shape[1] == rows:
        return flow
    if flow is None and ended is not None:
        return ended[:rows].T.copy()
    out, going_on = np.empty((hidden, rows), dtype), 0
    if flow is not None:
        going_on = flow.shape[1]
        out[:, :going_on] = flow
    out[:, going_on:] = 0 if ended is None else ended[going_on:rows].T
    return out


def _by_step(arriving: Array | None, span: Span) -> Array | None:
    """The outputs' gradients, (size, hidden), as the backward loop adds them: flat (hidden, rows) for each step."""
    if arriving is None:
        return None
    part = arriving[span.at : span.end].reshape(span.steps, span.rows, -1)
    return np.ascontiguousarray(part.transpose(0, 2, 1)).reshape(span.steps, -1)


def _inputs(dxs: Array, record: Record) -> Array:
    """The packed contribution to the inputs in the shape of x."""
    x, plan = record.inputs[0], record.residuals.plan
    time_first = (1, 0, 2) if record.attributes.get("batch_first") else (0, 1, 2)
    if plan.straight:
        return dxs.reshape(plan.time, plan.batch, dxs.shape[1]).transpose(time_first)
    dx = np.zeros(x.shape, dxs.dtype)
    plan.unpack(dxs, dx.transpose(time_first))
    return dx


def _cell(name: str, options: Mapping[str, Any]) -> type[Block]:
    return CELLS["gru_before" if name == "gru" and not options.get("reset_after", True) else name]


def _of_one_dtype(arrays: Sequence[Array]) -> Sequence[Array]:
    first = arrays[0].dtype
    for a in arrays:
        if a.dtype is not first or first.kind != "f":
            dtype = np.result_type(*arrays)
            return [a.astype(dtype, copy=False) for a in arrays]
    return arrays


def _primitive(
    name: str, x: Any, *rest: Any, lengths: Sequence[int] | None = None, reverse: bool = False, output: str = "all",
    batch_first: bool = False, truncate: int | None = None, **options: Any,
) -> Any:  # fmt: skip
    """The same output from recorded primitives, one `engine.cells` step after the other; for second derivatives."""
    from engine.cells import STEPS  # on Tensors, which stand on the ops
    from engine.tensor import apply

    *initial, W_ih, W_hh, b_ih, b_hh = rest
    x = apply("transpose", x, axes=[1, 0, 2]) if batch_first else x
    time, batch, hidden = x.shape[0], x.shape[1], W_hh.shape[1]
    counts = counts_of(lengths, time, batch)
    hs: list[Any] = [None] * time
    state, rows = tuple(initial), batch
    ended: list[Any] = []
    if reverse:
        state, rows = tuple(part[:0] for part in initial), 0
    for t in reversed(range(time)) if reverse else range(time):
        n = counts[t]
        if n < rows:
            ended.append(tuple(part[n:] for part in state))
            state = tuple(part[:n] for part in state)
        elif n > rows:
            joining = tuple(part[rows:n] for part in initial)
            state = tuple(apply("concat", a, b, axis=0) for a, b in zip(state, joining, strict=True)) if rows else joining
        rows = n
        if truncate and t and t % truncate == 0:
            state = tuple(apply("truncate", part) for part in state)
        if n:
            state = STEPS[name](x[t, :n], state, W_ih, W_hh, b_ih, b_hh, **options)
        padding = np.zeros((batch - n, hidden), state[0].dtype)
        hs[t] = state[0] if n == batch else apply("concat", state[0], padding, axis=0)
    pieces = [state, *reversed(ended)]
    last = state if not ended else tuple(apply("concat", *parts, axis=0) for parts in zip(*pieces, strict=True))
    if output == "last":
        return last[0]
    return apply("stack", *last, axis=0) if output == "states" else apply("stack", *hs, *last, axis=0)


def _define(name: str, states: tuple[str, ...]) -> None:
    inputs = ("x", *states, "W_ih", "W_hh", "b_ih", "b_hh")
    register(
        Op(f"{name}_fused", "structured", inputs, partial(_forward, name), partial(_vjp, name), None, (),
           primitive=partial(_primitive, name), hidden=True)
    )  # fmt: skip


_define("rnn", ("h0",))
_define("lstm", ("h0", "c0"))
_define("gru", ("h0",))
