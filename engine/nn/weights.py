"""Weights as safetensors: the bytes that PyTorch's users exchange, with PyTorch's names. Where they are kept is the caller's affair."""

from __future__ import annotations

from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine.nn.module import IncompatibleKeys, Module


def to_safetensors(module: Module) -> bytes:
    """The state of a module; ``safetensors.torch.load`` gives a state_dict that the same module of PyTorch loads."""
    return save(module.state_dict())


def from_safetensors(module: Module, data: bytes, strict: bool = True) -> IncompatibleKeys:
    """Loads a state, such as a PyTorch state_dict saved by ``safetensors.torch.save``. Raises ValueError as `Module.load_state_dict`, and
    for bytes that are no such file."""
    try:
        state = load(data)
    except SafetensorError as error:
        raise ValueError(f"these {len(data)} bytes are no safetensors file: {error}") from None
    return module.load_state_dict(state, strict)
