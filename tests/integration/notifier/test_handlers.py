from datetime import timedelta

import pytest

from onelead.standins.app import Addresses
from services.notifier.domain.attempt import Retryable
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.routing import LAPSED
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import notifier_settings
from tests.support.notifier_builders import AS_OF, public_lead

LEAD = public_lead().lead_id
FALLEN = {"episode_open": False, "priority": "MEDIUM", "score": 55.0}
WITHDRAWN = {"state": "withdrawn", "reason": "support renewed", "episode_open": False}


@pytest.fixture
def slack() -> ScriptedChannel:
    return ScriptedChannel("slack")


@pytest.fixture
def crm() -> ScriptedChannel:
    return ScriptedChannel("salesforce", repeatable=True, tells_withdrawals=True)


@pytest.fixture
def bench(
    base: Base, standins: Addresses, tenant_id: str, slack: ScriptedChannel, crm: ScriptedChannel
) -> Bench:
    settings = notifier_settings(standins, notify_poll_s=0.05)
    return Bench(base, settings, tenant_id, {"slack": slack, "salesforce": crm})


async def test_an_open_critical_episode_makes_one_delivery_for_each_sink(bench: Bench) -> None:
    await bench.hear(public_lead(batch_id="b1"))
    assert await bench.states() == {
        (1, "alert", "slack"): "pending",
        (1, "alert", "salesforce"): "pending",
    }
    (row, _) = await bench.rows()
    assert row.batch_id == "b1"
    assert row.content["title"] == public_lead().title


async def test_a_message_read_again_changes_nothing(bench: Bench) -> None:
    await bench.hear(public_lead(version=2))
    await bench.send_all()
    before = await bench.rows()
    await bench.hear(public_lead(version=2), public_lead(version=1, episode=7))
    assert await bench.rows() == before


async def test_a_newer_version_of_the_same_episode_is_no_news_but_the_alert_that_waits_says_it(
    bench: Bench,
) -> None:
    await bench.hear(public_lead(version=1))
    await bench.hear(public_lead(version=2, score=99.0), public_lead(version=3, score=98.0))
    rows = await bench.rows()
    assert len(rows) == 2
    assert {row.content["score"] for row in rows} == {98.0}


async def test_a_second_episode_is_announced_again(bench: Bench) -> None:
    await bench.hear(public_lead(version=1))
    await bench.send_all()
    await bench.hear(public_lead(version=2, episode_open=False))
    await bench.hear(public_lead(version=3, episode=2))
    alerts = [row for row in await bench.rows() if row.purpose == "alert"]
    assert sorted((row.episode, row.state) for row in alerts) == [
        *[(1, "sent")] * 2,
        *[(2, "pending")] * 2,
    ]


@pytest.mark.parametrize("in_one_batch", [True, False])
async def test_nobody_is_alerted_of_a_lead_that_is_not_critical_any_more(
    bench: Bench, slack: ScriptedChannel, crm: ScriptedChannel, in_one_batch: bool
) -> None:
    critical, fallen = public_lead(version=1), public_lead(version=2, **FALLEN)
    for batch in [(critical, fallen)] if in_one_batch else [(critical,), (fallen,)]:
        await bench.hear(*batch)
    assert {(row.state, row.note) for row in await bench.rows()} == {("cancelled", LAPSED)}
    await bench.send_all()
    assert slack.calls == crm.calls == []

    await bench.hear(public_lead(version=3, episode=2))
    await bench.send_all()
    assert [call.episode for call in slack.calls] == [2]


async def test_an_alert_that_failed_is_not_tried_again_once_its_lead_is_not_critical(
    bench: Bench, slack: ScriptedChannel
) -> None:
    slack.outcomes = [Retryable("503")]
    await bench.hear(public_lead(version=1))
    await bench.send_until_one_failed()
    await bench.hear(public_lead(version=2, **FALLEN))
    assert (await bench.states())[(1, "alert", "slack")] == "cancelled"


async def test_whoever_was_alerted_hears_that_the_lead_fell(
    base: Base, standins: Addresses, tenant_id: str
) -> None:
    crm = ScriptedChannel("salesforce", tells_withdrawals=True, sends=frozenset(Purpose))
    bench = Bench(base, notifier_settings(standins), tenant_id, {"salesforce": crm})
    await bench.hear(public_lead(version=1))
    await bench.send_all()
    await bench.hear(public_lead(version=2, **FALLEN))
    await bench.send_all()
    assert [call.purpose for call in crm.calls] == ["alert", "update"]


