"""A lead that goes to another office: the old one hears no more of it, the new one hears it all."""

from datetime import timedelta

import pytest

from services.notifier.dispatcher.recording import Recorder
from services.notifier.dispatcher.sending import put_back
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.moves import ELSEWHERE
from services.notifier.repository import DeliveryQueue
from services.notifier.repository.queue import Lease, Wanted
from shared import clock
from shared.events import LeadState
from shared.ops.composition import Base
from tests.integration.notifier.people import BOT, MAIL, People, plan_for, states, status
from tests.support.notifier_builders import public_lead

LUZERN, ROMANDIE = "luzern", "romandie"


@pytest.fixture
def people(base: Base, tenant_id: str) -> People:
    """Luzern reads mails, Romandie has a bot; the tenant's CRM hears of every office."""
    return People(base, tenant_id, plan_for(tenant_id, offices={MAIL: LUZERN, BOT: ROMANDIE}))


async def test_only_the_leads_office_is_told(people: People) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    assert set(states(await people.rows())) == {"email", "salesforce"}
    await people.hear(public_lead(version=1, lead_id="nobodys", office_id="unassigned"))
    found = [row.channel for row in await people.rows() if row.lead_id == "nobodys"]
    assert found == ["salesforce"]


async def test_what_waits_for_the_old_office_is_cancelled_and_the_new_one_is_told(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.hear(public_lead(version=2, office_id=ROMANDIE))

    rows = await people.rows()
    assert states(rows) == {"email": "cancelled", "slack_bot": "pending", "salesforce": "pending"}
    assert {row.purpose for row in rows} == {"alert"}
    assert [row.note for row in rows if row.channel == "email"] == [ELSEWHERE]


async def test_whoever_was_told_hears_that_it_is_gone_and_nothing_after_that(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.sent()
    await people.hear(public_lead(version=2, office_id=ROMANDIE, title="Another title"))

    [gone] = await people.rows(Purpose.WITHDRAWAL)
    assert (gone.channel, gone.content["reason"]) == ("email", ELSEWHERE)
    assert ROMANDIE not in str(gone.content)
    assert "Another title" not in str(gone.content)
    await people.sent()
    await people.hear(public_lead(version=3, office_id=ROMANDIE, score=99.0))
    await people.stand(status(1, state=LeadState.MEETING))
    await people.hear(public_lead(version=4, office_id=ROMANDIE, state="withdrawn", reason="gone"))
    about = [row for row in await people.rows() if row.channel == "email"]
    assert [row.purpose for row in about] == ["alert", "withdrawal"]
    ended = await people.rows(Purpose.WITHDRAWAL)
    assert sorted(row.channel for row in ended) == ["email", "salesforce", "slack_bot"]


async def test_what_was_cancelled_waits_again_when_the_lead_comes_back(people: People) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.hear(public_lead(version=2, office_id=ROMANDIE))
    await people.hear(public_lead(version=3, office_id=LUZERN))

    assert states(await people.rows()) == {
        "email": "pending",
        "slack_bot": "cancelled",
        "salesforce": "pending",
    }


async def test_an_office_that_was_told_hears_that_the_lead_came_back(people: People) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.sent()
    await people.hear(public_lead(version=2, office_id=ROMANDIE))
    await people.sent()
    await people.hear(public_lead(version=3, office_id=LUZERN))

    mails = [row for row in await people.rows() if row.channel == "email"]
    assert [row.purpose for row in mails] == ["alert", "update", "withdrawal"]
    update = mails[1].content
    assert update["changes"] == [{"what": "Office", "before": "another", "after": LUZERN}]
    assert ROMANDIE not in str(update)


async def test_moves_in_one_batch_count_as_one(people: People) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.sent()
    away, back = (public_lead(version=v, office_id=o) for v, o in ((2, ROMANDIE), (3, LUZERN)))
    await people.hear(away, back)

    assert [row.channel for row in await people.rows(Purpose.WITHDRAWAL)] == []
    waiting = [row.channel for row in await people.rows() if row.state == "pending"]
    assert "slack_bot" not in waiting


async def test_an_office_hears_that_its_lead_is_gone_though_it_went_and_ended_at_once(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.sent()
    gone = public_lead(version=3, office_id=ROMANDIE, state="withdrawn", reason="renewed")
    await people.hear(public_lead(version=2, office_id=ROMANDIE), gone)

    told = {row.channel: row.content["reason"] for row in await people.rows(Purpose.WITHDRAWAL)}
    assert told == {"email": ELSEWHERE, "salesforce": "renewed"}


async def test_offices_given_to_a_tenant_that_had_none_take_nothing_from_its_own_sinks(
    base: Base, tenant_id: str
) -> None:
    people = People(base, tenant_id, plan_for(tenant_id, offices={BOT: ROMANDIE}))
    await people.hear(public_lead(version=1))
    await people.sent()
    await people.hear(public_lead(version=2, office_id=ROMANDIE))

    assert await people.rows(Purpose.WITHDRAWAL) == []
    assert await people.rows(Purpose.UPDATE) == []
    assert states(await people.rows(Purpose.ALERT))["slack_bot"] == "pending"


@pytest.mark.parametrize(("office", "state"), [(LUZERN, "retry"), (ROMANDIE, "cancelled")])
async def test_a_try_that_failed_is_repeated_only_for_an_office_that_still_has_the_lead(
    base: Base, tenant_id: str, office: str, state: str
) -> None:
    plan = plan_for(tenant_id, offices={MAIL: LUZERN})
    people, queue = People(base, tenant_id, plan), DeliveryQueue()
    await people.hear(public_lead(version=1, office_id=LUZERN))
    now = clock.now()
    lease = Lease("token", now, timedelta(minutes=1))
    async with base.database.transaction({tenant_id}) as connection:
        [item] = await queue.lease(connection, [Wanted(tenant_id, MAIL, 1)], lease)
    await people.hear(public_lead(version=2, office_id=office))
    assert states(await people.rows(Purpose.ALERT))["email"] == "sending"

    await Recorder(base, queue, plan)._record([await put_back(item, rest_s=0.0)])

    [mail] = [row for row in await people.rows(Purpose.ALERT) if row.channel == "email"]
    assert (mail.state, mail.note == ELSEWHERE) == (state, state == "cancelled")
