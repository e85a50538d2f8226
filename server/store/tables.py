"""The tables, and how a database is opened."""

from __future__ import annotations

from sqlalchemy import Column, Engine, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text, create_engine, event

metadata = MetaData()

traces = Table(
    "traces", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("program", Text, nullable=False),  # JSON
    Column("created", String(40), nullable=False),
    Column("bytes", Integer, nullable=False),  # of the document
    Column("document", LargeBinary, nullable=False),  # the JSON, gzip
)  # fmt: skip

runs = Table(
    "runs", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("program", Text, nullable=False),  # JSON
    Column("created", String(40), nullable=False),
    Column("status", String(20), nullable=False),  # idle | training | failed
    Column("error", Text),
    Column("step", Integer, nullable=False),
    Column("requested_step", Integer, nullable=False),
)  # fmt: skip


def _run() -> Column[str]:
    """The run that a row belongs to and goes with."""
    return Column("run", String(40), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


slices = Table(
    "slices", metadata, _run(),
    Column("step", Integer, primary_key=True),  # the last of the slice
    Column("losses", LargeBinary, nullable=False),  # float64, little-endian
    Column("gradient_norms", LargeBinary, nullable=False),
)  # fmt: skip

checkpoints = Table(
    "checkpoints", metadata, _run(),
    Column("step", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip

validations = Table(
    "validations", metadata, _run(),
    Column("step", Integer, primary_key=True),
    Column("figures", Text, nullable=False),  # JSON: loss, and accuracy or rmse; NaN as a string, which no SQL number can be
)  # fmt: skip


def open_database(url: str) -> Engine:
    """The database at an SQLAlchemy URL, with its tables. SQLite keeps a write-ahead log, so readers never wait for a writer."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    metadata.create_all(engine)
    return engine


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
