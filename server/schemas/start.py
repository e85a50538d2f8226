"""Where a network starts, in place of the initial parameters that its seed draws."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from server import limits
from server.schemas.graph import GraphValue
from server.schemas.uploads import UploadId


class CheckpointStart(BaseModel):
    """The parameters of a trained network that comes with the server (`GET /checkpoints`). The optimizer starts anew."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: Annotated[str, Field(max_length=100, description="its name")]
    version: Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="of its numbers; today's unless given")] | None = None


class UploadStart(BaseModel):
    """The parameters in an upload, all of them, by PyTorch's names. Their numbers become part of the program."""

    model_config = ConfigDict(extra="forbid")

    upload: UploadId


class GivenStart(BaseModel):
    """Parameters by PyTorch's names: numbers, nested lists, ``{dtype, shape, bdata}``, or a tensor of an upload, ``{upload, tensor}``."""

    model_config = ConfigDict(extra="forbid")

    parameters: dict[Annotated[str, Field(max_length=limits.TENSOR_NAME_CHARACTERS)], GraphValue] = Field(min_length=1, max_length=100)


def _which(value: Any) -> str:
    names = value if isinstance(value, dict) else vars(value) if isinstance(value, BaseModel) else ()
    return "uploaded" if "upload" in names else "written" if "parameters" in names else "trained"


Start = Annotated[
    Annotated[CheckpointStart, Tag("trained")] | Annotated[UploadStart, Tag("uploaded")] | Annotated[GivenStart, Tag("written")],
    Discriminator(_which),
]
