"""How a database is opened: SQLite or Postgres, brought up to date, ready for several threads."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text

Done = Callable[[Connection, str], None]  # is told, within the transaction, the id of what a request made or changed
_MIGRATION_LOCK = 0x52657472  # any number that nobody else takes
_BEFORE_ALEMBIC = "0001"  # the tables of databases that were made without it


def open_database(url: str) -> Engine:
    """The database at an SQLAlchemy URL, with today's tables. SQLite keeps a write-ahead log, so readers never wait for a writer."""
    parts = make_url(url)
    if parts.drivername in ("postgres", "postgresql"):
        parts = parts.set(drivername="postgresql+psycopg")
    engine = create_engine(parts, pool_pre_ping=parts.get_backend_name() != "sqlite")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    with engine.begin() as connection:
        # Servers that start at the same time wait for each other, and what is done is done whole.
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        elif engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        migrate(connection)
    return engine


def migrate(connection: Connection, to: str = "head") -> None:
    """Runs the steps that the database lacks."""
    with resources.as_file(resources.files("server.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        if version(connection) is None and inspect(connection).has_table("traces"):
            command.stamp(config, _BEFORE_ALEMBIC)
        command.upgrade(config, to)


def version(connection: Connection) -> str | None:
    """The last step that the database has seen."""
    return MigrationContext.configure(connection).get_current_revision()


def _configure_sqlite(connection, _record) -> None:  # type: ignore[no-untyped-def]  # the driver's connection has no common type
    cursor = connection.cursor()
    # auto_vacuum comes first: it holds for a file that has nothing in it yet
    for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def give_back(engine: Engine) -> None:
    """Gives the space of deleted rows back to the disk, where the database does not do so by itself."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # A script, since the driver takes a single statement without rows one step far, and each step frees one page.
            connection.connection.cursor().executescript("PRAGMA incremental_vacuum")


def unmarked(connection: Connection, made: str) -> None:
    """Nobody wants to know (Done)."""
