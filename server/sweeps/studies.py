"""Optuna's part of a sweep: ask for values, tell what came of them; kept where the server keeps its data."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import Engine, make_url, text
from sqlalchemy.schema import CreateSchema

from server.sweeps.space import combinations, distributions

optuna.logging.set_verbosity(optuna.logging.WARNING)
STATES = {TrialState.RUNNING: "running", TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
FIRST_TRIALS, FIRST_STEPS = 4, 1  # that the median pruner lets be; of random values before TPE has learned something
RANDOM_TRIALS = 8


class Studies:
    """Optuna's studies, each under the id of its sweep. Methods block: call them in a thread. One study is used by one thread at a time.

    With SQLite each has a journal, a file in the folder `sweeps` of the server's data; with Postgres they are in that database.
    """

    def __init__(self, engine: Engine, url: str, data: Path) -> None:
        self.engine, self.url, self.folder = engine, url, data / "sweeps"
        self._shared: RDBStorage | None = None
        self._lock = threading.Lock()

    def open(self, sweep: Mapping[str, Any]) -> optuna.Study:
        """The study of a sweep, made the first time."""
        return optuna.create_study(
            storage=self._storage(sweep["id"]), study_name=sweep["id"], direction=sweep["direction"], load_if_exists=True,
            sampler=_sampler(sweep), pruner=_pruner(sweep),
        )  # fmt: skip

    def delete(self, sweep_id: str) -> None:
        """Forgets a study; nothing where there is none."""
        if self.engine.dialect.name == "postgresql":
            with suppress(KeyError):
                optuna.delete_study(study_name=sweep_id, storage=self._storage(sweep_id))
        else:
            for file in self.folder.glob(f"{sweep_id}.journal*"):
                file.unlink(missing_ok=True)

    def close(self) -> None:
        """Closes the connections to the database."""
        if self._shared is not None:
            self._shared.remove_session()
            self._shared.engine.dispose()

    def _storage(self, sweep_id: str) -> BaseStorage:
        if self.engine.dialect.name != "postgresql":
            self.folder.mkdir(parents=True, exist_ok=True)
            path = str(self.folder / f"{sweep_id}.journal")
            return JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path)))
        with self._lock:
            if self._shared is None:
                # a schema of its own, beside that of our tables: both have one called alembic_version
                with self.engine.begin() as connection:
                    schema = f"{connection.execute(text('SELECT current_schema()')).scalar_one()}_optuna"
                    connection.execute(CreateSchema(schema, if_not_exists=True))
                url = make_url(self.url).set(drivername="postgresql+psycopg").update_query_dict({"options": f"-csearch_path={schema}"})
                self._shared = RDBStorage(url.render_as_string(hide_password=False), engine_kwargs={"pool_pre_ping": True})
            return self._shared


def ask(study: optuna.Study, sweep: Mapping[str, Any]) -> Trial:
    """The next values to try: of a grid the next combination, in an order that the seed mixes; else what the sampler chooses."""
    if sweep["sampler"] == "grid":
        study.enqueue_trial(combinations(sweep["grid"], sweep["seed"])[len(study.get_trials(deepcopy=False))])
    return study.ask(distributions(sweep["space"]))


def unfinished(study: optuna.Study) -> list[Trial]:
    """The trials that were under way when somebody last looked, first of all first."""
    return [Trial(study, trial._trial_id) for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))]


def reported_steps(study: optuna.Study, trial: Trial) -> list[int]:
    """The steps whose validation Optuna knows of a trial."""
    return list(study.get_trials(deepcopy=False)[trial.number].intermediate_values)


def tell(study: optuna.Study, trial: Trial, state: TrialState, value: float | None = None) -> None:
    """Ends a trial. Telling the end of one that has ended changes nothing."""
    study.tell(trial, value, state, skip_if_finished=True)


def described(study: optuna.Study) -> list[dict[str, Any]]:
    """Every trial as docs/api.md has it."""
    return [_describe(trial) for trial in study.get_trials(deepcopy=False) if trial.state in STATES]


def _describe(trial: FrozenTrial) -> dict[str, Any]:
    curve = sorted(trial.intermediate_values.items())
    # a trial that was ended early has no value of its own for Optuna; what it reached is the best of its validations
    value = trial.user_attrs.get("value") if trial.value is None else trial.value
    return {
        "number": trial.number, "state": STATES[trial.state], "params": trial.params, "value": value,
        "run": trial.user_attrs.get("run"), "error": trial.user_attrs.get("error"), "curve": [[step, value] for step, value in curve],
    }  # fmt: skip


def best_of(trials: list[dict[str, Any]], direction: str) -> dict[str, Any] | None:
    """The trial that did best, also of those that were ended early or are under way; the earlier of equals."""
    known = [trial for trial in trials if trial["value"] is not None and trial["run"] is not None]
    if not known:
        return None
    best = (max if direction == "maximize" else min)(known, key=lambda trial: float(trial["value"]))
    return {name: best[name] for name in ("number", "run", "value", "params")}


def _sampler(sweep: Mapping[str, Any]) -> BaseSampler:
    match sweep["sampler"]:
        case "random" | "grid":  # a grid's values are given, none is drawn
            return RandomSampler(seed=sweep["seed"])
        case _:
            return TPESampler(seed=sweep["seed"], n_startup_trials=RANDOM_TRIALS, multivariate=True)


def _pruner(sweep: Mapping[str, Any]) -> BasePruner:
    if sweep["pruner"] == "none":
        return NopPruner()
    return MedianPruner(n_startup_trials=FIRST_TRIALS, n_warmup_steps=FIRST_STEPS)
