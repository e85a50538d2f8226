"""The bodies of requests."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server import limits
from server.schemas.expression import ExpressionProgram
from server.schemas.graph import GraphProgram
from server.schemas.network import NetworkProgram, RunProgram

Program = Annotated[ExpressionProgram | NetworkProgram | GraphProgram, Field(discriminator="kind")]


class TraceRequest(BaseModel):
    """Make the trace of a program."""

    model_config = ConfigDict(extra="forbid")
    program: Program


class RunRequest(BaseModel):
    """Create a run."""

    model_config = ConfigDict(extra="forbid")
    program: RunProgram


class StepsRequest(BaseModel):
    """Train further."""

    model_config = ConfigDict(extra="forbid")
    count: Annotated[int, Field(ge=1, le=limits.STEPS_PER_REQUEST)]


class CheckRequest(BaseModel):
    """Check one element of a gradient against finite differences; the index of a 0-d node is empty."""

    model_config = ConfigDict(extra="forbid")
    index: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=32)]
