"""Where a network starts, in place of the initial parameters that its seed draws."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class CheckpointStart(BaseModel):
    """The parameters of a trained network that comes with the server (`GET /checkpoints`). The optimizer starts anew."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: Annotated[str, Field(max_length=100, description="its name")]
    version: Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="of its numbers; today's unless given")] | None = None
