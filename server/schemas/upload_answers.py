"""What the API answers about uploads: the shapes that OpenAPI names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from server.schemas.answers import Answer, Cursor
from server.schemas.trace_answers import TensorStatistics
from server.schemas.uploads import UploadId

Dtype = Literal[
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"
]  # fmt: skip


class TensorSummary(BaseModel):
    """A tensor of an upload. bytes: of its numbers."""

    name: str
    dtype: Dtype
    shape: list[int]
    bytes: int


class UploadSummary(BaseModel):
    """A file of arrays. bytes: of the file."""

    id: UploadId
    format: Literal["npy", "npz", "safetensors"]
    bytes: int
    created: str


class Upload(UploadSummary, Answer):
    """A file of arrays, and what is in it."""

    tensors: list[TensorSummary]


class UploadPage(Answer):
    """Uploads, newest first, without their tensors."""

    items: list[UploadSummary]
    next: Cursor


class UploadedArray(Answer):
    """One tensor of an upload. bdata: base64 of its numbers, little-endian, C order, in its own dtype: f8, f4, f2, i8 … i1, u8 … u1, b1."""

    upload: UploadId
    name: str
    dtype: Annotated[str, Field(pattern="^[fiub][1248]$")]
    shape: list[int]
    bdata: str
    statistics: TensorStatistics
