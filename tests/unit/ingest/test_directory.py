"""Whose is a row: its own name's account, else its territory's; a box goes with its territory."""

import pytest

from services.ingest.domain.accounts.directory import Directory, own_name
from services.ingest.domain.records import CustomerRecord
from tests.support.builders import TERRITORY, a_box, a_project, a_use, an_opportunity, reconciled


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (a_box(account_name="Acme", territory_id=TERRITORY), None),
        (a_box(account_name="Acme", territory_id=None), "Acme"),
        (a_box(account_name=None, territory_id=None), None),
        (an_opportunity(account_name="Acme", territory_id=TERRITORY), "Acme"),
        (an_opportunity(account_name="Acme", territory_id=None), "Acme"),
        (a_project(account_name="Acme", territory_id=TERRITORY), "Acme"),
        (a_project(account_name=None, territory_id=TERRITORY), None),
    ],
)
def test_a_box_in_a_territory_goes_with_it_whatever_name_it_carries(
    record: CustomerRecord, name: str | None
) -> None:
    assert own_name(record) == name


@pytest.fixture
def directory() -> Directory:
    return reconciled(a_use("Acme", "1"), a_use("Bolt"), territories=("2",))


def test_a_row_belongs_to_the_account_of_its_name_wherever_it_stands(directory: Directory) -> None:
    bolt = directory.account_of("Bolt", None)
    assert bolt is not None
    assert directory.account_of("BOLT Inc", "1") == bolt
    assert directory.account_of("Acme", "2") == directory.account_of("Acme", None) != bolt


@pytest.mark.parametrize("nameless", [None, "", "---", "#"])
def test_a_row_without_a_name_belongs_to_the_account_of_its_territory(
    directory: Directory, nameless: str | None
) -> None:
    assert directory.account_of(nameless, "1") == directory.account_of("Acme", None)
    found = directory.account_of(nameless, "2")
    assert found is not None
    assert directory.accounts[found].name == "Territory 2"


def test_a_name_or_territory_that_is_not_known_has_no_account(directory: Directory) -> None:
    assert directory.account_of("Nobody", "1") is None
    assert directory.account_of(None, "3") is None
    assert directory.account_of(None, None) is None
