"""The service catalogue, published by ingest on `onelead.catalogue.v1`, one event per family."""

from decimal import Decimal
from typing import ClassVar

from shared.events.base import Event, Value


class CatalogueEntry(Value):
    """One priced service. `position` is its row in the catalogue; `margin` a share of 1 or None."""

    family: str
    category: str | None
    service_type: str
    skus: tuple[str, ...]
    list_price: Decimal | None
    currency: str
    margin: float | None
    position: int


class CatalogueFamilyChanged(Event):
    """All services of one family, in catalogue order; empty when the family left the catalogue."""

    event_type: ClassVar[str] = "com.onelead.catalogue.family-changed.v1"

    family: str
    entries: tuple[CatalogueEntry, ...]
