"""The services of the catalogue by product family."""

from collections.abc import Iterable

from services.ingest.domain.records import CatalogueRow
from shared.events import CatalogueEntry


def families_of(
    rows: Iterable[CatalogueRow], currency: str
) -> dict[str, tuple[CatalogueEntry, ...]]:
    """Family → its services in catalogue order; a row without a currency is in the tenant's."""
    families: dict[str, tuple[CatalogueEntry, ...]] = {}
    for row in sorted(rows, key=lambda each: (each.row, each.record_id)):
        entry = CatalogueEntry(
            family=row.family,
            category=row.category,
            service_type=row.service or row.skus[0],
            skus=row.skus,
            list_price=row.list_price,
            currency=row.currency or currency,
            margin=row.margin,
            position=row.row,
        )
        families[row.family] = (*families.get(row.family, ()), entry)
    return families
