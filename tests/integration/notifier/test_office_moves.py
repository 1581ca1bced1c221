"""A lead that goes to another office: the old one hears no more of it, the new one hears it all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.dispatcher.recording import Recorder
from services.notifier.dispatcher.sending import put_back
from services.notifier.dispatcher.walls import let_out
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.moves import BACK, ELSEWHERE
from services.notifier.domain.plan import Plan, Target
from services.notifier.domain.plan.people import People as PeopleOf
from services.notifier.domain.plan.people import Person
from services.notifier.repository import DeliveryQueue, Leased
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


async def test_a_lead_that_went_ended_and_came_again_at_once_is_told_to_the_office_that_has_it(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.sent()
    gone = public_lead(version=3, office_id=ROMANDIE, state="withdrawn", reason="renewed")
    again = public_lead(version=4, office_id=LUZERN, episode=2)
    await people.hear(public_lead(version=2, office_id=ROMANDIE), gone, again)

    alerts = await people.rows(Purpose.ALERT)
    assert {(row.channel, row.episode): row.state for row in alerts} == {
        ("email", 1): "sent",
        ("salesforce", 1): "sent",
        ("slack_bot", 1): "cancelled",
        ("email", 2): "pending",
        ("salesforce", 2): "pending",
    }
    assert [row.channel for row in await people.rows(Purpose.WITHDRAWAL)] == ["salesforce"]


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


async def test_an_alert_that_waits_again_says_what_its_lead_says_now(people: People) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN, score=80.0))
    await people.hear(public_lead(version=2, office_id=ROMANDIE))
    await people.execute("UPDATE notifier.deliveries SET announced = true")
    await people.hear(public_lead(version=3, office_id=LUZERN, score=95.0))

    [mail] = await mails(people)
    assert (mail.state, mail.content["score"], mail.score) == ("pending", 95.0, 95.0)
    assert (mail.announced, mail.settled_at, mail.note) == (False, None, None)


async def test_an_alert_of_an_episode_that_is_over_does_not_come_back(people: People) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.hear(public_lead(version=2, office_id=ROMANDIE))
    await people.hear(public_lead(version=3, office_id=LUZERN, score=50.0, episode_open=False))
    assert [row.state for row in await mails(people)] == ["cancelled"]


async def test_what_a_withdrawn_lead_had_to_say_is_not_repeated_when_another_try_fails(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.hear(public_lead(version=2, office_id=ROMANDIE))
    await people.hear(public_lead(version=3, office_id=ROMANDIE, state="withdrawn", reason="gone"))
    await people.hear(public_lead(version=4, office_id=LUZERN, episode=2))
    [item] = await leased(people, MAIL)
    await Recorder(people.base, DeliveryQueue(), people.plan)._record(
        [await put_back(item, rest_s=0.0)]
    )
    assert [(row.episode, row.state) for row in await mails(people)] == [
        (1, "cancelled"),
        (2, "retry"),
    ]


async def test_an_office_that_has_its_lead_again_is_not_told_that_it_was_gone(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.sent()
    await people.hear(public_lead(version=2, office_id=ROMANDIE))
    await people.hear(public_lead(version=3, office_id=LUZERN))
    told = [(row.purpose, row.state, row.note) for row in await mails(people)]
    assert told == [("alert", "sent", None), ("withdrawal", "cancelled", BACK)]


async def test_an_office_that_never_heard_that_its_lead_was_gone_hears_what_changed_meanwhile(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN, score=80.0))
    await people.sent()
    await people.hear(public_lead(version=2, office_id=ROMANDIE, score=95.0))
    await people.hear(public_lead(version=3, office_id=LUZERN, score=95.0))
    update = next(row for row in await mails(people) if row.purpose == "update")
    assert update.state == "pending"
    assert update.content["changes"] == [{"what": "Score", "before": "80.0", "after": "95.0"}]


async def test_an_office_that_may_have_heard_that_its_lead_was_gone_hears_that_it_came_back(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    await people.sent()
    await people.hear(public_lead(version=2, office_id=ROMANDIE))
    await people.execute(
        "UPDATE notifier.deliveries SET state = 'retry', tries = 1, in_doubt = true"
        " WHERE purpose = 'withdrawal'"
    )
    await people.hear(public_lead(version=3, office_id=LUZERN))
    [_, came, gone] = await mails(people)
    assert [change["what"] for change in came.content["changes"]] == ["Office"]
    assert (gone.purpose, gone.state) == ("withdrawal", "cancelled")


@pytest.fixture
def bert(base: Base, tenant_id: str) -> People:
    """The mails go to whoever owns the lead: bert, who works for Luzern. The sink names no offices."""
    plan = plan_for(tenant_id)
    sinks = tuple(
        replace(sink, owners=frozenset(sink.targets)) if MAIL in sink.targets else sink
        for sink in plan.sinks
    )
    person = Person(
        mail=MAIL.address, tenants=(tenant_id,), offices=(LUZERN,), accounts=("account-1",)
    )
    return People(base, tenant_id, Plan(sinks, people=PeopleOf({"bert": person})))


async def test_what_waits_for_a_person_is_cancelled_when_their_office_has_the_lead_no_more(
    bert: People,
) -> None:
    await bert.hear(public_lead(version=1, office_id=LUZERN))
    assert [row.state for row in await mails(bert)] == ["pending"]
    await bert.hear(public_lead(version=2, office_id=ROMANDIE))
    assert [(row.state, row.note) for row in await mails(bert)] == [("cancelled", ELSEWHERE)]


async def test_a_person_hears_that_the_lead_is_gone_from_their_office_and_nothing_after_that(
    bert: People,
) -> None:
    await bert.hear(public_lead(version=1, office_id=LUZERN))
    await bert.sent()
    await bert.hear(public_lead(version=2, office_id=ROMANDIE, score=95.0))
    await bert.sent()
    await bert.hear(public_lead(version=3, office_id=ROMANDIE, score=60.0))
    await bert.stand(status(1, state=LeadState.MEETING))
    await bert.hear(public_lead(version=4, office_id=ROMANDIE, state="withdrawn", reason="gone"))
    about = await mails(bert)
    assert [row.purpose for row in about] == ["alert", "withdrawal"]
    assert about[1].content["reason"] == ELSEWHERE


async def test_what_waits_for_a_sink_that_is_not_configured_here_is_left_to_those_who_know_it(
    people: People,
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    older = tuple(sink for sink in people.plan.sinks if MAIL not in sink.targets)
    replica = People(people.base, people.tenant, Plan(older))
    await replica.hear(public_lead(version=2, office_id=ROMANDIE))
    assert [(row.state, row.note) for row in await mails(people)] == [("pending", None)]


@pytest.mark.parametrize(("office", "state"), [(LUZERN, "sending"), (ROMANDIE, "cancelled")])
async def test_a_try_that_failed_is_repeated_only_for_an_office_that_still_has_the_lead(
    people: People, office: str, state: str
) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    [item] = await leased(people, MAIL)
    await people.hear(public_lead(version=2, office_id=office))
    assert states(await people.rows(Purpose.ALERT))["email"] == "sending"

    recorder = Recorder(people.base, DeliveryQueue(), people.plan)
    await recorder._record([await put_back(item, rest_s=0.0)])
    again = await leased(people, MAIL)

    [mail] = [row for row in await mails(people) if row.purpose == "alert"]
    assert (mail.state, mail.note == ELSEWHERE) == (state, state == "cancelled")
    assert [each.delivery.id for each in again] == [mail.delivery_id] * (state == "sending")


async def test_a_move_in_the_moment_of_the_lease_is_not_missed(people: People) -> None:
    await people.hear(public_lead(version=1, office_id=LUZERN))
    now = clock.now()
    lease, wanted = Lease("token", now, timedelta(minutes=1)), [Wanted(people.tenant, MAIL, 1)]
    async with people.base.database.transaction({people.tenant}) as connection:
        found = await DeliveryQueue().lease(connection, wanted, lease)
        elsewhere = f"jsonb_set(alert, '{{office_id}}', '\"{ROMANDIE}\"')"
        await people.execute(f"UPDATE notifier.leads SET alert = {elsewhere}")
        assert await let_out(connection, people.plan, found, now) == []
    [mail] = await mails(people)
    assert (mail.state, mail.note) == ("cancelled", ELSEWHERE)


async def mails(people: People) -> list[Any]:
    """What the mail's target was, or is to be, told."""
    return [row for row in await people.rows() if row.channel == MAIL.channel]


async def leased(people: People, target: Target) -> list[Leased]:
    """What would go out to a target now."""
    now = clock.now()
    lease, wanted = Lease("token", now, timedelta(minutes=1)), [Wanted(people.tenant, target, 1)]
    async with people.base.database.transaction({people.tenant}) as connection:
        found = await DeliveryQueue().lease(connection, wanted, lease)
        return await let_out(connection, people.plan, found, now)
