"""Weights as safetensors: the bytes that PyTorch's users exchange, with PyTorch's names. Where they are kept is the caller's affair."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from engine.nn.module import IncompatibleKeys, Module
from engine.ops.op import Array

_DTYPES: Mapping[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
# The dtypes that are read, by the format's names, each with the bytes of one element.
SAFETENSORS_DTYPES: Mapping[str, int] = {**{name: np.dtype(code).itemsize for name, code in _DTYPES.items()}, "BF16": 2}


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
    return module.load_state_dict(read_safetensors(bytes(data)), strict)


def read_safetensors(data: bytes) -> dict[str, Array]:
    """The arrays in a file's bytes by name; bfloat16, which numpy lacks, as float32.

    Raises ValueError for bytes that are no such file, and for a dtype that is not in SAFETENSORS_DTYPES.
    """
    try:
        found = deserialize(data)  # type: ignore[no-untyped-call]  # the library leaves it without annotations
    except SafetensorError as error:
        raise ValueError(f"these {len(data)} bytes are no safetensors file: {error}") from None
    return {name: _array(name, tensor["dtype"], tensor["data"]).reshape(tensor["shape"]) for name, tensor in found}


def _array(name: str, dtype: str, data: bytes) -> Array:
    array: Array
    if dtype == "BF16":  # the upper half of a float32
        array = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    elif dtype == "BOOL":
        array = np.frombuffer(data, np.uint8) != 0
    elif dtype in _DTYPES:
        array = np.frombuffer(data, _DTYPES[dtype])
    else:
        raise ValueError(f"{name} has dtype {dtype}; expected one of {', '.join(SAFETENSORS_DTYPES)}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)
