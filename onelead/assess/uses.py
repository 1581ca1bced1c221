"""How the names of accounts are used in rows, as ingest's repository counts it in SQL."""

from collections.abc import Iterable

from services.ingest.domain.accounts.directory import NameUse, own_name
from services.ingest.domain.records import CustomerRecord, Opportunity


def name_uses(records: Iterable[CustomerRecord]) -> list[NameUse]:
    """The uses of all names in these rows, in order of spelling and territory."""
    groups: dict[tuple[str, str | None], list[CustomerRecord]] = {}
    for record in records:
        if (name := own_name(record)) is not None:
            groups.setdefault((name, record.territory_id), []).append(record)
    ordered = sorted(groups.items(), key=lambda group: (group[0][0], group[0][1] or ""))
    return [_use(name, territory, rows) for (name, territory), rows in ordered]


def _use(name: str, territory_id: str | None, rows: list[CustomerRecord]) -> NameUse:
    opportunities = [row for row in rows if isinstance(row, Opportunity)]
    return NameUse(
        raw_name=name,
        territory_id=territory_id,
        rows=len(rows),
        opportunity_rows=len(opportunities),
        latest_created=max((deal.created for deal in opportunities if deal.created), default=None),
        first_row=min(row.row for row in opportunities or rows),
        postal_code=min((row.postal_code for row in rows if row.postal_code), default=None),
        domain=min((row.domain for row in rows if row.domain), default=None),
    )
