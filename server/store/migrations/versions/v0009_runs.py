"""Runs have a name, conditions that end them, edits, and a server that trains them; what is observed of their steps is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for column in (
        sa.Column("name", sa.String(200)),
        sa.Column("sweep", sa.String(40)),
        sa.Column("stop", sa.Text, nullable=False, server_default="{}"),
        sa.Column("validate_every", sa.Integer, nullable=False, server_default="200"),
        sa.Column("edits", sa.Text, nullable=False, server_default="[]"),
        sa.Column("reason", sa.String(20)),
        sa.Column("best", sa.Text),
        sa.Column("since_step", sa.Integer, nullable=False, server_default="0"),
        sa.Column("since_seconds", sa.Double, nullable=False, server_default="0"),
        sa.Column("seconds", sa.Double, nullable=False, server_default="0"),
        sa.Column("pace", sa.Double),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("owner", sa.String(40)),
        sa.Column("lease", sa.Double, nullable=False, server_default="0"),
    ):
        op.add_column("runs", column)
    op.create_index("runs_by_sweep", "runs", ["sweep", "number"])
    op.create_index("runs_by_status", "runs", ["status"])
    op.create_table(
        "observations",
        sa.Column("run", sa.String(40), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
