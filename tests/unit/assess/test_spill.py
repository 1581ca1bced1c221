"""The rows of an assessment on disk: given back whole, account by account; names counted as ingest does."""

import os
import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from onelead.assess.spill import Spill
from services.ingest.domain.accounts.directory import NameUse
from services.ingest.domain.profile import AccountRows
from services.ingest.domain.records import AnyRecord, Box, CatalogueRow, Project
from shared.errors import UserError
from tests.support.builders import TERRITORY, a_box, a_project, an_opportunity


@pytest.fixture
def spill() -> Iterator[Spill]:
    with Spill() as kept:
        yield kept


def keep(spill: Spill, *records: AnyRecord, part: int = 0) -> None:
    for record in records:
        spill.add(record, part, degraded=False, doubtful=False)


def _open_files() -> list[str]:
    """The numbers of our open files, without the one that lists them."""
    numbers = os.listdir("/proc/self/fd")
    return [each for each in numbers if os.path.lexists(f"/proc/self/fd/{each}")]


def test_uses_are_counted_by_spelling_and_territory(spill: Spill) -> None:
    keep(
        spill,
        an_opportunity(row=4, created=date(2025, 1, 1), postal_code="6001", domain="b.ch"),
        an_opportunity(row=3, created=date(2025, 2, 1), postal_code="6000"),
        an_opportunity(row=9, territory_id=None),
        a_project(row=1, account_name="Acme Logistics", territory_id=TERRITORY),
        a_project(row=2, account_name="ACME", domain="a.ch"),
    )
    assert spill.name_uses() == [
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


def test_a_box_goes_with_its_territory_whatever_name_it_carries(spill: Spill) -> None:
    keep(spill, a_box(account_name="Vega"))
    assert spill.name_uses() == []
    keep(spill, a_box(account_name="Vega", territory_id=None))
    (use,) = spill.name_uses()
    assert (use.raw_name, use.rows) == ("Vega", 1)


def test_rows_come_back_equal_account_by_account_in_the_order_they_were_read(spill: Spill) -> None:
    boxes = [a_box(record_id=name, territory_id=at) for name, at in (("B", "2"), ("A", "1"))]
    more = a_box(record_id="C", territory_id="2", quantity=3, end_of_life=date(2020, 2, 29))
    project = a_project(account_name="Vega", amount=Decimal("1234.50"), updated=date(2024, 1, 2))
    keep(spill, *boxes, project, more)
    spill.group({(None, "2"): 0, (None, "1"): 1, ("Vega", project.territory_id): 1})
    assert list(spill.by_account()) == [
        (0, AccountRows(boxes=[boxes[0], more], opportunities=[], projects=[])),
        (1, AccountRows(boxes=[boxes[1]], opportunities=[], projects=[project])),
    ]
    assert [rows.projects for _, rows in spill.by_account(only=Project)] == [[project]]


def test_a_row_that_belongs_to_no_account_is_in_none(spill: Spill) -> None:
    keep(spill, a_box(territory_id=None, account_name=None))
    spill.group({})
    assert list(spill.by_account()) == []
    assert len(list(spill.of_type(Box))) == 1


def test_services_keep_their_exact_prices(spill: Spill) -> None:
    row = CatalogueRow(record_id="1", family="MSA", skus=("A", "B"), list_price=Decimal("0.10"))
    keep(spill, row)
    assert list(spill.of_type(CatalogueRow)) == [row]
    assert spill.places == []


def test_of_repeated_boxes_one_stays_in_the_place_of_the_first(spill: Spill) -> None:
    rows = [a_box(record_id=name, row=row) for row, name in enumerate("XYXZX", start=1)]
    keep(spill, *rows)
    (same,) = spill.repeats()
    assert [each.record.row for each in same] == [1, 3, 5]
    spill.keep_only(same[1], same)
    assert [box.row for box in spill.of_type(Box)] == [3, 2, 4]
    assert list(spill.repeats()) == []


def test_degraded_rows_are_counted_and_doubtful_ones_found_again_boxes_first(spill: Spill) -> None:
    spill.add(a_project(record_id="P"), 1, degraded=True, doubtful=True)
    spill.add(a_box(record_id="B"), 0, degraded=False, doubtful=True)
    spill.add(a_box(record_id="C"), 0, degraded=True, doubtful=False)
    assert spill.counts() == {"install_base": (2, 1), "project": (1, 1)}
    assert [(each.part, each.record.record_id) for each in spill.doubtful()] == [(0, "B"), (1, "P")]


def test_the_file_has_no_name_even_while_it_is_in_use(spill: Spill) -> None:
    spill._database.execute("PRAGMA cache_size = 10")
    keep(spill, *(a_box(record_id=str(number)) for number in range(10_000)))
    files = [os.readlink(f"/proc/self/fd/{number}") for number in _open_files()]
    assert [each.endswith("(deleted)") for each in files if "etilqs" in each] == [True]


def test_a_full_disk_is_told_in_words(spill: Spill) -> None:
    spill._database.execute("PRAGMA max_page_count = 4")
    with pytest.raises(UserError, match="no room on the disk") as told:
        keep(spill, *(a_box(record_id=str(number)) for number in range(10_000)))
    assert "SQLITE_TMPDIR" in (told.value.hint or "")


def test_a_fault_of_our_own_is_not_taken_for_a_full_disk(spill: Spill) -> None:
    with pytest.raises(sqlite3.OperationalError):
        list(spill._all("SELECT nothing"))
