"""Networks with PyTorch's parameter names, signatures and gate order."""

from typing import TYPE_CHECKING, Any

from engine.habits import unknown_name
from engine.nn import init
from engine.nn.activations import ELU, GELU, Flatten, Identity, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from engine.nn.attention import MultiheadAttention, TransformerEncoderLayer
from engine.nn.containers import ModuleList, Sequential
from engine.nn.convolution import Conv1d
from engine.nn.dropout import Dropout
from engine.nn.linear import Embedding, Linear
from engine.nn.losses import CrossEntropyLoss, MSELoss
from engine.nn.module import Buffer, Module, Parameter
from engine.nn.normalisation import LayerNorm
from engine.nn.recurrent import CELLS, GRU, LSTM, RNN, Recurrent, detach
from engine.nn.seq2seq import Seq2Seq
from engine.nn.unrolled import Unrolled
from engine.nn.weights import from_safetensors, to_safetensors

__all__ = [
    "CELLS", "ELU", "GELU", "GRU", "LSTM", "RNN", "Buffer", "Conv1d", "CrossEntropyLoss", "Dropout", "Embedding", "Flatten", "Identity",
    "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "MSELoss", "Module", "ModuleList", "MultiheadAttention", "Parameter", "ReLU",
    "Recurrent", "Seq2Seq", "Sequential", "SiLU", "Sigmoid", "Softmax", "Softplus", "Tanh", "TransformerEncoderLayer", "Unrolled", "detach",
    "from_safetensors", "init", "to_safetensors",
]  # fmt: skip

if not TYPE_CHECKING:  # type checkers know the names that there are

    def __getattr__(name: str) -> Any:
        raise unknown_name(__name__, name)
