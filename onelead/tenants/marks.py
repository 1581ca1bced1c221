"""Whether a tenant was erased: asked before anything is done in its name."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import UserError

_ERASED_AT = "SELECT erased_at FROM {service}.erased_tenants WHERE tenant_id = :tenant"


async def erased_at(connection: AsyncConnection, service: str, tenant_id: str) -> datetime | None:
    """Since when a service holds the tenant for erased; None if it does not."""
    statement = text(_ERASED_AT.format(service=service))
    moment: datetime | None = await connection.scalar(statement, {"tenant": tenant_id})
    return moment


async def refuse_erased(connection: AsyncConnection, service: str, tenant_id: str) -> None:
    """Raises UserError for a tenant that a service holds for erased."""
    moment = await erased_at(connection, service, tenant_id)
    if moment is not None:
        raise UserError(
            f"tenant {tenant_id} was erased on {moment:%Y-%m-%d}",
            hint=f"`onelead tenants add {tenant_id}` gives the name out again once nothing is left",
        )
