"""How a request names what was uploaded."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server import limits

UploadId = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$", examples=["sha256:" + "0" * 64])]


class UploadTensor(BaseModel):
    """A tensor of an upload. tensor: its name; that of the only one unless given."""

    model_config = ConfigDict(extra="forbid")

    upload: UploadId
    tensor: Annotated[str, Field(min_length=1, max_length=limits.TENSOR_NAME_CHARACTERS)] | None = None
