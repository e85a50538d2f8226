"""What Alembic runs: the steps that are missing, on the connection that server/store/database.py gives."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
