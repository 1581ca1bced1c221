"""PostgreSQL reached over a link that can be broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.engine import make_url

from onelead.edition.ports import HOST
from tests.faults.proxy import NONE, Connect, Link


@asynccontextmanager
async def linked_postgres(url: str) -> AsyncIterator[tuple[Link, str]]:
    """The link, and the address by which `url` is reached over it."""
    link = Link("PostgreSQL", _way_to(url))
    await link.set(NONE)
    over = make_url(url).difference_update_query(["host"]).set(host=HOST, port=link.port)
    try:
        yield link, over.render_as_string(hide_password=False)
    finally:
        await link.close()


def _way_to(url: str) -> Connect:
    """To its Unix socket where that is its address."""
    address = make_url(url)
    if folder := address.query.get("host"):
        return partial(asyncio.open_unix_connection, f"{folder}/.s.PGSQL.5432")
    return partial(asyncio.open_connection, address.host, address.port or 5432)
