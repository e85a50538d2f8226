"""Files of arrays that others wrote, read without trusting them: what a header says is checked before anything is allocated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from engine.ops.op import Array
from server.uploads import npy, npz, safetensors
from server.uploads.bounds import Budget, UnknownFormatError, UploadError

__all__ = ["Budget", "Format", "UnknownFormatError", "UploadError", "content_id", "describe", "read"]

Format = Literal["npy", "npz", "safetensors"]
READERS: Mapping[Format, Callable[[bytes, Budget], dict[str, Array]]] = {
    "npy": npy.read_file, "npz": npz.read_file, "safetensors": safetensors.read_file,
}  # fmt: skip


def read(data: bytes, budget: Budget | None = None) -> tuple[Format, dict[str, Array]]:
    """The format of a file, told by its first bytes, and its arrays by name, in its order: real numbers or booleans, in C order.

    Raises UnknownFormatError, UploadError for a file that is not what it says or holds something else, LimitError for one too large.
    """
    form = _format(data)
    return form, READERS[form](data, budget or Budget())


def describe(arrays: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Name, dtype, shape and size in bytes of every array."""
    return [{"name": name, "dtype": a.dtype.name, "shape": list(a.shape), "bytes": a.nbytes} for name, a in arrays.items()]


def content_id(data: bytes) -> str:
    """The name of a file by its content."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _format(data: bytes) -> Format:
    if data.startswith(npy.MAGIC):
        return "npy"
    if data.startswith(npz.MAGICS):
        return "npz"
    if safetensors.looks_like(data):
        return "safetensors"
    expected = "expected an .npy, .npz or .safetensors file, whose first bytes tell which it is"
    raise UnknownFormatError(f"these {len(data):,} bytes are none; {expected}. Pickles (.pt, .pkl) are not read: save them as safetensors")
