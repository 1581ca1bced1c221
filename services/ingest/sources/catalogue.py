"""The service catalogue: the product that stands on its first row only, and services by family."""

from collections.abc import Collection, Iterable, Iterator

from services.ingest.domain.records import CatalogueRow
from services.ingest.sources.cells import is_missing
from shared.events import CatalogueEntry, JsonScalar


def fill_down(
    rows: Iterable[dict[str, JsonScalar]], missing_values: Collection[str]
) -> Iterator[dict[str, JsonScalar]]:
    """The rows of the sheet, each with its product, so that it makes sense alone (rules.md §1)."""
    product: JsonScalar = None
    for values in rows:
        if not is_missing(values.get("product"), missing_values):
            product = values["product"]
        yield values if product is None else {**values, "product": product}


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
