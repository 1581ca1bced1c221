"""How names are used in rows, counted as ingest counts it in SQL."""

from datetime import date

from onelead.assess.uses import name_uses
from services.ingest.domain.accounts.directory import NameUse
from tests.support.builders import TERRITORY, a_box, a_project, an_opportunity


def test_uses_are_counted_by_spelling_and_territory() -> None:
    rows = [
        an_opportunity(row=4, created=date(2025, 1, 1), postal_code="6001", domain="b.ch"),
        an_opportunity(row=3, created=date(2025, 2, 1), postal_code="6000"),
        an_opportunity(row=9, territory_id=None),
        a_project(row=1, account_name="Acme Logistics", territory_id=TERRITORY),
        a_project(row=2, account_name="ACME", domain="a.ch"),
    ]
    assert name_uses(rows) == [
        NameUse(raw_name="ACME", rows=1, first_row=2, domain="a.ch"),
        NameUse(
            raw_name="Acme Logistics",
            rows=1,
            opportunity_rows=1,
            latest_created=date(2025, 1, 1),
            first_row=9,
        ),
        NameUse(
            raw_name="Acme Logistics",
            territory_id=TERRITORY,
            rows=3,
            opportunity_rows=2,
            latest_created=date(2025, 2, 1),
            first_row=3,
            postal_code="6000",
            domain="b.ch",
        ),
    ]


def test_a_box_goes_with_its_territory_whatever_name_it_carries() -> None:
    assert name_uses([a_box(account_name="Vega")]) == []
    (use,) = name_uses([a_box(account_name="Vega", territory_id=None)])
    assert (use.raw_name, use.rows) == ("Vega", 1)
