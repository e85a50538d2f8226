"""RNN, LSTM and GRU: one definition, two views.

Below TRACE a whole sequence is one fused kernel (`engine.ops.fused`); at TRACE every primitive of every step is recorded. A test
proves the two equal. Parameters, signatures, gate order and initial distribution are PyTorch's; the GRU resets after the product.

Sequences of unequal length are never padded in the record: rows are sorted by falling length and step t computes the first rows only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from engine.nn.module import Module, uniform
from engine.ops.fused import counts_of
from engine.tape import label, scope, tracing
from engine.tensor import Tensor, apply

State = tuple[Tensor, ...]  # (h,) or (h, c), each (batch, hidden)


@dataclass(frozen=True)
class Unrolled:
    """A layer run over a batch.

    last: the state of every sequence after its own last step, (batch, hidden) each: (h,) or (h, c).
    output: makes the hidden states of all steps, (batch, time, hidden), zeros where a sequence has ended; recorded when called.
    steps: at TRACE the hidden state of each step, (rows, hidden), rows being the sequences still running; empty below TRACE.
    """

    last: State
    output: Callable[[], Tensor]
    steps: tuple[Tensor, ...]


class _Recurrent(Module):
    """What the three layers share: parameters, lengths, and the two ways to run."""

    cell: ClassVar[str]
    gates: ClassVar[int]
    states: ClassVar[int] = 1

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False, *,
                 dtype: Any = np.float64, generator: np.random.Generator | None = None) -> None:  # fmt: skip
        if input_size < 1 or hidden_size < 1:
            raise ValueError(f"input_size {input_size} and hidden_size {hidden_size}: expected at least 1 each")
        if num_layers != 1 or not bias:
            raise ValueError(f"num_layers={num_layers}, bias={bias}: this version has one layer, with bias")
        self.input_size, self.hidden_size, self.batch_first = input_size, hidden_size, batch_first
        rows, bound = self.gates * hidden_size, 1 / np.sqrt(hidden_size)
        self.weight_ih_l0 = uniform(generator, bound, (rows, input_size), dtype)
        self.weight_hh_l0 = uniform(generator, bound, (rows, hidden_size), dtype)
        self.bias_ih_l0 = uniform(generator, bound, (rows,), dtype)
        self.bias_hh_l0 = uniform(generator, bound, (rows,), dtype)

    def step(self, x: Tensor, state: State) -> State:
        """One step on rows: x (rows, input) and state (rows, hidden) each; the primitive form."""
        raise TypeError(f"{type(self).__name__} defines no step()")

    def fused_attributes(self) -> dict[str, Any]:
        return {}

    def run(self, input: Tensor, state: State | None = None, lengths: Sequence[int] | None = None) -> Unrolled:
        """The layer over a batch whose sequences are sorted by falling length.

        input: (batch, time, input_size). state: (batch, hidden) each, zeros when not given. lengths: how long each sequence is;
        all of them when not given. Raises ValueError for shapes or lengths that do not fit.
        """
        if input.ndim != 3 or input.shape[2] != self.input_size:
            raise ValueError(f"{self.cell}: input has shape {input.shape}; expected (batch, time, {self.input_size})")
        batch, time, _ = input.shape
        if time < 1:
            raise ValueError(f"{self.cell}: input has shape {input.shape}; expected at least one time step")
        if state is None:
            names = ("h_0", "c_0")[: self.states]
            zeros = np.zeros((batch, self.hidden_size), self.weight_hh_l0.dtype)
            state = tuple(label(Tensor(zeros, name=name), name, "constant") for name in names)
        for part in state:
            if part.shape != (batch, self.hidden_size):
                raise ValueError(f"{self.cell}: initial state has shape {part.shape}; expected {(batch, self.hidden_size)}")
        if lengths is not None:
            lengths = None if all(n == time for n in lengths) and len(lengths) == batch else [int(n) for n in lengths]
        counts = counts_of(lengths, time, batch)
        return self._run_primitive(input, state, counts) if tracing() else self._run_fused(input, state, lengths)

    def _run_fused(self, input: Tensor, state: State, lengths: Sequence[int] | None) -> Unrolled:
        weights = (self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0)
        x = apply("transpose", input, axes=[1, 0, 2])
        states = apply(f"{self.cell}_fused", x, *state, *weights, lengths=lengths, **self.fused_attributes())
        each = [states] if self.states == 1 else [states[i] for i in range(self.states)]
        last = tuple(apply("last_step", part, lengths=lengths) for part in each)
        return Unrolled(last, lambda: each[0].transpose([1, 0, 2]), ())

    def _run_primitive(self, input: Tensor, state: State, counts: list[int]) -> Unrolled:
        steps: list[Tensor] = []
        ended: list[State] = []  # states of sequences that have ended, shortest first
        for t, rows in enumerate(counts, start=1):
            if rows < state[0].shape[0]:
                with scope(f"{self.cell}/t={t - 1}", time=t - 1):
                    ended.append(tuple(part[rows:] for part in state))
                    state = tuple(part[:rows] for part in state)
            with scope(f"{self.cell}/t={t}", time=t):
                x = input[:, t - 1] if rows == input.shape[0] else input[:rows, t - 1]
                state = self.step(label(x, "x"), state)
                for part, name in zip(state, ("h", "c"), strict=False):
                    label(part, name)
            steps.append(state[0])
        pieces = [state, *reversed(ended)]
        last = state if not ended else tuple(apply("concat", *parts, axis=0) for parts in zip(*pieces, strict=True))

        def output() -> Tensor:
            padding = np.zeros((counts[0], self.hidden_size), steps[0].dtype)
            full = [h if h.shape[0] == counts[0] else apply("concat", h, padding[h.shape[0] :]) for h in steps]
            return apply("stack", *full, axis=1)

        return Unrolled(last, output, tuple(steps))

    def _forward(self, input: Tensor, hx: Any, lengths: Sequence[int] | None) -> tuple[Tensor, State]:
        """PyTorch's shapes around `run`: time first unless batch_first, unbatched input, states with a layer axis, any order of lengths."""
        unbatched = input.ndim == 2
        x = input.reshape(1, *input.shape) if unbatched else input if self.batch_first else input.transpose([1, 0, 2])
        given = None if hx is None else tuple(hx) if isinstance(hx, tuple | list) else (hx,)
        if given is not None and len(given) != self.states:
            raise ValueError(f"{self.cell}: {len(given)} initial states given; expected {self.states}")
        state = None if given is None else tuple(_as_rows(part, x.shape[0], self.hidden_size) for part in given)
        order = None if lengths is None else np.argsort(-np.asarray(lengths), kind="stable").tolist()
        if lengths is not None and order is not None and order != sorted(order):
            x, lengths = apply("rows", x, rows=order), [lengths[i] for i in order]
            state = None if state is None else tuple(apply("rows", part, rows=order) for part in state)
        else:
            order = None
        unrolled = self.run(x, state, lengths)
        output, last = unrolled.output(), unrolled.last
        if order is not None:
            back = np.argsort(order).tolist()
            output, last = apply("rows", output, rows=back), tuple(apply("rows", part, rows=back) for part in last)
        if unbatched:
            return output[0], last
        return (output if self.batch_first else output.transpose([1, 0, 2])), tuple(part.reshape(1, *part.shape) for part in last)


