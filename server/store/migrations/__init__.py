"""How databases of earlier versions become today's: one file a step, run by Alembic when the database is opened."""
