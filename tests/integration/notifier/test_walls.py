"""The last wall between offices: what became another office's affair is cancelled instead of sent."""

import pytest

from onelead.standins.app import Addresses
from services.notifier.domain.moves import ELSEWHERE
from services.notifier.domain.plan import Limits
from services.notifier.settings import NotifierSettings
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import notifier_settings
from tests.integration.notifier.ledger import leads
from tests.support.notifier_builders import public_lead

LUZERN, ROMANDIE = frozenset({"luzern"}), frozenset({"romandie"})


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins)


async def test_what_is_put_into_the_queue_by_hand_is_not_sent_to_an_office_that_lost_the_lead(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    slack = ScriptedChannel("slack", offices=LUZERN)
    bench = Bench(base, settings, tenant_id, {"slack": slack})
    await bench.hear(public_lead(version=1, office_id="luzern"))
    await bench.change("state = 'dead', tries = 10, failures = 10, begun_at = now()")
    await bench.hear(public_lead(version=2, office_id="romandie"))
    await bench.change("state = 'pending', failures = 0")

    await bench.send_all()

    [row] = await bench.rows()
    assert (row.state, row.note, row.tries) == ("cancelled", ELSEWHERE, 10)
    assert row.begun_at is not None
    assert slack.calls == []


async def test_a_sink_that_is_to_hear_of_fewer_offices_is_not_sent_what_waited_for_it(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    whole = Bench(base, settings, tenant_id, {"slack": ScriptedChannel("slack")})
    theirs = [public_lead(lead_id=each, office_id="luzern", score=99.0) for each in leads(9)]
    mine = public_lead(lead_id="mine", office_id="romandie", score=80.0)
    await whole.hear(*theirs, mine)

    slack = ScriptedChannel("slack", offices=ROMANDIE)
    narrowed = Bench(base, settings, tenant_id, {"slack": slack})
    await narrowed.send_all()

    assert [delivery.lead_id for delivery in slack.calls] == ["mine"]
    rows = [row for row in await narrowed.rows() if row.lead_id != "mine"]
    found = {(row.state, row.note, row.tries, row.begun_at) for row in rows}
    assert found == {("cancelled", ELSEWHERE, 0, None)}
    assert len(rows) == len(theirs)


async def test_a_digest_of_a_storm_tells_nothing_of_an_office_that_its_sink_may_not_hear_of(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    whole = Bench(base, settings, tenant_id, {"slack": ScriptedChannel("slack")})
    await whole.hear(*(public_lead(lead_id=each, office_id="luzern") for each in leads(9)))
    await whole.change("created_at = now() - interval '10 minutes'")

    slack = ScriptedChannel("slack", offices=ROMANDIE, limits=Limits(alerts_per_hour=2))
    narrowed = Bench(base, settings, tenant_id, {"slack": slack})
    await narrowed.send_all()

    assert {(row.purpose, row.state) for row in await narrowed.rows()} == {("alert", "cancelled")}
    assert slack.calls == []
