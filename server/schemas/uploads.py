"""How a request names what was uploaded."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server import limits

UploadId = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$", examples=["sha256:" + "0" * 64])]


def check_tensor(value: dict[str, Any]) -> dict[str, Any]:
    """A reference to a tensor, written out. Raises ValueError for what is none."""
    try:
        return UploadTensor.model_validate(value).model_dump()
    except ValidationError:
        raise ValueError(
            "a tensor of an upload is {upload: its id, sha256:…, tensor: its name}; the name of the only one may be left out"
        ) from None


class UploadTensor(BaseModel):
    """A tensor of an upload. tensor: its name; that of the only one unless given."""

    model_config = ConfigDict(extra="forbid")

    upload: UploadId
    tensor: Annotated[str, Field(min_length=1, max_length=limits.TENSOR_NAME_CHARACTERS)] | None = None
