"""Beside a trace stands its program as lists show it; one with many numbers was written whole, a second time and uncompressed."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
_MOST = 8192


def upgrade() -> None:
    connection = op.get_bind()
    traces = sa.table("traces", sa.column("number"), sa.column("program"))
    for number in connection.execute(sa.select(traces.c.number).where(sa.func.length(traces.c.program) > _MOST)).scalars().all():
        text = connection.execute(sa.select(traces.c.program).where(traces.c.number == number)).scalar_one()
        program = json.loads(text)
        short = {name: program[name] for name in ("kind", "task", "cell", "step") if name in program} | {"bytes": len(text.encode())}
        connection.execute(sa.update(traces).where(traces.c.number == number).values(program=json.dumps(short, separators=(",", ":"))))
