"""Old attempts are forgotten, tenant by tenant; deliveries and what is still young stay."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.notifier.domain.attempt import Delivered
from services.notifier.housekeeping import Housekeeping
from services.notifier.repository.ledger import Attempt, Ledger
from shared import clock
from shared.ops.composition import Base
from tests.integration.notifier.people import People, plan_for
from tests.support.notifier_builders import public_lead

KEPT_DAYS = 90


async def attempted(base: Base, tenant: str, *days_ago: float) -> str:
    """A tenant's delivery that was tried so long ago, once for each."""
    people = People(base, tenant, plan_for(tenant))
    await people.hear(public_lead(version=1))
    delivery = (await people.rows())[0].delivery_id
    now = clock.now()
    made = [
        Attempt(tenant, delivery, number, now - timedelta(days=days), 5, "ab" * 32, Delivered())
        for number, days in enumerate(days_ago, start=1)
    ]
    async with base.database.transaction({tenant}) as connection:
        await Ledger().add_attempts(connection, made)
    return str(delivery)


async def numbers(base: Base, tenant: str, delivery: str) -> list[int]:
    async with base.database.transaction({tenant}) as connection:
        return [row.number for row in await Ledger().attempts(connection, tenant, delivery)]


async def deliveries(base: Base, tenant: str) -> int:
    async with base.database.transaction({tenant}) as connection:
        counted = await connection.scalar(text("SELECT count(*) FROM notifier.deliveries"))
    return int(counted or 0)


async def test_attempts_are_forgotten_after_their_days_and_deliveries_stay(
    base: Base, tenant_id: str
) -> None:
    delivery = await attempted(base, tenant_id, 200, 90.01, 89.99, 0)
    before = await deliveries(base, tenant_id)
    assert await Housekeeping(base, kept_days=KEPT_DAYS).step() is False
    assert await numbers(base, tenant_id, delivery) == [3, 4]
    assert await deliveries(base, tenant_id) == before


async def test_every_tenants_attempts_are_looked_after(base: Base) -> None:
    tenants = [f"n-{uuid.uuid4().hex[:12]}" for _ in range(3)]
    found = {tenant: await attempted(base, tenant, 100, 1) for tenant in tenants}
    await Housekeeping(base, kept_days=KEPT_DAYS).step()
    for tenant, delivery in found.items():
        assert await numbers(base, tenant, delivery) == [2]


@pytest.mark.parametrize("kept_days", [1, 365])
async def test_the_setting_says_how_long(base: Base, tenant_id: str, kept_days: int) -> None:
    delivery = await attempted(base, tenant_id, kept_days + 0.1, kept_days - 0.1)
    housekeeping = Housekeeping(base, kept_days=kept_days)
    await housekeeping.step()
    await housekeeping.step()
    assert await numbers(base, tenant_id, delivery) == [2]
