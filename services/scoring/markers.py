"""The markers of accounts: with which profile and rules ingest has told of their leads, or left them."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.repository import Key
from shared.db.queries import load_queries
from shared.events import AccountDerived

_SQL = load_queries(__file__)


async def save_markers(
    connection: AsyncConnection, markers: Mapping[Key, AccountDerived]
) -> dict[str, list[Key]]:
    """Stores markers newer than those held, of accounts that are locked. Returns these by cause."""
    if not markers:
        return {}
    parameters = {
        "tenants": [tenant for tenant, _ in markers],
        "accounts": [account for _, account in markers],
        "versions": [event.version for event in markers.values()],
        "profiles": [event.account_version for event in markers.values()],
        "rules": [event.derived_by for event in markers.values()],
    }
    saved: dict[str, list[Key]] = {}
    for row in await connection.execute(_SQL["save_markers"], parameters):
        key = (row.tenant_id, row.account_id)
        saved.setdefault(markers[key].cause, []).append(key)
    return saved
