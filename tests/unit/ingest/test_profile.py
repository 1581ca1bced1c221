"""What an account looks like as of a day (rules.md §2, account profile)."""

from decimal import Decimal
from typing import Any

from services.ingest.domain.accounts.directory import AccountEntry
from services.ingest.domain.profile import ClosedTotals, closed_totals, profile_of
from shared.events import AccountProfile
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
