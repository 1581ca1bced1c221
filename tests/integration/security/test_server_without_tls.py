"""A client that checks its server refuses one without TLS, before it has said anything about itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from shared.db.engine import Database
from shared.settings import ServiceSettings

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that answers the first message so, and keeps what it was sent."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(64))
        writer.write(answer)
        await writer.drain()
        while more := await reader.read(1_000):
            heard.append(more)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def test_a_server_that_has_no_encryption_hears_nothing_but_the_question_for_it() -> None:
    async with answering(b"N") as (port, heard):
        settings = ServiceSettings(
            kafka_bootstrap="none:1",
            database_url=f"postgresql+asyncpg://onelead_scoring@127.0.0.1:{port}/onelead",
            database_password=SecretStr("word"),
            database_sslmode="verify-full",
        )
        database = Database.connect(settings.url(), application="test")
        with pytest.raises((OSError, DBAPIError), match="rejected SSL upgrade"):
            async with database.transaction():
                pass
        await database.close()
        assert heard == [_SSL_REQUEST]
