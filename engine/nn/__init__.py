"""Networks with PyTorch's parameter names, signatures and gate order."""

from engine.nn.linear import Embedding, Linear
from engine.nn.module import Module, Parameter
from engine.nn.recurrent import CELLS, GRU, LSTM, RNN, Unrolled

__all__ = ["CELLS", "GRU", "LSTM", "RNN", "Embedding", "Linear", "Module", "Parameter", "Unrolled"]
