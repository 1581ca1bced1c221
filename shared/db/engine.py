"""Connects a role to PostgreSQL; every transaction of a service is bound to the tenants it may touch."""

import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy import pool, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.errors import UserError

ABANDONED_AFTER_S = 30.0
"""A session that stands in a transaction and is silent for so long is ended, and its locks with it."""
# A connection can die without the server being told (a firewall forgets it, a host is gone). By default
# it would find out after two hours, and hold until then what the session has locked.
_KEEPALIVE = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_SET_TENANTS = text("SELECT set_config('app.tenants', :tenants, true)")


def make_engine(url: URL, *, application: str, pool_size: int) -> AsyncEngine:
    """An engine on asyncpg with orjson; `application` is what pg_stat_activity shows."""
    address, encryption = _encryption(url)
    return create_async_engine(
        address,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text goes to logs and dead letters, tenants' data must not
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "server_settings": {
                "application_name": application,
                "jit": "off",
                "idle_in_transaction_session_timeout": f"{ABANDONED_AFTER_S * 1_000:.0f}",
                **_KEEPALIVE,
            },
            "timeout": 10,
            "command_timeout": 120,
            **encryption,
        },
    )


def owner_engine(url: URL, **options: Any) -> AsyncEngine:
    """An engine without a pool for the owner of the tables, who migrates them."""
    address, encryption = _encryption(url)
    return create_async_engine(
        address, poolclass=pool.NullPool, hide_parameters=True, connect_args=encryption, **options
    )


def _encryption(url: URL) -> tuple[URL, dict[str, Any]]:
    """libpq's `sslmode` and `sslrootcert` in an address, as the driver takes them.

    Over a Unix socket nothing is encrypted, as with libpq. Raises UserError for what would look
    safe and check nothing.
    """
    mode, authority = url.query.get("sslmode"), url.query.get("sslrootcert")
    address = url.difference_update_query(["sslmode", "sslrootcert"])
    match mode:
        case None:
            return address, {}
        case "disable":
            return address, {"ssl": False}
        case "prefer":
            return address, {"ssl": "prefer"}
        case "verify-full":
            return address, {"ssl": _believing(None if authority is None else str(authority))}
    raise UserError(
        f"sslmode {mode} of the database is not supported",
        hint="ONELEAD_DATABASE_SSLMODE is verify-full, prefer or disable",
    )


def _believing(authority: str | None) -> ssl.SSLContext:
    """Checks the server's name and that this authority (or one of the system's) vouches for it."""
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"ONELEAD_DATABASE_CA_FILE: {authority} holds no certificates:"
            f" {error.strerror or error}"
        ) from None


class Database:
    """A pool of one role. Row-level security lets a transaction see exactly its tenants."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    def connect(cls, url: URL, *, application: str, pool_size: int = 2) -> "Database":
        """A database for the role in `url`; connections are opened when first needed."""
        return cls(make_engine(url, application=application, pool_size=pool_size))

    @asynccontextmanager
    async def transaction(self, tenants: Collection[str] = ()) -> AsyncIterator[AsyncConnection]:
        """One transaction that sees the rows of `tenants` only; committed on a clean exit."""
        async with self.engine.begin() as connection:
            if tenants:
                await connection.execute(_SET_TENANTS, {"tenants": ",".join(sorted(tenants))})
            yield connection

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()
