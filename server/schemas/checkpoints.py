"""What the API answers about the trained networks that come with the server."""

from __future__ import annotations

from pydantic import BaseModel

from server.schemas.answers import Answer, Validation
from server.schemas.network import RunProgram


class Checkpoint(BaseModel):
    """A trained network. program: what fixed its training, of `step` steps; loss: of training, the mean of the last hundred of them."""

    name: str
    version: str
    program: RunProgram
    step: int
    loss: float
    validation: Validation


class CheckpointList(Answer):
    """Every checkpoint."""

    items: list[Checkpoint]
