"""Arrays as safetensors. The header is checked here, strictly; the engine's reader then reads the numbers."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from engine.nn.weights import SAFETENSORS_DTYPES, read_safetensors
from engine.ops.op import Array
from server import limits, strict_json
from server.programs.errors import LimitError
from server.uploads.bounds import Budget, UploadError, called, check_name

_DEPTH = 3  # the header, a tensor, its shape
_METADATA = "__metadata__"
_MEMBERS = {"dtype", "shape", "data_offsets"}


def looks_like(data: bytes) -> bool:
    """Whether the first bytes are the length of a header and its beginning."""
    return len(data) > 8 and data[8:9] == b"{"


def read_file(data: bytes, budget: Budget) -> dict[str, Array]:
    """The arrays of a file by name, in the order of the file; bfloat16 as float32."""
    tensors = _header(data)
    spans: list[tuple[int, int, str]] = []
    for number, (name, about) in enumerate(tensors.items()):
        check_name(name, number)
        spans.append((*_span(about, budget, called(name, number)), called(name, number)))
    _check_spans(sorted(spans), len(data) - 8 - _length(data))
    try:
        arrays = read_safetensors(data)
    except ValueError as error:
        raise UploadError(str(error)) from None
    return {name: arrays[name] for name in tensors}


def _length(data: bytes) -> int:
    return int.from_bytes(data[:8], "little")


def _header(data: bytes) -> dict[str, Any]:
    """What the header says of each tensor."""
    length = _length(data)
    if length > limits.UPLOAD_HEADER_BYTES:
        detail = f"the header is said to have {length:,} bytes, at most {limits.UPLOAD_HEADER_BYTES:,} are read"
        raise LimitError(detail, limits.UPLOAD_HEADER_BYTES, length)
    if 8 + length > len(data):
        raise UploadError(f"the header is said to have {length:,} bytes; {len(data) - 8:,} follow")
    try:
        header = strict_json.read(data[8 : 8 + length], _DEPTH)
    except strict_json.StrictJsonError as error:
        raise UploadError(f"the header cannot be read: {error}") from None
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise UploadError("the header's __metadata__ is no object of texts")
    return dict(header)


def _span(about: Any, budget: Budget, called: str) -> tuple[int, int]:
    """From where to where the numbers of a tensor lie, by what its header says of it."""
    if not isinstance(about, dict) or set(about) != _MEMBERS:
        raise UploadError(f"the header does not say dtype, shape and data_offsets of {called}, and nothing else")
    dtype, shape, offsets = about["dtype"], about["shape"], about["data_offsets"]
    if not isinstance(dtype, str) or dtype not in SAFETENSORS_DTYPES:
        raise UploadError(f"{called} is of a dtype that is not read; expected one of {', '.join(SAFETENSORS_DTYPES)}")
    if not _whole(shape) or not _whole(offsets) or len(offsets) != 2:
        raise UploadError(f"the shape and the data_offsets of {called} are not lists of whole numbers from 0")
    budget.take(shape, called)
    wanted, (start, end) = math.prod(shape) * SAFETENSORS_DTYPES[dtype], offsets
    if end - start != wanted:
        raise UploadError(f"the data_offsets of {called} span {end - start:,} bytes; its dtype and shape need {wanted:,}")
    return start, end


def _whole(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(n) is int and n >= 0 for n in numbers)


def _check_spans(spans: list[tuple[int, int, str]], size: int) -> None:
    """Raises UploadError where tensors lie over each other or out of range, or bytes belong to none. spans: in order."""
    for (_, end, _), (start, _, name) in pairwise([(0, 0, ""), *spans]):
        if start != end:
            what = "lies over the tensor before it" if start < end else "does not begin where the tensor before it ends"
            raise UploadError(f"{name} {what}: byte {start:,}, expected {end:,}")
    last = spans[-1][1] if spans else 0
    if last != size:
        raise UploadError(f"the tensors end at byte {last:,} of {size:,} that follow the header; nothing else may be in the file")
