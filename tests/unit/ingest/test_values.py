"""What support for a box is worth (rules.md §6)."""

from decimal import Decimal
from typing import Any

import pytest

from services.ingest.domain.catalogue import families_of
from services.ingest.domain.families import product_of
from services.ingest.domain.records import CatalogueRow
from services.ingest.domain.values import PriceList, ValueRange
from services.ingest.sources.catalogue import fill_down
from shared.events import CatalogueEntry, ValueProvenance
from shared.rules.load import default_rules
from tests.support.builders import a_price_list, an_entry

RULES = default_rules()
SERVER = product_of("HPE DL380 Gen10", None, RULES.products)
STORAGE = product_of("HPE Primera 650", None, RULES.products)
OTHER = product_of("Cable", None, RULES.products)


def priced(family: str, *prices: int | str | None, **changes: Any) -> list[CatalogueEntry]:
    return [
        an_entry(
            f"Service {n}",
            family=family,
            list_price=None if price is None else Decimal(price),
            **changes,
        )
        for n, price in enumerate(prices)
    ]


def amounts(value: ValueRange) -> tuple[int, int, ValueProvenance]:
    return int(value.min), int(value.max), value.provenance


def test_the_mean_of_the_priced_services_counts_unpriced_ones_are_left_out() -> None:
    prices = a_price_list(*priced("PRIMERA", 10_000, 20_000, None))
    value = prices.support_value(STORAGE, RULES.values)
    assert amounts(value) == (12_000, 22_500, ValueProvenance.SKU_PRICE)


@pytest.mark.parametrize(("price", "low", "high"), [("0.625", 1, 1), ("3", 2, 5), ("1.875", 2, 3)])
def test_halves_are_rounded_up_to_whole_units(price: str, low: int, high: int) -> None:
    value = a_price_list(*priced("PRIMERA", price)).support_value(STORAGE, RULES.values)
    assert amounts(value)[:2] == (low, high)
    assert value.min == value.min.to_integral_value()


def test_the_mean_is_not_rounded_before_the_factors() -> None:
    prices = a_price_list(*priced("COMPUTE", 4900, 2600, 12800, 3950, 2250, 15600))
    assert amounts(prices.support_value(SERVER, RULES.values))[:2] == (5613, 10525)


def test_a_service_without_a_price_is_left_out_and_not_counted_as_zero() -> None:
    prices = a_price_list(*priced("PRIMERA", None, 0, 1000, 3000))
    assert amounts(prices.support_value(STORAGE, RULES.values))[:2] == (1600, 3000)


def test_the_parent_counts_only_where_the_family_has_no_price() -> None:
    both = a_price_list(*priced("PROLIANT", 1000), *priced("COMPUTE", 5000))
    assert amounts(both.support_value(SERVER, RULES.values))[0] == 800
    parent = a_price_list(*priced("PROLIANT", None), *priced("COMPUTE", 5000))
    assert amounts(parent.support_value(SERVER, RULES.values))[0] == 4000


@pytest.mark.parametrize(
    "entries", [[], priced("PRIMERA", None), priced("PRIMERA", 9, currency="EUR")]
)
def test_without_a_price_the_familys_range_counts(entries: list[CatalogueEntry]) -> None:
    value = a_price_list(*entries).support_value(STORAGE, RULES.values)
    assert amounts(value) == (25_000, 60_000, ValueProvenance.FAMILY_BENCHMARK)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("DL380", 3_000, 8_000),
        ("3PAR", 15_000, 40_000),
        ("Alletra", 20_000, 50_000),
        ("Nimble", 12_000, 30_000),
        ("MSA", 5_000, 15_000),
    ],
)
def test_each_family_has_its_range(name: str, low: int, high: int) -> None:
    product = product_of(name, None, RULES.products)
    value = a_price_list().support_value(product, RULES.values)
    assert amounts(value) == (low, high, ValueProvenance.FAMILY_BENCHMARK)


def test_any_other_family_has_the_default() -> None:
    value = a_price_list().support_value(OTHER, RULES.values)
    assert amounts(value) == (5_000, 15_000, ValueProvenance.DEFAULT)


def test_services_are_offered_of_the_family_or_else_of_its_parent_with_their_version() -> None:
    parent = a_price_list(*priced("COMPUTE", None), COMPUTE=7)
    assert parent.offered(SERVER) == ("COMPUTE", 7)
    assert PriceList({**parent.catalogue, "PROLIANT": priced("PROLIANT", 1)}, {}, "USD").offered(
        SERVER
    ) == ("PROLIANT", None)
    assert PriceList({"PROLIANT": ()}, {"PROLIANT": 3}, "USD").offered(SERVER) == (None, None)
    assert parent.offered(OTHER) == (None, None)


def test_the_product_of_a_catalogue_is_filled_down_until_the_next() -> None:
    rows = [{"sku": "a"}, {"product": "3PAR"}, {"product": "(null)"}, {"product": "MSA"}, {}]
    filled = list(fill_down([dict(row) for row in rows], {"(null)"}))
    assert [row.get("product") for row in filled] == [None, "3PAR", "3PAR", "MSA", "MSA"]


def test_the_catalogue_keeps_its_order_and_the_tenants_currency_where_none_is_named() -> None:
    rows = [
        CatalogueRow(record_id="2", row=2, family="MSA", service="Migration", currency="EUR"),
        CatalogueRow(record_id="1", row=1, family="MSA", skus=("X1", "X2")),
    ]
    first, second = families_of(rows, "USD")["MSA"]
    assert (first.service_type, first.currency, first.position) == ("X1", "USD", 1)
    assert (second.service_type, second.currency, second.position) == ("Migration", "EUR", 2)
