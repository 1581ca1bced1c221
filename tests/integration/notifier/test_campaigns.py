from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.campaigns import Campaigns
from services.notifier.domain.campaigns import Enrolment
from services.notifier.domain.delivery import Purpose
from services.notifier.outreach import Writer
from services.notifier.repository.people import PeopleRepository
from shared.errors import UserError
from shared.events import LeadChange, LeadState
from shared.ops.composition import Base
from tests.integration.notifier.people import LEAD, People, plan_for, status
from tests.support.notifier_builders import public_lead
from tests.support.set_clock import SetClock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTACT, COLLEAGUE = "cio@customer.example", "cto@customer.example"


def render(template: str, variables: dict[str, object]) -> tuple[str, str, str]:
    return f"{template}: {variables['title']}", "text", "<p>html</p>"


def unsubscribe_url(tenant_id: str, address: str) -> str:
    return f"https://onelead.example/unsubscribe/{tenant_id}/{address}"


@pytest.fixture
async def people(base: Base, tenant_id: str, set_clock: SetClock) -> People:
    set_clock.set(START)
    found = People(base, tenant_id, plan_for(tenant_id))
    await found.hear(public_lead(version=1))
    return found


async def enrol(people: People, contact: str = CONTACT) -> Enrolment | None:
    enrolment = Enrolment(people.tenant, LEAD, contact, "drip", 0, START, 0, LeadState.NEW)
    async with people.base.database.transaction({people.tenant}) as connection:
        return await PeopleRepository().enrol(connection, enrolment, actor="anna")


async def on_day(people: People, day: float, set_clock: SetClock, *, times: int = 2) -> None:
    set_clock.set(START + timedelta(days=day))
    worker = Campaigns(people.base, people.plan, Writer(render, unsubscribe_url), interval_s=60)
    for _ in range(times):
        await worker.step()


async def died(people: People, error: str) -> None:
    """The mails so far were given up, their last attempt for this class of failure."""
    await people.execute(
        "INSERT INTO notifier.attempts (tenant_id, delivery_id, number, started_at, error, outcome)"
        " SELECT tenant_id, delivery_id, 1, :now, :error, 'rejected' FROM notifier.deliveries"
        " WHERE purpose = 'outreach'",
        now=START,
        error=error,
    )
    await people.execute(
        "UPDATE notifier.deliveries SET state = 'dead', tries = 1 WHERE purpose = 'outreach'"
    )


async def ended(people: People) -> str | None:
    async with people.base.database.transaction({people.tenant}) as connection:
        (row,) = await PeopleRepository().enrolments(connection, people.tenant, 10)
    reason: str | None = row.ended
    return reason


async def test_three_mails_on_their_days_then_a_call_task_and_it_is_through(
    people: People, set_clock: SetClock
) -> None:
    await enrol(people)
    for day, sent in ((0, 1), (1, 1), (3, 2), (6.9, 2), (7, 3), (13, 3)):
        await on_day(people, day, set_clock)
        assert len(await people.rows(Purpose.OUTREACH)) == sent
    assert await people.rows(Purpose.CALL_TASK) == []
    await on_day(people, 14, set_clock)
    mails = await people.rows(Purpose.OUTREACH)
    assert [row.content["subject"].split(":")[0] for row in mails] == [
        "first_outreach",
        "value",
        "last_reminder",
    ]
    assert {row.content["to"] for row in mails} == {CONTACT}
    assert mails[0].content["unsubscribe_url"].endswith(CONTACT)
    assert {row.channel for row in await people.rows(Purpose.CALL_TASK)} == {
        "email",
        "slack_bot",
        "salesforce",
    }
    assert await ended(people) == "all steps done"


async def test_a_moved_lead_stops_it_and_cancels_the_mail_that_waits(
    people: People, set_clock: SetClock
) -> None:
    await enrol(people)
    await on_day(people, 0, set_clock)
    await people.stand(status(1, state=LeadState.CONTACTED))
    assert await ended(people) == "the lead is contacted now"
    assert [row.state for row in await people.rows(Purpose.OUTREACH)] == ["cancelled"]
    await on_day(people, 3, set_clock)
    assert len(await people.rows(Purpose.OUTREACH)) == 1


