"""Opens a service's tables as that service, bound to one tenant: what a command reads and writes there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.addresses import database_address
from onelead.edition.service import with_role
from onelead.settings import EditionSettings
from onelead.tenants.marks import refuse_erased
from shared.db.engine import Database


@asynccontextmanager
async def service_connection(
    settings: EditionSettings, service: str, tenant_id: str
) -> AsyncIterator[AsyncConnection]:
    """One transaction with the service's own role, which sees this tenant only; committed at its end.

    Raises UserError for a tenant that was erased.
    """
    url = make_url(with_role(database_address(settings), f"onelead_{service}"))
    if settings.database_password is not None:
        url = url.set(password=settings.database_password.get_secret_value())
    database = Database.connect(url, application="onelead command", pool_size=1)
    try:
        async with database.transaction({tenant_id}) as connection:
            await refuse_erased(connection, service, tenant_id)
            yield connection
    finally:
        await database.close()
