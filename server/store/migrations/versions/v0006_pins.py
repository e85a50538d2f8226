"""Visitors keep traces from making room for others."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "pins",
        sa.Column("trace", sa.String(80), sa.ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("visitor", sa.String(80), primary_key=True),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Index("pins_by_visitor", "visitor"),
    )
