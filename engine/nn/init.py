"""Initial weights: functions that fill a parameter in place, with PyTorch's names, and what recurrent layers want besides.

``nn.init.orthogonal_(layer.weight_hh_l0, blocks=layer.gates)``. All take ``generator`` (numpy's; a fresh one
when None) and return the parameter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ops.op import Array
from engine.tensor import Tensor

if TYPE_CHECKING:
    from engine.nn.recurrent import Recurrent

Generator = np.random.Generator | None

_GAINS: Mapping[str, float] = MappingProxyType(
    {"linear": 1.0, "conv1d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
)


def _fill(tensor: Tensor, values: Any) -> Tensor:
    if tensor.tape is not None:
        raise ValueError("init: only a leaf can be filled, such as a parameter; this tensor was computed")
    tensor.data = np.array(np.broadcast_to(values, tensor.shape), dtype=tensor.dtype)
    return tensor


def _generator(generator: Generator) -> np.random.Generator:
    return np.random.default_rng() if generator is None else generator


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None) -> Tensor:
    """Evenly from a to b."""
    return _fill(tensor, _generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None) -> Tensor:
    """From the normal distribution."""
    return _fill(tensor, _generator(generator).normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere."""
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return _fill(tensor, 1)


def eye_(tensor: Tensor) -> Tensor:
    """The identity, as far as the shape goes. Raises ValueError unless the tensor has two dimensions."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: the tensor has shape {tensor.shape}; expected two dimensions")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights are scaled so that a nonlinearity keeps the spread; param: the slope of "leaky_relu" (0.01)."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"calculate_gain: nonlinearity is {nonlinearity!r}; expected one of {', '.join(_GAINS)}, leaky_relu")
    return _GAINS[nonlinearity]


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """How many numbers go into one output and come out of one input."""
    if tensor.ndim < 2:
        raise ValueError(f"{name}: the tensor has shape {tensor.shape}; expected (out, in) or (out, in, width)")
    width = math.prod(tensor.shape[2:])
    return tensor.shape[1] * width, tensor.shape[0] * width


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Evenly within gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    bound = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Normal with standard deviation gain sqrt(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor))), generator)


def _kaiming(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode is {mode!r}; expected 'fan_in' or 'fan_out'")
    return calculate_gain(nonlinearity, a) / math.sqrt(_fans(name, tensor)[mode == "fan_out"])


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator = None
) -> Tensor:
    """Evenly within gain sqrt(3 / fan) (He et al. 2015)."""
    bound = math.sqrt(3) * _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator = None
) -> Tensor:
    """Normal with standard deviation gain / sqrt(fan)."""
    return normal_(tensor, 0.0, _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None, *, blocks: int = 1) -> Tensor:
    """Rows or columns, whichever are fewer, orthonormal times gain (Saxe et al. 2014), evenly among all such matrices.

    blocks: so many matrices one above the other, each orthogonal: the gates of a recurrent layer. Further dimensions count as columns.
    """
    if tensor.ndim < 2 or blocks < 1 or tensor.shape[0] % blocks:
        raise ValueError(
            f"orthogonal_: the tensor has shape {tensor.shape}; expected two dimensions or more, the first a multiple of {blocks}"
        )
    generator = _generator(generator)
    rows, columns = tensor.shape[0] // blocks, math.prod(tensor.shape[1:])
    parts = [_orthogonal(rows, columns, generator) for _ in range(blocks)]
    return _fill(tensor, gain * np.concatenate(parts).reshape(tensor.shape))


def _orthogonal(rows: int, columns: int, generator: np.random.Generator) -> Array:
    tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)  # else the distribution would not be even
    square: Array = q if rows >= columns else q.T
    return square


def forget_bias_(layer: Recurrent, value: float = 1.0) -> Recurrent:
    """An LSTM's forget gates start open: b_if + b_hf = value, the first of them holding it (Jozefowicz et al. 2015).

    Raises ValueError for another cell, or a layer without biases.
    """
    if layer.cell != "lstm" or not layer.bias:
        raise ValueError(f"forget_bias_: a {layer.cell} with bias={layer.bias}; expected an LSTM with biases")
    H = layer.hidden_size
    for suffix in layer.suffixes:
        for name, number in (("bias_ih_", value), ("bias_hh_", 0.0)):
            bias = getattr(layer, name + suffix)
            values = bias.numpy()
            values[H : 2 * H] = number
            _fill(bias, values)
    return layer


def recurrent_(layer: Recurrent, initialisation: str = "pytorch", generator: Generator = None) -> Recurrent:
    """All weights of a recurrent layer.

    "pytorch": everything evenly within 1 / sqrt(hidden_size). "orthogonal": each gate's recurrent matrix orthogonal, its input matrix
    Xavier-uniform, biases 0, which keeps the length of what travels back through time at first. Raises ValueError for another word.
    """
    if initialisation not in ("pytorch", "orthogonal"):
        raise ValueError(f"initialisation is {initialisation!r}; expected 'pytorch' or 'orthogonal'")
    generator = _generator(generator)
    bound = 1 / math.sqrt(layer.hidden_size)
    for name, parameter in layer.named_parameters():
        if initialisation == "pytorch":
            uniform_(parameter, -bound, bound, generator)
        elif name.startswith("weight_hh"):
            orthogonal_(parameter, generator=generator, blocks=layer.gates)
        elif name.startswith("weight_ih"):
            bound_ih = math.sqrt(6 / (parameter.shape[1] + layer.hidden_size))
            uniform_(parameter, -bound_ih, bound_ih, generator)
        else:
            zeros_(parameter)
    return layer
