"""Runs: what fixes them, how far they have gone, their losses, and checkpoints to go on from."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from engine.training import Slice
from server.encoding import dumps
from server.store.blobs import DamagedError, pack, unpack
from server.store.checkpoints import superfluous
from server.store.clock import now
from server.store.database import give_back
from server.store.tables import LARGEST_NUMBER, checkpoints, runs, slices, validations

_FLOAT = np.dtype("<f8")
_REMEDY = "delete the run, and train another from its program"


class RunStore:
    """Runs in the database. A run that was deleted meanwhile is answered with None or False, never an error.

    Where their checkpoints pass `most_bytes`, compressed, the oldest runs that are not training go when another is made.
    """

    def __init__(self, engine: Engine, most_bytes: int = 2**63 - 1) -> None:
        self.engine, self.most_bytes = engine, most_bytes

    def create(self, program: dict[str, Any], visitor: str | None = None, most: int | None = None) -> str:
        """A new run; its id. visitor: whose it is, of whom the newest `most` are kept."""
        run_id = f"r_{secrets.token_hex(8)}"
        row = {"id": run_id, "program": dumps(program).decode(), "created": now(), "status": "idle", "step": 0, "requested_step": 0}
        with self.engine.begin() as connection:
            connection.execute(insert(runs).values({**row, "visitor": visitor}))
            beyond = [*self._beyond(connection, visitor, most), *self._too_large(connection, run_id)]
            evicted = bool(beyond) and connection.execute(delete(runs).where(runs.c.number.in_(beyond))).rowcount > 0
        if evicted:
            give_back(self.engine)
        return run_id

    def _beyond(self, connection: Connection, visitor: str | None, most: int | None) -> list[int]:
        """The numbers of a visitor's runs that are older than the newest `most`."""
        newest = select(runs.c.number).where(runs.c.visitor == visitor).order_by(runs.c.number.desc()).offset(most)
        return [] if most is None else list(connection.execute(newest).scalars())

    def _too_large(self, connection: Connection, newest: str) -> list[int]:
        """The numbers of the oldest idle runs whose checkpoints have to go, so that all together keep to `most_bytes`."""
        size = func.sum(func.length(checkpoints.c.data))
        excess = (connection.execute(select(size)).scalar_one() or 0) - self.most_bytes
        if excess <= 0:
            return []
        idle = select(runs.c.number, size).join(checkpoints, checkpoints.c.run == runs.c.id).where(runs.c.id != newest)
        gone = []
        for number, length in connection.execute(idle.where(runs.c.status != "training").group_by(runs.c.number).order_by(runs.c.number)):
            gone.append(number)
            excess -= length
            if excess <= 0:
                break
        return gone

    def get(self, run_id: str) -> dict[str, Any] | None:
        """The run as docs/api.md has it, without its history."""
        with self.engine.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
            return None if row is None else _describe(row, self._validations(connection, [run_id]))

    def page(self, visitor: str, limit: int, after: int | None) -> tuple[list[dict[str, Any]], int | None]:
        """A visitor's runs without history, newest first, that follow the cursor; and the next cursor."""
        query = select(runs).where(runs.c.visitor == visitor).order_by(runs.c.number.desc())
        if after is not None:
            query = query.where(runs.c.number < min(after, LARGEST_NUMBER))
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
            found = self._validations(connection, [row.id for row in rows])
        return [_describe(row, found) for row in rows[:limit]], rows[limit - 1].number if len(rows) > limit else None

    def history(self, run_id: str) -> dict[str, list[float]]:
        """Loss and gradient norm of every step; entry i is step i + 1. Raises DamagedError where they are not those that were stored."""
        query = select(slices.c.data, slices.c.sha256).where(slices.c.run == run_id).order_by(slices.c.step)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        parts = [np.frombuffer(unpack(row.data, row.sha256, f"the losses of run {run_id}", _REMEDY), _FLOAT).reshape(2, -1) for row in rows]
        losses, norms = np.concatenate(parts, axis=1) if parts else np.empty((2, 0))
        return {"loss": losses.tolist(), "gradient_norm": norms.tolist()}

    def training(self) -> list[str]:
        """The runs that have steps to do."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(runs.c.id).where(runs.c.status == "training").order_by(runs.c.number)).scalars())

    def request(self, run_id: str, count: int, most: int) -> int | None:
        """Asks for `count` more steps, up to `most` in all; gives the step the run is to reach, or None where that is too many.

        A run that failed tries again.
        """
        changed = {"requested_step": runs.c.requested_step + count, "status": "training", "error": None}
        query = update(runs).where(runs.c.id == run_id, runs.c.requested_step + count <= most).values(changed)
        with self.engine.begin() as connection:
            return connection.execute(query.returning(runs.c.requested_step)).scalar_one_or_none()

    def append(self, run_id: str, done: Slice) -> bool:
        """Stores what a slice did, and thins the checkpoints. False when the run is gone or has gone on already."""
        first = done.step - len(done.losses)
        query = update(runs).where(runs.c.id == run_id, runs.c.step == first).values(step=done.step)
        with self.engine.begin() as connection:
            if connection.execute(query).rowcount == 0:
                return False
            figures = np.array([done.losses, done.gradient_norms], _FLOAT).tobytes()
            connection.execute(insert(slices).values(run=run_id, step=done.step, **pack(figures)))
            connection.execute(insert(checkpoints).values(run=run_id, step=done.step, **pack(done.checkpoint)))
            mine = checkpoints.c.run == run_id
            steps = list(connection.execute(select(checkpoints.c.step).where(mine).order_by(checkpoints.c.step)).scalars())
            connection.execute(delete(checkpoints).where(mine, checkpoints.c.step.in_(superfluous(steps, len(done.checkpoint)))))
        return True

    def checkpoint(self, run_id: str, at_most: int) -> bytes | None:
        """The latest checkpoint of a step not beyond `at_most`; None: start from the initial network.

        One that is damaged is passed over: the steps since the one before it give the same network again.
        """
        mine = checkpoints.c.run == run_id
        query = select(checkpoints).where(mine, checkpoints.c.step <= at_most).order_by(checkpoints.c.step.desc()).limit(1)
        while True:
            with self.engine.connect() as connection:
                row = connection.execute(query).one_or_none()
            if row is None:
                return None
            try:
                return unpack(row.data, row.sha256, f"run {run_id} at step {row.step}", _REMEDY)
            except DamagedError:  # the log has it
                query = query.where(checkpoints.c.step < row.step)

    def finish(self, run_id: str, step: int, figures: dict[str, float]) -> bool:
        """Stores the validation at `step` and ends the training there. False when more steps were asked for, or the run is gone."""
        with self.engine.begin() as connection:
            if connection.execute(update(runs).where(runs.c.id == run_id).values(error=None)).rowcount == 0:
                return False  # and where there is one, nobody deletes it from here on
            known = select(validations.c.step).where(validations.c.run == run_id, validations.c.step == step)
            if connection.execute(known).one_or_none() is None:
                connection.execute(insert(validations).values(run=run_id, step=step, figures=dumps(figures).decode()))
            done = update(runs).where(runs.c.id == run_id, runs.c.requested_step == step).values(status="idle")
            return connection.execute(done).rowcount > 0

    def fail(self, run_id: str, error: str) -> None:
        """Ends the training with an error; the run stays at the last step it stored, and can go on from there."""
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(status="failed", error=error, requested_step=runs.c.step))

    def delete(self, run_id: str) -> bool:
        """False when there was none."""
        with self.engine.begin() as connection:
            there = connection.execute(delete(runs).where(runs.c.id == run_id)).rowcount > 0
        give_back(self.engine)
        return there

    def _validations(self, connection: Connection, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {run_id: [] for run_id in ids}
        query = select(validations).where(validations.c.run.in_(ids)).order_by(validations.c.step)
        for row in connection.execute(query):
            found[row.run].append({"step": row.step, **json.loads(row.figures)})
        return found


def _describe(row: Row[Any], found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "id": row.id, "program": json.loads(row.program), "status": row.status, "error": row.error, "step": row.step,
        "requested_step": row.requested_step, "created": row.created, "validation": found[row.id],
    }  # fmt: skip
