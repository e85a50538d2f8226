"""A real server in a thread of the test's process: a port of its own, its database in a temporary folder, spawned workers."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from sqlalchemy import Engine

from server.app import create_app, first_trace
from server.jobs.pool import WorkerPool
from server.serving import KEEP_ALIVE_SECONDS, Server
from server.settings import Settings
from server.store.database import open_database
from server.store.trace_file import TraceFile
from tests.server.helpers import Start, wait_until


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: an SQLite file, and a schema of its own in Postgres where RETROGRAD_TEST_POSTGRES_URL names a server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/test.sqlite3"
        return
    server = os.environ.get("RETROGRAD_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("RETROGRAD_TEST_POSTGRES_URL names no server")
    schema = f"retrograd_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
        try:
            yield f"{server}?options=-csearch_path%3D{schema}"
        finally:
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE'.encode())


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def opening_made_once() -> Iterator[None]:
    """The first server of the session computes the trace that the page opens with; the others have it at once."""
    made: list[TraceFile] = []

    async def once(pool: WorkerPool) -> TraceFile:
        if not made:
            made.append(await first_trace(pool))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.app.first_trace", once)
        yield


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Runs a new server and gives a client of it; use it in a with statement."""

    @contextmanager
    def run(data: Path | None = None, root_path: str = "", **settings: Any) -> Iterator[httpx.Client]:
        folder = data or tmp_path_factory.mktemp("data")
        options: dict[str, Any] = {"workers": 1, "writes_per_second": 10_000, "static": folder / "no-such-folder", **settings}
        app = create_app(Settings(data=folder, **options))
        alike: dict[str, Any] = {"timeout_keep_alive": KEEP_ALIVE_SECONDS, "ws": "none", "proxy_headers": False}
        server = Server(uvicorn.Config(app, port=0, root_path=root_path, log_level="warning", **alike))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            assert server.started, "the server did not start"
            port = server.servers[0].sockets[0].getsockname()[1]
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()

    return run


@pytest.fixture(scope="session")
def client(start: Start) -> Iterator[httpx.Client]:
    """One server for all tests that leave it as they found it."""
    with start(workers=2) as client:
        yield client
