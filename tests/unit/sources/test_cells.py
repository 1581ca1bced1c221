"""How a raw cell becomes a value (rules.md §1)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources import cells
from shared.events import JsonScalar

MISSING = {"(null)", "null", "nan", "n/a"}


@pytest.mark.parametrize("raw", ["(null)", "NULL", " nan ", "N/A", "", "   ", None, float("nan")])
def test_words_for_nothing_are_missing_in_any_case(raw: JsonScalar) -> None:
    assert cells.is_missing(raw, MISSING)


@pytest.mark.parametrize("raw", ["0", 0, False, "none of it", "nano"])
def test_nothing_else_is_missing(raw: JsonScalar) -> None:
    assert not cells.is_missing(raw, MISSING)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2015-07-01", date(2015, 7, 1)),
        ("2015-07-01 00:00:00", date(2015, 7, 1)),
        (" 2015-07-01T13:45:10.5Z ", date(2015, 7, 1)),
        ("2015-07-01 13:45+02:00", date(2015, 7, 1)),
        (42186, date(2015, 7, 1)),
        (42186.0, date(2015, 7, 1)),
        (42186.75, date(2015, 7, 1)),
    ],
)
def test_a_date_is_iso_text_or_an_excel_day(raw: JsonScalar, expected: date) -> None:
    assert cells.day(raw) == (expected, None)


@pytest.mark.parametrize(
    "raw",
    [
        "31.12.2020",
        "12/31/2020",
        "2020-02-30",
        "soon",
        "2020",
        True,
        12,
        99999,
        1e300,
        float("inf"),
    ],
)
def test_anything_else_is_no_date(raw: JsonScalar) -> None:
    assert cells.day(raw) == (None, cells.NOT_A_DATE)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (7714.84, "7714.84"),
        (0, "0"),
        (-3, "-3"),
        ("$28,000.00", "28000.00"),
        ("6,200", "6200"),
        ("1,234,567.8", "1234567.8"),
        ("(500)", "-500"),
        ("($1,500.50)", "-1500.50"),
        ("-$20", "-20"),
        ("$-20", "-20"),
        ("€ 1,200", "1200"),
        (" .5 ", "0.5"),
        ("1200", "1200"),
    ],
)
def test_money_is_a_number_or_text_in_the_american_way(raw: JsonScalar, expected: str) -> None:
    assert cells.money(raw) == (Decimal(expected), None)


@pytest.mark.parametrize(
    "raw",
    [
        *("Yes", "No", "TBD", "1.234,56", "28k", "1,23", "12,3456", "$", "()", "(5", "5)", "(-5)"),
        *("--5", "1e5", "1 200", "٣", "9" * 40, True, False, 1e16, float("inf")),
    ],
)
def test_money_is_never_guessed(raw: JsonScalar) -> None:
    assert cells.money(raw) == (None, cells.NOT_MONEY)


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=2))
def test_money_written_with_groups_is_read_back(amount: Decimal) -> None:
    assert cells.money(f"{amount:,}") == (amount, None)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans()))
def test_no_cell_makes_a_reader_raise(raw: JsonScalar) -> None:
    for read in (cells.text, cells.code, cells.name, cells.currency, cells.domain, cells.day):
        read(raw)
    for read_number in (cells.money, cells.quantity, cells.share):
        read_number(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(56088.0, "56088"), ("56088.0", "56088"), (" 007 ", "007"), ("A.0", "A.0")],
)
def test_an_id_is_text_without_the_spreadsheets_decimals(raw: JsonScalar, expected: str) -> None:
    assert cells.code(raw) == (expected, None)


def test_a_hash_is_no_name() -> None:
    assert cells.name("#") == (None, None)
    assert cells.name(" Acme # 1 ") == ("Acme # 1", None)


@pytest.mark.parametrize("raw", [1, 1.0, "1", 0, -4, 0.0])
def test_a_quantity_below_one_counts_as_one(raw: JsonScalar) -> None:
    assert cells.quantity(raw) == (1, None)


@pytest.mark.parametrize("raw", [2.5, "two", True, 1e12])
def test_a_quantity_is_a_whole_number(raw: JsonScalar) -> None:
    assert cells.quantity(raw) == (None, cells.NOT_A_QUANTITY)


@pytest.mark.parametrize(
    ("raw", "expected"), [(0.42, 0.42), ("0.42", 0.42), ("42%", 0.42), (0, 0.0), (1, 1.0)]
)
def test_a_margin_is_a_share_or_a_percentage(raw: JsonScalar, expected: float) -> None:
    assert cells.share(raw) == (expected, None)


@pytest.mark.parametrize("raw", [1.01, -0.1, 42, "high", "142%", True, float("inf")])
def test_a_margin_outside_of_zero_to_one_is_missing(raw: JsonScalar) -> None:
    assert cells.share(raw) == (None, cells.NOT_A_MARGIN)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("https://www.Example.com/x?y", "example.com"),
        ("sales@example.com", "example.com"),
        ("Example.com.", "example.com"),
        ("example.com:443", "example.com"),
    ],
)
def test_a_domain_is_found_in_addresses(raw: str, expected: str) -> None:
    assert cells.domain(raw) == (expected, None)


@pytest.mark.parametrize(
    ("raw", "expected", "written"),
    [
        ("$5", "USD", "USD"),
        ("$5", "CAD", "CAD"),
        ("$5", "EUR", "USD"),
        ("€5", "USD", "EUR"),
        ("¥5", "CNY", "CNY"),
        (5, "USD", "USD"),
    ],
)
def test_a_symbol_tells_the_currency_where_it_contradicts(
    raw: JsonScalar, expected: str, written: str
) -> None:
    assert cells.written_currency(raw, expected) == written
