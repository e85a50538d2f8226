"""The tables as they are today; migrations/ brings every database there."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, false

LARGEST_NUMBER = 2**31 - 1  # that Postgres takes where rows have one
metadata = MetaData()

traces = Table(
    "traces", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("program", Text, nullable=False),  # JSON
    Column("created", String(40), nullable=False),
    Column("bytes", Integer, nullable=False),  # of the document
    Column("document", LargeBinary, nullable=False),  # the JSON, gzip
    Column("pinned", Boolean, nullable=False, server_default=false()),  # by the server: never goes to make room
    Column("sha256", String(64), nullable=False, server_default=""),  # of `document`
)  # fmt: skip

pins = Table(
    "pins", metadata,
    Column("trace", String(80), ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True),
    Column("visitor", String(80), primary_key=True),  # who keeps it (server/visitors.py)
    Column("created", String(40), nullable=False),
    Index("pins_by_visitor", "visitor"),
)  # fmt: skip

runs = Table(
    "runs", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("program", Text, nullable=False),  # JSON
    Column("created", String(40), nullable=False),
    Column("status", String(20), nullable=False),  # idle | training | paused | failed
    Column("error", Text),
    Column("step", Integer, nullable=False),
    Column("requested_step", Integer, nullable=False),
    Column("visitor", String(80)),  # who made it (server/visitors.py)
    Column("name", String(200)),
    Column("sweep", String(40)),  # that it is a trial of
    Column("stop", Text, nullable=False, server_default="{}"),  # JSON: the conditions that end a training (jobs/stopping.py)
    Column("validate_every", Integer, nullable=False, server_default="200"),
    Column("edits", Text, nullable=False, server_default="[]"),  # JSON: changes of the learning rate, {"step", "lr"} each
    Column("reason", String(20)),  # why the last training ended
    Column("best", Text),  # JSON: the best validation, {"step", "metric", "value"}
    Column("since_step", Integer, nullable=False, server_default="0"),  # where the last training began,
    Column("since_seconds", Double, nullable=False, server_default="0"),  # and how long the run had trained then
    Column("seconds", Double, nullable=False, server_default="0"),  # trained
    Column("pace", Double),  # steps a second, lately
    Column("revision", Integer, nullable=False, server_default="0"),  # counts changes of what a `status` event tells
    Column("owner", String(40)),  # the server that trains it,
    Column("lease", Double, nullable=False, server_default="0"),  # until when, in seconds since 1970, unless it says so again
    Index("runs_by_visitor", "visitor", "number"),
    Index("runs_by_sweep", "sweep", "number"),
    Index("runs_by_status", "status"),
)  # fmt: skip


def _run() -> Column[str]:
    """The run that a row belongs to and goes with."""
    return Column("run", String(40), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


slices = Table(
    "slices", metadata, _run(),
    Column("step", Integer, primary_key=True),  # the last of the slice
    Column("data", LargeBinary, nullable=False),  # packed (blobs.py): losses, gradient norms, learning rates; float64, little-endian
    Column("sha256", String(64), nullable=False),
)  # fmt: skip

checkpoints = Table(
    "checkpoints", metadata, _run(),
    Column("step", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),  # packed (blobs.py)
    Column("sha256", String(64), nullable=False),
)  # fmt: skip

validations = Table(
    "validations", metadata, _run(),
    Column("step", Integer, primary_key=True),
    Column("figures", Text, nullable=False),  # JSON: loss, and accuracy or rmse; NaN as a string, which no SQL number can be
)  # fmt: skip

observations = Table(
    "observations", metadata, _run(),
    Column("step", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),  # JSON, packed (blobs.py)
    Column("sha256", String(64), nullable=False),
)  # fmt: skip

tested = Table(
    "tested", metadata, _run(),  # once a run, so there is one row at most
    Column("step", Integer, nullable=False),  # whose network was tested
    Column("reached", Integer, nullable=False),  # how far the run had gone then
    Column("created", String(40), nullable=False),
    Column("metrics", Text, nullable=False),  # JSON
)  # fmt: skip

links = Table(
    "links", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),  # comes of the content
    Column("created", String(40), nullable=False),
    Column("opened", String(40), nullable=False),  # on which day last
    Column("data", LargeBinary, nullable=False),  # JSON, packed (blobs.py)
    Column("sha256", String(64), nullable=False),
    Index("links_by_opening", "opened", "number"),
)  # fmt: skip

uploads = Table(
    "uploads", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(80), nullable=False),  # of the content
    Column("visitor", String(80), nullable=False),  # whose it is (server/visitors.py)
    Column("created", String(40), nullable=False),
    Column("format", String(20), nullable=False),  # npy | npz | safetensors
    Column("bytes", Integer, nullable=False),  # of the file
    Column("tensors", Text, nullable=False),  # JSON: name, dtype, shape and bytes of each
    Column("data", LargeBinary, nullable=False),  # the file, packed (blobs.py)
    Column("sha256", String(64), nullable=False),
    Index("uploads_by_id", "id", "visitor", unique=True),
    Index("uploads_by_visitor", "visitor", "number"),
)  # fmt: skip

datasets = Table(
    "datasets", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("visitor", String(80), nullable=False),  # whose it is (server/visitors.py)
    Column("created", String(40), nullable=False),
    Column("since", Double, nullable=False),  # from when its time counts, in seconds since 1970
    Column("kept", Boolean, nullable=False),
    Column("used", Boolean, nullable=False),  # whether a run has used it: it goes with the last
    Column("about", Text, nullable=False),  # JSON: what was read of it
    Column("data", LargeBinary, nullable=False),  # the file, packed (blobs.py)
    Column("sha256", String(64), nullable=False),
    Index("datasets_by_visitor", "visitor", "number"),
)  # fmt: skip

answers = Table(
    "answers", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),  # hash of who asked and of the key
    Column("request", String(64), nullable=False),  # hash of what was asked
    Column("created", String(40), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),  # JSON
    Column("data", LargeBinary, nullable=False),  # the body, packed (blobs.py)
    Column("sha256", String(64), nullable=False),
)  # fmt: skip

sweeps = Table(
    "sweeps", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("visitor", String(80), nullable=False),  # whose it is (server/visitors.py)
    Column("created", String(40), nullable=False),
    Column("request", Text, nullable=False),  # JSON: what is searched, and how
    Column("status", String(20), nullable=False),  # running | finished | cancelled | failed
    Column("reason", String(20)),
    Column("error", Text),
    Column("ends", Double),  # when its time is over, in seconds since 1970
    Column("owner", String(40)),  # the server that is at it
    Column("lease", Double, nullable=False, server_default="0"),  # until when, in seconds since 1970
    Index("sweeps_by_visitor", "visitor", "number"),
)  # fmt: skip

landscapes = Table(
    "landscapes", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("created", String(40), nullable=False),
    Column("request", Text, nullable=False),  # JSON: what was asked for, and how far the runs were
    Column("data", LargeBinary),  # the landscape as JSON, packed (blobs.py); nothing before it is computed
    Column("sha256", String(64)),
    Column("owner", String(40)),  # the server that computes it,
    Column("lease", Double, nullable=False, server_default="0"),  # and until when others leave it alone
    Column("progress", Text),  # JSON: how far that has come
)  # fmt: skip
