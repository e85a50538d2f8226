"""A landscape is computed by one server of several, which says how far it has come."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for column in (
        sa.Column("owner", sa.String(40)),
        sa.Column("lease", sa.Double, nullable=False, server_default="0"),
        sa.Column("progress", sa.Text),
    ):
        op.add_column("landscapes", column)
