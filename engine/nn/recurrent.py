"""RNN, LSTM and GRU: one definition, two views.

Below TRACE a whole sequence is one fused kernel a layer and direction (`engine.ops.fused`); at TRACE every primitive of every step is
recorded (`engine.cells`). Tests prove the two equal. Parameters, signatures, gate order and initial distribution are PyTorch's.

Sequences of unequal length are never padded in the record: rows are sorted by falling length and step t computes the first rows only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from engine.cells import STEPS, State
from engine.nn import init
from engine.nn.linear import positive
from engine.nn.module import Module, Parameter
from engine.nn.random import Stream, probability
from engine.nn.unrolled import Fused, Primitive, Stacked, Unrolled, padded, side_by_side
from engine.ops.fused import check_truncate, counts_of
from engine.ops.op import Array
from engine.tape import label, scope, tracing
from engine.tensor import Tensor, apply


def detach(state: Any) -> Any:
    """A state cut off from what computed it, a tensor or a tuple of them: the border of truncated back-propagation through time.

    state = None
    for chunk in chunks:                  # (batch, 20, features) each
        output, state = lstm(chunk, state)
        loss(output).backward()           # reaches back to the chunk's first step and no further
        state = nn.detach(state)
    """
    if isinstance(state, tuple | list):
        return tuple(detach(part) for part in state)
    return None if state is None else state.detach()


class Recurrent(Module):
    """What the three share: layers, directions, parameters, lengths, and the two ways to run.

    input_size, hidden_size, num_layers, bias, batch_first, dropout (on the outputs of each layer but the last, in training), bidirectional:
    as in PyTorch. initialisation: "pytorch" or "orthogonal" (`nn.init.recurrent_`). seed: of the dropout masks.

    truncate, to be set on a layer: after every so many steps the state goes on, and no gradient comes back over the border (truncated
    back-propagation through time); None for no truncation. Not for both directions: running it raises ValueError.
    """

    cell: ClassVar[str]
    gates: ClassVar[int]
    states: ClassVar[int] = 1
    truncate: int | None = None

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *, initialisation: str = "pytorch",
                 seed: int | None = None, dtype: Any = np.float64, generator: np.random.Generator | None = None) -> None:  # fmt: skip
        name = type(self).__name__
        self.input_size, self.hidden_size, self.num_layers = positive(
            name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers
        )
        if proj_size:
            raise ValueError(
                f"{name}: proj_size is {proj_size}; projections of the hidden state are not offered, put a Linear after the layer"
            )
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.dropout, self.stream = probability("dropout", dropout), Stream(seed)
        rows, width = self.gates * hidden_size, hidden_size * self.directions
        for k, suffix in enumerate(self.suffixes):
            features = input_size if k < self.directions else width
            shapes: dict[str, tuple[int, ...]] = {"weight_ih_": (rows, features), "weight_hh_": (rows, hidden_size)}
            if bias:
                shapes |= {"bias_ih_": (rows,), "bias_hh_": (rows,)}
            for part, shape in shapes.items():
                setattr(self, part + suffix, Parameter(np.empty(shape, dtype)))
        init.recurrent_(self, initialisation, generator)
        self._dtype = np.dtype(dtype)
        self._no_bias = np.zeros(rows, dtype)
        parts = ("weight_ih_", "weight_hh_", "bias_ih_", "bias_hh_")
        self._names = {suffix: [part + suffix for part in parts] for suffix in self.suffixes}
        self._zero_state: State = ()

    @property
    def directions(self) -> int:
        """1, or 2 when bidirectional."""
        return 2 if self.bidirectional else 1

    @property
    def suffixes(self) -> list[str]:
        """The ends of the parameters' names, layer by layer, forward before reverse: ``l0``, ``l0_reverse``, ``l1``."""
        return [f"l{layer}{direction}" for layer in range(self.num_layers) for direction in ("", "_reverse")[: self.directions]]

    def options(self) -> dict[str, Any]:
        """What the cell's step and kernel take besides."""
        return {}

    def _weights(self, suffix: str) -> list[Any]:
        """The four parameters of a layer and direction; None for biases that it has not."""
        own = vars(self)
        return [own.get(name) for name in self._names[suffix]]

    # one layer, one direction

    def run(self, input: Tensor, state: State | None = None, lengths: Sequence[int] | None = None) -> Unrolled:
        """All layers and directions over a batch whose sequences are sorted by falling length; gives the top layer.

        input: (batch, time, input_size). state: for one layer of one direction, (batch, hidden) each, zeros when not given. lengths: how
        long each sequence is; all of them when not given. Raises ValueError for shapes or lengths that do not fit, and for a state given
        to several layers or directions.
        """
        batch, time = self._check(input)
        if lengths is not None:
            lengths = None if len(lengths) == batch and all([n == time for n in lengths]) else [int(n) for n in lengths]
        if len(self.suffixes) > 1:
            if state is not None:
                raise ValueError(f"{self.cell}: `run` takes a state for one layer of one direction; this has {len(self.suffixes)}, call it")
            zeros = [self._zeros(batch, suffix) for suffix in self.suffixes]
            runs = self._layers_fused(input, zeros, lengths) if tracing() is None else self._layers_primitive(input, zeros, lengths)
            return Stacked(runs[-self.directions :])
        if state is None:
            state = self._zeros(batch, "l0")
        else:
            for part in state:
                if part.shape != (batch, self.hidden_size):
                    raise ValueError(f"{self.cell}: initial state has shape {part.shape}; expected {(batch, self.hidden_size)}")
        if tracing() is None:
            return self._fused(input, state, lengths, "l0", batch_first=True)
        counts = counts_of(lengths, time, batch)
        return self._primitive(partial(_rows_at, input), state, counts, "l0")

    def _check(self, input: Tensor) -> tuple[int, int]:
        """Batch and time of an input (batch, time, input_size). Raises ValueError for another shape."""
        shape = input.data.shape
        if len(shape) != 3 or shape[2] != self.input_size:
            raise ValueError(f"{self.cell}: input has shape {shape}; expected (batch, time, {self.input_size})")
        if shape[1] < 1:
            raise ValueError(f"{self.cell}: input has shape {shape}; expected at least one time step")
        return shape[0], shape[1]

    def _zeros(self, batch: int, suffix: str) -> State:
        if tracing() is None:  # nobody sees them, so they serve again
            state = self._zero_state
            if not state or state[0].data.shape[0] != batch:
                zeros = np.zeros((batch, self.hidden_size), self._dtype)
                self._zero_state = state = tuple([Tensor(zeros) for _ in range(self.states)])
            return state
        zeros = np.zeros((batch, self.hidden_size), self._dtype)
        end = "" if suffix == "l0" else f"_{suffix}"
        names = [f"{name}{end}" for name in ("h_0", "c_0")[: self.states]]
        return tuple(label(Tensor(zeros, name=name), name, "constant") for name in names)

    def _fused(self, x: Tensor, state: State, lengths: Sequence[int] | None, suffix: str, *, batch_first: bool) -> Fused:
        weights = [self._no_bias if w is None else w for w in self._weights(suffix)]
        attributes = self.options()
        if lengths is not None:
            attributes["lengths"] = list(lengths)
        if batch_first:
            attributes["batch_first"] = True
        if suffix.endswith("_reverse"):
            attributes["reverse"] = True
        if self.truncate is not None:
            attributes["truncate"] = self.truncate
        return Fused(f"{self.cell}_fused", (x, *state, *weights), attributes, x.data.shape[1 if batch_first else 0], self.states)

    def _primitive(self, x_at: Callable[[int, int], Tensor], initial: State, counts: Sequence[int], suffix: str) -> Unrolled:
        """x_at: the input of step t (from 1), its first rows. counts: how many rows take part at each step, never rising."""
        name = self.cell if suffix == "l0" else f"{self.cell}/{suffix}"
        tape = tracing()
        assert tape is not None  # primitives are for a trace
        step, options = STEPS[self.cell], self.options()
        weights = [None if w is None else Tensor.of_node(tape, tape.node_of(w)) for w in self._weights(suffix)]  # looked up once
        reverse, time, batch, first = suffix.endswith("_reverse"), len(counts), counts[0], suffix.startswith("l0")
        check_truncate(self.cell, self.truncate, reverse)
        steps: list[Any] = [None] * time
        ended: list[State] = []  # states of sequences that have ended, shortest first
        state = tuple([part[: counts[-1]] for part in initial]) if reverse and counts[-1] < batch else initial
        for t in range(time, 0, -1) if reverse else range(1, time + 1):
            rows, running = counts[t - 1], state[0].shape[0]
            if rows < running:
                with scope(f"{name}/t={t - 1}", time=t - 1):
                    ended.append(tuple([part[rows:] for part in state]))
                    state = tuple([part[:rows] for part in state])
            with scope(f"{name}/t={t}", time=t):
                if rows > running:  # backwards in time, shorter sequences join
                    state = tuple([apply("concat", a, b[running:rows]) for a, b in zip(state, initial, strict=True)])
                if self.truncate and t > 1 and (t - 1) % self.truncate == 0:
                    state = tuple([apply("truncate", part) for part in state])
                x = x_at(t, rows)
                state = step(label(x, "x") if first else x, state, *weights, **options)  # above, x is what the layer below calls h
                label(state[0], "h")
                if len(state) > 1:
                    label(state[1], "c")
            steps[t - 1] = state[0]
        pieces = [state, *reversed(ended)]
        last = state if not ended else tuple([apply("concat", *parts, axis=0) for parts in zip(*pieces, strict=True)])
        return Primitive(steps, last, batch)

    # all layers and directions, with PyTorch's shapes

    def _forward(self, input: Tensor, hx: Any, lengths: Sequence[int] | None) -> tuple[Tensor, State]:
        unbatched = input.ndim == 2
        if input.ndim not in (2, 3):
            raise ValueError(
                f"{self.cell}: input has shape {input.shape}; expected (time, batch, {self.input_size}), batch first if so "
                "set, or without a batch"
            )
        x = input.reshape(1, *input.shape) if unbatched else input if self.batch_first else input.transpose([1, 0, 2])
        self._check(x)
        states = self._initial(hx, x.shape[0], unbatched)
        order = None if lengths is None else np.argsort(-np.asarray(lengths), kind="stable").tolist()
        if order is not None and lengths is not None:
            lengths = [int(lengths[i]) for i in order]
            if order == sorted(order):
                order = None
            else:
                x = apply("rows", x, rows=order)
                states = [tuple([apply("rows", part, rows=order) for part in state]) for state in states]
        output, lasts = (self._stack_fused if tracing() is None else self._stack_primitive)(x, states, lengths)
        if order is not None:
            back = np.argsort(order).tolist()
            output = apply("rows", output, rows=back)
            lasts = [tuple([apply("rows", part, rows=back) for part in last]) for last in lasts]
        last = tuple([apply("stack", *parts, axis=0) for parts in zip(*lasts, strict=True)])
        if unbatched:
            return output[0], tuple([part[:, 0] for part in last])
        return (output if self.batch_first else output.transpose([1, 0, 2])), last

    def _initial(self, hx: Any, batch: int, unbatched: bool) -> list[State]:
        """The initial state of every layer and direction, (batch, hidden) each."""
        count = len(self.suffixes)
        if hx is None:
            return [self._zeros(batch, suffix) for suffix in self.suffixes]
        given = tuple(hx) if isinstance(hx, tuple | list) else (hx,)
        if len(given) != self.states:
            raise ValueError(f"{self.cell}: {len(given)} initial states given; expected {self.states}")
        expected = (count, self.hidden_size) if unbatched else (count, batch, self.hidden_size)
        parts = [part if isinstance(part, Tensor) else Tensor(part) for part in given]
        for part in parts:
            if part.shape != expected:
                raise ValueError(f"{self.cell}: initial state has shape {part.shape}; expected {expected}")
        if unbatched:
            parts = [part.unsqueeze(1) for part in parts]
        return [tuple([part[k] for part in parts]) for k in range(count)]

    def _mask(self, layer: int, shape: tuple[int, ...]) -> Array | None:
        """What the outputs of a layer, (batch, time, features), are multiplied by before the next one; None where nothing is dropped."""
        if not self.training or not self.dropout or layer + 1 == self.num_layers:
            return None
        return self.stream.mask(shape, self.dropout, self._dtype)

    def _stack_fused(self, x: Tensor, states: Sequence[State], lengths: Sequence[int] | None) -> tuple[Tensor, list[State]]:
        runs = self._layers_fused(x, states, lengths)
        output = side_by_side([run.everything[: run.time] for run in runs[-self.directions :]])  # time first
        return output.transpose([1, 0, 2]), [run.last for run in runs]

    def _layers_fused(self, x: Tensor, states: Sequence[State], lengths: Sequence[int] | None) -> list[Fused]:
        """Every layer and direction; the top layer runs when something is asked of it."""
        runs: list[Fused] = []
        time, batch_first = x.shape[1], True
        for layer in range(self.num_layers):
            if layer > 0:
                x, batch_first = side_by_side([run.everything[:time] for run in runs[-self.directions :]]), False
                mask = self._mask(layer - 1, (x.shape[1], time, x.shape[2]))
                if mask is not None:
                    x = apply("dropout", x, mask.transpose(1, 0, 2))
            for k in range(layer * self.directions, (layer + 1) * self.directions):
                runs.append(self._fused(x, states[k], lengths, self.suffixes[k], batch_first=batch_first))
        return runs

    def _stack_primitive(self, x: Tensor, states: Sequence[State], lengths: Sequence[int] | None) -> tuple[Tensor, list[State]]:
        runs = self._layers_primitive(x, states, lengths)
        each = [side_by_side([run.steps[t] for run in runs[-self.directions :]]) for t in range(x.shape[1])]
        return apply("stack", *[padded(h, x.shape[0]) for h in each], axis=1), [run.last for run in runs]

    def _layers_primitive(self, x: Tensor, states: Sequence[State], lengths: Sequence[int] | None) -> list[Unrolled]:
        """Every layer and direction, step by step. What both directions of a layer give the next one is joined in the scope ``l0_both``."""
        batch, time, _ = x.shape
        counts = counts_of(lengths, time, batch)
        runs: list[Unrolled] = []
        x_at: Callable[[int, int], Tensor] = partial(_rows_at, x)
        for layer in range(self.num_layers):
            if layer > 0:
                each = [self._joined(runs[-self.directions :], layer - 1, t) for t in range(1, time + 1)]
                mask = self._mask(layer - 1, (batch, time, self.hidden_size * self.directions))
                x_at = _given(each) if mask is None else partial(self._thinned, each, mask)
            for k in range(layer * self.directions, (layer + 1) * self.directions):
                runs.append(self._primitive(x_at, states[k], counts, self.suffixes[k]))
        return runs

    def _thinned(self, each: Sequence[Tensor], mask: Array, t: int, rows: int) -> Tensor:
        """What is left of the layer below at step t (from 1), its first rows."""
        part = label(Tensor(mask[:rows, t - 1].copy()), "mask", "constant")
        return label(apply("dropout", each[t - 1], part), "x")

    def _joined(self, runs: Sequence[Unrolled], layer: int, t: int) -> Tensor:
        """What a layer gives the next one at step t (from 1)."""
        if len(runs) == 1:
            return runs[0].steps[t - 1]
        with scope(f"{self.cell}/l{layer}_both/t={t}", time=t):
            return label(side_by_side([run.steps[t - 1] for run in runs]), "both")

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        chosen = {"num_layers": (self.num_layers, 1), "bias": (self.bias, True), "batch_first": (self.batch_first, False),
                  "dropout": (self.dropout, 0.0), "bidirectional": (self.bidirectional, False)}  # fmt: skip
        return shown + "".join(f", {name}={value}" for name, (value, default) in chosen.items() if value != default)


