"""What an account looks like as of a day (rules.md §2, account profile)."""

from decimal import Decimal
from typing import Any

import pytest

from services.ingest.domain.accounts.directory import AccountEntry
from services.ingest.domain.profile import ClosedTotals, closed_totals, profile_of
from shared.events import AccountProfile, Segment
from shared.rules.load import default_rules
from tests.support.builders import (
    AS_OF,
    a_box,
    a_project,
    an_opportunity,
    changed,
    days_ago,
    some_rows,
)

RULES = default_rules()
ENTRY = AccountEntry(
    account_id="a", name="Acme", territory_ids=("1", "2"), founded_by="territory:1"
)


def profile(*records: Any, totals: dict[str, ClosedTotals] | None = None) -> AccountProfile:
    return profile_of(ENTRY, some_rows(*records), totals or {}, RULES, AS_OF)


def test_quantity_adds_to_the_items_competitor_gear_included() -> None:
    boxes = [a_box(quantity=3), a_box(product_name="Dell R730", quantity=2), a_box()]
    assert profile(*boxes).items == 6


def test_stages_are_compared_without_case_and_a_missing_one_counts_nowhere() -> None:
    stages = ["Closed Won", "CLOSED WON", "closed lost", "Proposal", "anything", None]
    found = profile(*(an_opportunity(stage=stage) for stage in stages))
    assert (found.won, found.lost, found.open_opportunities) == (2, 1, 2)
    assert found.win_rate == 2 / 3
    assert profile(an_opportunity(stage="Proposal")).win_rate is None


def test_only_closed_projects_with_an_amount_above_zero_make_the_average() -> None:
    projects = [
        a_project(amount=100),
        a_project(amount=200, status="clsd"),
        a_project(amount=0),
        a_project(amount=-50),
        a_project(amount=None),
        a_project(amount=900, status="REL"),
        a_project(amount=900, currency="EUR"),
        a_project(amount=900, status=None),
    ]
    found = profile(*projects)
    assert (found.projects, found.closed_projects) == (8, 6)
    assert found.average_closed_amount == Decimal(150)
    assert closed_totals(projects, RULES) == ClosedTotals(2, Decimal(300))
    assert profile(a_project(amount=0)).average_closed_amount is None


def test_spend_counts_closed_amounts_of_the_last_365_days() -> None:
    projects = [
        a_project(amount=1, updated=days_ago(0)),
        a_project(amount=10, updated=days_ago(365)),
        a_project(amount=100, updated=days_ago(366)),
        a_project(amount=1_000, updated=days_ago(-3)),
        a_project(amount=10_000, updated=None),
        a_project(amount=None),
        a_project(amount=100_000, status="REL"),
        a_project(amount=1_000_000, currency="EUR"),
        a_project(amount=-5),
    ]
    assert profile(*projects).spend_365d == Decimal(1_006)


def test_the_last_project_is_the_latest_updated_of_any_status() -> None:
    found = profile(a_project(updated=days_ago(9)), a_project(updated=days_ago(3), status="REL"))
    assert found.last_project_date == days_ago(3)
    assert profile(a_project(updated=None)).last_project_date is None


def test_recent_amounts_are_of_the_five_latest_updated_then_started_then_later_row() -> None:
    same = {"updated": days_ago(10)}
    projects = [
        a_project(amount=1, updated=days_ago(5)),
        a_project(amount=2, start=days_ago(50), **same),
        a_project(amount=3, start=days_ago(40), **same),
        a_project(amount=4, start=days_ago(40), **same),
        a_project(amount=5, start=None, **same),
        a_project(amount=6, updated=days_ago(11)),
        a_project(amount=7, updated=None),
        a_project(amount=0, updated=days_ago(1)),
        a_project(amount=8, updated=days_ago(1), currency="EUR"),
        a_project(amount=9, updated=days_ago(1), status="REL"),
    ]
    assert list(map(int, profile(*projects).recent_closed_amounts)) == [1, 4, 3, 2, 5]


def test_a_territorys_average_is_a_mean_over_projects_not_of_means() -> None:
    totals = {"1": ClosedTotals(4, Decimal(100)), "2": ClosedTotals(), "3": ClosedTotals(1)}
    (average,) = profile(totals=totals).territory_averages
    assert (average.territory_id, average.average_closed_amount) == ("1", Decimal(25))


