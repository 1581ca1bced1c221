"""Whose data a command is about, and who gives it."""

import getpass
import os

from sqlalchemy import select

from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.ingest import tables
from shared.errors import UserError
from shared.topics import check_tenant


def checked_tenant(name: str) -> str:
    """The tenant id itself. Raises UserError for one that cannot be."""
    try:
        return check_tenant(name)
    except ValueError as error:
        raise UserError(str(error)) from None


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
