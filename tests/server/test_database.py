"""Databases of earlier versions are brought up to date; what was acknowledged survives a kill."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, make_url, text
from starlette.requests import Request

from engine.training import train
from server.datasets.describing import describe
from server.evaluation.part import evaluate_part
from server.jobs.upload_work import pack_upload
from server.jobs.work import make_trace
from server.programs.network import settings_of
from server.store.blobs import pack
from server.store.database import migrate, open_database, version
from server.store.links import id_of
from server.store.runs import RunStore
from server.store.tables import metadata
from server.store.trace_file import TraceFile
from server.store.traces import TraceStore
from server.visitors import Visitors
from tests.server.helpers import API, Start, create_run, finished
from tests.server.upload_files import npy_bytes

ROOT = Path(__file__).resolve().parents[2]


def test_the_steps_lead_to_todays_tables(database: Engine) -> None:
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert version(connection) == "0013"


def test_a_database_that_is_up_to_date_is_opened_as_it_is(database_url: str) -> None:
    for _ in range(2):
        engine = open_database(database_url)
        store = TraceStore(engine, 2**20)
        store.put(TraceFile("a", {}, 1, b"x"))
        engine.dispose()
    engine = open_database(database_url)
    assert [item["id"] for item in TraceStore(engine, 2**20).page(9, None)[0]] == ["a"]
    engine.dispose()


LONG = json.dumps({"kind": "network", "task": "sequences", "cell": "gru", "step": 2, "sequences": ["…"] * 4000}, ensure_ascii=False)


@pytest.fixture
def old(database_url: str) -> Iterator[Engine]:
    """A database as the first version left it."""
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg") if "postgres" in database_url else database_url)
    numbers = np.arange(2.0)
    with engine.begin() as connection:
        migrate(connection, "0001")
        insert = "INSERT INTO traces (id, program, created, bytes, document) VALUES ('t', '{}', 'then', 2, :document)"
        connection.execute(text(insert), {"document": gzip.compress(b"{}")})
        connection.execute(text("INSERT INTO traces (id, program, created, bytes, document) VALUES ('l', :program, 'then', 2, :document)"),
                           {"program": LONG, "document": gzip.compress(b"{}")})  # fmt: skip
        connection.execute(
            text("INSERT INTO runs (id, program, created, status, step, requested_step) VALUES ('r', '{}', 'then', 'idle', 2, 2)")
        )
        connection.execute(
            text("INSERT INTO slices VALUES ('r', 2, :losses, :norms)"), {"losses": numbers.tobytes(), "norms": (-numbers).tobytes()}
        )
        connection.execute(text("INSERT INTO checkpoints VALUES ('r', 2, :data)"), {"data": b"network"})
        connection.execute(text("INSERT INTO validations VALUES ('r', 2, '{\"loss\": 1.5}')"))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("stamped", [True, False])
def test_what_an_earlier_version_stored_is_kept(old: Engine, database_url: str, stamped: bool) -> None:
    if not stamped:  # before there were steps
        with old.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
    engine = open_database(database_url)
    trace, store = TraceStore(engine, 2**20).get("t"), RunStore(engine)
    assert trace is not None
    assert trace.text() == b"{}"
    assert store.history("r") == {"loss": [0.0, 1.0], "gradient_norm": [-0.0, -1.0]}
    assert store.checkpoint("r", 2) == b"network"
    state = store.get("r")
    assert state is not None
    assert state["validation"] == [{"step": 2, "loss": 1.5}]
    programs = {item["id"]: item["program"] for item in TraceStore(engine, 2**20).page(9, None)[0]}
    assert programs == {"t": {}, "l": {"kind": "network", "task": "sequences", "cell": "gru", "step": 2, "bytes": len(LONG.encode())}}
    assert store.delete("r")
    assert store.checkpoint("r", 2) is None  # and what belongs to a run goes with it
    engine.dispose()


OLD_RUN = {
    "task": "sunspots", "cell": "rnn", "hidden_size": 3, "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.5, "weight_decay": 0.0},
    "clip_norm": 1.0, "batch_size": 4, "seed": 7,
}  # fmt: skip
ADDRESS = Request({"type": "http", "headers": [], "client": ("127.0.0.1", 1)})


def test_what_each_version_stored_is_read_through_the_api(start: Start, database_url: str) -> None:
    """A table has a row from the step on that made it; a run of the first version opens, goes on and is compared with one of today."""
    secret = "of a test, and long enough"
    task, settings = settings_of(OLD_RUN)
    program = {**OLD_RUN, "data": task.data_version}
    done, whole = (train(task, settings, None, steps) for steps in (5, 8))
    tested = evaluate_part(task, settings, done.checkpoint, "test").metrics
    visitor = {"visitor": Visitors(secret).of(ADDRESS)}
    trace = make_trace({"kind": "expression", "expression": "x*y", "inputs": {"x": 2.0, "y": 3.0}, "wrt": ["x"]}, None, 60)
    link, table, upload = b'{"address":"#/train"}', b"a,b\n1,2\n3,4\n", pack_upload(npy_bytes(np.eye(2)))

    rows: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "0001": [
            ("traces", {"id": trace.id, "program": json.dumps(trace.program), "created": "then", "bytes": trace.size,
                        "document": trace.document}),
            ("runs", {"id": "r_1", "program": json.dumps(program), "created": "then", "status": "idle", "step": 5, "requested_step": 5}),
            ("slices", {"run": "r_1", "step": 5, "losses": floats(done.losses), "gradient_norms": floats(done.gradient_norms)}),
            ("checkpoints", {"run": "r_1", "step": 5, "data": done.checkpoint}),
            ("validations", {"run": "r_1", "step": 5, "figures": '{"loss": 0.5, "rmse": 0.25}'}),
        ],
        "0004": [("links", {"id": id_of(link), "created": "then", "opened": "then", **pack(link)})],
        "0005": [("uploads", {"id": upload.id, **visitor, "created": "then", "format": "npy", "bytes": len(upload.data),
                              "tensors": json.dumps(upload.tensors), **pack(upload.data)})],
        "0006": [("pins", {"trace": trace.id, **visitor, "created": "then"})],
        "0008": [("tested", {"run": "r_1", "step": 5, "reached": 5, "created": "then", "metrics": json.dumps(tested)})],
        "0009": [
            ("runs", {"id": "r_2", "program": json.dumps(program), "created": "then", "status": "paused", "step": 0, "requested_step": 9,
                      **visitor, "name": "held", "edits": '[{"step":1,"lr":0.2}]', "stop": '{"patience": 3}'}),
            ("observations", {"run": "r_1", "step": 5, **pack(json.dumps(done.observations[-1]).encode())}),
        ],
        "0010": [("datasets", {"id": "d_1", **visitor, "created": "then", "since": 0.0, "kept": True, "used": False,
                               "about": json.dumps(describe(table)), **pack(table)})],
    }  # fmt: skip
    old = create_engine(make_url(database_url).set(drivername="postgresql+psycopg") if "postgres" in database_url else database_url)
    for step, tables in rows.items():
        with old.begin() as connection:
            migrate(connection, step)
            for name, row in tables:
                places = ", ".join(f":{column}" for column in row)
                connection.execute(text(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({places})"), row)
    old.dispose()
    with start(database_url=database_url, secret=secret) as client:

        def read(place: str) -> Any:
            response = client.get(f"{API}/{place}")
            assert response.status_code == 200, (place, response.text)
            return response.json()

        assert read(f"traces/{trace.id}")["id"] == trace.id
        assert [item["pinned"] for item in read("traces")["items"] if item["id"] == trace.id] == [True]
        run = read("runs/r_1")
        assert (run["status"], run["history"]["loss"], run["name"], run["sweep"]) == ("idle", done.losses, None, None)
        assert run["validation"] == [{"step": 5, "loss": 0.5, "rmse": 0.25}]
        assert read("runs/r_1/history?columns=lr&columns=loss") == {"schema_version": 1, "first": 1, "lr": [0.1] * 5, "loss": done.losses}
        assert read("runs/r_1/test")["metrics"] == tested
        assert [seen["step"] for seen in read("runs/r_1/observations")["items"]] == [5]
        assert read("runs/r_1/steps/3/trace")["program"]["step"] == 3
        client.post(f"{API}/runs/r_1/steps", json={"count": 3}).raise_for_status()
        assert finished(client, "r_1")["history"]["loss"] == whole.losses
        assert [(item["id"], item["name"], item["edits"][0]["lr"], item["stop"]["patience"]) for item in read("runs")["items"]] == [
            ("r_2", "held", 0.2, 3)
        ]
        client.post(f"{API}/runs/r_2/resume").raise_for_status()
        assert finished(client, "r_2")["step"] == 9
        assert read(f"links/{id_of(link)}")["state"] == {"address": "#/train"}
        assert read(f"uploads/{upload.id}")["tensors"][0]["shape"] == [2, 2]
        assert (read("datasets/d_1")["rows"], read("datasets/d_1")["kept"]) == (2, True)
        assert read("sweeps")["items"] == []


def floats(values: list[float]) -> bytes:
    return np.array(values, "<f8").tobytes()


def test_the_whole_service_runs_on_either(start: Start, database_url: str) -> None:
    with start(database_url=database_url, quick_seconds=0) as client:
        run = create_run(client)
        client.post(f"{API}/runs/{run}/steps", json={"count": 60})
        assert finished(client, run)["step"] == 60
        trace = client.get(f"{API}/runs/{run}/steps/31/trace")
        assert trace.status_code == 200
    with start(database_url=database_url) as client:
        assert client.get(trace.headers["content-location"]).content == trace.content
        assert client.delete(f"{API}/runs/{run}").status_code == 204


def test_a_damaged_trace_answers_so(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        location = client.get(f"{API}/opening").headers["content-location"]
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            database.execute("UPDATE traces SET document = x'00'")
        response = client.get(location)
        assert (response.status_code, response.json()["type"]) == (500, "urn:retrograd:problem:damaged")
        assert "make it again" in response.json()["detail"]
        assert client.get(f"{API}/opening").status_code == 200  # which mends it
        assert client.get(location).status_code == 200


def test_a_training_goes_on_from_before_a_damaged_checkpoint(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as client:
        runs = [create_run(client) for _ in range(2)]
        for run in runs:
            client.post(f"{API}/runs/{run}/steps", json={"count": 60})
            finished(client, run)
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            database.execute("UPDATE checkpoints SET data = x'00' WHERE run = ?", (runs[1],))
        for run in runs:
            client.post(f"{API}/runs/{run}/steps", json={"count": 5})
        whole, damaged = (finished(client, run) for run in runs)
    assert whole["step"] == damaged["step"] == 65
    assert whole["history"] == damaged["history"]


WRITER = """
import sys
from server.store.database import open_database
from server.store.trace_file import TraceFile
from server.store.traces import TraceStore
from server.visitors import Visitors
store = TraceStore(open_database(sys.argv[1]), 2**30)
number = 0
while True:
    name = f"{sys.argv[2]}-{number}"
    store.put(TraceFile(name, {}, 20_000, name.encode() * 2_000))
    print(name, flush=True)
    number += 1
"""


def test_nothing_acknowledged_is_lost_to_a_kill(database_url: str) -> None:
    acknowledged = []
    for life in range(3):
        command = [sys.executable, "-c", WRITER, database_url, str(life)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline().strip() for _ in range(40)]
            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().splitlines(keepends=True)
            acknowledged += [*lines, *(line.strip() for line in rest if line.endswith("\n"))]
    assert len(acknowledged) >= 120
    engine = open_database(database_url)
    store = TraceStore(engine, 2**30)
    for name in acknowledged:
        stored = store.get(name)  # which checks its hash
        assert stored is not None
        assert stored.document == name.encode() * 2_000
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()
