"""Commands: whose lead it is, what counts as a touch, which texts are kept; leads that come and go."""

from datetime import datetime

import pytest

from services.lifecycle.domain.deciding import MAX_TEXT, clean, decide
from services.lifecycle.domain.presence import appears, observed
from services.lifecycle.domain.status import AccountFlag, Known, Lead, Status
from services.lifecycle.domain.verdict import Changed, Refused, Verdict
from shared.events import Actor, LeadAction, LeadChange, LeadRefusal, LeadState
from tests.support.lifecycle_builders import EARLIER, LATER, MUCH_LATER, NOW, command, held
from tests.support.notifier_builders import public_lead

FREE = AccountFlag()
ACTIONS = [action for action in LeadAction if action is not LeadAction.UNKNOWN]


def refusal_of(verdict: Verdict) -> LeadRefusal:
    assert isinstance(verdict, Refused)
    return verdict.refusal


def status_of(verdict: Verdict) -> Status:
    assert isinstance(verdict, Changed)
    return verdict.status


@pytest.mark.parametrize("action", list(LeadAction))
def test_a_lead_that_is_not_there_is_unknown_whatever_is_asked(action: LeadAction) -> None:
    assert refusal_of(decide(command(action), None, FREE, NOW)) is LeadRefusal.UNKNOWN_LEAD


@pytest.mark.parametrize("action", list(LeadAction))
@pytest.mark.parametrize("office", ["luzern", None])
def test_an_office_commands_its_own_leads_only(action: LeadAction, office: str | None) -> None:
    lead = held(Status(state=LeadState.WON), office_id=office)
    verdict = decide(command(action, office_id="romandie"), lead, FREE, NOW)
    assert verdict == Refused(LeadRefusal.OTHER_OFFICE, "the lead is another office's")


@pytest.mark.parametrize("asking", ["luzern", None])
def test_the_leads_office_and_the_tenant_command_it(asking: str | None) -> None:
    wish = command(LeadAction.ASSIGN, owner="ben", office_id=asking)
    assert status_of(decide(wish, held(office_id="luzern"), FREE, NOW)).owner == "ben"


def test_an_action_that_nobody_knows_is_refused() -> None:
    verdict = decide(command(LeadAction.UNKNOWN), held(), FREE, NOW)
    assert refusal_of(verdict) is LeadRefusal.UNKNOWN_ACTION


@pytest.mark.parametrize(("kind", "touched"), [("person", NOW), ("crm", NOW), ("system", EARLIER)])
def test_only_what_happens_by_itself_is_no_touch(kind: str, touched: datetime) -> None:
    wish = command(LeadAction.ASSIGN, owner="ben", actor=Actor(kind=kind, id="x"))
    status = status_of(decide(wish, held(Status(touched_at=EARLIER)), FREE, NOW))
    assert status.touched_at == touched


@pytest.mark.parametrize("action", [LeadAction.ASSIGN, LeadAction.SNOOZE, LeadAction.FOLLOW_UP])
def test_no_new_work_begins_on_a_withdrawn_lead(action: LeadAction) -> None:
    wish = command(action, owner="ben", until=LATER)
    verdict = decide(wish, held(Status(withdrawn=True)), FREE, NOW)
    assert isinstance(verdict, Refused)
    assert verdict.refusal is LeadRefusal.WITHDRAWN
    assert verdict.allowed == (LeadState.WON, LeadState.LOST, LeadState.REJECTED)


def test_a_withdrawn_lead_is_closed_its_flags_cleared_its_account_left_alone() -> None:
    lead = held(Status(withdrawn=True, snoozed_until=LATER))
    won = decide(command(LeadAction.MOVE, to=LeadState.WON), lead, FREE, NOW)
    assert status_of(won).state is LeadState.WON
    assert status_of(decide(command(LeadAction.SNOOZE), lead, FREE, NOW)).snoozed_until is None
    wish = command(LeadAction.DO_NOT_CONTACT, until=LATER)
    assert status_of(decide(wish, lead, FREE, NOW)).do_not_contact_until == LATER


