"""Opens PostgreSQL with a role of a service's for one command; says in words why it cannot be used."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from onelead.edition.service import with_role
from shared.db.engine import Database
from shared.db.server_words import server_words
from shared.errors import UserError

REFUSALS = (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What the driver and SQLAlchemy raise when a server is not there, or does not let a role in."""
OWNERS_ADDRESS = "ONELEAD_DATABASE_URL must be the address with which `onelead migrate` was run"


@asynccontextmanager
async def opened_database(
    owner_url: str, password: str | None, role: str, application: str
) -> AsyncIterator[Database]:
    """The database behind the owner's address, with one connection of another role.

    `application` is what pg_stat_activity shows. Raises UserError when the server does not let us in.
    """
    url = make_url(with_role(owner_url, role))
    if password is not None:
        url = url.set(password=password)
    database = Database.connect(url, application=application, pool_size=1)
    try:
        await _enter(database, url)
        with telling_when_lost(url):
            yield database
    finally:
        await database.close()


async def _enter(database: Database, url: URL) -> None:
    try:
        async with database.engine.connect():
            return
    except (*REFUSALS, TypeError) as error:  # of a parameter in the address that the driver has not
        hint = f"{OWNERS_ADDRESS}, ONELEAD_DATABASE_PASSWORD what was set then"
        raise unusable(url, error, hint) from None


@contextmanager
def telling_when_lost(url: URL) -> Iterator[None]:
    """For what is asked of a server in its block. Raises UserError when it goes away meanwhile."""
    try:
        yield
    except (ConnectionError, TimeoutError, asyncpg.PostgresError) as error:
        hint = "what the command had done by then stays; run it again when the server answers"
        raise unusable(url, error, hint) from None


def unusable(url: URL, error: Exception, hint: str, what: str = "be used") -> UserError:
    """What to tell of a PostgreSQL that cannot `what`; the address is shown without its password."""
    shown = url.difference_update_query(["password"]).render_as_string(hide_password=True)
    reason = server_words(error)
    return UserError(f"PostgreSQL at {shown} cannot {what}: {reason}", hint=hint, exit_code=1)
