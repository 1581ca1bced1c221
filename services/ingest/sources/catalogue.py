"""The service catalogue's sheet, where a product stands on its first row only."""

from collections.abc import Collection, Iterable, Iterator

from services.ingest.sources.cells import is_missing
from shared.events import JsonScalar


def fill_down(
    rows: Iterable[dict[str, JsonScalar]], missing_values: Collection[str]
) -> Iterator[dict[str, JsonScalar]]:
    """The rows of the sheet, each with its product, so that it makes sense alone (rules.md §1)."""
    product: JsonScalar = None
    for values in rows:
        if not is_missing(values.get("product"), missing_values):
            product = values["product"]
        yield values if product is None else {**values, "product": product}
