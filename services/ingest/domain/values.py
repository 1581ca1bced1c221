"""What renewal and attach leads are worth, from the catalogue's prices or from ranges (rules.md §6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.ingest.domain.families import Product
from shared.events import CatalogueEntry, ValueProvenance
from shared.rules.model import MoneyRange, Values


@dataclass(frozen=True)
class ValueRange:
    """What a lead is worth, from min to max in the tenant's currency, and where that comes from."""

    min: Decimal
    max: Decimal
    provenance: ValueProvenance


@dataclass(frozen=True)
class PriceList:
    """The catalogue by family with the versions of its families; only `currency` counts."""

    catalogue: Mapping[str, Sequence[CatalogueEntry]]
    versions: Mapping[str, int]
    currency: str

    def support_value(self, product: Product, rules: Values) -> ValueRange:
        """A year of support: the mean list price of the family's services, or else its parent's."""
        for family in (product.family, product.parent):
            prices = self._prices(family)
            if total := sum(prices, Decimal(0)):
                return ValueRange(
                    _whole(total * rules.support_min_factor / len(prices)),
                    _whole(total * rules.support_max_factor / len(prices)),
                    ValueProvenance.SKU_PRICE,
                )
        if (benchmark := rules.family_benchmarks.get(product.family)) is not None:
            return fixed(benchmark, ValueProvenance.FAMILY_BENCHMARK)
        return fixed(rules.default, ValueProvenance.DEFAULT)

    def offered(self, product: Product) -> tuple[str | None, int | None]:
        """(family, version) of the services a product is offered: its own, else its parent's."""
        for family in (product.family, product.parent):
            if family and self.catalogue.get(family):
                return family, self.versions.get(family)
        return None, None

    def _prices(self, family: str | None) -> list[Decimal]:
        """The prices of a family's services; one without a price is left out, not counted as 0."""
        return [
            entry.list_price
            for entry in self.catalogue.get(family or "", ())
            if entry.list_price is not None
            and entry.list_price > 0
            and entry.currency == self.currency
        ]


def fixed(limits: MoneyRange, provenance: ValueProvenance) -> ValueRange:
    """A range that the rules name."""
    return ValueRange(limits.min, limits.max, provenance)


def _whole(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_UP)
