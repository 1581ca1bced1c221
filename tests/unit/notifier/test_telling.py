from datetime import UTC, datetime, timedelta

from services.notifier.domain.contents import Change, FollowUp, Update, Withdrawal
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Limits, Plan, Sink, Target
from services.notifier.domain.routing import Withdraw
from services.notifier.domain.standing import Standing
from services.notifier.repository import Told
from services.notifier.telling import News, Telling
from shared.events import LeadChange, LeadState, LeadStatusChanged
from tests.support.notifier_builders import alert

NOW = datetime(2025, 10, 9, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
KEY = ("default", "lead-1")
BOT = Target("slack_bot", "C1")
CRM = Target("salesforce", "crm", tells_withdrawals=True)
NEWS = News(7, "event-7", "00-trace", "batch-1")
SCORE = Change(what="Score", before="82.5", after="90.0")


def sink(target: Target, *sends: Purpose) -> Sink:
    return Sink(
        name=target.channel,
        targets=(target,),
        tenants=frozenset({"default"}),
        sends=frozenset(sends),
        limits=Limits(),
        concurrency=1,
    )


TOLD_OF = (Purpose.ALERT, Purpose.UPDATE, Purpose.WITHDRAWAL, Purpose.FOLLOW_UP)


def telling(*sends: Purpose) -> Telling:
    return Telling(Plan((sink(BOT, *(sends or TOLD_OF)), sink(CRM, *(sends or TOLD_OF)))), NOW)


def told(target: Target, episode: int = 1) -> Told:
    return Told(KEY, episode, target, alert())


def test_an_alert_goes_to_each_target_at_once() -> None:
    found = telling()
    found.announce(KEY, alert(), Standing(), NEWS, (BOT, CRM))
    assert [(d.delivery.channel, d.due_at, d.event_id) for d in found.deliveries] == [
        ("slack_bot", NOW, "event-7"),
        ("salesforce", NOW, "event-7"),
    ]


def test_a_snoozed_lead_waits_for_people_and_is_recorded_at_once() -> None:
    found = telling()
    found.announce(KEY, alert(), Standing(snoozed_until=LATER), NEWS, (BOT, CRM))
    assert [d.due_at for d in found.deliveries] == [LATER, NOW]


def test_an_update_goes_to_those_who_were_told_and_to_nobody_else() -> None:
    found = telling()
    found.update(KEY, alert(score=90.0), (SCORE,), NEWS, to_keepers=False)
    (new,) = found.further([told(BOT), told(CRM)])
    assert (new.delivery.channel, new.delivery.purpose, new.delivery.number) == (
        "slack_bot",
        Purpose.UPDATE,
        7,
    )
    assert isinstance(new.content, Update)
    assert new.content.changes == (SCORE,)
    assert found.further([]) == []


def test_two_changes_in_one_batch_are_one_update_from_first_to_last() -> None:
    found = telling()
    found.update(KEY, alert(), (SCORE,), NEWS, to_keepers=True)
    again = Change(what="Score", before="90.0", after="95.0")
    owner = Change(what="Owner", before="nobody", after="anna")
    found.update(KEY, alert(), (again, owner), News(8, "e", None, None), to_keepers=True)
    (new,) = found.further([told(CRM)])
    assert isinstance(new.content, Update)
    assert new.content.changes == (Change(what="Score", before="82.5", after="95.0"), owner)
    assert new.delivery.number == 8


def test_a_withdrawal_takes_back_what_was_told_and_replaces_updates() -> None:
    found = telling()
    found.update(KEY, alert(), (SCORE,), NEWS, to_keepers=False)
    found.withdraw(KEY, Withdraw("support renewed", 1), NEWS)
    new = found.further([told(BOT), told(CRM), told(CRM, episode=2)])
    assert [(d.delivery.channel, d.delivery.purpose) for d in new] == [
        ("slack_bot", Purpose.WITHDRAWAL),
        ("salesforce", Purpose.WITHDRAWAL),
    ]
    assert all(isinstance(d.content, Withdrawal) for d in new)
    assert found.ended[KEY] == Withdraw("withdrawn: support renewed", 1)
    assert found.stopped[KEY] == "the lead was withdrawn"


def test_a_sink_that_is_told_no_updates_gets_none() -> None:
    found = telling(Purpose.ALERT)
    found.update(KEY, alert(), (SCORE,), NEWS, to_keepers=True)
    found.withdraw(("default", "lead-2"), Withdraw("gone", 1), NEWS)
    assert found.further([told(CRM)]) == []


def status(change: LeadChange, at: datetime | None) -> LeadStatusChanged:
    return LeadStatusChanged(
        version=9,
        lead_id="lead-1",
        account_id="account-1",
        change=change,
        state=LeadState.CONTACTED,
        follow_up_at=at,
        follow_up_note="call\r\nBcc: all",
        changed_at=NOW,
        owner="anna",
    )


def test_a_follow_up_is_an_invitation_and_later_a_reminder() -> None:
    found = telling()
    first, second = News(1_760_000_000_000_000, "e1", None, None), NEWS
    found.follow_up(KEY, alert(), status(LeadChange.FOLLOW_UP_SET, LATER), first)
    found.follow_up(KEY, alert(), status(LeadChange.FOLLOW_UP_DUE, None), second)
    contents = [d.content for d in found.deliveries if d.delivery.channel == "slack_bot"]
    assert all(isinstance(content, FollowUp) for content in contents)
    set_, due = contents
    assert isinstance(set_, FollowUp)
    assert isinstance(due, FollowUp)
    assert (set_.kind, set_.at, set_.note, set_.cancelled) == ("set", LATER, "call Bcc: all", False)
    assert (due.kind, due.at, due.cancelled) == ("due", NOW, False)
    assert 0 < set_.sequence < 2**31


def test_a_follow_up_that_is_cleared_is_taken_back() -> None:
    found = telling()
    found.follow_up(KEY, alert(), status(LeadChange.FOLLOW_UP_SET, None), NEWS)
    content = found.deliveries[0].content
    assert isinstance(content, FollowUp)
    assert content.cancelled


def test_however_often_a_lead_falls_only_its_alerts_are_cancelled() -> None:
    found = telling()
    for through in (1, 2):
        found.lapse(KEY, Withdraw("fell", through, alerts_only=True))
    assert found.ended == {KEY: Withdraw("fell", 2, alerts_only=True)}


def test_a_lead_that_was_withdrawn_and_fell_again_has_ended_wholly() -> None:
    found = telling()
    found.withdraw(KEY, Withdraw("renewed", 1), NEWS)
    found.lapse(KEY, Withdraw("fell", 2, alerts_only=True))
    assert found.ended == {KEY: Withdraw("fell", 2)}
