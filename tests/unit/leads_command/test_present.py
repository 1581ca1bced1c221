"""How leads, their flags, their history and what was done are shown."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from rich.table import Table

from onelead.leads.asking import refusal
from onelead.leads.present import (
    as_csv,
    as_json,
    entry_json,
    history_table,
    lead_table,
    leads_table,
    sentence,
)
from onelead.leads.reading import Entry, LeadRow, only, state_called
from shared.errors import UserError
from shared.events import (
    LeadAction,
    LeadChange,
    LeadCommandRefused,
    LeadRefusal,
    LeadState,
    LeadStatusChanged,
)
from tests.support.lifecycle_builders import EARLIER, LATER, NOW

UTC = ZoneInfo("UTC")


def a_row(**changes: Any) -> LeadRow:
    values: dict[str, Any] = {
        "lead_id": "0123456789abcdef",
        "state": "assigned",
        "priority": "CRITICAL",
        "score": 82.5,
        "account": "Apple Inc",
        "account_id": "account-1",
        "title": "Renewal",
        "lead_type": "renewal",
        "territory": None,
        "office_id": None,
        "serial_number": "SN1",
        "value_max": Decimal("60000.50"),
        "currency": "USD",
        "owner": "ben",
        "snoozed_until": None,
        "follow_up_at": None,
        "follow_up_note": "",
        "do_not_contact_until": None,
        "withdrawn": False,
        "touched_at": None,
    }
    return LeadRow(**values | changes)


def text_of(table: Table) -> str:
    console = Console(width=200, record=True, file=None, quiet=False, stderr=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def a_fact(change: LeadChange, **changes: Any) -> LeadStatusChanged:
    return LeadStatusChanged(
        lead_id="lead-1",
        account_id="a",
        change=change,
        state=changes.pop("state", LeadState.ASSIGNED),
        changed_at=NOW,
        **changes,
    )


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (
            a_fact(LeadChange.MOVED, state=LeadState.WON, state_before=LeadState.NEW),
            "moved from new to won",
        ),
        (
            a_fact(LeadChange.ASSIGNED, state_before=LeadState.NEW, owner="ben"),
            "assigned to ben, now assigned",
        ),
        (
            a_fact(LeadChange.ASSIGNED, state_before=LeadState.ASSIGNED, owner="ben"),
            "assigned to ben",
        ),
        (a_fact(LeadChange.ASSIGNED, state_before=LeadState.ASSIGNED), "assigned to nobody"),
        (a_fact(LeadChange.SNOOZED, snoozed_until=LATER), "snoozed until 2025-10-12 12:00 UTC"),
        (a_fact(LeadChange.SNOOZED), "snoozed no more"),
        (a_fact(LeadChange.FOLLOW_UP_SET, follow_up_at=LATER), "follow-up on 2025-10-12 12:00 UTC"),
        (a_fact(LeadChange.FOLLOW_UP_SET), "no follow-up any more"),
        (
            a_fact(LeadChange.DO_NOT_CONTACT_SET, do_not_contact_until=LATER),
            "the account is not to be contacted until 2025-10-12 12:00 UTC",
        ),
        (a_fact(LeadChange.DO_NOT_CONTACT_ENDED), "the account may be contacted again"),
    ],
)
def test_what_was_done_is_said_in_words(fact: LeadStatusChanged, said: str) -> None:
    assert sentence(fact, UTC) == said


def test_a_follow_up_is_overdue_from_its_moment_on() -> None:
    row = a_row(follow_up_at=NOW, follow_up_note="call Eva")
    assert "overdue since 2025-10-09 12:00 UTC: call Eva" in text_of(leads_table([row], NOW, UTC))
    earlier = NOW - timedelta(seconds=1)
    assert "follow-up on 2025-10-09 12:00 UTC" in text_of(leads_table([row], earlier, UTC))


@pytest.mark.parametrize("table", [lead_table, lambda row, *at: leads_table([row], *at)])
def test_flags_and_withdrawal_are_shown_and_markup_of_customers_is_not(
    table: Callable[..., Table],
) -> None:
    row = a_row(
        account="[red]Apple[/red]", snoozed_until=LATER, do_not_contact_until=LATER, withdrawn=True
    )
    text = text_of(table(row, NOW, UTC))
    for part in (
        "[red]Apple[/red]",
        "snoozed until",
        "do not contact until",
        "assigned, withdrawn",
    ):
        assert part in text


def test_one_lead_is_shown_with_the_states_it_may_become() -> None:
    assert "new, contacted, qualified" in text_of(lead_table(a_row(), NOW, UTC))
    text = text_of(lead_table(a_row(state="won", withdrawn=True, owner=None), NOW, UTC))
    assert "nothing else" in text
    assert "nobody" in text


def test_the_history_shows_moments_in_the_zone() -> None:
    entry = Entry(
        version=1,
        field="snoozed_until",
        before=None,
        after=LATER.isoformat(),
        change="snoozed",
        changed_at=NOW,
        actor_kind="person",
        actor_id="anna",
        why="holidays",
        command_id="c",
        causes=["e"],
    )
    text = text_of(history_table([entry], ZoneInfo("Europe/Zurich")))
    for part in ("2025-10-12 14:00 Europe/Zurich", "snoozed until", "person anna", "holidays"):
        assert part in text
    assert entry_json(entry)["changed_at"] == NOW.isoformat()


def test_json_and_csv_hold_every_column_and_no_formula() -> None:
    row = a_row(account="=HYPERLINK(1)", follow_up_at=EARLIER)
    found = as_json(row)
    assert (found["value_max"], found["follow_up_at"]) == ("60000.50", EARLIER.isoformat())
    header, line = as_csv([row]).splitlines()
    assert header.split(",") == list(found)
    assert "'=HYPERLINK(1)" in line


def test_a_refusal_names_what_would_be_allowed_and_exits_with_1() -> None:
    answer = LeadCommandRefused(
        command_id="c",
        lead_id="lead-1",
        action=LeadAction.MOVE,
        refusal=LeadRefusal.ILLEGAL_TRANSITION,
        detail="no",
        allowed=(LeadState.WON, LeadState.LOST),
    )
    error = refusal(answer)
    assert (error.message, error.exit_code) == ("refused: no", 1)
    assert "won, lost" in str(error.hint)


def test_a_name_must_mean_one_lead() -> None:
    assert only([a_row()], "t", "SN1") == a_row()
    with pytest.raises(UserError, match="has no lead called 'SN1'"):
        only([], "t", "SN1")
    with pytest.raises(UserError, match=r"may be one of 0123456789abcdef .*; other"):
        only([a_row(), a_row(lead_id="other")], "t", "SN1")


def test_a_state_is_called_by_its_name() -> None:
    assert state_called(" Won ") is LeadState.WON
    for name in ("unknown", "", "winning"):
        with pytest.raises(UserError) as refused:
            state_called(name)
        assert "qualified" in str(refused.value.hint)
