"""What is new of a run since somebody was told of it last."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, func, select

from server.store.runs import describe, figures_after, observations_after
from server.store.tables import LARGEST_NUMBER, observations, runs, slices, validations

_ID = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
_SLICES, _OBSERVATIONS = 400, 20  # read at once


@dataclass(frozen=True)
class Position:
    """How far somebody knows a run: up to which step its losses, its observations and its validations, and which revision of the rest.

    Its text is the id of an event, and all that a stream has to know to go on after it.
    """

    step: int = 0
    observation: int = 0
    validation: int = 0
    revision: int = -1

    def __str__(self) -> str:
        return f"{self.step}.{self.observation}.{self.validation}.{self.revision + 1}"

    @classmethod
    def read(cls, text: str) -> Position:
        """Of an event's id. Raises ValueError for anything else."""
        parts = _ID.fullmatch(text)
        if parts is None:
            raise ValueError("an id of an event has four whole numbers with points between, such as 250.240.200.3")
        step, observation, validation, revision = map(int, parts.groups())
        return cls(step, observation, validation, revision - 1)

    def within(self, other: Position) -> Position:
        """No further than the other."""
        return Position(
            min(self.step, other.step), min(self.observation, other.observation), min(self.validation, other.validation),
            min(self.revision, other.revision),
        )  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """What follows a position. figures: (3, n), FIGURES of the steps after `since.step`. observations: their JSON.

    pace, seconds_left: of the run now. status: the run without program and validations, None where it did not change.
    """

    since: Position
    position: Position
    figures: npt.NDArray[np.float64]
    observations: list[tuple[int, bytes]]
    validations: list[dict[str, Any]]
    pace: float | None
    seconds_left: float | None
    status: dict[str, Any] | None


def latest(engine: Engine, run_id: str) -> Position | None:
    """Where the run is. None when it is gone."""
    with engine.connect() as connection:
        revision = connection.execute(select(runs.c.revision).where(runs.c.id == run_id)).scalar_one_or_none()
        if revision is None:
            return None
        last = [select(func.max(table.c.step)).where(table.c.run == run_id) for table in (slices, observations, validations)]
        step, observation, validation = (connection.execute(query).scalar_one() or 0 for query in last)
    return Position(step, observation, validation, revision)


def changes(engine: Engine, run_id: str, since: Position, until: Position | None = None) -> Changes | None:
    """What is new after `since`, up to `until` where that is given; some of it where it is much. None when the run is gone."""
    with engine.connect() as connection:
        row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
        if row is None:
            return None
        end = until or Position(LARGEST_NUMBER, LARGEST_NUMBER, LARGEST_NUMBER, row.revision)
        figures = figures_after(connection, run_id, since.step, end.step, _SLICES)
        observed = observations_after(connection, run_id, since.observation, end.observation, _OBSERVATIONS)
        validated = _validations_after(connection, run_id, since.validation, end.validation)
    position = replace(since, step=since.step + figures.shape[1])
    if position.step >= min(row.step, end.step) and len(observed) < _OBSERVATIONS:  # a status comes after all that it speaks of
        position = replace(position, revision=max(since.revision, end.revision))
    if observed:
        position = replace(position, observation=observed[-1][0])
    if validated:
        position = replace(position, validation=validated[-1]["step"])
    run = describe(row)
    told = {key: value for key, value in run.items() if key != "program"} if position.revision > since.revision else None
    return Changes(since, position, figures, observed, validated, run["steps_per_second"], run["seconds_left"], told)


def _validations_after(connection: Connection, run_id: str, after: int, until: int) -> list[dict[str, Any]]:
    mine = select(validations).where(validations.c.run == run_id, validations.c.step > after, validations.c.step <= until)
    return [{"step": row.step, **json.loads(row.figures)} for row in connection.execute(mine.order_by(validations.c.step))]
