"""Runs: what fixes them, how far they have gone, their losses, and checkpoints to go on from."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, case, delete, func, insert, or_, select, update

from engine.training import Slice
from server.datasets.choice import with_data
from server.encoding import dumps
from server.jobs.stopping import Reason, better, goal, is_due
from server.store.blobs import DamagedError, pack, unpack
from server.store.checkpoints import superfluous
from server.store.clock import now
from server.store.database import Done, give_back, unmarked
from server.store.room import too_large, too_many
from server.store.tables import LARGEST_NUMBER, checkpoints, observations, runs, slices, validations
from server.store.tested import in_short, results

FIGURES = ("loss", "gradient_norm", "lr")  # of every step, in this order
STOP: Mapping[str, None] = {"steps": None, "patience": None, "min_delta": None, "target": None, "seconds": None}
LEASE_SECONDS = 5.0  # for which a server trains a run without saying so again
_FLOAT = np.dtype("<f8")
_REMEDY = "delete the run, and train another from its program"
_AT_REST = runs.c.status.in_(("idle", "failed"))
_FIXED = ("edits", "stop", "validate_every")  # of a run, upon which what is computed of it rests
_CHANGED = {"revision": runs.c.revision + 1}


class RunStore:
    """Runs in the database. A run that was deleted meanwhile is answered with None or False, never an error.

    read: gives the data sets that programs choose. Where what they have stored (checkpoints, observations, losses) passes `most_bytes`,
    as stored, runs that are not training go when another is made (room.py).
    """

    def __init__(self, engine: Engine, most_bytes: int = 2**63 - 1, read: Callable[[str], bytes | None] = lambda _: None) -> None:
        self.engine, self.most_bytes, self.read = engine, most_bytes, read

    def create(
        self, program: Mapping[str, Any], visitor: str | None = None, most: int | None = None, *, name: str | None = None,
        stop: Mapping[str, Any] | None = None, validate_every: int = 200, sweep: str | None = None, done: Done = unmarked,
    ) -> str:  # fmt: skip
        """A new run; its id. visitor: whose it is, of whom the newest `most` are kept. stop: of the conditions of STOP, those that hold.

        sweep: the sweep whose trial it is, with which it goes. `edits` in the program become the run's own.
        done: called in the transaction. Raises LimitError where so many of the visitor's train that none can make room.
        """
        run_id = f"r_{secrets.token_hex(8)}"
        fixed = {key: value for key, value in program.items() if key != "edits"}
        row = {
            "id": run_id, "program": _json(fixed), "created": now(), "status": "idle", "step": 0, "requested_step": 0, "visitor": visitor,
            "name": name, "sweep": sweep, "stop": _json({**STOP, **(stop or {})}), "validate_every": validate_every,
            "edits": _json(program.get("edits", [])),
        }  # fmt: skip
        with self.engine.begin() as connection:
            done(connection, run_id)
            connection.execute(insert(runs).values(row))
            evicted = most is not None and visitor is not None and _evict(connection, too_many(connection, visitor, most))
            evicted |= _evict(connection, too_large(connection, self.most_bytes, run_id))
        if evicted:
            give_back(self.engine)
        return run_id

    def get(self, run_id: str) -> dict[str, Any] | None:
        """The run as docs/api.md has it, without its history."""
        with self.engine.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
            return None if row is None else self._described(connection, [row])[0]

    def page(self, visitor: str | None, limit: int, after: int | None, sweep: str | None = None) -> tuple[list[dict[str, Any]], int | None]:
        """Runs without history, newest first, that follow the cursor; and the next cursor. A visitor's own, or the trials of a sweep."""
        own = and_(runs.c.visitor == visitor, runs.c.sweep.is_(None))
        query = select(runs).where(own if sweep is None else runs.c.sweep == sweep)
        if after is not None:
            query = query.where(runs.c.number < min(after, LARGEST_NUMBER))
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(runs.c.number.desc()).limit(limit + 1)).all()
            items = self._described(connection, rows[:limit])
        return items, rows[limit - 1].number if len(rows) > limit else None

    def history(self, run_id: str) -> dict[str, list[float]]:
        """Loss and gradient norm of every step; entry i is step i + 1. Raises DamagedError where they are not those that were stored."""
        with self.engine.connect() as connection:
            losses, norms, _ = figures_after(connection, run_id, 0)
        return {"loss": losses.tolist(), "gradient_norm": norms.tolist()}

    def figures(self, run_id: str, after: int) -> npt.NDArray[np.float64]:
        """(3, n): FIGURES of the steps that follow `after`; the learning rate of steps from before it was kept is NaN.

        Raises DamagedError where they are not those that were stored.
        """
        with self.engine.connect() as connection:
            return figures_after(connection, run_id, after)

    def observations(self, run_id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """What was observed of steps that follow `after`, in order. Raises DamagedError."""
        with self.engine.connect() as connection:
            return [json.loads(data) for _, data in observations_after(connection, run_id, after, LARGEST_NUMBER, limit)]

    def request(self, run_id: str, count: int, most: int, done: Done = unmarked) -> int | None:
        """Asks for `count` more steps, up to `most` in all; gives the step the run is to reach, or None where that is too many.

        A run that failed tries again, one that was paused goes on. done: called in the transaction, where it changes something.
        """
        changed: dict[str, Any] = {
            "requested_step": runs.c.requested_step + count, "status": "training", "error": None, "reason": None, **_CHANGED,
            "since_step": case((_AT_REST, runs.c.step), else_=runs.c.since_step),
            "since_seconds": case((_AT_REST, runs.c.seconds), else_=runs.c.since_seconds),
        }  # fmt: skip
        query = update(runs).where(runs.c.id == run_id, runs.c.requested_step + count <= most).values(changed)
        with self.engine.begin() as connection:
            goal = connection.execute(query.returning(runs.c.requested_step)).scalar_one_or_none()
            if goal is not None:
                done(connection, run_id)
        return goal

    def pause(self, run_id: str) -> bool:
        """Holds a training; what is being computed is not stored any more. False where none goes on."""
        return self._change(run_id, runs.c.status == "training", status="paused")

    def resume(self, run_id: str) -> bool:
        """Goes on with a training that was paused. False where there is none."""
        return self._change(run_id, runs.c.status == "paused", status="training")

    def cancel(self, run_id: str) -> bool:
        """Ends a training where it is; what is being computed is not stored any more. False where there is none."""
        under_way = runs.c.status.in_(("training", "paused"))
        return self._change(run_id, under_way, status="idle", reason="cancelled", requested_step=runs.c.step)

    def amend(self, run_id: str, changed: Mapping[str, Any]) -> bool:
        """Gives the run another `name`, `validate_every` or `stop`. False when there is none."""
        values = {key: _json({**STOP, **value}) if key == "stop" else value for key, value in changed.items()}
        return self._change(run_id, None, **values)

    def edit(self, run_id: str, lr: float, most: int) -> dict[str, Any] | None:
        """Another base learning rate from the next step on: {"step", "lr"}. None where there would be more than `most` edits, or no run.

        A slice under way that went past this step without it is not stored, but computed again.
        """
        while True:
            with self.engine.begin() as connection:
                row = connection.execute(select(runs.c.step, runs.c.edits).where(runs.c.id == run_id)).one_or_none()
            if row is None:
                return None
            edit = {"step": row.step + 1, "lr": lr}
            edits = [*(known for known in json.loads(row.edits) if known["step"] < edit["step"]), edit]
            if len(edits) > most:
                return None
            if self._change(run_id, and_(runs.c.step == row.step, runs.c.edits == row.edits), edits=_json(edits)):
                return edit

    def _change(self, run_id: str, condition: ColumnElement[bool] | None, **values: Any) -> bool:
        query = update(runs).where(runs.c.id == run_id, *(() if condition is None else (condition,))).values({**values, **_CHANGED})
        with self.engine.begin() as connection:
            return connection.execute(query).rowcount > 0

    def training(self, owner: str | None = None, at: float = 0.0) -> list[str]:
        """The runs that have steps to do; with an owner, those that no other server trains at that time (seconds since 1970)."""
        query = select(runs.c.id).where(runs.c.status == "training").order_by(runs.c.number)
        if owner is not None:
            query = query.where(_free_for(owner, at))
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def claim(self, run_id: str, owner: str, at: float) -> dict[str, Any] | None:
        """The run, which this server trains for the next LEASE_SECONDS; with `visitor`, whose it is, and `since`, where its training began.

        None where it is not training, or another server trains it.
        """
        query = update(runs).where(runs.c.id == run_id, runs.c.status == "training", _free_for(owner, at))
        with self.engine.begin() as connection:
            row = connection.execute(query.values(owner=owner, lease=at + LEASE_SECONDS).returning(runs)).one_or_none()
            if row is None:
                return None
            return {**self._described(connection, [row])[0], "visitor": row.visitor, "since": _since(row)}

    def release(self, run_id: str, owner: str) -> None:
        """Leaves the run to any server."""
        with self.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id, runs.c.owner == owner).values(owner=None))

    def append(
        self, run_id: str, done: Slice, knew: Mapping[str, Any] | None = None, *, seconds: float = 0.0, pace: float | None = None,
        validated: Sequence[Mapping[str, Any]] = (), kept: Mapping[int, bytes] | None = None,
    ) -> bool:  # fmt: skip
        """Stores what was done of a run, all of it or nothing, and thins the checkpoints.

        done: its steps; there may be none. knew: the run as it was known then; where its edits or its conditions are others now, nothing is
        stored. seconds: that the steps took. pace: steps a second, lately. validated: {step, loss, ...}, in order; that of the last step is
        left out where more steps were asked for meanwhile, so that none is due. kept: checkpoints of other steps, by step. Where the last
        loss is not finite, the training ends.
        False when the run is gone, has gone on already, or is not asked for these steps any more.
        """
        first = done.step - len(done.losses)
        asked = and_(runs.c.status == "training", runs.c.requested_step >= done.step)  # it may have been cancelled and asked anew
        query = update(runs).where(runs.c.id == run_id, runs.c.step == first, asked)
        diverged = bool(done.losses) and not np.isfinite(done.losses[-1])
        values: dict[str, Any] = {"step": done.step, "seconds": runs.c.seconds + seconds, "pace": runs.c.pace if pace is None else pace}
        if diverged:
            values |= {"status": "idle", "reason": "diverged", "requested_step": done.step, **_CHANGED}
        with self.engine.connect() as connection, connection.begin() as transaction:
            row = connection.execute(query.values(values).returning(runs)).one_or_none()
            if row is None:
                return False  # and where there is one, nobody deletes it from here on
            told = describe(row)
            if knew is not None and any(told[name] != knew[name] for name in _FIXED):
                transaction.rollback()
                return False
            if done.losses:
                _store_steps(connection, run_id, done, kept or {})
            last = done.step if is_due({**told, "validation": (), "since": _since(row)}) else done.step - 1
            best = _store_validations(connection, run_id, [one for one in validated if one["step"] <= last], told["best"])
            wanted = ({best["step"]} if best else set()) | ({done.step - 1} if diverged else set())
            mine = checkpoints.c.run == run_id
            steps = list(connection.execute(select(checkpoints.c.step).where(mine).order_by(checkpoints.c.step)).scalars())
            if gone := superfluous(steps, len(done.checkpoint), wanted):
                connection.execute(delete(checkpoints).where(mine, checkpoints.c.step.in_(gone)))
        return True

    def checkpoint_steps(self, run_id: str) -> list[int]:
        """The steps after which checkpoints are kept, in order."""
        with self.engine.connect() as connection:
            mine = select(checkpoints.c.step).where(checkpoints.c.run == run_id).order_by(checkpoints.c.step)
            return list(connection.execute(mine).scalars())

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

    def finish(self, run_id: str, step: int, requested: int, reason: Reason = "steps") -> bool:
        """Ends the training at `step`. requested: up to which step it was asked for. False when more were asked for, or it has ended."""
        there = and_(runs.c.step == step, runs.c.requested_step == requested, runs.c.status == "training")
        return self._change(run_id, there, status="idle", reason=reason, requested_step=step)

    def fail(self, run_id: str, error: str) -> None:
        """Ends a training with an error; the run stays at the last step it stored, and can go on from there. Others stay as they are."""
        self._change(run_id, runs.c.status == "training", status="failed", error=error, requested_step=runs.c.step)

    def delete(self, run_id: str) -> bool:
        """False when there was none."""
        with self.engine.begin() as connection:
            there = connection.execute(delete(runs).where(runs.c.id == run_id)).rowcount > 0
        give_back(self.engine)
        return there

    def _described(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
        ids = [row.id for row in rows]
        found: dict[str, list[dict[str, Any]]] = {run_id: [] for run_id in ids}
        for row in connection.execute(select(validations).where(validations.c.run.in_(ids)).order_by(validations.c.step)):
            found[row.run].append({"step": row.step, **json.loads(row.figures)})
        tested = results(connection, ids)
        described = [{**describe(row), "validation": found[row.id], "tested": in_short(tested.get(row.id))} for row in rows]
        return [{**run, "program": with_data(run["program"], self.read)} for run in described]


def describe(row: Row[Any]) -> dict[str, Any]:
    """What stands in a run's own row, as docs/api.md has it."""
    run = {
        "id": row.id, "name": row.name, "program": json.loads(row.program), "status": row.status, "error": row.error, "step": row.step,
        "requested_step": row.requested_step, "created": row.created, "reason": row.reason, "stop": {**STOP, **json.loads(row.stop)},
        "validate_every": row.validate_every, "best": None if row.best is None else json.loads(row.best), "edits": json.loads(row.edits),
        "seconds": row.seconds, "sweep": row.sweep,
    }  # fmt: skip
    training = row.status == "training" and bool(row.pace)
    return {**run, "steps_per_second": row.pace if training else None, "seconds_left": _seconds_left(run, row) if training else None}


def _seconds_left(run: Mapping[str, Any], row: Row[Any]) -> float:
    left = float((goal(run) - row.step) / row.pace)
    most = run["stop"]["seconds"]
    return max(0.0, left if most is None else min(left, most - (row.seconds - row.since_seconds)))


def with_edits(run: Mapping[str, Any], step: int) -> dict[str, Any]:
    """The program of a run's steps up to `step`, with the edits that they know."""
    edits = [edit for edit in run["edits"] if edit["step"] <= step]
    return {**run["program"], "edits": edits} if edits else dict(run["program"])


def figures_after(
    connection: Connection, run_id: str, after: int, until: int = LARGEST_NUMBER, most: int | None = None
) -> npt.NDArray[np.float64]:
    """(3, n): FIGURES of the steps after `after` up to `until`, of at most `most` slices."""
    mine = slices.c.run == run_id
    before = connection.execute(select(func.max(slices.c.step)).where(mine, slices.c.step <= after)).scalar_one() or 0
    query = select(slices).where(mine, slices.c.step > before, slices.c.step <= until).order_by(slices.c.step).limit(most)
    parts, last = [], before
    for row in connection.execute(query):
        numbers = np.frombuffer(unpack(row.data, row.sha256, f"the losses of run {run_id}", _REMEDY), _FLOAT)
        part = np.full((len(FIGURES), row.step - last), np.nan)
        part[: numbers.size // (row.step - last)] = numbers.reshape(-1, row.step - last)  # slices of long ago have no learning rates
        parts.append(part)
        last = row.step
    figures = np.concatenate(parts, axis=1) if parts else np.empty((len(FIGURES), 0))
    return figures[:, max(0, after - before) :]


def observations_after(connection: Connection, run_id: str, after: int, until: int, most: int) -> list[tuple[int, bytes]]:
    """Step and JSON of what was observed after `after` up to `until`, at most `most` of them."""
    mine = and_(observations.c.run == run_id, observations.c.step > after, observations.c.step <= until)
    rows = connection.execute(select(observations).where(mine).order_by(observations.c.step).limit(most))
    return [(row.step, unpack(row.data, row.sha256, f"what was observed of run {run_id}", _REMEDY)) for row in rows]


def _since(row: Row[Any]) -> dict[str, Any]:
    """Where the training of a run began that goes on now, or did last."""
    return {"step": row.since_step, "seconds": row.since_seconds}


def _store_steps(connection: Connection, run_id: str, done: Slice, kept: Mapping[int, bytes]) -> None:
    figures = np.array([done.losses, done.gradient_norms, done.learning_rates], _FLOAT).tobytes()
    connection.execute(insert(slices).values(run=run_id, step=done.step, **pack(figures)))
    if done.observations:
        observed = [{"run": run_id, "step": one["step"], **pack(dumps(one))} for one in done.observations]
        connection.execute(insert(observations), observed)
    states = {**kept, done.step: done.checkpoint}.items()
    connection.execute(insert(checkpoints), [{"run": run_id, "step": step, **pack(state, compressed=False)} for step, state in states])


def _store_validations(
    connection: Connection, run_id: str, due: Sequence[Mapping[str, Any]], best: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """Stores those that are not there yet, and gives the best so far."""
    if not due:
        return best
    mine = and_(validations.c.run == run_id, validations.c.step >= due[0]["step"])
    there = set(connection.execute(select(validations.c.step).where(mine)).scalars())
    for one in due:
        if one["step"] in there:
            continue
        figures = {name: value for name, value in one.items() if name != "step"}
        connection.execute(insert(validations).values(run=run_id, step=one["step"], figures=_json(figures)))
        best = better(best, one["step"], figures)
    connection.execute(update(runs).where(runs.c.id == run_id).values(best=None if best is None else _json(best), **_CHANGED))
    return best


def _free_for(owner: str, at: float) -> ColumnElement[bool]:
    """Whether no other server trains the run at that time."""
    return or_(runs.c.owner.is_(None), runs.c.owner == owner, runs.c.lease < at)


def _evict(connection: Connection, numbers: Sequence[int]) -> bool:
    """Deletes the runs with these numbers that are at rest still; whether there was one."""
    if not numbers:
        return False
    return connection.execute(delete(runs).where(runs.c.number.in_(numbers), runs.c.status != "training")).rowcount > 0


def _json(value: Any) -> str:
    return dumps(value).decode()
