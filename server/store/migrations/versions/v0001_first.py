"""Traces, and runs with their slices, checkpoints and validations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "traces",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(80), nullable=False, unique=True),
        sa.Column("program", sa.Text, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("program", sa.Text, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("requested_step", sa.Integer, nullable=False),
    )
    blobs = {"slices": ("losses", "gradient_norms"), "checkpoints": ("data",)}
    for name, columns in blobs.items():
        op.create_table(name, *_of_a_run(), *(sa.Column(column, sa.LargeBinary, nullable=False) for column in columns))
    op.create_table("validations", *_of_a_run(), sa.Column("figures", sa.Text, nullable=False))


def _of_a_run() -> tuple[sa.Column[str], sa.Column[int]]:
    run: sa.Column[str] = sa.Column("run", sa.String(40), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    return run, sa.Column("step", sa.Integer, primary_key=True)
