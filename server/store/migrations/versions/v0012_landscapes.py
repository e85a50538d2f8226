"""Landscapes: maps of the loss, which outlive the server that computed them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "landscapes",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary),
        sa.Column("sha256", sa.String(64)),
    )
