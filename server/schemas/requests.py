"""The bodies of requests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server import limits
from server.schemas.body import Body
from server.schemas.edits import Edits
from server.schemas.expression import ExpressionProgram
from server.schemas.graph import GraphProgram
from server.schemas.network import NetworkProgram, RunProgram


class WhatIfProgram(BaseModel):
    """The trace of a program, with some values changed. parent: the trace that the edits are of, as the trace's own program names it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "kind": "what-if", "program": {"kind": "expression", "expression": "w*x", "inputs": {"w": 2, "x": 3}},
        "edits": [{"node": "w", "value": 5}]}]})  # fmt: skip

    kind: Literal["what-if"]
    parent: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")] | None = None
    program: Program
    edits: Edits


Program = Annotated[ExpressionProgram | NetworkProgram | GraphProgram | WhatIfProgram, Field(discriminator="kind")]
WhatIfProgram.model_rebuild()


class TraceRequest(Body):
    """Make the trace of a program."""

    program: Program


class RunRequest(Body):
    """Create a run."""

    program: RunProgram


class StepsRequest(Body):
    """Train further."""

    count: Annotated[int, Field(ge=1, le=limits.STEPS_PER_REQUEST)]


class WhatIfRequest(Body):
    """Edit the values of a trace."""

    edits: Edits


def _exact(state: dict[str, Any]) -> dict[str, Any]:
    """The state, whose whole numbers every reader of JSON holds exactly."""
    parts: list[Any] = [state]
    while parts:
        part = parts.pop()
        if isinstance(part, int) and abs(part) > limits.SEED:
            raise ValueError(f"whole numbers of a link are at most {limits.SEED}, which every reader of JSON holds exactly")
        parts.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
    return state


class LinkRequest(Body):
    """Keep a state of the page. state: any object; the page keeps its address, `{"address": "#/network?…"}`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": {"address": "#/network?v=2&at=91"}}]})
    state: Annotated[dict[str, Any], AfterValidator(_exact)]


class CheckRequest(Body):
    """Check one element of a gradient against finite differences; the index of a 0-d node is empty."""

    index: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=32)]
