"""One step of each recurrent cell in primitives, on Tensors: the definition that a trace shows and the fused kernels are tested against.

All take ``x`` (rows, input), the state (rows, hidden), ``(h,)`` or ``(h, c)``, and PyTorch's parameters: ``W_ih`` (gates * hidden, input),
``W_hh`` (gates * hidden, hidden) and the biases (gates * hidden,), None for a cell without biases. They return the new state.
Gate order and formulas are those of torch.nn.RNN, LSTM and GRU. Labels and scopes are what a trace calls the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from engine.tape import label, scope, scopes
from engine.tensor import Tensor

State = tuple[Tensor, ...]  # (h,) or (h, c), each (rows, hidden)


def _affine(x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    product: Tensor = x.linear(W)
    return product if b is None else product + b


def rnn(x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None, *,
        nonlinearity: str = "tanh") -> State:  # fmt: skip
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh); ``nonlinearity`` "tanh" or "relu"."""
    from_input = _affine(x, W_ih, b_ih)
    from_state = _affine(state[0], W_hh, b_hh)
    a = label(from_input + from_state, "a")
    return (a.tanh() if nonlinearity == "tanh" else a.relu(),)


def gru(x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None, *,
        reset_after: bool = True) -> State:  # fmt: skip
    """h_t = (1 - z) n + z h_(t-1), n = tanh(W_in x + b_in + r (W_hn h_(t-1) + b_hn)).

    reset_after: as PyTorch and cuDNN, above; else as Cho et al. (2014), n = tanh(W_in x + b_in + W_hn (r h_(t-1)) + b_hn).
    """
    (h,) = state
    H = h.shape[1]
    from_input = _affine(x, W_ih, b_ih)
    U, b = (W_hh, b_hh) if reset_after else (W_hh[: 2 * H], None if b_hh is None else b_hh[: 2 * H])
    from_state = _affine(h, U, b)
    with scope("r"):
        r = label((from_input[:, :H] + from_state[:, :H]).sigmoid(), "r")
    with scope("z"):
        z = label((from_input[:, H : 2 * H] + from_state[:, H : 2 * H]).sigmoid(), "z")
    with scope("n"):
        if reset_after:
            n = label((from_input[:, 2 * H :] + r * from_state[:, 2 * H :]).tanh(), "n")
        else:
            reset = _affine(r * h, W_hh[2 * H :], None if b_hh is None else b_hh[2 * H :])
            n = label((from_input[:, 2 * H :] + reset).tanh(), "n")
    return ((1 - z) * n + z * h,)


def lstm(x: Tensor, state: State, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> State:
    """i, f, g, o = gates; c_t = f c_(t-1) + i g; h_t = o tanh(c_t)."""
    (h, c), H = state, state[0].shape[1]
    from_input = _affine(x, W_ih, b_ih)
    from_state = _affine(h, W_hh, b_hh)
    a = label(from_input + from_state, "a")
    gates = []
    for k, name in enumerate(scopes("ifgo")):
        part = a[:, k * H : (k + 1) * H]
        gates.append(label(part.tanh() if name == "g" else part.sigmoid(), name))
    i, f, g, o = gates
    c_next = f * c + i * g
    return (o * c_next.tanh(), c_next)


STEPS: Mapping[str, Callable[..., State]] = MappingProxyType({"rnn": rnn, "lstm": lstm, "gru": gru})