def test_customer_facts_are_the_commonest_of_all_rows() -> None:
    found = profile(
        a_box(country="DE", industry="Retail"),
        an_opportunity(country="CH", owner="Ada"),
        a_project(country="CH", company_size="50"),
    )
    assert (found.country, found.industry, found.owner, found.company_size) == (
        "CH",
        "Retail",
        "Ada",
        "50",
    )
    assert profile(a_box(country="DE"), a_project(country="CH")).country == "DE"


def test_an_account_without_rows_has_a_profile_of_nothing() -> None:
    found = profile()
    assert (found.items, found.projects, found.spend_365d) == (0, 0, Decimal(0))
    assert found.territory_averages == ()


def test_stages_and_statuses_come_from_the_rules() -> None:
    german = changed(
        RULES, reading__won_stages=("Gewonnen",), reading__closed_project_statuses=("fertig",)
    )
    rows = some_rows(an_opportunity(stage="gewonnen"), a_project(status="Fertig"))
    found = profile_of(ENTRY, rows, {}, german, AS_OF)
    assert (found.won, found.closed_projects) == (1, 1)


def test_the_window_of_the_spend_begins_with_the_day_and_ends_365_days_before() -> None:
    def spend(days: int) -> Decimal:
        return profile(a_project(amount=7, updated=days_ago(days))).spend_365d

    assert [int(spend(days)) for days in (-1, 0, 1, 364, 365, 366)] == [7, 7, 7, 7, 7, 0]


def test_amounts_in_the_tenants_currency_count_whether_or_not_a_row_names_it() -> None:
    projects = [a_project(amount=10, currency="USD"), a_project(amount=20, currency=None)]
    found = profile(*projects, a_project(amount=99, currency="CHF"))
    assert found.spend_365d == 30
    assert found.average_closed_amount == 15
    assert sorted(found.recent_closed_amounts) == [10, 20]
    assert found.currency == "USD"


def test_as_many_won_as_lost_is_a_rate_of_one_half() -> None:
    deals = [an_opportunity(stage=stage) for stage in ("Closed Won", "Closed Lost")]
    assert profile(*deals).win_rate == 0.5
    assert profile(deals[0]).win_rate == 1
    assert profile(deals[1]).win_rate == 0


@pytest.mark.parametrize(
    ("boxes", "amount", "segment", "mixed"),
    [
        (50, 500_000, Segment.STRATEGIC_ENTERPRISE, False),
        (10, 500_000, Segment.GROWTH, True),
        (50, 99_999, Segment.TRANSACTIONAL, True),
        (1, 5, Segment.TRANSACTIONAL, False),
    ],
)
def test_the_segment_follows_from_items_and_spend(
    boxes: int, amount: int, segment: Segment, mixed: bool
) -> None:
    found = profile(a_box(quantity=boxes), a_project(amount=amount))
    assert (found.segment, found.segment_mixed) == (segment, mixed)
    assert found.strategy == getattr(RULES.segments, segment.value.lower()).strategy


def test_a_profile_is_of_its_account_and_says_where_that_was_merged_into() -> None:
    found = profile()
    assert (found.account_id, found.name, found.territory_ids) == ("a", "Acme", ("1", "2"))
    assert found.merged_into is None
    merged = ENTRY.model_copy(update={"merged_into": "b"})
    assert profile_of(merged, some_rows(), {}, RULES, AS_OF).merged_into == "b"


def test_the_mean_of_an_account_is_not_the_mean_of_its_territory() -> None:
    neighbour = closed_totals([a_project(amount=70), a_project(amount=30)], RULES)
    own = closed_totals([a_project(amount=20)], RULES)
    together = ClosedTotals(neighbour.count + own.count, neighbour.sum + own.sum)
    found = profile(a_project(amount=20), totals={"2": together})
    assert found.average_closed_amount == 20
    assert [
        (each.territory_id, each.average_closed_amount) for each in found.territory_averages
    ] == [("2", Decimal(40))]


def test_money_that_is_not_there_is_still_a_decimal() -> None:
    assert isinstance(closed_totals([], RULES).sum, Decimal)
    assert closed_totals([], RULES).average is None
