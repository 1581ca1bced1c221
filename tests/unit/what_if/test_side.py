"""A side judges rows exactly as the services do, with the accounts that its own rules make."""

from decimal import Decimal

import pytest

from onelead.what_if.side import Place, territory_totals
from services.ingest.domain.profile import ClosedTotals
from shared.events import LeadType, Priority
from tests.support.builders import (
    a_box,
    a_price_list,
    a_project,
    a_use,
    an_entry,
    an_opportunity,
    changed,
    days_ago,
    reconciled,
)
from tests.unit.what_if.sides import RULES, Row, judged, placed, side_of

OLD = {"end_of_life": days_ago(4000), "support_status": "Contract Expired"}


def test_a_lead_goes_the_whole_way_from_its_row_to_its_services() -> None:
    rows: list[Row] = [a_box(**OLD, service_end=days_ago(400)), an_opportunity()]
    prices = a_price_list(an_entry("Migration", family="COMPUTE"), COMPUTE=3)
    leads = side_of(rows, prices=prices).judged(placed(rows))
    refresh, renewal = sorted(leads.values(), key=lambda each: each.lead.lead_type.value)
    assert (refresh.lead.lead_type, renewal.lead.lead_type) == (
        LeadType.HARDWARE_REFRESH,
        LeadType.RENEWAL,
    )
    assert refresh.lead.account_name == "Acme Logistics"
    assert refresh.account.open_opportunities == 1
    assert refresh.score.priority is Priority.CRITICAL
    assert refresh.score.rules_version == "v"
    assert [offer.service_type for offer in refresh.offer.services] == ["Migration"]
    assert refresh.score == judged(refresh.lead, refresh.account).score.model_copy(
        update={"rules_version": "v"}
    )
    assert leads == {each.lead.lead_id: each for each in (refresh, renewal)}


def test_rows_without_an_account_give_no_lead() -> None:
    rows: list[Row] = [a_box(**OLD, territory_id=None, account_name=None)]
    assert side_of(rows).judged(placed(rows)) == {}


def test_each_account_has_its_own_rows_only() -> None:
    rows: list[Row] = [
        a_box(**OLD),
        a_box(**OLD, record_id="S2", territory_id="70002"),
        an_opportunity(),
        an_opportunity(territory_id="70002", account_name="Kestrel Aerospace"),
        an_opportunity(territory_id="70002", account_name="Kestrel Aerospace"),
    ]
    leads = side_of(rows).judged(placed(rows)).values()
    found = {
        each.lead.box_id: (each.account.name, each.account.open_opportunities) for each in leads
    }
    assert found == {"SERIAL1": ("Acme Logistics", 1), "S2": ("Kestrel Aerospace", 2)}


def test_a_territory_adds_up_the_closed_projects_of_all_its_accounts() -> None:
    directory = reconciled(
        a_use("Acme Logistics", "70001"),
        a_use("Kestrel Aerospace", "70001"),
        a_use("Kestrel Aerospace", "70002"),
    )
    closed: dict[Place, ClosedTotals] = {
        ("Acme Logistics", ""): ClosedTotals(2, Decimal(30)),
        ("Acme Logistics", "70001"): ClosedTotals(1, Decimal(12)),
        ("Kestrel Aerospace", "70002"): ClosedTotals(1, Decimal(100)),
        ("", ""): ClosedTotals(9, Decimal(999)),
    }
    assert territory_totals(directory, closed) == {
        "70001": ClosedTotals(4, Decimal(142)),
        "70002": ClosedTotals(1, Decimal(100)),
    }


def test_the_mean_of_a_territory_reaches_the_score_of_its_leads() -> None:
    rows: list[Row] = [
        a_box(**OLD),
        an_opportunity(),
        a_project(amount=100_000),
        a_project(
            record_id="P2", account_name="Kestrel Aerospace", territory_id="70001", amount=300_000
        ),
    ]
    lead, *_ = side_of(rows).judged(placed(rows)).values()
    assert lead.account.territory_average("70001") == 200_000


@pytest.mark.parametrize(("closed", "mean"), [("CLSD", 10_000), ("DONE", None)])
def test_what_counts_as_closed_is_a_rule(closed: str, mean: int | None) -> None:
    rules = changed(RULES, reading__closed_project_statuses=(closed,))
    rows: list[Row] = [a_box(**OLD), an_opportunity(), a_project()]
    lead, *_ = side_of(rows, rules).judged(placed(rows)).values()
    assert lead.account.average_closed_amount == mean