async def test_a_withdrawal_before_anything_was_sent_cancels_and_tells_nobody(
    bench: Bench, slack: ScriptedChannel, crm: ScriptedChannel
) -> None:
    await bench.hear(public_lead(version=1))
    await bench.hear(public_lead(version=2, **WITHDRAWN))
    assert set((await bench.states()).values()) == {"cancelled"}
    await bench.send_all()
    assert slack.calls == crm.calls == []


async def test_the_crm_is_told_of_the_withdrawal_of_what_it_was_told(
    bench: Bench, slack: ScriptedChannel, crm: ScriptedChannel
) -> None:
    await bench.hear(public_lead(version=1))
    await bench.send_all()
    await bench.hear(public_lead(version=2, **WITHDRAWN))
    await bench.send_all()
    assert await bench.states() == {
        (1, "alert", "slack"): "sent",
        (1, "alert", "salesforce"): "sent",
        (1, "withdrawal", "salesforce"): "sent",
    }
    (row,) = [row for row in await bench.rows() if row.purpose == "withdrawal"]
    assert row.content["reason"] == "support renewed"
    assert row.content["alert"]["lead_id"] == LEAD
    assert [call.purpose for call in slack.calls] == ["alert"]
    assert [call.purpose for call in crm.calls] == ["alert", "withdrawal"]


async def test_an_alert_that_may_have_arrived_is_withdrawn_too(
    bench: Bench, crm: ScriptedChannel
) -> None:
    crm.outcomes = [Retryable("503")]
    await bench.hear(public_lead(version=1))
    await bench.send_until_one_failed()
    await bench.hear((LEAD, 2))
    states = await bench.states()
    assert states[(1, "alert", "salesforce")] == "cancelled"
    assert states[(1, "withdrawal", "salesforce")] == "pending"


async def test_withdrawal_and_tombstone_together_are_one(bench: Bench) -> None:
    await bench.hear(public_lead(version=1))
    await bench.send_all()
    await bench.hear((LEAD, 3), public_lead(version=2, **WITHDRAWN))
    await bench.hear((LEAD, 3))
    withdrawals = [row for row in await bench.rows() if row.purpose == "withdrawal"]
    assert len(withdrawals) == 1
    assert withdrawals[0].content["reason"] == "support renewed"


async def test_a_whole_life_in_one_batch_in_any_order_ends_as_it_would_one_by_one(
    bench: Bench,
) -> None:
    await bench.hear(
        public_lead(version=4, episode=2),
        public_lead(version=1),
        public_lead(version=2, **WITHDRAWN),
        (LEAD, 3),
    )
    assert await bench.states() == {
        (1, "alert", "slack"): "cancelled",
        (1, "alert", "salesforce"): "cancelled",
        (2, "alert", "slack"): "pending",
        (2, "alert", "salesforce"): "pending",
    }


async def test_a_return_and_a_second_withdrawal_are_told_again(
    bench: Bench, crm: ScriptedChannel
) -> None:
    await bench.hear(public_lead(version=1))
    await bench.send_all()
    await bench.hear((LEAD, 2))
    await bench.hear(public_lead(version=3, episode=2))
    await bench.send_all()
    await bench.hear((LEAD, 4))
    await bench.send_all()
    told = [(call.episode, call.purpose) for call in crm.calls]
    assert told == [(1, "alert"), (1, "withdrawal"), (2, "alert"), (2, "withdrawal")]


async def test_a_rebuilt_notifier_announces_nothing_older_than_the_set_day(
    base: Base, standins: Addresses, tenant_id: str, slack: ScriptedChannel
) -> None:
    settings = notifier_settings(standins)
    rebuilt = Bench(base, settings, tenant_id, {"slack": slack}, since=AS_OF)
    await rebuilt.hear(
        public_lead(lead_id="old", critical_since=AS_OF - timedelta(days=1)),
        public_lead(lead_id="new", critical_since=AS_OF),
    )
    assert [row.lead_id for row in await rebuilt.rows()] == ["new"]


async def test_leads_of_other_tenants_go_to_nobody(
    base: Base, standins: Addresses, tenant_id: str, slack: ScriptedChannel
) -> None:
    ours = Bench(base, notifier_settings(standins), tenant_id, {"slack": slack})
    other = Bench(base, notifier_settings(standins), f"{tenant_id}-b", {})
    await other.hear(public_lead())
    assert await other.rows() == []
    assert await ours.rows() == []


async def test_row_level_security_shows_a_tenant_its_own_rows_only(
    base: Base, bench: Bench
) -> None:
    await bench.hear(public_lead())
    bench.tenant = f"{bench.tenant}-other"
    assert await bench.rows() == []