def _rows_at(x: Tensor, t: int, rows: int) -> Tensor:
    return x[:, t - 1] if rows == x.shape[0] else x[:rows, t - 1]


def _given(each: Sequence[Tensor]) -> Callable[[int, int], Tensor]:
    return lambda t, rows: each[t - 1]


class RNN(Recurrent):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), as torch.nn.RNN (nonlinearity "tanh" or "relu")."""

    cell, gates = "rnn", 1

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *,
                 initialisation: str = "pytorch", seed: int | None = None, dtype: Any = np.float64,
                 generator: np.random.Generator | None = None) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity is {nonlinearity!r}; expected 'tanh' or 'relu'")
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
                         initialisation=initialisation, seed=seed, dtype=dtype, generator=generator)  # fmt: skip

    def options(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}

    def forward(self, input: Tensor, hx: Any = None, *, lengths: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """(output, h_n) as torch.nn.RNN.

        input: (time, batch, input), batch first if so set, or unbatched (time, input). hx: (layers * directions, batch, hidden), zeros when
        not given. lengths: how long each sequence is, in any order. output: (time, batch, directions * hidden), zeros beyond the lengths;
        h_n as hx. Raises ValueError for shapes that do not fit.
        """
        output, last = self._forward(input, hx, lengths)
        return output, last[0]


class GRU(Recurrent):
    """r, z, n = gates; h_t = (1 - z) n + z h_(t-1), n = tanh(W_in x + b_in + r (W_hn h_(t-1) + b_hn)), as torch.nn.GRU.

    reset_after: False resets the state before the product instead, n = tanh(W_in x + b_in + W_hn (r h_(t-1)) + b_hn) (Cho et al. 2014).
    """

    cell, gates = "gru", 3

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *, reset_after: bool = True,
                 initialisation: str = "pytorch", seed: int | None = None, dtype: Any = np.float64,
                 generator: np.random.Generator | None = None) -> None:  # fmt: skip
        self.reset_after = reset_after
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
                         initialisation=initialisation, seed=seed, dtype=dtype, generator=generator)  # fmt: skip

    def options(self) -> dict[str, Any]:
        return {} if self.reset_after else {"reset_after": False}

    def forward(self, input: Tensor, hx: Any = None, *, lengths: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """(output, h_n) as torch.nn.GRU; shapes as `RNN.forward`."""
        output, last = self._forward(input, hx, lengths)
        return output, last[0]


class LSTM(Recurrent):
    """i, f, g, o = gates; c_t = f c_(t-1) + i g; h_t = o tanh(c_t), as torch.nn.LSTM. forget_bias: the forget gates' initial bias."""

    cell, gates, states = "lstm", 4, 2

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *, forget_bias: float | None = None,
                 initialisation: str = "pytorch", seed: int | None = None, dtype: Any = np.float64,
                 generator: np.random.Generator | None = None) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
                         initialisation=initialisation, seed=seed, dtype=dtype, generator=generator)  # fmt: skip
        if forget_bias is not None:
            init.forget_bias_(self, forget_bias)

    def forward(self, input: Tensor, hx: Any = None, *, lengths: Sequence[int] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(output, (h_n, c_n)) as torch.nn.LSTM; shapes as `RNN.forward`, hx being (h_0, c_0)."""
        output, last = self._forward(input, hx, lengths)
        return output, (last[0], last[1])


CELLS: Mapping[str, type[RNN | LSTM | GRU]] = MappingProxyType({"rnn": RNN, "lstm": LSTM, "gru": GRU})
