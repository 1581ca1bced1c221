"""What a lease reads: statistics from before, when next to nothing waited, must not make it slow."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from onelead.standins.app import Addresses
from services.notifier.domain.plan import Target
from services.notifier.repository import DeliveryQueue
from services.notifier.repository.queue import Lease, Wanted
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.db.engine import make_engine
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import notifier_settings
from tests.integration.notifier.ledger import leads
from tests.support.notifier_builders import public_lead
from tests.support.stack import Stack

WAITING = 1_000
SLACK = Target("slack", "target")
_ROWS_READ = text(
    "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
    " WHERE schemaname = 'notifier' AND relname = 'deliveries'"
)


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins)


async def look_around(stack: Stack) -> None:
    """Has PostgreSQL take statistics now."""
    engine = make_engine(make_url(stack.owner_url), application="onelead-test", pool_size=1)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("ANALYZE notifier.deliveries"))
    finally:
        await engine.dispose()


async def test_a_lease_reads_what_waits_a_few_times_and_not_once_for_each_that_waits(
    migrated: Stack, base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    bench = Bench(base, settings, tenant_id, {"slack": ScriptedChannel("slack")})
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(3)))
    await look_around(migrated)
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(WAITING, start=3)))
    lease = Lease("token", clock.now(), timedelta(minutes=1))
    async with base.database.transaction({tenant_id}) as connection:
        leased = await DeliveryQueue().lease(connection, [Wanted(tenant_id, SLACK, 4)], lease)
        rows_read = await connection.scalar(_ROWS_READ)

    assert len(leased) == 4
    assert rows_read is not None
    assert 0 < rows_read < 10 * WAITING
