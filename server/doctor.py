"""`retrograd doctor`: everything that has to be right before the server can work, tried out."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator

from sqlalchemy import Engine, select

from server.jobs.pool import WorkerPool
from server.jobs.work import make_trace
from server.routes.opening import opening_program
from server.routes.pages import INDEX, StaticFiles
from server.settings import Settings
from server.store.blobs import sha256
from server.store.database import open_database, version
from server.store.tables import checkpoints, slices, traces


class CheckError(Exception):
    """Something is not right; says what, and what to do."""


def examine(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Of each part its name, whether it is right, and what was found."""
    parts: list[tuple[str, Callable[[Settings], str]]] = [
        ("data folder", _folder), ("database", _database), ("blobs", _blobs), ("workers", _workers), ("page", _page), ("access", _access),
    ]  # fmt: skip
    for name, part in parts:
        try:
            yield name, True, part(settings)
        except Exception as error:  # whatever it is, the other parts are looked at too
            yield name, False, str(error) if isinstance(error, CheckError) else f"{type(error).__name__}: {error}"


def _folder(settings: Settings) -> str:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data):
            pass
    except OSError as error:
        raise CheckError(f"{settings.data} cannot be written to ({error.strerror}); set RETROGRAD_DATA to a folder that can") from None
    return f"{settings.data} can be written to"


def _database(settings: Settings) -> str:
    engine = _open(settings)
    with engine.connect() as connection:
        found = version(connection)
        if engine.dialect.name == "sqlite":
            answer = connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
            if answer != "ok":
                raise CheckError(f"SQLite finds its file damaged ({answer}); restore it from a copy, or move it away")
    engine.dispose()
    return f"{engine.dialect.name}, version {found}"


def _blobs(settings: Settings) -> str:
    engine, count, damaged = _open(settings), 0, []
    with engine.connect() as connection:
        for table, key, data in (
            (traces, traces.c.id, traces.c.document),
            (checkpoints, checkpoints.c.run, checkpoints.c.data),
            (slices, slices.c.run, slices.c.data),
        ):
            for row in connection.execution_options(yield_per=50).execute(select(key, data, table.c.sha256)):
                count += 1
                if sha256(row[1]) != row[2]:
                    damaged.append(f"{table.name} of {row[0]}")
    engine.dispose()
    if damaged:
        raise CheckError(f"{len(damaged)} of {count} are damaged: {', '.join(damaged[:5])}; delete what they belong to, and make it again")
    return f"{count} are as they were stored"


def _workers(settings: Settings) -> str:
    async def compute() -> int:
        pool = WorkerPool(1, settings.worker_memory)
        try:
            return (await pool.run(make_trace, opening_program(), None, 60.0, seconds=120)).size
        finally:
            pool.close()

    return f"the opening film was computed, {asyncio.run(compute()):,} bytes"


def _page(settings: Settings) -> str:
    files = StaticFiles(settings.static)
    if files.read(INDEX) is None:
        raise CheckError("the web app is not built; `make run` builds it")
    return f"{len(files.files)} files"


def _access(settings: Settings) -> str:
    if settings.loopback:
        return f"{settings.host}: this machine alone"
    if settings.public:
        return f"{settings.host}: whoever reaches it"
    if settings.token is None:
        raise CheckError(f"others can reach {settings.host}; set RETROGRAD_TOKEN, or RETROGRAD_PUBLIC=true")
    return f"{settings.host}: whoever shows the token"


def _open(settings: Settings) -> Engine:
    try:
        return open_database(settings.database_url)
    except Exception as error:
        raise CheckError(f"the database cannot be opened ({type(error).__name__}); look at RETROGRAD_DATABASE_URL") from None
