"""Sweeps, as they are answered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from server.schemas.answers import Answer, Cursor, Number
from server.schemas.sweeps import Choices, Range, Value


class Trial(BaseModel):
    """One try. params: its values. value: the best validation of its run, null where it has none. curve: [step, validation] pairs."""

    number: int
    state: Literal["running", "complete", "pruned", "failed"]
    params: dict[str, Value]
    value: float | None
    run: str | None
    error: str | None
    curve: list[tuple[int, Number]]


class BestTrial(BaseModel):
    """The one that did best. Its run opens like any other."""

    number: int
    run: str
    value: float
    params: dict[str, Value]


class Budget(BaseModel):
    """When a search ends."""

    trials: int
    seconds: float | None


class SweepState(BaseModel):
    """A sweep without its trials."""

    id: str
    name: str | None
    created: str
    status: Literal["running", "finished", "cancelled", "failed"]
    reason: Literal["trials", "seconds", "cancelled"] | None
    error: str | None
    program: dict[str, Any]
    space: dict[str, Range | Choices]
    steps: int
    stop: dict[str, float | None]
    validate_every: int
    budget: Budget
    sampler: str
    pruner: str
    seed: int
    metric: str
    direction: Literal["minimize", "maximize"]


class Sweep(SweepState, Answer):
    """A search. importances: how much of the difference between trials each setting explains (fANOVA), adding up to 1."""

    trials: list[Trial]
    best: BestTrial | None
    importances: dict[str, float] | None


class SweepPage(Answer):
    """Some sweeps."""

    items: list[SweepState]
    next: Cursor
