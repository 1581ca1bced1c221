"""Whose data a command is about, and who gives it."""

import getpass
import os

from sqlalchemy import select

from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.ingest import tables
from shared.errors import UserError
from shared.topics import check_tenant

# A tenant may read, and is erased with, each consumer group whose name begins with its own and a dot;
# the topic of a tenant whose name is the ending of dead letters would be taken for dead letters.
_OURS = {
    "onelead": "the services' consumer groups begin so, and they are not a tenant's",
    "dead-letter": "topics of dead letters end so, and its own would be taken for one",
}


def checked_tenant(name: str) -> str:
    """The tenant id itself. Raises UserError for one that cannot be."""
    try:
        check_tenant(name)
    except ValueError as error:
        raise UserError(str(error)) from None
    if name in _OURS:
        raise UserError(f"no tenant may be called {name}: {_OURS[name]}", hint="take another name")
    return name


async def require_known(settings: EditionSettings, tenant_id: str) -> None:
    """Raises UserError for a tenant of which ingest has never heard."""
    known = select(tables.tenants.c.tenant_id).where(tables.tenants.c.tenant_id == tenant_id)
    async with service_connection(settings, "ingest", tenant_id) as connection:
        if await connection.scalar(known) is None:
            raise UserError(
                f"tenant {tenant_id} is unknown: nothing was ever imported for it",
                hint="`onelead tenants list` shows the tenants",
            )


def user_name() -> str:
    """The name of the user who runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user id, as in many containers
        return f"user {os.getuid()}"
