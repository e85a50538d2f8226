"""What a run tells while it trains."""

from __future__ import annotations

from typing import ClassVar

from server.client.answers import Answer, Best, Observation, RateEdit, Validation
from server.client.arrays import FloatField
from server.client.subscription import Message


class RunEvent(Answer):
    """An event. event_id: `run.stream(after=…)` goes on after it."""

    kind: ClassVar[str]
    event_id: str | None = None


class Progress(RunEvent):
    """Steps `first` to `step` were done; entry i of each array is of step `first` + i. gradient_norms: before clipping."""

    kind = "progress"
    first: int
    step: int
    losses: FloatField
    gradient_norms: FloatField
    learning_rates: FloatField
    steps_per_second: float | None
    seconds_left: float | None


class Observed(RunEvent, Observation):
    """A step was looked at."""

    kind = "observation"


class Validated(RunEvent, Validation):
    """The network was tried on the validation part."""

    kind = "validation"


class Status(RunEvent):
    """How far the run has gone, and whether it goes on."""

    kind = "status"
    id: str
    name: str | None
    status: str
    error: str | None
    reason: str | None
    step: int
    requested_step: int
    best: Best | None
    edits: list[RateEdit]
    seconds: float
    steps_per_second: float | None
    seconds_left: float | None


class Deleted(RunEvent):
    """The run was deleted. Nothing follows."""

    kind = "deleted"


KINDS: dict[str, type[RunEvent]] = {kind.kind: kind for kind in (Progress, Observed, Validated, Status, Deleted)}


def event_of(message: Message) -> RunEvent | None:
    """The event; None for one of a kind that is newer than this client."""
    known = KINDS.get(message.kind)
    return None if known is None else known.read({**message.data, "event_id": message.id})
