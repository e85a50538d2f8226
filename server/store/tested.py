"""What runs reached on the test part: stored once a run, and never computed again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from server.encoding import dumps
from server.store.clock import now
from server.store.tables import tested


class ResultStore:
    """The results by their runs, with which they go."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def get(self, run_id: str) -> dict[str, Any] | None:
        """The result of a run as docs/api.md has it; None before its test."""
        with self.engine.connect() as connection:
            return results(connection, [run_id]).get(run_id)

    def put(self, run_id: str, step: int, reached: int, metrics: Mapping[str, Any]) -> dict[str, Any] | None:
        """Stores a result, unless the run has one; gives the one that stays, or None where the run is gone.

        step: whose network was tested; reached: how far the run had gone.
        """
        row = {"run": run_id, "step": step, "reached": reached, "created": now(), "metrics": dumps(metrics).decode()}
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(tested).values(row))
        except IntegrityError:  # tested already, or deleted
            pass
        return self.get(run_id)


def results(connection: Connection, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of those runs that were tested, by id: {"step", "reached", "at", "metrics"}."""
    rows = connection.execute(select(tested).where(tested.c.run.in_(run_ids)))
    return {row.run: {"step": row.step, "reached": row.reached, "at": row.created, "metrics": json.loads(row.metrics)} for row in rows}


def in_short(result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A result as a run shows it: its chief figures."""
    if result is None:
        return None
    metrics = result["metrics"]
    figures = {name: metrics[name] for name in ("loss", "accuracy", "recalled", "perplexity", "rmse") if metrics.get(name) is not None}
    if metrics["classification"] is not None:
        figures["f1"] = metrics["classification"]["macro"]["f1"]
    if metrics["regression"] is not None:
        figures["mae"] = metrics["regression"]["mae"]
    return {**result, "metrics": figures}
