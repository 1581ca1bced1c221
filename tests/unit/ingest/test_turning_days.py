"""Between two turning days nothing that ingest derives changes: held against every single day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.accounts.directory import AccountEntry
from services.ingest.domain.derive import Derivation, derive_account
from services.ingest.domain.profile import AccountRows
from services.ingest.domain.turning_days import turning_days
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.builders import (
    AS_OF,
    TENANT,
    a_box,
    a_price_list,
    a_project,
    changed,
    days_ago,
    some_rows,
)

ENTRY = AccountEntry(account_id="a", name="Acme", founded_by="name:acme")
RULES = default_rules()
ON = changed(
    RULES,
    leads__renewal__ahead_days=90,
    leads__renewal__max_days_since_eol=2000,
    leads__one_support_play_per_box=True,
)
LATER = changed(RULES, leads__risk__high_days_past_expiry=30)
AHEAD_DAYS = 400
_limits = st.sampled_from((0, 90, 180, 365, 1095, 1825, 2000))
_ages = st.builds(
    lambda limit, sign, off: days_ago(sign * limit + off),
    _limits,
    st.sampled_from((1, -1)),
    st.integers(-AHEAD_DAYS - 2, 2),
)


def derived(rows: AccountRows, rules: Rules, as_of: date) -> Derivation:
    return derive_account(
        TENANT,
        ENTRY,
        rows,
        territory_totals={},
        prices=a_price_list(),
        rules=rules,
        as_of=as_of,
    )


@settings(max_examples=8, deadline=None)
@given(
    eol=st.none() | _ages,
    end=st.none() | _ages,
    updated=st.none() | _ages,
    status=st.sampled_from(("Expired", "Expired - Uncovered Box", "Active")),
    rules=st.sampled_from((RULES, ON)),
)
def test_what_is_derived_changes_on_turning_days_only(
    eol: date | None, end: date | None, updated: date | None, status: str, rules: Rules
) -> None:
    rows = some_rows(
        *(
            a_box(
                record_id=f"B{n}",
                end_of_life=eol,
                service_end=end,
                support_status=status,
                quantity=30,
            )
            for n in range(2)
        ),
        a_project(updated=updated, amount=Decimal(600_000)),
    )
    turns = turning_days(rows, rules, AS_OF, AHEAD_DAYS)
    before = derived(rows, rules, AS_OF)
    for ahead in range(1, AHEAD_DAYS + 1):
        day = AS_OF + timedelta(days=ahead)
        after = derived(rows, rules, day)
        assert after == before or day in turns, day
        before = after


@pytest.mark.parametrize(
    ("changes", "rules", "day"),
    [
        ({"end_of_life": days_ago(1820)}, RULES, AS_OF + timedelta(days=6)),
        ({"end_of_life": days_ago(1090)}, RULES, AS_OF + timedelta(days=6)),
        ({"end_of_life": days_ago(-5)}, RULES, AS_OF + timedelta(days=6)),
        ({"end_of_life": days_ago(1995)}, ON, AS_OF + timedelta(days=6)),
        ({"service_end": days_ago(360)}, RULES, AS_OF + timedelta(days=6)),
        ({"service_end": days_ago(-5)}, RULES, AS_OF + timedelta(days=6)),
        ({"service_end": days_ago(25)}, LATER, AS_OF + timedelta(days=6)),
        ({"service_end": days_ago(-185)}, RULES, AS_OF + timedelta(days=5)),
        ({"service_end": days_ago(-95)}, ON, AS_OF + timedelta(days=5)),
    ],
)
def test_each_limit_of_a_box_turns_on_its_first_day(
    changes: dict[str, Any], rules: Rules, day: date
) -> None:
    assert turning_days(some_rows(a_box(**changes)), rules, AS_OF, 10) == (day,)


def test_a_project_leaves_the_spend_the_day_after_its_window() -> None:
    rows = some_rows(a_project(updated=days_ago(365)))
    assert turning_days(rows, RULES, AS_OF, 10) == (AS_OF + timedelta(days=1),)


def test_the_last_day_asked_for_counts_and_today_does_not() -> None:
    rows = some_rows(a_box(service_end=days_ago(-9)), a_box(service_end=days_ago(1)))
    assert turning_days(rows, RULES, AS_OF, 10) == (AS_OF + timedelta(days=10),)
    assert turning_days(rows, RULES, AS_OF, 9) == ()


def test_dates_at_the_end_of_time_do_no_harm() -> None:
    rows = some_rows(a_box(end_of_life=date.max, service_end=date.min))
    assert turning_days(rows, RULES, AS_OF, 10) == ()
