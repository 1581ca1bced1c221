"""Whether a tenant was erased: asked before anything is done in its name."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.opened_database import OWNERS_ADDRESS, REFUSALS, unusable
from shared.db.engine import Database
from shared.db.erasure import ERASED_TENANTS
from shared.db.migrate import SERVICES
from shared.errors import UserError

_NO_SUCH_DATABASE = "3D000"
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
        raise was_erased(tenant_id, f" on {moment:%Y-%m-%d}")


def was_erased(tenant_id: str, when: str = "") -> UserError:
    """What is said to whoever does something in the name of an erased tenant."""
    return UserError(
        f"tenant {tenant_id} was erased{when}",
        hint=f"`onelead tenants add {tenant_id}` gives the name out again once nothing is left",
    )


async def erased_of(owner_url: str, tenants: Sequence[str]) -> list[str]:
    """Those of the tenants that any service holds for erased, as the owner of the tables sees it.

    None where there are no tables yet. Raises UserError when the database does not let us in.
    """
    url = make_url(owner_url)
    database = Database.connect(url, application="onelead topics", pool_size=1)
    try:
        marked = await _marked_among(database, tenants)
    except REFUSALS as error:
        if getattr(getattr(error, "orig", error), "sqlstate", None) == _NO_SUCH_DATABASE:
            return []
        what = "be asked which tenants were erased"
        raise unusable(url, error, OWNERS_ADDRESS, what) from None
    finally:
        await database.close()
    return [tenant for tenant in tenants if tenant in marked]


async def _marked_among(database: Database, tenants: Sequence[str]) -> set[str]:
    found: set[str] = set()
    async with database.transaction() as connection:
        seen = text("SELECT set_config('app.erasing', :tenants, true)")
        await connection.execute(seen, {"tenants": ",".join(tenants)})
        for service in SERVICES:
            table = f"{service}.{ERASED_TENANTS}"
            if await connection.scalar(text("SELECT to_regclass(:name)"), {"name": table}):
                ours = text(f"SELECT tenant_id FROM {table} WHERE tenant_id = ANY(:tenants)")
                found |= set(await connection.scalars(ours, {"tenants": list(tenants)}))
    return found
