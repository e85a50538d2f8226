"""Weights as safetensors: the bytes that PyTorch's users exchange, with PyTorch's names. Where they are kept is the caller's affair."""

from __future__ import annotations

from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine.nn.module import IncompatibleKeys, Module


def to_safetensors(module: Module) -> bytes:
    """The state of a module; ``safetensors.torch.load`` gives a state_dict that the same module of PyTorch loads::

    Path("model.safetensors").write_bytes(nn.to_safetensors(model))
    """
    return save(module.state_dict())


def from_safetensors(module: Module, data: bytes, strict: bool = True) -> IncompatibleKeys:
    """Loads a state, such as a PyTorch state_dict saved by ``safetensors.torch.save``, out of the bytes of its file::

        nn.from_safetensors(model, Path("model.safetensors").read_bytes())

    Raises ValueError as `Module.load_state_dict`, and for bytes that are no such file; TypeError for what are no bytes.
    """
    if not isinstance(data, bytes | bytearray):
        raise TypeError(
            f"from_safetensors: data is a {type(data).__name__}; expected the bytes of the file: Path(...).read_bytes() reads them"
        )
    try:
        state = load(bytes(data))
    except SafetensorError as error:
        raise ValueError(f"these {len(data)} bytes are no safetensors file: {error}") from None
    return module.load_state_dict(state, strict)