def test_each_action_reaches_its_field() -> None:
    wishes = {
        LeadAction.MOVE: status_of(
            decide(command(LeadAction.MOVE, to=LeadState.MEETING), held(), FREE, NOW)
        ),
        LeadAction.FOLLOW_UP: status_of(
            decide(command(LeadAction.FOLLOW_UP, until=LATER, note="x"), held(), FREE, NOW)
        ),
    }
    assert wishes[LeadAction.MOVE] == Status(state=LeadState.MEETING, touched_at=NOW)
    assert wishes[LeadAction.FOLLOW_UP] == Status(
        follow_up_at=LATER, follow_up_note="x", touched_at=NOW
    )


def test_texts_are_kept_on_one_line_without_control_characters_and_not_without_end() -> None:
    assert clean(" a\n\x00b\t c\x7f ") == "a b c"
    assert len(clean("x" * 10_000)) == MAX_TEXT
    wish = command(LeadAction.ASSIGN, owner=" ben\n", why="a\r\nb")
    verdict = decide(wish, held(), FREE, NOW)
    assert isinstance(verdict, Changed)
    assert (verdict.status.owner, verdict.why) == ("ben", "a b")


def test_an_owner_of_white_space_is_nobody() -> None:
    wish = command(LeadAction.ASSIGN, owner=" \n")
    lead = held(Status(state=LeadState.MEETING, owner="ben"))
    assert status_of(decide(wish, lead, FREE, NOW)).owner is None


def test_a_lead_is_born_new_and_with_what_holds_for_its_account() -> None:
    assert appears(FREE, NOW) == ((LeadChange.APPEARED, Status()),)
    [(_, status)] = appears(AccountFlag(LATER), NOW)
    assert status == Status(do_not_contact_until=LATER)
    assert appears(AccountFlag(NOW), NOW) == appears(FREE, NOW)


def test_a_lead_goes_and_comes_back_with_everything_that_people_did() -> None:
    worked_on = Status(state=LeadState.REJECTED, owner="ben", snoozed_until=LATER)
    [(change, gone)] = observed(held(worked_on), FREE, NOW, withdrawn=True)
    assert change is LeadChange.WITHDRAWN
    assert observed(held(gone), FREE, NOW, withdrawn=True) == ()
    assert observed(held(gone), FREE, NOW, withdrawn=False) == ((LeadChange.RETURNED, worked_on),)


@pytest.mark.parametrize(
    ("own", "accounts", "holds"),
    [
        (None, LATER, LATER),
        (LATER, MUCH_LATER, MUCH_LATER),
        (MUCH_LATER, LATER, None),
        (LATER, None, None),
        (None, EARLIER, None),
    ],
)
def test_of_a_leads_own_and_its_accounts_do_not_contact_the_later_holds(
    own: datetime | None, accounts: datetime | None, holds: datetime | None
) -> None:
    lead = held(Status(do_not_contact_until=own))
    steps = observed(lead, AccountFlag(accounts), NOW, withdrawn=False)
    assert [status.do_not_contact_until for _, status in steps] == ([holds] if holds else [])
    assert {change for change, _ in steps} <= {LeadChange.DO_NOT_CONTACT_SET}


def test_what_is_known_of_a_lead_is_what_its_newest_public_version_says() -> None:
    event = public_lead(version=7, office_id="luzern", territory=None)
    known = Known.of(event)
    assert (known.version, known.office_id, known.territory) == (7, "luzern", None)
    assert (known.priority, known.value_max) == ("CRITICAL", event.estimated_value_max)
    lead = Lead("t", event.lead_id, known, Status())
    assert lead.account == ("t", event.account_id)
    assert lead.known_as(None, 8).known.version == 8
    assert lead.known_as(None, 8).known.title == event.title
