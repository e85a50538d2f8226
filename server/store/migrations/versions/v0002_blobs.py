"""Blobs are compressed and have a hash; traces can be pinned; runs belong to visitors."""

import hashlib
import zlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("runs", sa.Column("visitor", sa.String(80)))
    op.create_index("runs_by_visitor", "runs", ["visitor", "number"])
    op.add_column("traces", sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("traces", sa.Column("sha256", sa.String(64), nullable=False, server_default=""))
    connection = op.get_bind()
    traces = sa.table("traces", sa.column("number"), sa.column("document"), sa.column("sha256"))
    for number in connection.execute(sa.select(traces.c.number)).scalars().all():
        document = connection.execute(sa.select(traces.c.document).where(traces.c.number == number)).scalar_one()
        connection.execute(sa.update(traces).where(traces.c.number == number).values(sha256=hashlib.sha256(document).hexdigest()))
    _pack("checkpoints", ["data"])
    _pack("slices", ["losses", "gradient_norms"])


def _pack(name: str, columns: list[str]) -> None:
    """The table's columns joined to one compressed blob with its hash."""
    connection = op.get_bind()
    packed = op.create_table(
        f"{name}_packed",
        sa.Column("run", sa.String(40), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    before = sa.table(name, sa.column("run"), sa.column("step"), *(sa.column(column) for column in columns))
    for run, step in connection.execute(sa.select(before.c.run, before.c.step)).all():
        row = connection.execute(
            sa.select(*(before.c[column] for column in columns)).where(before.c.run == run, before.c.step == step)
        ).one()
        data = zlib.compress(b"".join(row), 1)
        connection.execute(sa.insert(packed).values(run=run, step=step, data=data, sha256=hashlib.sha256(data).hexdigest()))
    op.drop_table(name)
    op.rename_table(f"{name}_packed", name)