async def test_do_not_contact_stops_it(people: People, set_clock: SetClock) -> None:
    await enrol(people)
    until = START + timedelta(days=90)
    await people.stand(status(1, change=LeadChange.DO_NOT_CONTACT_SET, do_not_contact_until=until))
    await on_day(people, 0, set_clock)
    assert await people.rows(Purpose.OUTREACH) == []
    assert await ended(people) == "the account is not to be contacted"


async def test_a_withdrawn_lead_stops_it(people: People, set_clock: SetClock) -> None:
    await enrol(people)
    await people.hear(public_lead(version=2, state="withdrawn", episode_open=False))
    await on_day(people, 0, set_clock)
    assert await people.rows(Purpose.OUTREACH) == []
    assert await ended(people) == "the lead was withdrawn"


async def test_who_unsubscribes_is_not_written_to_again_about_any_lead(
    people: People, set_clock: SetClock
) -> None:
    await enrol(people)
    await on_day(people, 0, set_clock)
    async with people.base.database.transaction({people.tenant}) as connection:
        await PeopleRepository().unsubscribe(connection, people.tenant, CONTACT.upper(), START)
    assert await ended(people) == "unsubscribed"
    assert [row.state for row in await people.rows(Purpose.OUTREACH)] == ["cancelled"]
    await enrol(people)
    await on_day(people, 3, set_clock)
    assert await ended(people) == "unsubscribed"


async def test_a_mail_refused_for_good_is_a_bounce(people: People, set_clock: SetClock) -> None:
    await enrol(people)
    await on_day(people, 0, set_clock)
    await died(people, "recipient")
    await on_day(people, 3, set_clock)
    assert await ended(people) == "bounced"
    assert len(await people.rows(Purpose.OUTREACH)) == 1


async def test_a_mail_that_our_own_server_never_took_is_no_bounce(
    people: People, set_clock: SetClock
) -> None:
    await enrol(people)
    await on_day(people, 0, set_clock)
    await died(people, "connect")
    await on_day(people, 3, set_clock)
    assert await ended(people) is None
    assert len(await people.rows(Purpose.OUTREACH)) == 2


async def test_two_contacts_of_a_lead_get_a_mail_each_and_one_may_unsubscribe_alone(
    people: People, set_clock: SetClock
) -> None:
    await enrol(people)
    await enrol(people, contact=COLLEAGUE)
    await on_day(people, 0, set_clock)
    assert {row.content["to"] for row in await people.rows(Purpose.OUTREACH)} == {
        CONTACT,
        COLLEAGUE,
    }
    async with people.base.database.transaction({people.tenant}) as connection:
        await PeopleRepository().unsubscribe(connection, people.tenant, CONTACT, START)
    await on_day(people, 3, set_clock)
    written = [row.content["to"] for row in await people.rows(Purpose.OUTREACH)]
    assert sorted(written) == sorted([CONTACT, COLLEAGUE, COLLEAGUE])


async def test_a_campaign_runs_once_at_a_time_and_again_after_its_end(
    people: People, set_clock: SetClock
) -> None:
    assert await enrol(people) is not None
    assert await enrol(people) is None
    await on_day(people, 0, set_clock)
    await people.execute("UPDATE notifier.enrolments SET ended = 'by hand'")
    again = await enrol(people)
    assert again is not None
    assert again.round == 1
    await on_day(people, 0, set_clock)
    assert len(await people.rows(Purpose.OUTREACH)) == 2


async def test_a_template_that_cannot_be_rendered_ends_it_with_the_reason(
    people: People, set_clock: SetClock
) -> None:
    def broken(template: str, variables: dict[str, object]) -> tuple[str, str, str]:
        del variables
        raise UserError(f"{template}.txt.j2:3: no variable is called `titel`")

    await enrol(people)
    writer = Writer(broken, unsubscribe_url)
    await Campaigns(people.base, people.plan, writer, interval_s=60).step()
    assert await ended(people) == "first_outreach.txt.j2:3: no variable is called `titel`"
    assert await people.rows(Purpose.OUTREACH) == []
