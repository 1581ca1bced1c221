"""Brings each service's schema up to date with its own Alembic history, as the owner role."""

import asyncio
from logging import getLogger
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.engine import owner_engine
from shared.db.passwords import kept_of
from shared.db.protection import ROLE_SUFFIXES
from shared.db.server_words import server_words
from shared.errors import UserError

SERVICES = ("ingest", "scoring", "recommender", "notifier", "lifecycle")
_ROOT = Path(__file__).resolve().parents[2] / "services"
_log = getLogger(__name__)


def upgrade(owner_url: str, service: str, *, role_password: str | None = None) -> None:
    """Migrates one service's schema to its newest version.

    `owner_url` belongs to the role that owns the tables; `role_password`, when given, is set on the
    roles that the service logs in with. Raises UserError when the server refuses that.
    """
    config = Config()
    config.set_main_option("script_location", str(_ROOT / service / "migrations"))
    config.attributes["owner_url"] = owner_url
    config.attributes["service"] = service
    command.upgrade(config, "head")
    if role_password is not None:
        asyncio.run(_set_passwords(owner_url, service, role_password))


def ensure_database(owner_url: str) -> None:
    """Creates the database named in the address when it is missing."""
    asyncio.run(_ensure_database(make_url(owner_url)))


async def _ensure_database(url: URL) -> None:
    engine = owner_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        found = await connection.scalar(
            text("SELECT true FROM pg_database WHERE datname = :name"), {"name": url.database}
        )
        if not found:
            quoted = str(url.database).replace('"', '""')
            await connection.execute(text(f'CREATE DATABASE "{quoted}"'))
    await engine.dispose()


async def _set_passwords(owner_url: str, service: str, password: str) -> None:
    engine = owner_engine(make_url(owner_url))
    try:
        async with engine.begin() as connection:
            for suffix in ROLE_SUFFIXES:
                await _set_password(connection, f"onelead_{service}{suffix}", kept_of(password))
    finally:
        await engine.dispose()


async def _set_password(connection: AsyncConnection, role: str, kept: str) -> None:
    try:
        statement = await connection.scalar(
            text("SELECT format('ALTER ROLE %I PASSWORD %L', :role ::text, :kept ::text)"),
            {"role": role, "kept": kept},
        )
        await connection.execute(text(str(statement).replace(":", "\\:")))
    except DBAPIError as error:
        # The error's own text holds the statement, and with it the password.
        raise UserError(
            f"PostgreSQL does not set the password of role {role}: {server_words(error)}",
            hint="the role in ONELEAD_DATABASE_URL needs CREATEROLE, from PostgreSQL 16 on also"
            " ADMIN OPTION on the services' roles",
            exit_code=1,
        ) from None


def run_environment() -> None:
    """What each service's migrations/env.py calls: runs its history on an asyncpg connection."""
    asyncio.run(_run())


async def _run() -> None:
    attributes = context.config.attributes
    engine = owner_engine(make_url(attributes["owner_url"]))
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, attributes["service"])
        await connection.commit()
    await engine.dispose()


def _migrate(connection: Connection, schema: str) -> None:
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    connection.commit()
    context.configure(connection=connection, version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
    _log.info("schema %s is up to date", schema)
