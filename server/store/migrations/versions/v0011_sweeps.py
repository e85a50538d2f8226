"""Sweeps: searches for the settings that do best."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("visitor", sa.String(80), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(20)),
        sa.Column("error", sa.Text),
        sa.Column("ends", sa.Double),
        sa.Column("owner", sa.String(40)),
        sa.Column("lease", sa.Double, nullable=False, server_default="0"),
    )
    op.create_index("sweeps_by_visitor", "sweeps", ["visitor", "number"])