def _as_rows(state: Any, batch: int, hidden: int) -> Tensor:
    """PyTorch's initial state, (1, batch, hidden) or (1, hidden) unbatched, as (batch, hidden)."""
    tensor = state if isinstance(state, Tensor) else Tensor(state)
    if tensor.size != batch * hidden or tensor.shape[0] != 1:
        raise ValueError(f"initial state has shape {tensor.shape}; expected (1, {batch}, {hidden})")
    return tensor.reshape(batch, hidden)


class RNN(_Recurrent):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), as torch.nn.RNN (nonlinearity "tanh" or "relu")."""

    cell, gates = "rnn", 1

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
                 batch_first: bool = False, *, dtype: Any = np.float64, generator: np.random.Generator | None = None) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity is {nonlinearity!r}; expected 'tanh' or 'relu'")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dtype=dtype, generator=generator)
        self.nonlinearity = nonlinearity

    def fused_attributes(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}

    def step(self, x: Tensor, state: State) -> State:
        from_input = apply("linear", x, self.weight_ih_l0) + self.bias_ih_l0
        from_state = apply("linear", state[0], self.weight_hh_l0) + self.bias_hh_l0
        a = label(from_input + from_state, "a")
        return (apply(self.nonlinearity, a),)

    def forward(self, input: Tensor, hx: Any = None, *, lengths: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """(output, h_n) as torch.nn.RNN. input: (time, batch, input), batch first if so set, or unbatched (time, input)."""
        output, last = self._forward(input, hx, lengths)
        return output, last[0]


class GRU(_Recurrent):
    """r, z, n = gates; h_t = (1 - z) n + z h_(t-1), n = tanh(W_in x + b_in + r (W_hn h_(t-1) + b_hn)), as torch.nn.GRU."""

    cell, gates = "gru", 3

    def step(self, x: Tensor, state: State) -> State:
        (h,), H = state, self.hidden_size
        from_input = apply("linear", x, self.weight_ih_l0) + self.bias_ih_l0
        from_state = apply("linear", h, self.weight_hh_l0) + self.bias_hh_l0
        with scope("r"):
            r = label((from_input[:, :H] + from_state[:, :H]).sigmoid(), "r")
        with scope("z"):
            z = label((from_input[:, H : 2 * H] + from_state[:, H : 2 * H]).sigmoid(), "z")
        with scope("n"):
            n = label((from_input[:, 2 * H :] + r * from_state[:, 2 * H :]).tanh(), "n")
        return ((1 - z) * n + z * h,)

    def forward(self, input: Tensor, hx: Any = None, *, lengths: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """(output, h_n) as torch.nn.GRU. input: (time, batch, input), batch first if so set, or unbatched (time, input)."""
        output, last = self._forward(input, hx, lengths)
        return output, last[0]


class LSTM(_Recurrent):
    """i, f, g, o = gates; c_t = f c_(t-1) + i g; h_t = o tanh(c_t), as torch.nn.LSTM."""

    cell, gates, states = "lstm", 4, 2

    def step(self, x: Tensor, state: State) -> State:
        (h, c), H = state, self.hidden_size
        from_input = apply("linear", x, self.weight_ih_l0) + self.bias_ih_l0
        from_state = apply("linear", h, self.weight_hh_l0) + self.bias_hh_l0
        a = label(from_input + from_state, "a")
        gates = []
        for k, name in enumerate("ifgo"):
            with scope(name):
                part = a[:, k * H : (k + 1) * H]
                gates.append(label(part.tanh() if name == "g" else part.sigmoid(), name))
        i, f, g, o = gates
        c_next = f * c + i * g
        return (o * c_next.tanh(), c_next)

    def forward(self, input: Tensor, hx: Any = None, *, lengths: Sequence[int] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(output, (h_n, c_n)) as torch.nn.LSTM. input: (time, batch, input), batch first if so set, or unbatched (time, input)."""
        output, last = self._forward(input, hx, lengths)
        return output, (last[0], last[1])


CELLS: Mapping[str, type[RNN | LSTM | GRU]] = MappingProxyType({"rnn": RNN, "lstm": LSTM, "gru": GRU})
