from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from services.notifier.digests import Digests
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.digests import DigestTimes
from services.notifier.domain.plan import Plan
from shared.events import LeadChange, LeadState
from shared.ops.composition import Base
from tests.integration.notifier.people import BOT, MAIL, People, lead, plan_for, status
from tests.support.notifier_builders import CONSOLE
from tests.support.set_clock import SetClock

TIMES = DigestTimes(daily_at=time(8), weekly_at=time(8), weekly_on=0)
MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.fixture
def people(base: Base, tenant_id: str) -> People:
    return People(base, tenant_id, plan_for(tenant_id))


def digests(base: Base, plan: Plan) -> Digests:
    return Digests(base, plan, TIMES, console_url=CONSOLE, interval_s=60)


async def at(people: People, moment: datetime, set_clock: SetClock, *, times: int = 1) -> None:
    """A worker, or several after one another, at a moment."""
    set_clock.set(moment)
    for _ in range(times):
        await digests(people.base, people.plan).step()


async def test_a_days_new_leads_are_one_digest_for_each_sink_and_made_once(
    people: People, set_clock: SetClock
) -> None:
    set_clock.set(MONDAY)
    await people.hear(lead(1), lead(2, score=90.0))
    await at(people, MONDAY + timedelta(hours=1), set_clock)
    assert await people.rows(Purpose.DAILY_DIGEST) == []
    await at(people, MONDAY + timedelta(hours=2, minutes=5), set_clock, times=3)
    rows = await people.rows(Purpose.DAILY_DIGEST)
    assert {row.channel for row in rows} == {"email", "slack_bot", "salesforce"}
    digest = rows[0].content
    assert (digest["total"], digest["critical"]) == (2, 2)
    assert Decimal(digest["pipeline"]) == 2 * Decimal(10525)
    assert [line["lead_id"] for line in digest["lines"]] == ["lead-2", "lead-1"]


async def test_a_day_without_new_leads_has_no_digest(people: People, set_clock: SetClock) -> None:
    set_clock.set(MONDAY)
    await people.hear(lead(1))
    await at(people, MONDAY + timedelta(hours=3), set_clock)
    await at(people, MONDAY + timedelta(days=1, hours=3), set_clock)
    assert len(await people.rows(Purpose.DAILY_DIGEST)) == 3


async def test_an_office_reads_of_its_own_leads_only(
    base: Base, tenant_id: str, set_clock: SetClock
) -> None:
    plan = plan_for(tenant_id, offices={MAIL: "luzern", BOT: "romandie"})
    people = People(base, tenant_id, plan)
    set_clock.set(MONDAY)
    await people.hear(
        lead(1, office_id="luzern"),
        lead(2, office_id="egeli"),
        lead(3),
    )
    await at(people, MONDAY + timedelta(hours=3), set_clock)
    rows = {row.channel: row.content for row in await people.rows(Purpose.DAILY_DIGEST)}
    assert [line["lead_id"] for line in rows["email"]["lines"]] == ["lead-1"]
    assert rows["email"]["total"] == 1
    assert "slack_bot" not in rows
    assert rows["salesforce"]["total"] == 3


async def test_what_is_snoozed_or_done_with_is_in_no_digest(
    people: People, set_clock: SetClock
) -> None:
    set_clock.set(MONDAY)
    await people.hear(*(lead(n) for n in range(1, 5)))
    later = MONDAY + timedelta(days=9)
    await people.stand(
        status(1, lead_id="lead-1", change=LeadChange.SNOOZED, snoozed_until=later),
        status(1, lead_id="lead-2", state=LeadState.WON),
        status(1, lead_id="lead-3", do_not_contact_until=later),
    )
    await at(people, MONDAY + timedelta(hours=3), set_clock)
    (row, *_) = await people.rows(Purpose.DAILY_DIGEST)
    assert [line["lead_id"] for line in row.content["lines"]] == ["lead-4"]


async def test_a_weekly_summary_shows_the_territories_and_their_last_weeks(
    people: People, set_clock: SetClock
) -> None:
    set_clock.set(MONDAY)
    await people.hear(lead(1), lead(2, territory="56180"))
    await at(people, MONDAY + timedelta(hours=3), set_clock)
    await people.hear(lead(3, estimated_value_max=Decimal(1000)))
    await at(people, MONDAY + timedelta(days=7, hours=3), set_clock)
    first, second = [r for r in await people.rows(Purpose.WEEKLY_SUMMARY) if r.channel == "email"]
    assert {t["territory"]: t["trend"] for t in first.content["territories"]} == {
        "56088": [10525.0],
        "56180": [10525.0],
    }
    assert {t["territory"]: t["trend"] for t in second.content["territories"]} == {
        "56088": [10525.0, 11525.0],
        "56180": [10525.0, 10525.0],
    }


async def test_a_lead_nobody_touched_for_30_days_is_told_once_and_again_after_a_touch(
    people: People, set_clock: SetClock
) -> None:
    set_clock.set(MONDAY)
    await people.hear(lead(1), lead(2, priority="MEDIUM", score=50.0))
    await at(people, MONDAY + timedelta(days=29, hours=3), set_clock)
    assert await people.rows(Purpose.AGEING) == []
    await at(people, MONDAY + timedelta(days=31, hours=3), set_clock)
    await at(people, MONDAY + timedelta(days=33, hours=3), set_clock)
    (mail,) = [r for r in await people.rows(Purpose.AGEING) if r.channel == "email"]
    assert [line["lead_id"] for line in mail.content["lines"]] == ["lead-1"]
    assert mail.content["lines"][0]["note"] == "untouched for 31 days"
    touched = MONDAY + timedelta(days=34)
    await people.stand(status(1, lead_id="lead-1", touched_at=touched))
    await at(people, MONDAY + timedelta(days=66, hours=3), set_clock)
    assert len([r for r in await people.rows(Purpose.AGEING) if r.channel == "email"]) == 2
