"""Connects a service's role to PostgreSQL; every transaction is bound to the tenants it may touch."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import orjson
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_SET_TENANTS = text("SELECT set_config('app.tenants', :tenants, true)")


def make_engine(url: URL, *, application: str, pool_size: int) -> AsyncEngine:
    """An engine on asyncpg with orjson; `application` is what pg_stat_activity shows."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text goes to logs and dead letters, tenants' data must not
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "server_settings": {"application_name": application, "jit": "off"},
            "timeout": 10,
            "command_timeout": 120,
        },
    )


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
