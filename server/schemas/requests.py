"""The bodies of requests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from engine.told import Told
from server import limits
from server.schemas.body import Body
from server.schemas.edits import Edits
from server.schemas.expression import ExpressionProgram
from server.schemas.graph import GraphProgram
from server.schemas.network import NetworkProgram, RunProgram
from server.schemas.optimizers import Rate


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


class Stop(BaseModel):
    """What ends a training beside its requested steps; the first that comes true does.

    patience, min_delta: after so many regular validations in a row none of which was better by more than min_delta. target: when the score
    of a validation (perplexity where there is one, else accuracy or rmse) is as good. seconds: when it has trained for so long.
    """

    model_config = ConfigDict(extra="forbid")

    steps: Annotated[int, Field(ge=1, le=limits.RUN_STEPS, description="in all")] | None = None
    patience: Annotated[int, Field(ge=1, le=limits.RUN_STEPS)] | None = None
    min_delta: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    target: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    seconds: Annotated[float, Field(gt=0, le=limits.RUN_SECONDS, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> Stop:
        if self.min_delta is not None and self.patience is None:
            raise ValueError("min_delta says what counts as better for patience; give patience too, or leave min_delta out")
        return self


def _one_line(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise ValueError(Told("a name is one line of letters, digits and signs that can be seen", "name-unprintable"))
    return name.strip()


Name = Annotated[str, Field(min_length=1, max_length=limits.RUN_NAME_CHARACTERS), AfterValidator(_one_line)]
Interval = Annotated[int, Field(ge=1, le=limits.RUN_STEPS, description="steps between two validations; an epoch, 50 to 500, unless given")]


class RunRequest(Body):
    """Create a run."""

    program: RunProgram
    name: Name | None = None
    stop: Stop = Stop()
    validate_every: Interval | None = None


class RunChangeRequest(Body):
    """Change what does not touch the numbers of a run. Of what is left out everything stays; `stop` is replaced as a whole."""

    name: Name | None = None
    stop: Stop | None = None
    validate_every: Interval | None = None


class StepsRequest(Body):
    """Train further."""

    count: Annotated[int, Field(ge=1, le=limits.STEPS_PER_REQUEST)]


class RateRequest(Body):
    """Go on with another learning rate. lr: the base rate; a schedule's shape goes on from it."""

    lr: Rate


class FinalTestRequest(Body):
    """Test a run, once. step: whose network: the one that did best on the validation part, the last, or a number."""

    step: Literal["best", "last"] | Annotated[int, Field(ge=1, le=limits.RUN_STEPS)] = "best"


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


class CheckedUse(Body):
    """One use of a value: the id of the node that reads it, and at which of its inputs."""

    node: Annotated[int, Field(ge=0)]
    port: Annotated[int, Field(ge=0)]


class CheckRequest(Body):
    """Check one element of a gradient against finite differences; the index of a 0-d node is empty.

    With `use`, what comes back from this one use is checked: only what is read there is moved.
    """

    index: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=32)]
    use: CheckedUse | None = None
