"""Routes accounts and their boxes to offices by postal code, as of a day (rules.md §7)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.ingest.domain.profile import AccountRows
from services.ingest.domain.records import CustomerRecord
from shared.rules.offices_lookup import OfficeMap


@dataclass(frozen=True)
class Routes:
    """The office of each account, and of each box by its record id; None where there are no offices."""

    accounts: Mapping[str, str | None] = field(default_factory=dict)
    boxes: Mapping[str, str | None] = field(default_factory=dict)


def route(rows: Mapping[str, AccountRows], offices: OfficeMap) -> Routes:
    """The offices of these accounts and of their boxes.

    A box belongs where it stands: to the office of its own postal code. One that has none goes with
    its account, which is where most of its rows are.
    """
    accounts: dict[str, str | None] = {}
    boxes: dict[str, str | None] = {}
    for account, of in rows.items():
        code, country = _seat((*of.boxes, *of.opportunities, *of.projects))
        accounts[account] = offices.office_of(code, country)
        for box in of.boxes:
            own = box.postal_code is not None
            boxes[box.record_id] = (
                offices.office_of(box.postal_code, box.country or country)
                if own
                else accounts[account]
            )
    return Routes(accounts, boxes)


def _seat(records: Iterable[CustomerRecord]) -> tuple[str | None, str | None]:
    """The postal code that most rows have, with its country; of equally common ones the first read."""
    found = Counter(
        (each.postal_code, each.country) for each in records if each.postal_code is not None
    )
    return next((place for place, _ in found.most_common(1)), (None, None))
