"""Alembic's entry for this schema."""

from shared.db.migrate import run_environment

run_environment()
