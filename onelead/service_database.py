"""Opens a service's tables as that service, bound to one tenant: what a command reads and writes there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.addresses import database_address, database_password
from onelead.opened_database import opened_database
from onelead.settings import EditionSettings
from onelead.tenants.marks import refuse_erased


@asynccontextmanager
async def service_connection(
    settings: EditionSettings, service: str, tenant_id: str
) -> AsyncIterator[AsyncConnection]:
    """One transaction with the service's own role, which sees this tenant only; committed at its end.

    Raises UserError for a tenant that was erased, and when the database does not let us in.
    """
    address, password = database_address(settings), database_password(settings)
    async with (
        opened_database(address, password, f"onelead_{service}", "onelead command") as database,
        database.transaction({tenant_id}) as connection,
    ):
        await refuse_erased(connection, service, tenant_id)
        yield connection
